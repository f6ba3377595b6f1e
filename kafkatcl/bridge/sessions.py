"""What belongs to one interpreter, and the objects behind its commands."""

from __future__ import annotations

import itertools
from typing import Any, Callable, TypeVar

from kafkatcl.engine.errors import DESTROYED, kafka_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.shutdown import finish

Kind = TypeVar("Kind")

_numbers = itertools.count(1)
#: The objects behind commands, by identifier.
objects: dict[str, Any] = {}
_sessions: dict[str, EventQueue] = {}
_closed: dict[str, EventQueue] = {}
_automatic_names: dict[str, Any] = {}


def open_session(ring: Callable[[str], None]) -> str:
    """A session for an interpreter; ``ring`` is called with its name, from any thread, when it has events."""
    name = f"i{next(_numbers)}"
    _sessions[name] = EventQueue(lambda: ring(name))
    return name


def close_session(name: str) -> None:
    """Delete the handles of a session that goes."""
    queue = _closed[name] = _sessions.pop(name)
    for identifier, handle in list(objects.items()):
        if isinstance(handle, Handle) and handle.events is queue:
            del objects[identifier]
            handle.delete()


def finish_session(name: str) -> list[str]:
    """Wait until the handles of a session that was closed have closed; what they have lost, a line for each."""
    return finish(_closed.pop(name))


def events(session: str) -> EventQueue:
    """The events of a session."""
    return _sessions[session]


def register(prefix: str, make: Callable[[str], Any]) -> str:
    """Keep the object that ``make`` gives for an identifier of its own, and return that."""
    identifier = f"{prefix}{next(_numbers)}"
    objects[identifier] = make(identifier)
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
    return objects.pop(identifier, None)


def automatic_name(prefix: str) -> str:
    """The next name for ``#auto``, such as ``kafka_topic0``; none is given twice in a process."""
    numbers = _automatic_names.setdefault(prefix, itertools.count())
    return f"{prefix}{next(numbers)}"
