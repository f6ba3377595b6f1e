"""The orderly end of the process: everything that must be flushed or closed before it goes."""

from __future__ import annotations

from typing import Callable

_closers: list[Callable[[], None]] = []


def at_shutdown(closer: Callable[[], None]) -> None:
    """Have ``closer`` called by :func:`shutdown`; the last one added is called first."""
    _closers.append(closer)


def shutdown() -> None:
    """Flush and close all that is left, within the bounds each closer keeps; a second call does nothing."""
    while _closers:
        _closers.pop()()
