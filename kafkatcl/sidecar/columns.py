"""Messages in a row as they pass through the pipe: column by column.

A message has 8 bytes in a column: a number of 64 bits, or two of 32, which say where in
the frame's body the first and the last byte of its bytes are.  Tcl knows columns by the
names of their Python types, and takes all of a run apart with one ``binary scan``
(``tcl/sidecar/frames.tcl``).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Callable

from kafkatcl.bridge.shapes import Messages
from kafkatcl.engine.layouts import LAYOUTS

_CELL = 8


class Tail:
    """What lies behind all columns in the body of a frame: payloads and keys.

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
        self._encoders, types = _LAYOUTS[messages.layout]
        self._fields = messages.fields
        self.size = _CELL * len(messages.fields)
        count = len(messages.fields) // len(self._encoders)
        #: What Tcl is told of them, a list: the path, how many messages, and the types
        #: of the columns as one word.
        self.described = f"{{{' '.join(map(str, path))}}} {count} {types}"

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


def _places(places: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(places)}i", *places)


_ENCODERS: dict[type[Any], Callable[[Any, Tail], bytes]] = {bytes: _bytes, int: _integers}
#: For each layout what encodes its columns, and their types as one word.
_LAYOUTS = {
    layout.name: (
        [_ENCODERS[field.type] for field in layout.columns],
        ",".join(field.type.__name__ for field in layout.columns),
    )
    for layout in LAYOUTS
}
