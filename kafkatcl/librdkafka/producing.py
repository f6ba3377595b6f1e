"""Producing without the wrapper, for messages whose delivery reports nobody wants.

The wrapper keeps a state for each message, to be freed with the GIL held when its
report comes.  That takes longer than to produce it, and the poll thread and the script
would hold each other up.
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Producer.c#L308-L310
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Producer.c#L145-L182
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterable
from typing import Any, Callable, Optional

from kafkatcl.librdkafka.batches import OutgoingBatch
from kafkatcl.librdkafka.library import function, quick_function

_POINTER = ctypes.c_void_p
# RD_KAFKA_MSG_F_COPY: the library copies payload and key.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L4938-L4940
_COPY = 2


class Message(ctypes.Structure):
    """``rd_kafka_message_t``.

    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1508-L1538
    """

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


_topic_name = function("rd_kafka_topic_name", ctypes.c_char_p, [_POINTER])


def topic_of(message: Message) -> str:
    """The name of the topic of a message."""
    return str(_topic_name(message.rkt).decode(errors="replace"))


_produce_batch = function(
    "rd_kafka_produce_batch",
    ctypes.c_int,
    [_POINTER, ctypes.c_int32, ctypes.c_int, _POINTER, ctypes.c_int],
)

_produce = quick_function("rd_kafka_produce")
_last_error = quick_function("rd_kafka_last_error")


class _Sizes(dict[int, Any]):
    """Numbers of bytes as arguments for C; those of small messages are kept."""

    def __missing__(self, size: int) -> Any:
        argument = ctypes.c_size_t.from_param(size)
        if size < _SMALL:
            self[size] = argument
        return argument


_SMALL = 1024
_sizes = _Sizes()

# The fields that are set are all as large as a pointer, so a message is a row of so
# many.
_WORD = "Q" if ctypes.sizeof(_POINTER) == 8 else "L"
_WORDS = ctypes.sizeof(Message) // ctypes.sizeof(_POINTER)


#: Queues a message: takes its partition (-1: by the partitioner), its payload and its
#: key; returns an error code, 0 for none.
Send = Callable[[int, bytes, Optional[bytes]], int]


def sender(topic: Any) -> Send:
    """What queues messages for a topic; it is called for each message, so every step
    counts.

    The error code is taken right behind the call, as librdkafka keeps the last one of
    each thread.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L765-L768

    :param topic: the pointer of ``NativeClient.open_topic``, which stays open as long
        as the result is used.
    """
    handle = _POINTER.from_param(topic)

    def send(partition: int, payload: bytes, key: bytes | None) -> int:
        key_size = _sizes[len(key)] if key else None
        if _produce(handle, partition, _COPY, payload, _sizes[len(payload)], key, key_size, None):
            return int(_last_error())
        return 0

    return send


def produce_batch(topic: Any, partition: int, batch: OutgoingBatch) -> list[int]:
    """Queue messages for a topic, in their order.

    Behind a message that finds the queue full, all others do so too.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_msg.c#L748-L771

    There is no step of Python for each message: that would cost more than all the
    library does for it.

    :param topic: the pointer of ``NativeClient.open_topic``.
    :param partition: -1 leaves the choice to the partitioner.
    :returns: the error code of each message (0: queued) if some were refused, otherwise
        an empty list.
    """
    count = len(batch)
    words = array(_WORD, bytes(ctypes.sizeof(Message) * count))
    _fill(words, Message.payload, batch.payloads)
    _fill(words, Message.len, batch.lengths)
    if batch.keys:
        _fill(words, Message.key, batch.keys)
        _fill(words, Message.key_len, batch.key_lengths)
    if _produce_batch(topic, partition, _COPY, words.buffer_info()[0], count) == count:
        return []
    return [message.err for message in (Message * count).from_buffer(words)]


def _fill(words: array[int], field: Any, values: Iterable[int]) -> None:
    words[field.offset // words.itemsize :: _WORDS] = array(_WORD, values)
