"""How a function becomes a bridge call, and what several kinds of bridge calls need."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Callable

from kafkatcl.engine.buffer import Stopped
from kafkatcl.engine.process import is_forked
from kafkatcl.engine.secrets import shown
from kafkatcl.errors import Failure

BridgeCall = Callable[..., Any]
BRIDGE_CALLS: dict[str, BridgeCall] = {}
#: Bridge calls whose last argument is a list of lists.  Elements whose string is not
#: certain are passed untyped (see ``Rows``).
LIST_CALLS: dict[str, BridgeCall] = {}

#: Fast paths: a bridge tries one before its call, and it never raises.
FAST_PATHS: dict[str, BridgeCall] = {}

#: Bridge calls whose answer nobody needs, as they do not fail: no bridge need wait.
ONE_WAY: set[str] = set()

#: The message and the errorCode in a forked process.
FORKED = (
    "package kafka cannot be used in a process forked from the one that loaded it: load it after the fork",
    ("KAFKA", "FORKED"),
)

#: ``tuple[tuple[str, ...] | object, ...]``: a str where Tcl's string is known, such as
#: ``(("payload", "key"), ("payload",))``; another type where it is not, such as
#: ``((16,),)`` for ``{{0x10}}``.
Rows = tuple[Any, ...]


def bridge_call(function: BridgeCall) -> BridgeCall:
    """Make ``function`` a bridge call under its own name."""
    BRIDGE_CALLS[function.__name__] = _unforked(function)
    return function


def one_way(function: BridgeCall) -> BridgeCall:
    """Make ``function`` a bridge call whose answer nobody needs."""
    ONE_WAY.add(function.__name__)
    return bridge_call(function)


def list_call(function: BridgeCall) -> BridgeCall:
    """Make ``function`` a bridge call that takes a list."""
    LIST_CALLS[function.__name__] = _unforked(function)
    return function


def fast_path(function: BridgeCall) -> BridgeCall:
    """Make ``function`` one that is tried before a bridge call."""
    FAST_PATHS[function.__name__] = function
    return function


def _unforked(function: BridgeCall) -> BridgeCall:
    """``function``, refused in a forked process."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        if is_forked():
            raise Failure(*FORKED)
        return function(*args)

    return call


def configured(
    dump: Callable[[], list[str]], configure: Callable[[str, str], None], settings: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Answer to a ``config`` subcommand:
    make the settings, or without any show them all.

    A secret is a marker with its number, which the Tcl side makes a word of.
    """
    if not settings:
        return shown(dump())
    for name, value in zip(settings[::2], settings[1::2]):
        configure(name, value)
    return None


def flat(rows: Iterable[Stopped]) -> tuple[Any, ...]:
    """Rows as one tuple of their fields."""
    return tuple(field for row in rows for field in row)
