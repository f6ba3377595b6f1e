"""Words to whoever sits before the program: lines on standard error, and one that is written anew in its place."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_ERASED = "\r\x1b[K"
_FALLBACK_COLUMNS = 80


class _Teller:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_shown = False  # the line in place

    def say(self, line: str) -> None:
        with self._lock:
            self._write(f"{_ERASED if self._is_shown else ''}{line}\n")
            self._is_shown = False

    def show(self, line: str) -> None:
        with self._lock:
            self._write(_ERASED + line[: _columns() - 1])
            self._is_shown = True

    def clear(self) -> None:
        with self._lock:
            if self._is_shown:
                self._write(_ERASED)
            self._is_shown = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody is there to be told
            sys.stderr.write(text)
            sys.stderr.flush()


_teller = _Teller()


def say(line: str) -> None:
    """Write a line to standard error."""
    _teller.say(line)


def show(line: str) -> None:
    """Write a line in the place of the one shown before; only where :func:`is_watched`."""
    _teller.show(line)


def clear() -> None:
    """Take the shown line away."""
    _teller.clear()


def is_watched() -> bool:
    """Whether standard error is a terminal that this process may write to: it is not in the background."""
    try:
        return os.isatty(2) and os.tcgetpgrp(2) == os.getpgrp()
    except (OSError, AttributeError):  # another session's terminal; a system without terminals
        return False


def printable(text: str) -> str:
    """``text`` on one line, and without what a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "replace").decode() for char in text
    )


def _columns() -> int:
    try:
        return os.get_terminal_size(2).columns or _FALLBACK_COLUMNS
    except OSError:
        return _FALLBACK_COLUMNS
