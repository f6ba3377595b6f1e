"""What a consumer receives, in the form the Tcl side wants it.

A message is a plain tuple ``(payload, partition, offset, timestamp, topic, key pair)``: bytes, three ints (the
timestamp in ms, -1 for none), a str, and ``()`` or ``("key", bytes)``.  An error and the end of a partition have
types of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Union

from confluent_kafka import KafkaError

from kafkatcl.librdkafka.errors import error_name, error_text

MessageRow = tuple[bytes, int, int, int, str, tuple[Any, ...]]


class ErrorRow(NamedTuple):
    """An error that came in the place of a message: its text, the name of its code, and details."""

    error: str
    code: str
    message: str

    def pairs(self) -> tuple[str, ...]:
        """The list a callback gets."""
        return ("error", self.error, "code", self.code, "message", self.message)


class EndRow(NamedTuple):
    """The end of a partition, told when ``enable.partition.eof`` is on."""

    topic: str
    partition: int
    offset: int


Row = Union[MessageRow, ErrorRow, EndRow]

_END = KafkaError._PARTITION_EOF


def row(message: Any) -> Row:
    """The row of a ``confluent_kafka.Message``."""
    error = message.error()
    if error is not None:
        if error.code() == _END:
            return EndRow(message.topic(), message.partition(), message.offset())
        return error_row(error)
    key = message.key()
    return (
        message.value() or b"",
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.topic(),
        () if key is None else ("key", key),
    )


def error_row(error: Any) -> ErrorRow:
    """The row of a ``confluent_kafka.KafkaError``."""
    code = error.code()
    return ErrorRow(error_text(code), error_name(code), error.str())


def only_messages(rows: Iterable[Row]) -> Iterator[MessageRow]:
    """The messages among ``rows``."""
    return (found for found in rows if type(found) is tuple)  # type: ignore[misc]


def argument(found: Row) -> tuple[Any, ...]:
    """The list a callback gets for a message or an error."""
    return found.pairs() if isinstance(found, ErrorRow) else pairs(found)  # type: ignore[arg-type]


def pairs(message: MessageRow) -> tuple[Any, ...]:
    """The list a callback gets for a message."""
    payload, partition, offset, timestamp, topic, key = message
    return (
        "payload", payload, "partition", partition, "offset", offset,
        "timestamp", timestamp, "topic", topic, *key,
    )  # fmt: skip
