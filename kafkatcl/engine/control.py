"""What a script says of partitions that are read: pause them, go on, go elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar

from kafkatcl.engine.errors import bare_failure, kafka_errors, kafka_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.flow import Reason, TopicPartitionPair
from kafkatcl.engine.lookup import OffsetLookup
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import ErrorItem, Item
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.resetting import offset_without_any
from kafkatcl.engine.shared_topic import usable_name
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.errors import (
    AUTO_OFFSET_RESET,
    INVALID_ARGUMENT,
    NOT_STARTED,
    OUTDATED,
    STOPPING,
    UNKNOWN_PARTITION,
)
from kafkatcl.librdkafka.offsets import OFFSET_INVALID, OFFSET_STORED
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

#: librdkafka does not fetch a partition yet: it is to be stopped before, it is asked
#: for what is committed of it, or it was being started while the seek was on its way.
_NOT_YET = frozenset((NOT_STARTED, STOPPING, UNKNOWN_PARTITION, OUTDATED))


class ControlledHandle(ConsumingHandle):
    """A consuming handle whose script steers what is read.

    A seek counts at once, also where librdkafka cannot do it yet, as it does not fetch
    the partition so far: it is then tried before each fetch, and what comes of the
    partition until then is dropped.
    """

    #: Whether errors have Kafka's bare text.
    is_bare: ClassVar[bool] = False

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        self._seeks: dict[TopicPartitionPair, int] = {}  # those that librdkafka has not done yet
        #: Partitions that librdkafka fetches no more, as an offset is not there.
        self._halted: set[TopicPartitionPair] = set()
        #: Partitions of which messages may be on their way from librdkafka to the
        #: buffers that are not wanted any more.
        self._outdated: set[TopicPartitionPair] = set()

    # -- what a kind of handle must bring ----------------------------------------------

    def _being_read(self) -> Collection[TopicPartitionPair]:
        """The partitions that are read."""
        raise NotImplementedError

    def _not_read(self, topic: str, partition: int) -> str:
        """What to tell of a partition that is not read."""
        raise NotImplementedError

    def _reset_conf(self, topic: str) -> TopicConf:
        """The configuration that says where a topic is read whose offset is not there
        (lock held).
        """
        raise NotImplementedError

    def _on_sought(self, topic_partition: TopicPartitionPair) -> None:
        """A partition is read from elsewhere on (lock held)."""

    # -- commands ----------------------------------------------------------------------

    def pause(self, wanted: Collection[TopicPartitionOffset]) -> None:
        """Have nothing of these partitions read until :meth:`resume`,
        or until they are read no more; the offsets do not matter.

        :raises Failure: one of them is not read; then none is paused.
        """
        topic_partitions = self.require_read(wanted)
        with self.lock, self._errors():
            self.flow.pause(topic_partitions, Reason.SCRIPT)
            for topic_partition in topic_partitions:
                self._buffer_of(topic_partition).park(topic_partition)

    def resume(self, wanted: Collection[TopicPartitionOffset]) -> None:
        """Go on with these partitions, where they were paused; the offsets do not
        matter.

        :raises Failure: one of them is not read; then none is resumed.
        """
        topic_partitions = self.require_read(wanted)
        with self.lock, self._errors():
            self.flow.resume(topic_partitions, Reason.SCRIPT)
            for topic_partition in topic_partitions:
                self._buffer_of(topic_partition).unpark(topic_partition)
            self.lock.notify_all()

    def paused(self) -> list[TopicPartitionOffset]:
        """The partitions that the script has paused, sorted."""
        self.check()
        with self.lock:
            return [
                TopicPartitionOffset(*topic_partition)
                for topic_partition in sorted(self.flow.paused(Reason.SCRIPT))
            ]

    def seek(self, positions: Sequence[TopicPartitionOffset]) -> None:
        """Read each of these partitions from there on: what was fetched of it and not
        read is dropped, what is in flight counts for nothing, and its position is the
        offset, which is stored as any.  What is paused stays so.

        Nothing is waited for.

        :param positions: their offsets are numbers, see :meth:`resolve`.
        :raises Failure: one of them is not read, or librdkafka refuses; nothing is
            sought where a partition is not read.
        """
        with self.lock, self._errors():
            for topic_partition, place in zip(self.require_read(positions), positions):
                self._drop([topic_partition])
                self.offsets.seek(topic_partition, place.offset)
                self._on_sought(topic_partition)
                self._seeks[topic_partition] = place.offset
            self._make_seeks()
            self.lock.notify_all()

    def resolve(
        self, wanted: Collection[TopicPartitionOffset], timeout_ms: int, *, to_seek: bool = False
    ) -> list[TopicPartitionOffset]:
        """The same positions, with the numbers of offsets in the place of times (waits;
        a signal ends the wait).

        :param to_seek: whether logical offsets become numbers, too, those of messages
            as there are now; the partitions must be read then.
        :raises Failure: there is no such partition, or no answer within ``timeout_ms``;
            an offset is the stored one and there is no group, or none is stored where
            ``auto.offset.reset`` is ``error``.
        """
        self.check()
        if to_seek:
            self.require_read(wanted)
        if to_seek and not self.has_group and any(place.offset == OFFSET_STORED for place in wanted):
            raise self._refusal(INVALID_ARGUMENT, "there is no group: group.id is not set")
        with self._errors():
            for place in wanted:
                usable_name(place.topic)
            lookup = OffsetLookup(self.client, timeout_ms)
            return lookup.numbers(wanted, self._without_stored) if to_seek else lookup.moments(wanted)

    def read_positions(self, wanted: Iterable[TopicPartitionOffset]) -> list[TopicPartitionOffset]:
        """The next offset that the script is to have of each partition, or the invalid
        one where none was had; the cluster is not asked.
        """
        self.check()
        with self.lock:
            found = [(place, self.offsets.position(place.topic_partition)) for place in wanted]
        return [
            TopicPartitionOffset(usable_name(topic), part, OFFSET_INVALID if offset is None else offset)
            for (topic, part, _), offset in found
        ]

    def assignment(self) -> list[TopicPartitionOffset]:
        """The partitions being read, with the offsets they were assigned with."""
        self.check()
        with self._errors():
            return [TopicPartitionOffset(p.topic, p.partition, p.offset) for p in self.client.assignment()]

    def require_read(self, wanted: Collection[TopicPartitionOffset]) -> list[TopicPartitionPair]:
        """The topics and partitions of these positions.

        :raises Failure: one of them is not read.
        """
        self.check()
        read = self._being_read()
        topic_partitions = [(usable_name(place.topic), place.partition) for place in wanted]
        for topic_partition in topic_partitions:
            if topic_partition not in read:
                raise self._refusal(UNKNOWN_PARTITION, self._not_read(*topic_partition))
        return topic_partitions

    # -- inside ------------------------------------------------------------------------

    def _errors(self) -> AbstractContextManager[None]:
        return kafka_errors(bare=self.is_bare, why=self.why)

    def _refusal(self, code: int, more: str = "") -> Failure:
        return bare_failure(code, more) if self.is_bare else kafka_failure(code, more)

    def _without_stored(self, topic: str) -> int:
        """The logical offset where no offset is stored.

        :raises Failure: ``auto.offset.reset`` is ``error``.
        """
        with self.lock:
            offset = offset_without_any(self._reset_conf(topic))
        if offset == OFFSET_INVALID:
            raise self._refusal(AUTO_OFFSET_RESET, f"nothing is stored of topic '{topic}'")
        return offset

    def _drop(self, topic_partitions: Iterable[TopicPartitionPair]) -> None:
        """Forget what was fetched of these partitions so far (lock held)."""
        for topic_partition in topic_partitions:
            self._buffer_of(topic_partition).drop(*topic_partition)
            if self._routing:
                self._outdated.add(topic_partition)

    def _note_halt(self, error: ErrorItem) -> None:
        """Take note of a partition that librdkafka fetches no more, as it has reported
        that an offset is not there (lock held).

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_offset.c#L826-L842
        """
        if error.number == AUTO_OFFSET_RESET and error.topic_partition:
            self._halted.add(error.topic_partition)

    def _seek(self, topic_partition: TopicPartitionPair, offset: int) -> None:
        """Have librdkafka fetch a partition from there on (lock held).

        :raises KafkaException: it refuses, perhaps only as yet.
        """
        if topic_partition in self._halted:
            self._reassign(topic_partition, offset)
        else:
            self.client.seek(TopicPartition(*topic_partition, offset))

    def _reassign(self, topic_partition: TopicPartitionPair, offset: int) -> None:
        """The same, also for a partition that is halted."""
        self.client.incremental_unassign([TopicPartition(*topic_partition)])
        self._read_natively([topic_partition])
        self.client.incremental_assign([TopicPartition(*topic_partition, offset)])
        self._halted.discard(topic_partition)

    def _make_seeks(self) -> None:
        """Try the seeks that librdkafka has not done yet (lock held).

        :raises KafkaException: it refuses one for good, which is forgotten then with
            the position; it may be a Failure.
        """
        for topic_partition, offset in list(self._seeks.items()):
            try:
                self._seek(topic_partition, offset)
            except (KafkaException, Failure) as error:
                if isinstance(error, KafkaException) and error.args[0].code() in _NOT_YET:
                    continue
                del self._seeks[topic_partition]
                self.offsets.forget([topic_partition])
                raise
            del self._seeks[topic_partition]

    def _forget(self, topic_partitions: Collection[TopicPartitionPair]) -> None:
        super()._forget(topic_partitions)
        for topic_partition in topic_partitions:
            self._seeks.pop(topic_partition, None)
        self._halted.difference_update(topic_partitions)

    def _poll(self) -> bool:
        if self._seeks:
            with self.lock:
                self._make_seeks()
        return super()._poll()

    def _fetch(self) -> bool:
        if self._seeks:
            with self._errors():
                self._make_seeks()
        return super()._fetch()

    def _keep(self, fetched: list[Item], count: int, generation: int) -> None:
        if self._seeks or self._outdated:
            unwanted = self._outdated | self._seeks.keys()
            fetched = [item for item in fetched if item.topic_partition not in unwanted]
            self._outdated.clear()
        super()._keep(fetched, count, generation)
