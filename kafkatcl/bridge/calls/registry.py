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
#: Primitives whose last argument is a list, of which a bridge passes on as much as it
#: can tell the values of.
LIST_PRIMITIVES: dict[str, Primitive] = {}

#: What a bridge may call before a primitive to save time; it never raises.
QUICK: dict[str, Primitive] = {}

#: Primitives whose answer nobody needs, as they do not fail: no bridge need wait.
ONE_WAY: set[str] = set()

#: The message and the errorCode in a forked process.
FORKED = (
    "package kafka cannot be used in a process forked from the one that loaded it: load it after the fork",
    ("KAFKA", "FORKED"),
)

#: A list of lists: a tuple for each that is known to be one, and in it a str for each
#: element that is known to be one.
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
