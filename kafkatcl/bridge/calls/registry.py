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
    """Make ``function`` a bridge call under its own name.

    The function itself is returned as it was; the registered one refuses to run in a
    forked process.
    """
    BRIDGE_CALLS[function.__name__] = _unforked(function)
    return function


def one_way(function: BridgeCall) -> BridgeCall:
    """Make ``function`` a bridge call whose answer nobody needs.

    A sidecar is sent the call and not waited for, so it must not fail for any reason
    that a script should know.
    """
    ONE_WAY.add(function.__name__)
    return bridge_call(function)


def list_call(function: BridgeCall) -> BridgeCall:
    """Make ``function`` a bridge call whose last argument is a list: ``Rows``."""
    LIST_CALLS[function.__name__] = _unforked(function)
    return function


def fast_path(function: BridgeCall) -> BridgeCall:
    """Make ``function`` one that is tried before a bridge call.

    It must never raise, and takes care of forked processes itself: nothing is around
    it.
    """
    FAST_PATHS[function.__name__] = function
    return function


def _unforked(function: BridgeCall) -> BridgeCall:
    """Wrap ``function`` so that a forked process is refused, with ``FORKED``."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        if is_forked():
            raise Failure(*FORKED)
        return function(*args)

    return call


def configured(
    dump: Callable[[], list[str]], configure: Callable[[str, str], None], settings: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Do a ``config`` subcommand: make the settings in their order, or show all.

    :param dump: gives all properties: name, value, name, value, ...
    :param configure: sets one property; raises Failure.
    :param settings: name, value, ...; a last name without a value is left out.
    :returns: None where there are settings.  Else what ``dump`` gives; a secret is a
        marker with its number (``[redacted]#3``), which Tcl makes a word of its own.
    """
    if not settings:
        return shown(dump())
    for name, value in zip(settings[::2], settings[1::2]):
        configure(name, value)
    return None


def flat(rows: Iterable[Stopped]) -> tuple[Any, ...]:
    """The fields of all stopped partitions in one tuple, three for each."""
    return tuple(field for row in rows for field in row)
