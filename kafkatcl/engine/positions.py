"""Places in partitions: where a script is, goes on, or commits that it has been."""

from __future__ import annotations

from typing import NamedTuple

from kafkatcl.engine.errors import bare_failure
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.shared_topic import usable_name
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT
from kafkatcl.librdkafka.offsets import OFFSET_INVALID, OFFSET_STORED
from kafkatcl.librdkafka.wrapper import TopicPartition


class Moment(int):
    """A time in the place of an offset, in ms since the epoch: it stands for the first
    message at or after it, until ``OffsetLookup`` says which offset that is.
    """


class TopicPartitionOffset(NamedTuple):
    """A topic, a partition, and an offset, which may be one of librdkafka's logical
    ones, or a :class:`Moment`; as a subscription it is the topic that counts.
    """

    topic: str
    partition: int = 0
    offset: int = OFFSET_INVALID

    @property
    def topic_partition(self) -> TopicPartitionPair:
        """The topic and the partition."""
        return self[:2]

    def or_stored(self) -> TopicPartitionOffset:
        """The same with the committed offset in the place of none."""
        return self._replace(offset=OFFSET_STORED) if self.offset == OFFSET_INVALID else self

    def native(self) -> TopicPartition:
        """The same for confluent-kafka.

        :raises Failure: no topic can have this name.
        """
        return TopicPartition(usable_name(self.topic), self.partition, self.offset)


class OffsetAndMetadata(NamedTuple):
    """An offset to commit or that was committed, and a text that goes with it; an empty
    one is none.
    """

    position: TopicPartitionOffset
    metadata: str = ""

    def native(self) -> TopicPartition:
        """The same for confluent-kafka.

        :raises Failure: no topic can have this name, or a C string not be this text.
        """
        native = self.position.native()
        if not self.metadata:
            return native
        if "\0" in self.metadata or self.metadata != self.metadata.encode("utf-8", "replace").decode():
            raise bare_failure(
                INVALID_ARGUMENT, "the metadata of an offset has no NUL, and no half of a character"
            )
        return TopicPartition(native.topic, native.partition, native.offset, self.metadata)
