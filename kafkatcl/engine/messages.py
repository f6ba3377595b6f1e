"""What a consumer receives, in the form the Tcl side wants it.

Messages of one partition that come in a row stay together, in one flat tuple: a tuple of its own for each message,
with its topic and partition, would cost more than anything else on the way to the script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Union

from kafkatcl.librdkafka.errors import PARTITION_END, error_name, error_text
from kafkatcl.librdkafka.offsets import OFFSET_INVALID

_PLAIN = 3
_KEYED = 4


class Run(NamedTuple):
    """Messages of one partition in their order, all of them with a key or all without.

    ``fields`` has ``width`` of each message: payload, offset, timestamp, and the key if ``width`` is 4.  Payload and
    key are bytes, offset and timestamp ints (the timestamp in ms, -1 for none).
    """

    topic: str
    partition: int
    width: int
    fields: tuple[Any, ...]

    @property
    def size(self) -> int:
        """The number of messages."""
        return len(self.fields) // self.width

    @property
    def bytes(self) -> int:
        """The bytes of all payloads and keys."""
        total = sum(map(len, self.fields[:: self.width]))
        return total + (sum(map(len, self.fields[_PLAIN :: self.width])) if self.width == _KEYED else 0)

    @property
    def origin(self) -> tuple[str, int]:
        """The topic and the partition."""
        return self.topic, self.partition

    @property
    def first(self) -> int:
        """The offset of the first message."""
        return int(self.fields[1])

    @property
    def last(self) -> int:
        """The offset of the last message."""
        return int(self.fields[1 - self.width])

    def part(self, start: int, count: int) -> Run:
        """``count`` messages from the one numbered ``start`` on."""
        fields = self.fields[start * self.width : (start + count) * self.width]
        return Run(self.topic, self.partition, self.width, fields)

    def within(self, most_bytes: int) -> int:
        """How many of the first messages have no more than ``most_bytes`` together; at least 1."""
        for count in range(self.size):
            most_bytes -= self.part(count, 1).bytes
            if most_bytes < 0:
                return max(1, count)
        return self.size


@dataclass(frozen=True)
class ErrorItem:
    """An error that came in the place of a message: its text, the name of its code, details, and its number.

    ``origin`` is the topic and partition it is about, if it is about one, and ``offset`` where it happened there.
    """

    error: str
    code: str
    message: str
    number: int
    origin: tuple[str, int] | None = None
    offset: int = field(default=OFFSET_INVALID, compare=False)

    size: ClassVar[int] = 1
    bytes: ClassVar[int] = 0

    def pairs(self) -> tuple[str, ...]:
        """The list a callback gets."""
        return ("error", self.error, "code", self.code, "message", self.message)


@dataclass(frozen=True)
class EndItem:
    """The end of a partition, told when ``enable.partition.eof`` is on."""

    topic: str
    partition: int
    offset: int

    size: ClassVar[int] = 1
    bytes: ClassVar[int] = 0

    @property
    def origin(self) -> tuple[str, int]:
        """The topic and the partition."""
        return self.topic, self.partition


Item = Union[Run, ErrorItem, EndItem]


def items(messages: Iterable[Any]) -> Iterator[Item]:
    """What ``confluent_kafka.Message`` objects hold, in their order."""
    topic, partition, width = "", -1, 0  # of the run that grows
    fields: list[Any] = []
    for message in messages:
        if message.error() is not None:
            if fields:
                yield Run(topic, partition, width, tuple(fields))
                fields = []
            yield _told(message)
            continue
        key = message.key()
        if message.partition() != partition or (key is None) == (width == _KEYED) or message.topic() != topic:
            if fields:
                yield Run(topic, partition, width, tuple(fields))
                fields = []
            topic, partition = message.topic(), message.partition()
            width = _PLAIN if key is None else _KEYED
        fields += (message.value() or b"", message.offset(), message.timestamp()[1])
        if key is not None:
            fields.append(key)
    if fields:
        yield Run(topic, partition, width, tuple(fields))


def error_item(error: Any, origin: tuple[str, int] | None = None, offset: int = OFFSET_INVALID) -> ErrorItem:
    """The item of a ``confluent_kafka.KafkaError``."""
    code = error.code()
    return ErrorItem(error_text(code), error_name(code), error.str(), code, origin, offset)


def _told(message: Any) -> Item:
    error, topic = message.error(), message.topic()
    if error.code() == PARTITION_END:
        return EndItem(topic, message.partition(), message.offset())
    if topic is None:
        return error_item(error)
    offset = message.offset()  # None where there is none
    return error_item(error, (topic, message.partition()), OFFSET_INVALID if offset is None else offset)
