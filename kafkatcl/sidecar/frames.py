"""What passes between a Tcl interpreter and its sidecar: frames, each with its length and what it is.

All numbers are little-endian, of 32 bits where nothing else is said; times and offsets have 64.  Lengths are bytes.

To the sidecar, ``length op body``:

==================  ==================================================================  ======================
op                  body                                                                answered
==================  ==================================================================  ======================
CALL                n, n lengths, n words in UTF-8: a primitive and its arguments       yes
TELL                the same, of a primitive whose answer nobody needs                  no
PRODUCE             topic (its identifier, 12 bytes), partition, length of the key      yes
                    (-1: none), payload, key
PRODUCE_UNANSWERED  the same                                                            no
PRODUCE_BATCH       topic, partition, n, 2n lengths of payloads and keys, all of these  yes
BYE                 nothing: deliver, close, and end                                    by the end of the pipe
==================  ==================================================================  ======================

From the sidecar, ``length kind body``:

==================  ==================================================================
kind                body
==================  ==================================================================
LIST                an answer (see ``bridge/answers.py``) as a Tcl list in UTF-8
RUNS                an answer with messages in it: length of a list in UTF-8; that
                    list: the answer, and for each run of messages where in the answer
                    its fields belong, how many messages there are, and how many
                    fields each has; then for each run the columns, one after the
                    other: where in the body payloads begin and end (the last byte),
                    the same for keys if there are any, offsets, timestamps; then
                    payloads and keys
BELL                a session that has events to take; no answer
BELL_BACK           a session that must give back some of those it took; no answer
REFUSED             why there is no sidecar; it ends
REVOKED             a producer handle that takes no more messages; no answer
LOST                nothing: the last frame, where messages were not delivered
INTERRUPTED         the same, where Ctrl-C has ended the wait for them
==================  ==================================================================

The first frame is a LIST: the protocol's number, and the names of the primitives.
"""

from __future__ import annotations

import functools
import os
import re
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import accumulate
from typing import Any, Callable, Union

from kafkatcl.bridge.texts import escaped
from kafkatcl.librdkafka.batches import Batch, address

PROTOCOL = 2
_HEADER = struct.Struct("<ii")
_INT = struct.Struct("<i")
_CHUNK = 1 << 18

Body = Union[bytes, bytearray]


class Op(IntEnum):
    """What the interpreter sends."""

    CALL = 1
    PRODUCE = 2
    PRODUCE_UNANSWERED = 3
    PRODUCE_BATCH = 4
    BYE = 5
    TELL = 6


class Kind(IntEnum):
    """What the sidecar sends."""

    LIST = 0
    RUNS = 1
    BELL = 2
    REFUSED = 3
    BELL_BACK = 4
    REVOKED = 5
    LOST = 6
    INTERRUPTED = 7


# -- to the sidecar ----------------------------------------------------------------------------------------


def frames(descriptor: int, before_reading: Callable[[], None] = lambda: None) -> Iterator[tuple[int, Any]]:
    """The op and the body of each whole frame, until the end of the pipe.

    PRODUCE_UNANSWERED comes as :func:`produced_row` gives it, as one for many frames.
    """
    held, at = b"", 0
    while True:
        length, size, op = _HEADER.size, 0, 0
        if len(held) - at >= length:
            size, op = _HEADER.unpack_from(held, at)
            length += size
            if len(held) - at >= length:
                if op == Op.PRODUCE_UNANSWERED:
                    row, at = produced_row(held, at)
                    yield op, row
                    continue
                yield op, held[at + _HEADER.size : at + length]
                at += length
                continue
        before_reading()
        if size > _CHUNK:
            body = bytearray(size)
            if not _fill(descriptor, body, held[at + _HEADER.size :]):
                return
            yield op, body
            held, at = b"", 0
        else:
            more = _read(descriptor)
            if not more:
                return
            held, at = held[at:] + more, 0


def _read(descriptor: int) -> bytes:
    """What is there, or nothing at the end of the pipe."""
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:  # told to end: what was there has been read
        return b""


def _fill(descriptor: int, body: bytearray, begin: bytes) -> bool:
    """Read a large body, whose begin was read already, to where it belongs; False at the end of the pipe."""
    body[: len(begin)] = begin
    view = memoryview(body)[len(begin) :]
    while view:
        try:
            count = os.readv(descriptor, [view])
        except BlockingIOError:
            return False
        if count == 0:
            return False
        view = view[count:]
    return True


def words(body: Body) -> list[str]:
    """The words of a CALL."""
    (count,) = _INT.unpack_from(body)
    start = _INT.size * (1 + count)
    ends = list(accumulate(struct.unpack_from(f"<{count}i", body, _INT.size), initial=start))
    return [_text(body[first:last]) for first, last in zip(ends, ends[1:])]


def _text(encoded: Body) -> str:
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        # Tcl 8.6 has halves of characters for what is above U+FFFF, and on their own.
        halves = encoded.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
        return escaped(halves.decode("utf-16", "surrogatepass").encode("utf-8", "surrogatepass"))


_PRODUCE = struct.Struct("<12sii")
# PRODUCE_UNANSWERED with the header in front: between the lengths is what messages in a row have in common.
_UNANSWERED = struct.Struct("<i20si")
_COMMON = struct.Struct("<i12si")


@functools.lru_cache(maxsize=1024)
def _identifier(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode()


def produced(body: Body) -> tuple[str, int, bytes, bytes | None]:
    """Topic, partition, payload and key of a PRODUCE."""
    topic, partition, key_length = _PRODUCE.unpack_from(body)
    if key_length < 0:
        return _identifier(topic), partition, bytes(body[_PRODUCE.size :]), None
    end = len(body) - key_length
    return _identifier(topic), partition, bytes(body[_PRODUCE.size : end]), bytes(body[end:])


def produced_batch(body: Body) -> tuple[str, int, Batch]:
    """Topic, partition, and messages of a PRODUCE_BATCH."""
    topic, partition, count = _PRODUCE.unpack_from(body)
    lengths = struct.unpack_from(f"<{2 * count}i", body, _PRODUCE.size)
    return _identifier(topic), partition, Batch.of(body, lengths, _PRODUCE.size + 2 * count * _INT.size)


def produced_row(held: bytes, at: int) -> tuple[tuple[str, int, Batch], int]:
    """Topic, partition, and messages of the PRODUCE_UNANSWERED frames in a row that are for these, and their end."""
    unpack, last = _UNANSWERED.unpack_from, len(held) - _UNANSWERED.size
    _, common, _ = unpack(held, at)
    payloads, lengths, keys, key_lengths = [], [], [], []
    base = address(held)
    while at <= last:
        size, begin, key_length = unpack(held, at)
        end = at + _HEADER.size + size
        if begin != common or end > len(held):
            break
        start = at + _UNANSWERED.size
        payloads.append(base + start)
        if key_length < 0:
            lengths.append(end - start)
            keys.append(0)
            key_lengths.append(0)
        else:
            lengths.append(end - start - key_length)
            keys.append(base + end - key_length)
            key_lengths.append(key_length)
        at = end
    _, topic, partition = _COMMON.unpack(common)
    batch = Batch(held, payloads, lengths, keys, key_lengths) if any(keys) else Batch(held, payloads, lengths)
    return (_identifier(topic), partition, batch), at


# -- from the sidecar --------------------------------------------------------------------------------------


def frame(kind: Kind, *parts: bytes) -> list[bytes]:
    """The parts of a frame, to be written one after the other."""
    return [_HEADER.pack(sum(map(len, parts)), kind), *parts]


def answer(value: tuple[Any, ...]) -> list[bytes]:
    """The frame of an answer."""
    runs: list[_Run] = []
    text = _listed(value, (), runs)
    if not runs:
        return frame(Kind.LIST, _encoded(text))
    places = tuple((run.path, run.count, run.width) for run in runs)
    listing = _encoded(f"{_quoted(text)} {_quoted(_listed(places, (), []))}")
    start = _INT.size + len(listing) + sum(run.size for run in runs)
    columns, bodies = [], []
    for run in runs:
        columns.append(run.columns(start))
        bodies += run.body
        start += run.bytes
    return frame(Kind.RUNS, _INT.pack(len(listing)), listing, *columns, *bodies)


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
        if size >= _CHUNK:
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
            elements.append(_quoted(_listed(element, (*path, place), runs)))
        elif type(element) is bytes:
            elements.append(_quoted(element.decode("latin-1")))
        else:
            elements.append(_quoted(str(element)))
    return " ".join(elements)


_SPECIAL = re.compile(r'[ \t\n\r\v\f{}\[\]"\\$;]')
_SPECIAL_BUT_BRACES = re.compile(r'[ \t\n\r\v\f\[\]"\\$;]')
_BRACED = re.compile(r'[ \t\n\r\v\f\[$;\\]|^[{"]')
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}


def _quoted(text: str) -> str:
    """``text`` as one element of a Tcl list, written as Tcl itself does it: scripts may compare the text of lists."""
    if not _SPECIAL.search(text):
        return text or "{}"
    balanced = _is_balanced(text)
    if balanced and _BRACED.search(text):
        return f"{{{text}}}"
    return (_SPECIAL_BUT_BRACES if balanced else _SPECIAL).sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return _NAMED.get(found[0], "\\" + found[0])


def _is_balanced(text: str) -> bool:
    """Whether ``text`` can stand in braces."""
    depth, escaped = 0, False
    for character in text:
        if escaped:
            escaped = False
            if character == "\n":
                return False
        elif character == "\\":
            escaped = True
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth < 0:
                return False
    return depth == 0 and not escaped
