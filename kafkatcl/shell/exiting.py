"""The end of the process: nothing is lost without a word, and the status is kept.

This holds wherever the end comes from.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import Callable, NoReturn

from kafkatcl.engine.losses import has_lost
from kafkatcl.engine.shutdown import shutdown


class _End:
    """The one end there is, however often it is asked for.

    If a signal asks for it, the signal decides on the status.
    """

    def __init__(self) -> None:
        self.under_way = False
        self._signal = 0
        self._leaving = threading.RLock()

    def note_signal(self, number: int) -> None:
        self._signal = self._signal or number

    def leave(self, status: int, signal: int = 0) -> NoReturn:
        self.under_way = True
        self.note_signal(signal)
        with self._leaving:
            for step in (shutdown, atexit._run_exitfuncs, _flush_streams):
                _attempt(step)
            # A return from main would wait for threads, and a callback of Tcl cannot
            # make main return.
            os._exit(128 + self._signal if self._signal else status or int(has_lost()))


_end = _End()


def leave(status: int) -> NoReturn:
    """Flush and close all that is open, and end the process with ``status`` (0 to 255).

    Where messages were lost, 0 becomes 1.
    """
    _end.leave(status)


def note_signal(number: int) -> None:
    """Have the end, which may be under way, give status 128 + number (any thread)."""
    _end.note_signal(number)


def leave_by_signal(number: int) -> NoReturn:
    """End the process as :func:`leave` does, with status 128 + number (any thread)."""
    _end.leave(0, signal=number)


def leaving() -> bool:
    """Whether the end is under way."""
    return _end.under_way


def _attempt(step: Callable[[], None]) -> None:
    try:
        step()
    except BaseException as error:  # the end must come, and keep its status
        with contextlib.suppress(Exception):
            print(f"kafkatclsh: at the end: {type(error).__name__}: {error}", file=sys.stderr)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or nobody reads it any more
            stream.flush()
