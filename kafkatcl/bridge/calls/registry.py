"""How a function becomes a primitive, and what several kinds of primitives need."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Callable

from kafkatcl.engine.buffer import Stopped
from kafkatcl.engine.process import is_forked
from kafkatcl.engine.secrets import shown
from kafkatcl.errors import Failure

Primitive = Callable[..., Any]
PRIMITIVES: dict[str, Primitive] = {}
#: Bridge calls whose last argument is a list of lists.  Elements whose string is not
#: certain are passed untyped (see ``Rows``).
LIST_PRIMITIVES: dict[str, Primitive] = {}

#: Fast paths: a bridge tries one before its call, and it never raises.
QUICK: dict[str, Primitive] = {}

#: Primitives whose answer nobody needs, as they do not fail: no bridge need wait.
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


def primitive(function: Primitive) -> Primitive:
    """Make ``function`` a primitive under its own name."""
    PRIMITIVES[function.__name__] = _unforked(function)
    return function


def one_way(function: Primitive) -> Primitive:
    """Make ``function`` a primitive whose answer nobody needs."""
    ONE_WAY.add(function.__name__)
    return primitive(function)


def list_primitive(function: Primitive) -> Primitive:
    """Make ``function`` a primitive that takes a list."""
    LIST_PRIMITIVES[function.__name__] = _unforked(function)
    return function


def quick(function: Primitive) -> Primitive:
    """Make ``function`` one that is tried before a primitive."""
    QUICK[function.__name__] = function
    return function


def _unforked(function: Primitive) -> Primitive:
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
