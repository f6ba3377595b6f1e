"""The offsets of a consumer: how far the script has come, and what of that is stored.

A message counts as consumed when the script has it, not when it was fetched.  What is
stored is committed by librdkafka, by its own timer or when it is asked to.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
(enable.auto.offset.store, enable.auto.commit)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Callable

from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.messages import Item, Run
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition


class OffsetStore:
    """The offsets of one consumer; all methods: the lock of its handle held.

    :param client: gives the ``confluent_kafka.Consumer``, which is made later.
    :param stores: whether to store offsets: there is a group, and the script does not.
    """

    def __init__(self, client: Callable[[], Any], *, stores: bool) -> None:
        self._client = client
        self._stores = stores
        #: Whether what is stored is committed now and then.
        self.commits = False
        self._positions: dict[TopicPartitionPair, int] = {}
        self._unstored: set[TopicPartitionPair] = set()
        #: Partitions that may have been sought back behind what is committed; those
        #: whose position was committed since, though nobody knows whether it is yet.
        self._sought: set[TopicPartitionPair] = set()
        self._sent: set[TopicPartitionPair] = set()
        #: Where in each partition begins what is not known to be committed.
        self._settled: dict[TopicPartitionPair, int] = {}
        #: Partitions that are read no longer, of which the script was given messages
        #: that are not known to be committed.
        self.taken_away: set[TopicPartitionPair] = set()
        #: Whether it is not known how a transaction with such messages has ended.
        self.is_doubtful = False

    def position(self, topic_partition: TopicPartitionPair) -> int | None:
        """The next offset the script is to have of a partition; None: none is known."""
        return self._positions.get(topic_partition)

    def partitions(self) -> list[TopicPartitionPair]:
        """The partitions that have a position."""
        return list(self._positions)

    def advance(self, items: Iterable[Item]) -> None:
        """The script has these now: each partition's position is behind the last of
        them.
        """
        for item in items:  # written out, as it is done for each small batch
            if isinstance(item, Run):
                topic_partition = item.topic_partition
                if topic_partition not in self._positions:
                    self._settled[topic_partition] = item.first
                self._positions[topic_partition] = item.last + 1
                self._unstored.add(topic_partition)

    def rewind(self, items: Iterable[Item]) -> None:
        """The script did not get to these, and is given them again: a position beyond
        the first of them goes back to that.
        """
        for item in items:
            if isinstance(item, Run) and self._positions.get(item.topic_partition, 0) > item.first:
                self._positions[item.topic_partition] = item.first
                self._unstored.add(item.topic_partition)

    def seek(self, topic_partition: TopicPartitionPair, offset: int) -> None:
        """The script is to have this offset of a partition next.  What it was given and
        is not committed stays so.
        """
        begin = self._settled.get(topic_partition, offset)
        is_settled = begin == self._positions.get(topic_partition, begin)
        self._settled[topic_partition] = offset if is_settled else min(begin, offset)
        self._positions[topic_partition] = offset
        self._unstored.add(topic_partition)
        if self._stores:
            self._sought.add(topic_partition)
            self._sent.discard(topic_partition)

    def sought(self) -> dict[TopicPartitionPair, int]:
        """The positions that a commit must name, as librdkafka may pass over them: of
        itself it commits no offset below the one that it has committed last.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_partition.c#L3757-L3768
        """
        return {topic_partition: self._positions[topic_partition] for topic_partition in self._sought}

    def committed(self, positions: Mapping[TopicPartitionPair, int]) -> None:
        """These positions are committed: of what lies behind them librdkafka knows."""
        self._sought -= positions.keys()

    def store(self) -> None:
        """Store the positions that have moved since the last time in librdkafka, in
        memory.  Nothing is sent, but for the first position after a seek where offsets
        are committed automatically, see :meth:`sought`.
        """
        moved, self._unstored = self._unstored, set()
        if not self._stores:
            return
        for topic_partition in moved:
            # A partition that was taken away meanwhile is no longer ours to store.
            with suppress(KafkaException):
                self._client().store_offsets(
                    offsets=[TopicPartition(*topic_partition, self._positions[topic_partition])]
                )
        if self._sought:
            self._commit_sought(moved)

    def _commit_sought(self, moved: set[TopicPartitionPair]) -> None:
        due = (moved & self._sought) - self._sent if self.commits else set()
        for topic_partition in due:
            place = TopicPartition(*topic_partition, self._positions[topic_partition])
            with suppress(KafkaException):  # as above
                self._client().commit(offsets=[place], asynchronous=True)
        self._sent |= due

    def forget(self, topic_partitions: Iterable[TopicPartitionPair]) -> None:
        """These partitions are no longer read."""
        for topic_partition in topic_partitions:
            if self._positions.pop(topic_partition, None) != self._settled.pop(topic_partition, None):
                self.taken_away.add(topic_partition)
            self._unstored.discard(topic_partition)
            self._sought.discard(topic_partition)
            self._sent.discard(topic_partition)

    # -- what is committed -------------------------------------------------------------

    def unsettled(self) -> dict[TopicPartitionPair, tuple[int, int]]:
        """From where to where the script was given messages of a partition that are not
        known to be committed, if there are any.
        """
        return {
            topic_partition: (self._settled[topic_partition], position)
            for topic_partition, position in self._positions.items()
            if self._settled[topic_partition] != position
        }

    def settle(self, committed: Mapping[TopicPartitionPair, int]) -> None:
        """The messages before these offsets are committed."""
        for topic_partition, offset in committed.items():
            self.taken_away.discard(topic_partition)
            if topic_partition in self._positions:
                self._settled[topic_partition] = offset
