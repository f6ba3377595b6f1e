"""Frames to the interpreter, as ``protocol.py`` has them: answers, and what is told unasked."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from kafkatcl.sidecar.protocol import CHUNK, HEADER, INT, Kind
from kafkatcl.sidecar.tcl_list import quoted


def frame(kind: Kind, *parts: bytes) -> list[bytes]:
    """The parts of a frame, to be written one after the other."""
    return [HEADER.pack(sum(map(len, parts)), kind), *parts]


def answer(value: tuple[Any, ...]) -> list[bytes]:
    """The frame of an answer."""
    runs: list[_Run] = []
    text = _listed(value, (), runs)
    if not runs:
        return frame(Kind.LIST, _encoded(text))
    places = tuple((run.path, run.count, run.width) for run in runs)
    listing = _encoded(f"{quoted(text)} {quoted(_listed(places, (), []))}")
    start = INT.size + len(listing) + sum(run.size for run in runs)
    columns, bodies = [], []
    for run in runs:
        columns.append(run.columns(start))
        bodies += run.body
        start += run.bytes
    return frame(Kind.RUNS, INT.pack(len(listing)), listing, *columns, *bodies)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts that are neither very small nor very large."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


class _Run:
    """The fields of messages, for the place in the answer that ``path`` leads to."""

    def __init__(self, path: tuple[int, ...], width: int, fields: tuple[Any, ...]) -> None:
        self.path = path
        self.width = width
        self._fields = fields
        self.count = len(fields) // width
        self._parts = [fields[0::width], *([fields[3::width]] if width == 4 else [])]
        self.body = [part for parts in self._parts for part in parts]
        self.bytes = sum(map(len, self.body))

    @property
    def size(self) -> int:
        """The length of the columns."""
        return self.count * (16 + 8 * len(self._parts))

    def columns(self, start: int) -> bytes:
        """The columns, if the body of this run begins at ``start``."""
        columns = []
        for parts in self._parts:
            ends = list(accumulate(map(len, parts), initial=start))
            start = ends[-1]
            columns += [_packed("i", ends[:-1]), _packed("i", [end - 1 for end in ends[1:]])]
        numbers = [_packed("q", self._fields[column :: self.width]) for column in (1, 2)]
        return b"".join([*columns, *numbers])


def _packed(code: str, numbers: Any) -> bytes:
    return struct.pack(f"<{len(numbers)}{code}", *numbers)


def _listed(value: Any, path: tuple[int, ...], runs: list[_Run]) -> str:
    """A tuple as a Tcl list; messages are put aside, with the way to their place."""
    elements = []
    if len(value) == 5 and type(value[4]) is tuple and type(value[3]) is int:
        runs.append(_Run((*path, 4), value[3], value[4]))
        value = (*value[:4], "")
    for place, element in enumerate(value):
        if isinstance(element, tuple):
            elements.append(quoted(_listed(element, (*path, place), runs)))
        elif type(element) is bytes:
            elements.append(quoted(element.decode("latin-1")))
        else:
            elements.append(quoted(str(element)))
    return " ".join(elements)
