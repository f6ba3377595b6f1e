"""What belongs to one interpreter, and the objects behind its commands."""

from __future__ import annotations

import itertools
from typing import Any, Callable, TypeVar

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.shutdown import closing
from kafkatcl.librdkafka.errors import DESTROYED

Kind = TypeVar("Kind")

_numbers = itertools.count(1)
#: The objects behind commands, by identifier.
objects: dict[str, Any] = {}
_sessions: dict[str, EventQueue] = {}
_session_of: dict[str, str] = {}  # by identifier
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
    their identifiers.
    """
    _sessions.pop(name, None)
    identifiers = [identifier for identifier, session in _session_of.items() if session == name]
    found = [forget(identifier) for identifier in identifiers]
    handles = [handle for handle in found if isinstance(handle, Handle)]
    for handle in handles:
        handle.let_go()
    closing(*handles)
    return identifiers


def events(session: str) -> EventQueue:
    """The events of a session."""
    return _sessions[session]


def register(owner: str, prefix: str, make: Callable[[str], Any]) -> str:
    """Keep the object that ``make`` gives for an identifier of its own,
    and return that.

    ``owner`` is the session it belongs to, or an object that belongs to the same.
    """
    identifier = f"{prefix}{next(_numbers)}"
    objects[identifier] = make(identifier)
    _session_of[identifier] = _session_of.get(owner, owner)
    return identifier


def find(identifier: str, kind: type[Kind]) -> Kind:
    """The object of this identifier.

    :raises Failure: it was deleted.
    """
    found = objects.get(identifier)
    if not isinstance(found, kind):
        raise kafka_failure(DESTROYED, "the object was deleted")
    return found


def forget(identifier: str) -> Any:
    """Take an object out; None if there is none."""
    _session_of.pop(identifier, None)
    return objects.pop(identifier, None)


def automatic_name(prefix: str) -> str:
    """The next name for ``#auto``, such as ``kafka_topic0``;
    none is given twice in a process.
    """
    numbers = _automatic_names.setdefault(prefix, itertools.count())
    return f"{prefix}{next(numbers)}"
