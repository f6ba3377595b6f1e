"""What belongs to one interpreter, and the objects behind its commands.

Any thread may look objects up; only that of the interpreter makes and deletes them.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable, TypeVar

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.shutdown import abandon, close_handles
from kafkatcl.librdkafka.errors import DESTROYED

Kind = TypeVar("Kind")

_numbers = itertools.count(1)
#: The objects behind commands, by object id.
objects: dict[str, Any] = {}
_sessions: dict[str, EventQueue] = {}
_session_of: dict[str, str] = {}  # by object id
_automatic_names: dict[str, Any] = {}


def open_session(
    ring: Callable[[str], None], ring_back: Callable[[str], None] | None = None, library: Any = None
) -> str:
    """Open a session for an interpreter; its name, such as ``i1``.

    :param ring: is called with the name, from any thread, when there are events to
        take.
    :param ring_back: the same when the interpreter must give some back; ``ring`` by
        default.
    :param library: of ``native.library.loaded``, where the interpreter works with it.
    """
    name = f"i{next(_numbers)}"
    _sessions[name] = EventQueue(lambda: ring(name), lambda: (ring_back or ring)(name), library)
    return name


def close_session(name: str) -> list[str]:
    """Delete all objects of a session whose interpreter goes, or is gone.

    Consumers are waited for, up to 5 s; producers go on delivering in the background.

    :returns: the object ids.
    """
    queue = _sessions.pop(name, None)
    object_ids = [object_id for object_id, session in _session_of.items() if session == name]
    found = [forget(object_id) for object_id in object_ids]
    handles = [handle for handle in found if isinstance(handle, Handle)]
    for handle in handles:
        handle.let_go()
    if queue:
        abandon(queue)
    close_handles(*handles)
    return object_ids


def events(session: str) -> EventQueue:
    """The events of a session.

    :raises KeyError: it is closed.
    """
    return _sessions[session]


def register(owner: str, prefix: str, make: Callable[[str], Any]) -> str:
    """Make an object and keep it under an object id of its own, which is returned.

    :param owner: the session it belongs to, or an object that belongs to the same.
    :param prefix: the letter in front of the number: ``m``, ``h``, ``t``, ``q``, ``b``.
    :param make: gets the object id; if it raises, nothing is kept.
    """
    object_id = f"{prefix}{next(_numbers)}"
    objects[object_id] = make(object_id)
    _session_of[object_id] = _session_of.get(owner, owner)
    return object_id


def find(object_id: str, kind: type[Kind]) -> Kind:
    """The object that has this id.

    :param kind: what the object must be.  With ``object``, None stands for one that was
        deleted.
    :raises Failure: it was deleted, or is of another kind.
    """
    found = objects.get(object_id)
    if not isinstance(found, kind):
        raise kafka_failure(DESTROYED, "the object was deleted")
    return found


def forget(object_id: str) -> Any:
    """Take an object out and return it; None if there is none."""
    _session_of.pop(object_id, None)
    return objects.pop(object_id, None)


def automatic_name(prefix: str) -> str:
    """The next name for ``#auto``, such as ``kafka_topic0``; unique in the process."""
    numbers = _automatic_names.setdefault(prefix, itertools.count())
    return f"{prefix}{next(numbers)}"
