"""A message as librdkafka gives it, with the methods by which confluent-kafka's own is
read.

https://docs.confluent.io/platform/current/clients/confluent-kafka-python/html/index.html#message
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from kafkatcl.librdkafka.library import quick_function
from kafkatcl.librdkafka.producing import Message, topic_of

_POINTER = ctypes.c_void_p

_errstr = quick_function("rd_kafka_message_errstr")
_errstr.restype = ctypes.c_char_p
_timestamp = quick_function("rd_kafka_message_timestamp")
_timestamp.restype = ctypes.c_int64
_headers = quick_function("rd_kafka_message_headers")
_header_get_all = quick_function("rd_kafka_header_get_all")
_leader_epoch = quick_function("rd_kafka_message_leader_epoch")
_leader_epoch.restype = ctypes.c_int32

_UNKNOWN = -1  # the leader epoch of a message that has none


def _names() -> Callable[[bytes], str]:
    """Reads the names of the headers of a message."""
    is_first = True

    def read(name: bytes) -> str:
        nonlocal is_first
        try:
            return name.decode()
        except UnicodeDecodeError:
            was_first, is_first = is_first, False
            return name.decode("utf-8", "backslashreplace") if was_first else "\ufffd"

    return read


class RawMessage:
    """A message, or an error or an end in its place.

    :param address: of a ``rd_kafka_message_t``, which is there as long as this is used.
    """

    def __init__(self, address: int) -> None:
        self._address = _POINTER(address)
        self._message = Message.from_address(address)

    def topic(self) -> str:
        """The name of the topic."""
        return topic_of(self._message)

    def partition(self) -> int:
        """The number of the partition."""
        return int(self._message.partition)

    def error_code(self) -> int:
        """The number of the error; 0 for a message."""
        return int(self._message.err)

    def error_text(self) -> str:
        """What librdkafka says of the error."""
        return str((_errstr(self._address) or b"").decode(errors="replace"))

    def value(self) -> bytes | None:
        """The payload; None for a tombstone."""
        message = self._message
        return ctypes.string_at(message.payload, message.len) if message.payload else None

    def key(self) -> bytes | None:
        """The key; None if there is none."""
        message = self._message
        return ctypes.string_at(message.key, message.key_len) if message.key else None

    def offset(self) -> int:
        """The offset in its partition."""
        return int(self._message.offset)

    def timestamp(self) -> tuple[int, int]:
        """The type of the timestamp, and the timestamp in ms since 1970."""
        kind = ctypes.c_int()
        ms = int(_timestamp(self._address, ctypes.byref(kind)))
        return kind.value, ms

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """The headers, in their order; None if there are none.

        In the first name that is no UTF-8, ``\\xff`` and its like stand for bytes, and
        U+FFFD for each further such name: confluent-kafka gives no more.
        """
        found, name, value, size = _POINTER(), ctypes.c_char_p(), _POINTER(), ctypes.c_size_t()
        if _headers(self._address, ctypes.byref(found)):
            return None
        pairs: list[tuple[str, bytes | None]] = []
        read_name = _names()
        places: Any = (ctypes.byref(name), ctypes.byref(value), ctypes.byref(size))
        while not _header_get_all(found, ctypes.c_size_t(len(pairs)), *places):
            pairs.append(
                (
                    read_name(name.value or b""),
                    ctypes.string_at(value.value, size.value) if value.value else None,
                )
            )
        return pairs

    def leader_epoch(self) -> int | None:
        """The epoch of the leader that had the message; None if it is not known."""
        epoch = int(_leader_epoch(self._address))
        return None if epoch == _UNKNOWN else epoch

    def delivery_count(self) -> None:
        """How often a share group has delivered the message; a partition that is read
        otherwise has no such count.
        """
