"""Producing without the wrapper, for messages whose delivery reports nobody wants.

The wrapper keeps a state for each message, to be freed with the GIL held when its report comes.  That takes longer
than to produce it, and the owner thread and the script would hold each other up.
"""

from __future__ import annotations

import ctypes
import functools
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Callable, Optional

from kafkatcl.librdkafka.library import function, quick_function

_POINTER = ctypes.c_void_p
_COPY = 2  # RD_KAFKA_MSG_F_COPY: the library copies payload and key


class _Message(ctypes.Structure):
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
_size = functools.lru_cache(maxsize=1024)(ctypes.c_size_t)
_NOTHING = _size(0)

# The fields that are set are all as large as a pointer, so a message is a row of so many.
_WORD = "Q" if ctypes.sizeof(_POINTER) == 8 else "L"
_WORDS = ctypes.sizeof(_Message) // ctypes.sizeof(_POINTER)


#: Queues a message, of a partition, a payload and a key; returns an error code, 0 for none.
Send = Callable[[int, bytes, Optional[bytes]], int]


def sender(topic: Any) -> Send:
    """What queues messages for a topic handle."""
    pointer = _POINTER(topic)

    def send(partition: int, payload: bytes, key: bytes | None) -> int:
        length, key_length = _size(len(payload)), _size(len(key)) if key else _NOTHING
        if _produce(pointer, partition, _COPY, payload, length, key, key_length, None):
            return int(_last_error())
        return 0

    return send


def produce_batch(
    topic: Any, partition: int, payloads: Sequence[bytes], keys: Sequence[bytes | None]
) -> list[int]:
    """Queue messages for a topic handle; the error code of each if some were refused, otherwise nothing.

    Behind a message that finds the queue full, all others do so too.  There is no step of Python for each message: that
    would cost more than all the library does for it.
    """
    count = len(payloads)
    values = b"".join([*payloads, *(key or b"" for key in keys)])  # alive until the end of the call
    start = ctypes.cast(ctypes.c_char_p(values), _POINTER).value or 0
    lengths = list(map(len, payloads))
    key_lengths = [len(key) if key else 0 for key in keys]
    places = list(accumulate([*lengths, *key_lengths], initial=start))
    words = array(_WORD, bytes(ctypes.sizeof(_Message) * count))
    _fill(words, _Message.payload, places[:count])
    _fill(words, _Message.len, lengths)
    if None in keys:
        _fill(words, _Message.key, (at if key is not None else 0 for at, key in zip(places[count:], keys)))
    else:
        _fill(words, _Message.key, places[count:-1])
    _fill(words, _Message.key_len, key_lengths)
    address, _ = words.buffer_info()
    if _produce_batch(topic, partition, _COPY, address, count) == count:
        return []
    return [message.err for message in (_Message * count).from_buffer(words)]


def _fill(words: array[int], field: Any, values: Iterable[int]) -> None:
    words[field.offset // words.itemsize :: _WORDS] = array(_WORD, values)
