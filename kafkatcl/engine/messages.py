"""What a consumer receives, in the form the Tcl side wants it.

Messages of one partition that come in a row stay together, in one flat tuple: a tuple
of its own for each message, with its topic and partition, would cost more than anything
else on the way to the script.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Callable, ClassVar, NamedTuple, Union

from kafkatcl.engine.layouts import PLAIN, Layout, Table
from kafkatcl.engine.values import Value
from kafkatcl.librdkafka.errors import PARTITION_END, error_name, error_text
from kafkatcl.librdkafka.offsets import OFFSET_INVALID

_OFFSET = PLAIN.place("offset")  # as in all layouts


class Run(NamedTuple):
    """Messages of one partition in their order.

    ``fields`` has the fields of the first message, as the layout says, then those of
    the second, and so on.
    """

    topic: str
    partition: int
    layout: Layout
    fields: tuple[Any, ...]

    @property
    def size(self) -> int:
        """The number of messages."""
        _, _, layout, fields = self
        return len(fields) // layout.width

    @property
    def nbytes(self) -> int:
        """The bytes of all payloads, keys and headers together."""
        _, _, layout, fields = self
        total = 0
        for place, nbytes in layout.counters:
            total += nbytes(fields[place :: layout.width])
        return total

    @property
    def topic_partition(self) -> tuple[str, int]:
        """The topic and the partition."""
        return self[:2]

    @property
    def first(self) -> int:
        """The offset of the first message."""
        return int(self.fields[_OFFSET])

    @property
    def last(self) -> int:
        """The offset of the last message."""
        return int(self.fields[_OFFSET - self.layout.width])

    @property
    def offsets(self) -> tuple[int, ...]:
        """The offsets of all messages."""
        return self.fields[_OFFSET :: self.layout.width]

    def part(self, start: int, count: int) -> Run:
        """``count`` messages from the one numbered ``start`` on."""
        topic, partition, layout, fields = self
        width = layout.width
        # For each small batch, so without the function that names the fields.
        return tuple.__new__(Run, (topic, partition, layout, fields[start * width : (start + count) * width]))

    def within(self, max_bytes: int) -> int:
        """How many of the first messages have no more than ``max_bytes`` together;
        at least 1.
        """
        for count in range(self.size):
            max_bytes -= self.part(count, 1).nbytes
            if max_bytes < 0:
                return max(1, count)
        return self.size


class ErrorItem(Value):
    """An error that came in the place of a message:
    its text, the name of its code, details, and its number.

    ``topic_partition`` is the topic and partition it is about, None if it is about
    none, and ``offset`` is where it happened there.
    """

    size: ClassVar[int] = 1
    nbytes: ClassVar[int] = 0

    def __init__(
        self,
        error: str,
        code: str,
        message: str,
        number: int,
        topic_partition: tuple[str, int] | None = None,
        *,
        offset: int = OFFSET_INVALID,
    ) -> None:
        self.error, self.code, self.message, self.number = error, code, message, number
        self.topic_partition, self.offset = topic_partition, offset


class EndItem(Value):
    """The end of a partition, told when ``enable.partition.eof`` is on.

    ``offset`` is that of the next message to be written.
    """

    size: ClassVar[int] = 1
    nbytes: ClassVar[int] = 0

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic, self.partition, self.offset = topic, partition, offset

    @property
    def topic_partition(self) -> tuple[str, int]:
        """The topic and the partition."""
        return self.topic, self.partition


Item = Union[Run, ErrorItem, EndItem]


def items(
    messages: Sequence[Any],
    asked: Collection[str] = (),
    asked_of: Callable[[tuple[str, int]], Collection[str]] | None = None,
    topic: str | None = None,
) -> Iterator[Item]:
    """What ``confluent_kafka.Message`` objects hold, in their order: a run for messages
    of one partition in a row, and an item for each error and each end.

    :param asked: the names of fields to be read beside the usual ones.
    :param asked_of: which of these the messages of a topic and partition are to have;
        without it all.
    :param topic: that of all messages, where it is known: then they are not asked.
    """
    table = Table(messages, asked)
    topics = [topic] * len(messages) if topic else [message.topic() for message in messages]
    partitions = [message.partition() for message in messages]
    for start, end in _runs(topics, partitions, messages if table.may_have_errors else ()):
        place = topics[start], partitions[start]
        if end == start:
            yield _told(messages[start])
        else:
            yield Run(*place, *table.part(start, end, asked_of(place) if asked_of else asked))


def _runs(topics: list[Any], partitions: list[int], errors: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Where runs start, and where they end; an error is an empty one.

    :param errors: the messages, where some may be errors.
    """
    count = len(topics)
    if count and not errors and topics.count(topics[0]) == count == partitions.count(partitions[0]):
        yield 0, count
        return
    start, topic, partition = 0, None, -1  # of the run that grows
    for place, (other, number) in enumerate(zip(topics, partitions)):
        is_error = bool(errors) and errors[place].error() is not None
        if number != partition or other != topic or is_error:
            if start < place:
                yield start, place
            start, topic, partition = place, other, number
            if is_error:
                yield place, place
                start, partition = place + 1, -1
    if start < count:
        yield start, count


def error_item(
    error: Any, topic_partition: tuple[str, int] | None = None, offset: int = OFFSET_INVALID
) -> ErrorItem:
    """The item of a ``confluent_kafka.KafkaError``."""
    code = error.code()
    return ErrorItem(error_text(code), error_name(code), error.str(), code, topic_partition, offset=offset)


def _told(message: Any) -> Item:
    error, topic = message.error(), message.topic()
    if error.code() == PARTITION_END:
        return EndItem(topic, message.partition(), message.offset())
    if topic is None:
        return error_item(error)
    offset = message.offset()  # None where there is none
    return error_item(error, (topic, message.partition()), OFFSET_INVALID if offset is None else offset)
