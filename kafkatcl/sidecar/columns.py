"""Messages in a row as they pass through the pipe: column by column.

A message has 8 bytes in a column: a number of 64 bits, or two of 32, which say where in
the frame's body the first and the last byte of its bytes are.  Those may be text in
UTF-8, which lists are, too.  Tcl takes all columns of a run apart with one ``binary
scan``, by their kinds ``int``, ``bytes`` and ``text`` (``tcl/sidecar/frames.tcl``).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Callable

from kafkatcl.bridge.shapes import Messages
from kafkatcl.engine.layouts import LAYOUTS
from kafkatcl.sidecar.tcl_list import listed

_CELL = 8


class Tail:
    """What lies behind all columns in the body of a frame: payloads, keys, and texts.

    :param start: where in the body the tail begins, in bytes.
    """

    def __init__(self, start: int) -> None:
        self.parts: list[bytes] = []
        #: Where in the body the next part begins.
        self.end = start


class Columns:
    """The columns of messages.

    :param path: the indices that lead to the place of their fields in an answer.
    """

    def __init__(self, path: tuple[int, ...], messages: Messages) -> None:
        width = _WIDTHS[messages.layout]
        self._fields = messages.fields
        # Payloads and keys may be bytes or texts.
        self._encoders, kinds = zip(*[_ENCODERS[type(value)] for value in messages.fields[:width]])
        self.size = _CELL * len(messages.fields)
        count = len(messages.fields) // width
        #: What Tcl is told of them, a list: the path, how many messages, and the kinds
        #: of the columns as one word.
        self.described = f"{{{' '.join(map(str, path))}}} {count} {','.join(kinds)}"

    def encoded(self, tail: Tail) -> list[bytes]:
        """All columns, one after the other; what they point to is put into the tail."""
        width = len(self._encoders)
        return [encode(self._fields[place::width], tail) for place, encode in enumerate(self._encoders)]


def _integers(column: Sequence[int], _tail: Tail) -> bytes:
    return struct.pack(f"<{len(column)}q", *column)


def _bytes(column: Sequence[bytes], tail: Tail) -> bytes:
    ends = list(accumulate(map(len, column), initial=tail.end))
    tail.parts += column
    tail.end = ends[-1]
    return _places(ends[:-1]) + _places([end - 1 for end in ends[1:]])


def _texts(column: Sequence[str], tail: Tail) -> bytes:
    return _bytes([text.encode("utf-8", "surrogateescape") for text in column], tail)


def _lists(column: Sequence[tuple[Any, ...]], tail: Tail) -> bytes:
    return _texts([listed(words) for words in column], tail)


def _places(places: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(places)}i", *places)


#: For each type of values what encodes them, and the kind that Tcl knows it by.
_ENCODERS: dict[type[Any], tuple[Callable[[Any, Tail], bytes], str]] = {
    bytes: (_bytes, "bytes"),
    int: (_integers, "int"),
    str: (_texts, "text"),
    tuple: (_lists, "text"),
}
#: For each layout how many columns it has.
_WIDTHS = {layout.name: layout.width for layout in LAYOUTS}
