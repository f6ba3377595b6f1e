"""Words to whoever sits before the program: lines on standard error, and one line that
each new text replaces.

Any thread may call the functions.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from typing import Callable

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


class _Diversion:
    taker: Callable[[bytes], bool] | None = None


def divert(taker: Callable[[bytes], bool] | None) -> None:
    """Have ``taker`` given the lines for standard error,
    while somebody types there; None ends that.

    :param taker: is called in any thread, with whole lines; returns False to refuse
        them, and then they are written as usual.
    """
    _Diversion.taker = taker


def is_diverted(lines: bytes) -> bool:
    """Whether somebody else has taken these lines to show them."""
    taker = _Diversion.taker
    return taker is not None and taker(lines)


def say(line: str) -> None:
    """Write a line to standard error."""
    if not is_diverted(f"{line}\n".encode(errors="backslashreplace")):
        _teller.say(line)


def show(line: str) -> None:
    """Write a line in the place of the one shown before, cut off at the width of the
    terminal; only where :func:`is_watched`.
    """
    _teller.show(line)


def clear() -> None:
    """Take the shown line away."""
    _teller.clear()


def is_watched() -> bool:
    """Whether standard error is a terminal that this process may write to:
    it is not in the background.
    """
    try:
        return os.isatty(2) and os.tcgetpgrp(2) == os.getpgrp()
    except (OSError, AttributeError):  # another session's terminal; a system without terminals
        return False


# C0, DEL, C1, what ends a line or a paragraph, what turns the direction of text around,
# and halves of characters.
_CONTROLS = r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""``text`` on one line, with control characters as ``\n``,
    ``\x1b``, ``\u2028``.
    """
    return re.sub(_CONTROLS, _escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _columns() -> int:
    try:
        return os.get_terminal_size(2).columns or _FALLBACK_COLUMNS
    except OSError:
        return _FALLBACK_COLUMNS
