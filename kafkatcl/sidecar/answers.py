"""Frames to the interpreter: answers, and what comes unasked (see ``protocol.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kafkatcl.bridge.shapes import Messages
from kafkatcl.sidecar.columns import Columns, Tail
from kafkatcl.sidecar.protocol import CHUNK, HEADER, INT, Kind
from kafkatcl.sidecar.tcl_list import quoted


def frame(kind: Kind, *parts: bytes) -> list[bytes]:
    """A frame as its parts, to be written one after the other."""
    return [HEADER.pack(sum(map(len, parts)), kind), *parts]


def answer_frame(value: tuple[Any, ...]) -> list[bytes]:
    """The frame of an answer, as its parts: RUNS if messages are in it, else LIST.

    :param value: a tuple as in ``bridge/answers.py``.
    """
    runs: list[Columns] = []
    text = _listed(value, (), runs)
    if not runs:
        return frame(Kind.LIST, _encoded(text))
    described = " ".join([f"{{{run.described}}}" for run in runs])
    listing = _encoded(f"{quoted(text)} {{{described}}}")
    tail = Tail(INT.size + len(listing) + sum([run.size for run in runs]))
    columns = [column for run in runs for column in run.encoded(tail)]
    return frame(Kind.RUNS, INT.pack(len(listing)), listing, *columns, *tail.parts)


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


def _listed(value: Any, path: tuple[int, ...], runs: list[Columns]) -> str:
    """Write a tuple as a Tcl list, without the fields of the messages in it.

    :param path: the indices that lead to ``value`` in the whole answer.
    :param runs: gets the messages, each with the path to the place of its fields.
    """
    elements = []
    if isinstance(value, Messages):
        runs.append(Columns((*path, _FIELDS), value))
        value = (*value[:_FIELDS], ())
    for place, element in enumerate(value):
        if isinstance(element, tuple):
            elements.append(quoted(_listed(element, (*path, place), runs), leads=not place))
        elif type(element) is bytes:
            elements.append(quoted(element.decode("latin-1"), leads=not place))
        else:
            elements.append(quoted(str(element), leads=not place))
    return " ".join(elements)
