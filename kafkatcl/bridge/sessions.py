"""What belongs to one interpreter, and the objects behind its commands."""

from __future__ import annotations

import itertools
from typing import Any, Callable, TypeVar

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.shutdown import close_handles
from kafkatcl.librdkafka.errors import DESTROYED

Kind = TypeVar("Kind")

_numbers = itertools.count(1)
#: The objects behind commands, by object id.
objects: dict[str, Any] = {}
_sessions: dict[str, EventQueue] = {}
_session_of: dict[str, str] = {}  # by object id
_automatic_names: dict[str, Any] = {}


def open_session(ring: Callable[[str], None], ring_back: Callable[[str], None] | None = None) -> str:
    """A session for an interpreter.

    ``ring`` is called with its name, from any thread, when it has events, and
    ``ring_back`` or else ``ring`` when it must give some back.
    """
    name = f"i{next(_numbers)}"
    _sessions[name] = EventQueue(lambda: ring(name), lambda: (ring_back or ring)(name))
    return name


def close_session(name: str) -> list[str]:
    """Delete all objects of a session whose interpreter goes, or is gone;
    their object ids.
    """
    _sessions.pop(name, None)
    object_ids = [object_id for object_id, session in _session_of.items() if session == name]
    found = [forget(object_id) for object_id in object_ids]
    handles = [handle for handle in found if isinstance(handle, Handle)]
    for handle in handles:
        handle.let_go()
    close_handles(*handles)
    return object_ids


def events(session: str) -> EventQueue:
    """The events of a session."""
    return _sessions[session]


def register(owner: str, prefix: str, make: Callable[[str], Any]) -> str:
    """Keep the object that ``make`` gives for an object id of its own,
    and return that.

    ``owner`` is the session it belongs to, or an object that belongs to the same.
    """
    object_id = f"{prefix}{next(_numbers)}"
    objects[object_id] = make(object_id)
    _session_of[object_id] = _session_of.get(owner, owner)
    return object_id


def find(object_id: str, kind: type[Kind]) -> Kind:
    """The object that has this id.

    :raises Failure: it was deleted.
    """
    found = objects.get(object_id)
    if not isinstance(found, kind):
        raise kafka_failure(DESTROYED, "the object was deleted")
    return found


def forget(object_id: str) -> Any:
    """Take an object out; None if there is none."""
    _session_of.pop(object_id, None)
    return objects.pop(object_id, None)


def automatic_name(prefix: str) -> str:
    """The next name for ``#auto``, such as ``kafka_topic0``;
    none is given twice in a process.
    """
    numbers = _automatic_names.setdefault(prefix, itertools.count())
    return f"{prefix}{next(numbers)}"
