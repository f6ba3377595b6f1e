"""Producing without the wrapper, for messages whose delivery reports nobody wants.

The wrapper keeps a state for each message, to be freed with the GIL held when its report comes.  That takes longer
than to produce it, and the owner thread and the script would hold each other up.
"""

from __future__ import annotations

import ctypes
import functools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Any, Callable, Optional

from kafkatcl.librdkafka.library import function, quick_function

_POINTER = ctypes.c_void_p
COPY = 2  # RD_KAFKA_MSG_F_COPY: the library copies payload and key


class Message(ctypes.Structure):
    """``rd_kafka_message_t``."""

    _fields_ = (
        ("err", ctypes.c_int),
        ("rkt", _POINTER),
        ("partition", ctypes.c_int32),
        ("payload", _POINTER),
        ("len", ctypes.c_size_t),
        ("key", _POINTER),
        ("key_len", ctypes.c_size_t),
        ("offset", ctypes.c_int64),
        ("_private", _POINTER),
    )


_produce_batch = function(
    "rd_kafka_produce_batch",
    ctypes.c_int,
    [_POINTER, ctypes.c_int32, ctypes.c_int, _POINTER, ctypes.c_int],
)

_produce = quick_function("rd_kafka_produce")
_last_error = quick_function("rd_kafka_last_error")


class _Sizes(dict[int, Any]):
    """Numbers of bytes as arguments for C; those of small messages are there already."""

    def __missing__(self, size: int) -> Any:
        return ctypes.c_size_t.from_param(size)


sizes = _Sizes((size, ctypes.c_size_t.from_param(size)) for size in range(1024))

# The fields that are set are all as large as a pointer, so a message is a row of so many.
_WORD = "Q" if ctypes.sizeof(_POINTER) == 8 else "L"
_WORDS = ctypes.sizeof(Message) // ctypes.sizeof(_POINTER)


#: Queues a message, of a partition, a payload and a key; returns an error code, 0 for none.
Send = Callable[[int, bytes, Optional[bytes]], int]

#: ``rd_kafka_produce`` of a topic handle, from its second argument on: not 0 for an error.
RawSend = Callable[..., int]


def raw_sender(topic: Any) -> RawSend:
    """What queues messages for a topic handle without a step of Python; ``COPY`` and ``sizes`` make its arguments."""
    return functools.partial(_produce, _POINTER.from_param(topic))


def sender(raw: RawSend) -> Send:
    """The same with the arguments of Python."""

    def send(partition: int, payload: bytes, key: bytes | None) -> int:
        key_size = sizes[len(key)] if key else None
        if raw(partition, COPY, payload, sizes[len(payload)], key, key_size, None):
            return int(_last_error())
        return 0

    return send


def address(data: bytes | bytearray) -> int:
    """Where ``data`` lies in memory, as long as it is there (and a bytearray keeps its size)."""
    if isinstance(data, bytearray):
        return ctypes.addressof((ctypes.c_char * len(data)).from_buffer(data))
    return ctypes.cast(ctypes.c_char_p(data), _POINTER).value or 0


@dataclass(frozen=True)
class Batch:
    """Messages to produce: the addresses of their payloads and keys, and how many bytes they have.

    ``data`` has all of these bytes in it, and must not change.  A key that is not there has the address 0; where no
    message has one, ``keys`` and ``key_lengths`` are empty.
    """

    data: bytes | bytearray
    payloads: Sequence[int]
    lengths: Sequence[int]
    keys: Sequence[int] = ()
    key_lengths: Sequence[int] = ()

    @classmethod
    def of(cls, data: bytes | bytearray, lengths: Sequence[int], start: int = 0) -> Batch:
        """Messages one behind the other from ``start`` on: ``lengths`` of payloads and keys (-1: none) in turn."""
        start += address(data)
        payload_lengths, key_lengths = lengths[0::2], lengths[1::2]
        without_key = key_lengths.count(-1)
        if without_key == len(key_lengths):
            return cls(data, list(accumulate(payload_lengths, initial=start))[:-1], payload_lengths)
        if without_key:
            lengths = [max(length, 0) for length in lengths]
        places = list(accumulate(lengths, initial=start))
        keys = places[1::2]
        if without_key:
            keys = [place if length >= 0 else 0 for place, length in zip(keys, key_lengths)]
        return cls(data, places[:-1:2], payload_lengths, keys, lengths[1::2])

    def __len__(self) -> int:
        return len(self.payloads)

    def behind(self, count: int) -> Batch:
        """The messages without the first ``count``."""
        fields = (self.payloads, self.lengths, self.keys, self.key_lengths)
        return Batch(self.data, *(field[count:] for field in fields)) if count else self

    def message(self, at: int) -> tuple[bytes, bytes | None]:
        """The payload and the key of one."""
        key = ctypes.string_at(self.keys[at], self.key_lengths[at]) if self.keys and self.keys[at] else None
        return ctypes.string_at(self.payloads[at], self.lengths[at]), key

    def messages(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The payload and the key of each."""
        payloads = map(ctypes.string_at, self.payloads, self.lengths)
        if not self.keys:
            return zip(payloads, repeat(None))
        keys = zip(self.keys, self.key_lengths)
        return zip(payloads, (ctypes.string_at(key, length) if key else None for key, length in keys))


def produce_batch(topic: Any, partition: int, batch: Batch) -> list[int]:
    """Queue messages for a topic handle; the error code of each if some were refused, otherwise nothing.

    Behind a message that finds the queue full, all others do so too.  There is no step of Python for each message: that
    would cost more than all the library does for it.
    """
    count = len(batch)
    words = array(_WORD, bytes(ctypes.sizeof(Message) * count))
    _fill(words, Message.payload, batch.payloads)
    _fill(words, Message.len, batch.lengths)
    if batch.keys:
        _fill(words, Message.key, batch.keys)
        _fill(words, Message.key_len, batch.key_lengths)
    if _produce_batch(topic, partition, COPY, words.buffer_info()[0], count) == count:
        return []
    return [message.err for message in (Message * count).from_buffer(words)]


def _fill(words: array[int], field: Any, values: Iterable[int]) -> None:
    words[field.offset // words.itemsize :: _WORDS] = array(_WORD, values)
