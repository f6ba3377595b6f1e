"""Frames from the interpreter, and what they ask for (see ``protocol.py``)."""

from __future__ import annotations

import functools
import os
import struct
from collections import deque
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Any, Callable

from kafkatcl.bridge.texts import escaped
from kafkatcl.librdkafka.batches import OutgoingBatch, address
from kafkatcl.sidecar.protocol import CHUNK, HEADER, INT, OBJECT_ID, PRODUCE, Body, Op


def frames(descriptor: int, before_reading: Callable[[], None] = lambda: None) -> Iterator[tuple[int, Any]]:
    """The op and the body of each whole frame, until the end of the pipe.

    PRODUCE_UNANSWERED comes as :func:`produced_row` gives it, as one for many frames.

    :param before_reading: is called each time when all that was read has been given.
    """
    held, at = b"", 0
    while True:
        length, size, op = HEADER.size, 0, 0
        if len(held) - at >= length:
            size, op = HEADER.unpack_from(held, at)
            length += size
            if len(held) - at >= length:
                if op == Op.PRODUCE_UNANSWERED:
                    row, at = produced_row(held, at)
                    yield op, row
                    continue
                yield op, held[at + HEADER.size : at + length]
                at += length
                continue
        before_reading()
        if size > CHUNK:
            body = bytearray(size)
            if not _fill(descriptor, body, held[at + HEADER.size :]):
                return
            yield op, body
            held, at = b"", 0
        else:
            more = _read(descriptor)
            if not more:
                return
            held, at = held[at:] + more, 0


def _read(descriptor: int) -> bytes:
    """Read what is there; nothing means the end of the pipe."""
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:  # told to end: all that was there has been read
        return b""


def _fill(descriptor: int, body: bytearray, begin: bytes) -> bool:
    """Read a large body to where it belongs; False at the end of the pipe.

    :param begin: the bytes of the body that were read already.
    """
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
    """The words of a CALL or a ONE_WAY: the bridge call and its arguments."""
    (count,) = INT.unpack_from(body)
    start = INT.size * (1 + count)
    ends = list(accumulate(struct.unpack_from(f"<{count}i", body, INT.size), initial=start))
    return [_text(body[first:last]) for first, last in zip(ends, ends[1:])]


def _text(encoded: Body) -> str:
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        # Tcl encodes a lone half of a character as three bytes.  8.6.13 joins halves
        # that are a pair, other versions may not (``UtfToUtfProc`` in
        # https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclEncoding.c#L2288).
        halves = encoded.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
        return escaped(halves.decode("utf-16", "surrogatepass").encode("utf-8", "surrogatepass"))


def listed(body: Body) -> tuple[list[str], tuple[tuple[Any, ...], ...]]:
    """The words of a LIST_CALL, and its list of lists."""
    (length,) = INT.unpack_from(body)
    start = INT.size + length
    (count,) = INT.unpack_from(body, start)
    total, size, *numbers = struct.unpack_from(f"<{count}i", body, start + INT.size)
    sizes, lengths = numbers[:size], numbers[size:]
    text = body[start + INT.size * (1 + count) :]
    elements: Iterator[Any] = iter(_cut(text, total, [number for number in lengths if number >= 0]))
    if len(lengths) and min(lengths) < 0:
        elements = _nested(lengths, elements)
    return words(body[INT.size : start]), tuple([tuple(islice(elements, size)) for size in sizes])


def _nested(lengths: list[int], strings: Iterator[str]) -> Iterator[str | tuple[str, ...]]:
    """The elements of which some are lists of strings, see ``protocol.py``."""
    numbers = iter(lengths)
    for number in numbers:
        if number >= 0:
            yield next(strings)
        else:
            yield tuple(islice(strings, -1 - number))
            deque(islice(numbers, -1 - number), 0)  # their lengths


def _cut(encoded: Body, total: int, lengths: list[int]) -> list[str]:
    """The strings that a text is made of.

    :param total: the length of the text as Tcl counts it, as the others are.
    """
    text = encoded.decode("utf-8", "surrogatepass")
    ends = list(accumulate(lengths, initial=0))
    try:
        text.encode()
        if len(text) == total:
            return [text[start:end] for start, end in zip(ends, ends[1:])]
    except UnicodeEncodeError:  # halves of characters, which are counted as Tcl 8 counts them
        pass
    halves = text.encode("utf-16-le", "surrogatepass")
    joined = [
        halves[2 * start : 2 * end].decode("utf-16-le", "surrogatepass") for start, end in zip(ends, ends[1:])
    ]
    return [escaped(string.encode("utf-8", "surrogatepass")) for string in joined]


# PRODUCE_UNANSWERED with the header in front.  Messages in a row have in common what is
# between the length of the body and the length of the key: op, topic and partition.
_COMMON = struct.Struct(f"<i{OBJECT_ID}si")
_UNANSWERED = struct.Struct(f"<i{_COMMON.size}si")


@functools.lru_cache(maxsize=1024)
def _object_id(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode()


def produced(body: Body) -> tuple[str, int, bytes, bytes | None]:
    """The topic's object id, the partition, the payload and the key of a PRODUCE."""
    topic, partition, key_length = PRODUCE.unpack_from(body)
    if key_length < 0:
        return _object_id(topic), partition, bytes(body[PRODUCE.size :]), None
    end = len(body) - key_length
    return _object_id(topic), partition, bytes(body[PRODUCE.size : end]), bytes(body[end:])


def produced_headers(body: Body) -> tuple[str, int, list[str], list[str]]:
    """The topic's object id, the partition, the payload and perhaps a key, and the
    names and values of headers, of a PRODUCE_HEADERS.
    """
    topic, partition, has_key = PRODUCE.unpack_from(body)
    (count,) = INT.unpack_from(body, PRODUCE.size)
    start = PRODUCE.size + INT.size
    ends = list(accumulate(struct.unpack_from(f"<{count}i", body, start), initial=0))
    text = body[start + INT.size * count :].decode("latin-1")
    found = [text[first:last] for first, last in zip(ends, ends[1:])]
    return _object_id(topic), partition, found[: 1 + has_key], found[1 + has_key :]


def produced_batch(body: Body) -> tuple[str, int, OutgoingBatch]:
    """The topic's object id, the partition and the messages of a PRODUCE_BATCH."""
    topic, partition, count = PRODUCE.unpack_from(body)
    lengths = struct.unpack_from(f"<{2 * count}i", body, PRODUCE.size)
    return _object_id(topic), partition, OutgoingBatch.of(body, lengths, PRODUCE.size + 2 * count * INT.size)


def produced_row(held: bytes, at: int) -> tuple[tuple[str, int, OutgoingBatch], int]:
    """Take PRODUCE_UNANSWERED frames in a row, for one partition, as one batch.

    :param at: where in ``held`` the first of them begins; it is there as a whole.
    :returns: the topic's object id, the partition and the messages; and where the
        frames end.
    """
    unpack, last = _UNANSWERED.unpack_from, len(held) - _UNANSWERED.size
    _, common, _ = unpack(held, at)
    payloads, lengths, keys, key_lengths = [], [], [], []
    base = address(held)
    while at <= last:
        size, begin, key_length = unpack(held, at)
        end = at + HEADER.size + size
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
    batch = (
        OutgoingBatch(held, payloads, lengths, keys, key_lengths)
        if any(keys)
        else OutgoingBatch(held, payloads, lengths)
    )
    return (_object_id(topic), partition, batch), at
