"""Primitives for callbacks: what waits to be told to an interpreter."""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import integer
from kafkatcl.bridge.calls.registry import flat, primitive
from kafkatcl.bridge.sessions import events


@primitive
def events_take(session: str, most: str) -> tuple[Any, ...]:
    """Waiting events as token, argument, token, argument, ...; none means that the bell will ring."""
    return flat(events(session).take(int(most)))


@primitive
def events_wait(session: str, timeout_ms: str) -> None:
    """Wait until there are events to take, or the time is over."""
    events(session).wait(integer(timeout_ms))


@primitive
def events_settle(session: str, *words: str) -> None:
    """Take what was taken for handed over, but for so many (token, number, ...) that have not run yet."""
    waiting = {token: int(number) for token, number in zip(words[::2], words[1::2])}
    events(session).settle(waiting)


@primitive
def events_reclaim(session: str, token: str, number: str) -> None:
    """Put back the last messages of a callback that is gone."""
    events(session).reclaim(token, int(number))
