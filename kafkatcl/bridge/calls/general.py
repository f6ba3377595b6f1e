"""Bridge calls for ``kafka::kafka``, and for objects of any kind."""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge import shapes
from kafkatcl.bridge.arguments import parse_integer
from kafkatcl.bridge.calls.registry import bridge_call, flat
from kafkatcl.bridge.sessions import automatic_name, forget
from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.engine import secrets, telling
from kafkatcl.engine.settings import shown_words
from kafkatcl.librdkafka.version import version as librdkafka_version


@bridge_call
def version() -> str:
    """The version of librdkafka, such as ``2.16.1``."""
    return librdkafka_version()


@bridge_call
def message_layouts() -> tuple[Any, ...]:
    """See :func:`shapes.message_layouts`; for ``tcl/layouts.tcl``."""
    return shapes.message_layouts()


@bridge_call
def auto_name(prefix: str) -> str:
    """The next command name for ``#auto``: the prefix and a number."""
    return automatic_name(prefix)


@bridge_call
def delete(object_id: str) -> tuple[Any, ...]:
    """Delete an object of any kind; an object id that is not known does nothing.

    A consumer or subscriber is closed within 5 s.  A producer goes on delivering in the
    background.

    :returns: the partitions that are no longer fetched: callback id (empty: it had no
        callback), topic, and partition of each, in one flat tuple.
    """
    found = forget(object_id)
    stopped = found.delete() if hasattr(found, "delete") else None
    return flat(stopped or [])


@bridge_call
def check_integer(text: str) -> int:
    """Read an argument as an integer of 32 bits.

    A Tcl procedure calls this before the call that uses the argument, where the
    original would complain of the argument first.

    :raises Failure: ``text`` is no integer, or too large.
    """
    return parse_integer(text)


@bridge_call
def printable(text: str) -> str:
    """A text on one line, with its control characters escaped."""
    return telling.printable(text_from_tcl(text))


@bridge_call
def scrub(*texts: str) -> tuple[str, ...]:
    """The texts in their order, ``[redacted]`` in the place of every known secret."""
    return tuple(map(secrets.scrub, texts))


@bridge_call
def shown_call(settings_from: str, *words: str) -> tuple[str, ...]:
    """The words of a call that failed, with ``[redacted]`` in the place of secrets.

    :param settings_from: the index of the first setting among ``words``; -1 if the call
        takes no settings.
    """
    return tuple(shown_words(words, parse_integer(settings_from)))
