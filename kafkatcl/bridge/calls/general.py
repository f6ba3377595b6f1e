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
    return librdkafka_version()


@bridge_call
def message_layouts() -> tuple[Any, ...]:
    """What messages hold, for ``tcl/layouts.tcl``."""
    return shapes.message_layouts()


@bridge_call
def auto_name(prefix: str) -> str:
    return automatic_name(prefix)


@bridge_call
def delete(object_id: str) -> tuple[Any, ...]:
    """Delete an object of any kind; the partitions that are no longer fetched,
    three words each.
    """
    found = forget(object_id)
    stopped = found.delete() if hasattr(found, "delete") else None
    return flat(stopped or [])


@bridge_call
def check_integer(text: str) -> int:
    """An argument as an integer: checked before the call that uses it,
    to keep the order of errors.
    """
    return parse_integer(text)


@bridge_call
def printable(text: str) -> str:
    """A text on one line, with control characters as they are shown."""
    return telling.printable(text_from_tcl(text))


@bridge_call
def scrub(*texts: str) -> tuple[str, ...]:
    """Texts without the secrets that are known."""
    return tuple(map(secrets.scrub, texts))


@bridge_call
def shown_call(settings_from: str, *words: str) -> tuple[str, ...]:
    """The words of a call that failed, as they can be shown;
    its settings begin at a place, or at none (-1).
    """
    return tuple(shown_words(words, parse_integer(settings_from)))
