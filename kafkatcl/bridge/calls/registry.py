"""How a function becomes a primitive, and what several kinds of primitives need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from kafkatcl.engine.buffer import Stopped

Primitive = Callable[..., Any]
PRIMITIVES: dict[str, Primitive] = {}


def primitive(function: Primitive) -> Primitive:
    """Make ``function`` a primitive under its own name."""
    PRIMITIVES[function.__name__] = function
    return function


def configured(
    dump: Callable[[], list[str]], configure: Callable[[str, str], None], settings: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Answer to a ``config`` subcommand: make the settings, or without any show them all."""
    if not settings:
        return tuple(dump())
    for name, value in zip(settings[::2], settings[1::2]):
        configure(name, value)
    return None


def flat(rows: Iterable[Stopped] | Iterable[tuple[str, Any]]) -> tuple[Any, ...]:
    """Rows as one tuple of their fields."""
    return tuple(field for row in rows for field in row)
