"""Text that comes while a command is typed: it is written above the command.

The terminal looks as if the line of the command had not been there.
"""

from __future__ import annotations

import codecs
import os
import re
import unicodedata

#: What does not move the cursor: colours and their like.
_STYLE = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
#: A line end at the beginning.  Tcl writes CR LF to terminals:
#: https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixChan.c#L1636
_NEWLINE = re.compile(rb"\A\r?\n")
_TAB = 8


def can_move_cursor() -> bool:
    """Whether the terminal understands codes for more than the next line."""
    return os.environ.get("TERM", "") not in ("", "dumb", "unknown")


class Above:
    """Makes each piece of text end in a new line, where the command is drawn again.

    A text may come in pieces: the next one goes on where the last one ended, by moving
    the cursor back there.
    """

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)
        self._halves: dict[str, codecs.IncrementalDecoder] = {}
        self._is_open = False  # whether the line above is still to go on
        self._column = 0  # where it ends then; 0 where nobody can tell

    def written(self, data: bytes, source: str = "", columns: int | None = None) -> bytes:
        """The bytes to write to a terminal, to have ``data`` above the command.

        The cursor is where the command begins, before and after.

        :param source: where it comes from: the bytes of one character may come in two
            pieces of it.
        """
        decoder = self._halves.setdefault(source, self._decoder("replace"))
        held = decoder.getstate()[0]
        text = decoder.decode(data)
        half = decoder.getstate()[0]
        data = (held + data)[: len(held) + len(data) - len(half)]
        if not data:
            return b""
        back = _back(self._column % (columns or _columns())) if can_move_cursor() else b""
        if self._is_open and not back:
            data = _NEWLINE.sub(b"", data)  # the end of a line that we have ended already
        self._column = _end(text, self._column)
        self._is_open = not text.endswith("\n")
        return back + data + b"\n" * (self._is_open and bool(data))


def _back(column: int) -> bytes:
    """What moves the cursor to a column of the line above, from the beginning of this.

    Column 0 needs nothing: the line above is full, and the text goes on here.
    """
    return b"\x1b[A\x1b[%dC" % column if column else b""


def _end(text: str, column: int) -> int:
    """The column in which ``text`` ends if it begins in ``column``.

    Columns are counted as if no line had an end.

    The result is 0 where nobody can tell.
    """
    line = text.rpartition("\n")[2]
    if "\n" in text or "\r" in line:
        column = 0
    line = _STYLE.sub("", line.rpartition("\r")[2])
    if _CONTROLS.search(line):
        return 0
    for character in line:
        if character == "\t":
            column += _TAB - column % _TAB
        elif not unicodedata.combining(character):
            column += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return column


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80
