"""Frames to the interpreter: answers, and what comes unasked (see ``protocol.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kafkatcl.bridge.shapes import Messages
from kafkatcl.sidecar.columns import Columns, Tail
from kafkatcl.sidecar.protocol import CHUNK, HEADER, INT, Kind
from kafkatcl.sidecar.tcl_list import quoted


def frame(kind: Kind, *parts: bytes) -> list[bytes]:
    """A frame as its parts, to be written one after the other."""
    return [HEADER.pack(sum(map(len, parts)), kind), *parts]


#: From how many characters or bytes on a value stands apart.  What is shorter costs
#: less in the list, though it is quoted once for each list that it is in.
LONG = 100


def answer_frame(value: tuple[Any, ...], *, long: int = LONG) -> list[bytes]:
    """The frame of an answer, as its parts: PARTS if something stands apart, else LIST.

    :param value: a tuple as in ``bridge/answers.py``.
    :param long: from how many characters or bytes on a value stands apart.
    """
    apart = _Apart(long, [], [], [])
    text = _listed(value, (), apart)
    if not apart.runs and not apart.values:
        return frame(Kind.LIST, _encoded(text))
    runs = " ".join([f"{{{run.described}}}" for run in apart.runs])
    listing = _encoded(f"{quoted(text)} {{{runs}}} {{{' '.join(apart.described)}}}")
    sizes = [INT.size, len(listing), *[run.size for run in apart.runs], *map(len, apart.values)]
    tail = Tail(sum(sizes))
    columns = [column for run in apart.runs for column in run.encoded(tail)]
    return frame(Kind.PARTS, INT.pack(len(listing)), listing, *columns, *apart.values, *tail.parts)


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


#: Where the fields are in :class:`Messages`.
_FIELDS = Messages._fields.index("fields")


class _Apart(NamedTuple):
    """What of an answer does not stand in its list."""

    long: int
    runs: list[Columns]
    values: list[bytes]
    #: What Tcl is told of each value: the path to its place, its kind, its length.
    described: list[str]

    def add(self, value: bytes | str, path: tuple[int, ...]) -> None:
        """Have a long value stand apart.

        :param path: the indices that lead to its place.
        """
        kind, data = ("bytes", value) if isinstance(value, bytes) else ("text", _encoded(value))
        self.values.append(data)
        self.described.append(f"{{{' '.join(map(str, path))}}} {kind} {len(data)}")


def _listed(value: Any, path: tuple[int, ...], apart: _Apart) -> str:
    """Write a tuple as a Tcl list, without what stands apart.

    :param path: the indices that lead to ``value`` in the whole answer.
    :param apart: gets the fields of messages, and long values.
    """
    elements = []
    if isinstance(value, Messages):
        apart.runs.append(Columns((*path, _FIELDS), value))
        value = (*value[:_FIELDS], ())
    long = apart.long
    for place, element in enumerate(value):
        kind = type(element)
        if kind is int:
            elements.append(str(element))  # nothing to quote
            continue
        if kind is str or kind is bytes:
            if len(element) < long:
                text = element if kind is str else element.decode("latin-1")
            else:
                apart.add(element, (*path, place))
                text = ""
        elif isinstance(element, tuple):
            text = _listed(element, (*path, place), apart)
        else:
            text = str(element)
        elements.append(quoted(text, leads=not place))
    return " ".join(elements)
