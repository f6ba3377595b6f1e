"""Producing messages with all that a message may have: headers, a time, no payload,
and an opaque number, by which its report is known.

``rd_kafka_produceva`` takes a message as a row of values, each with its type.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1157-L1238
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple, Optional

from kafkatcl.librdkafka.batches import BYTES_AT
from kafkatcl.librdkafka.library import quick_function

_POINTER = ctypes.c_void_p


class Headers(NamedTuple):
    """The headers of a message in their order: names in UTF-8, each with a NUL behind
    it, and values, which may be null.
    """

    names: tuple[bytes, ...]
    values: tuple[bytes | None, ...]


NO_HEADERS = Headers((), ())

#: A message to produce: its partition (-1: by the partitioner), its payload (None in a
#: tombstone), its key or None, its time in ms since 1970 (0: now), its headers, and
#: what the script wants back in the report, or None.
OutgoingMessage = tuple[int, Optional[bytes], Optional[bytes], int, Headers, Optional[str]]


class OutgoingMessages:
    """Messages to produce, column by column; each has as many entries as there are
    messages, or none where all messages are alike.

    :param payloads: None for a tombstone.
    :param keys: None for a message without one.
    :param partitions: -1 leaves the choice to the partitioner, as no entries do.
    :param timestamps: ms since 1970; 0, or no entries: the time of the call.
    :param headers: those of each message.
    :param tags: what the script wants back in the report, None for nothing.
    """

    def __init__(
        self,
        payloads: Sequence[bytes | None],
        keys: Sequence[bytes | None],
        partitions: Sequence[int] = (),
        timestamps: Sequence[int] = (),
        headers: Sequence[Headers] = (),
        *,
        tags: Sequence[str | None] = (),
    ) -> None:
        self.payloads, self.keys, self.partitions = payloads, keys, partitions
        self.timestamps, self.headers, self.tags = timestamps, headers, tags

    def __len__(self) -> int:
        return len(self.payloads)

    def max_nbytes(self) -> int:
        """The bytes of the largest payload and the largest key."""
        return sum(
            max((len(data) for data in column if data), default=0) for column in (self.payloads, self.keys)
        )

    def __iter__(self) -> Iterator[OutgoingMessage]:
        return zip(
            self.partitions or repeat(-1),
            self.payloads,
            self.keys,
            self.timestamps or repeat(0),
            self.headers or repeat(NO_HEADERS),
            self.tags or repeat(None),
        )


class _Value(ctypes.Union):
    """The union in ``rd_kafka_vu_t``: up to three words are used."""

    _fields_ = (("words", ctypes.c_uint64 * 3), ("pad", ctypes.c_char * 64))


class _Typed(ctypes.Structure):
    """``rd_kafka_vu_t``: a value and its type."""

    _fields_ = (("vtype", ctypes.c_int), ("value", _Value))


# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1169-L1204
_RKT, _PARTITION, _VALUE, _KEY, _OPAQUE, _MSGFLAGS, _TIMESTAMP, _HEADER = 2, 3, 4, 5, 6, 7, 8, 9
#: What stands in front of the headers of a message.
_ROW = (_RKT, _MSGFLAGS, _PARTITION, _VALUE, _KEY, _TIMESTAMP, _OPAQUE)
# RD_KAFKA_MSG_F_COPY: the library copies payload and key; headers are always copied.
_COPY = 2

_WORD_BYTES = ctypes.sizeof(ctypes.c_uint64)
_WORDS = ctypes.sizeof(_Typed) // _WORD_BYTES
#: Where in a row the words of each value are.
_AT = {vtype: place * _WORDS + _Typed.value.offset // _WORD_BYTES for place, vtype in enumerate(_ROW)}
_PARTITION_AT, _PAYLOAD_AT, _KEY_AT = _AT[_PARTITION], _AT[_VALUE], _AT[_KEY]
_TIMESTAMP_AT, _OPAQUE_AT = _AT[_TIMESTAMP], _AT[_OPAQUE]
#: Where the value of the first header is, behind its name.
_HEADERS_AT = _OPAQUE_AT + _WORDS + 1
#: How many rows are kept.
_MAX_ROWS = 100
_MASK = 2**32 - 1

_produceva = quick_function("rd_kafka_produceva")
_produceva.restype = _POINTER
_error_code = quick_function("rd_kafka_error_code")
_error_code.argtypes = [_POINTER]
_error_destroy = quick_function("rd_kafka_error_destroy")
_error_destroy.argtypes = [_POINTER]


_Row = tuple["array[int]", ctypes.c_void_p, ctypes.c_size_t]


class MessageSender:
    """What queues messages for a topic, one at a time, in one thread.

    Every step counts.

    :param client: the pointer of the client.
    :param topic: that of ``NativeClient.open_topic``, which stays open as long as this
        is used.
    """

    def __init__(self, client: Any, topic: Any) -> None:
        self._client = _POINTER(client)
        self._topic = topic
        #: For the names of headers a row to be filled; its address, and its size.
        self._rows: dict[tuple[bytes, ...], _Row] = {}

    def send(self, message: OutgoingMessage, opaque: int = 0) -> int:
        """Queue a message; the error code, 0 for none.

        :param opaque: the number by which its report is known.
        """
        partition, payload, key, timestamp, (names, values), _ = message
        words, address, count = self._rows.get(names) or self._row(names)
        words[_PARTITION_AT] = partition & _MASK
        if payload is None:
            words[_PAYLOAD_AT] = words[_PAYLOAD_AT + 1] = 0
        else:
            words[_PAYLOAD_AT] = id(payload) + BYTES_AT
            words[_PAYLOAD_AT + 1] = len(payload)
        if key is None:
            words[_KEY_AT] = words[_KEY_AT + 1] = 0
        else:
            words[_KEY_AT] = id(key) + BYTES_AT
            words[_KEY_AT + 1] = len(key)
        words[_TIMESTAMP_AT] = timestamp
        words[_OPAQUE_AT] = opaque
        at = _HEADERS_AT
        for value in values:
            if value is None:
                words[at] = words[at + 1] = 0
            else:
                words[at] = id(value) + BYTES_AT
                words[at + 1] = len(value)
            at += _WORDS
        error = _produceva(self._client, address, count)
        if error is None:
            return 0
        code = int(_error_code(error))
        _error_destroy(error)
        return code

    def _row(self, names: tuple[bytes, ...]) -> _Row:
        """A row for messages with headers of these names, filled with what all have in
        common.
        """
        if len(self._rows) >= _MAX_ROWS:
            self._rows.clear()
        types = (*_ROW, *[_HEADER] * len(names))
        words = array("Q", bytes(_WORD_BYTES * _WORDS * len(types)))
        words[::_WORDS] = array("Q", types)
        words[_AT[_RKT]] = self._topic
        words[_AT[_MSGFLAGS]] = _COPY
        for number, name in enumerate(names):
            words[_HEADERS_AT - 1 + number * _WORDS] = id(name) + BYTES_AT
        row = words, _POINTER(words.buffer_info()[0]), ctypes.c_size_t(len(types))
        self._rows[names] = row
        return row
