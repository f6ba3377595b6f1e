"""Subscribers: members of a consumer group, which shares out the partitions,
or readers of partitions they name.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.destination import is_embedded, named
from kafkatcl.engine.errors import bare_failure, kafka_errors
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.flow import Reason, TopicPartitionPair
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import Item
from kafkatcl.engine.shared_topic import usable_name, usable_pattern
from kafkatcl.engine.waiting import interruptibly
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, UNKNOWN_PARTITION
from kafkatcl.librdkafka.offsets import OFFSET_INVALID, OFFSET_STORED
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

#: How long a revocation in the poll thread waits for the callback that is running.
_RECALL_SECONDS = 0.2


class TopicPartitionOffset(NamedTuple):
    """A topic, a partition, and an offset, which may be one of librdkafka's logical
    ones; as a subscription it is the topic that counts.
    """

    topic: str
    partition: int = 0
    offset: int = OFFSET_INVALID

    def or_stored(self) -> TopicPartitionOffset:
        """The same with the committed offset in the place of none."""
        return self._replace(offset=OFFSET_STORED) if self.offset == OFFSET_INVALID else self

    def native(self) -> TopicPartition:
        """The same for confluent-kafka.

        :raises Failure: no topic can have this name.
        """
        return TopicPartition(usable_name(self.topic), self.partition, self.offset)


class Subscriber(ConsumingHandle):
    """A consumer that belongs to a group.

    :raises Failure: the master names no group.
    """

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        if not self.has_group:
            raise Failure("a subscriber needs a consumer group: set group.id on its master first")
        self._subscription: list[TopicPartitionOffset] = []
        self.messages = MessageBuffer(self)

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        settings.setdefault("auto.offset.reset", "earliest")
        settings.update(self.topic_conf.settings)
        if "session.timeout.ms" not in settings and self._is_embedded(settings):
            # The mock has whoever joins a group that is in use wait for the session
            # timeout less a second, which is 44 s by default, and 1 s with this.
            # https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock_cgrp.c#L422-L427
            settings["session.timeout.ms"] = "2000"
            settings.setdefault("heartbeat.interval.ms", "500")
        return settings

    def _is_embedded(self, settings: dict[str, Any]) -> bool:
        return self._redirected.is_embedded if self._redirected else is_embedded(named(settings))

    def subscribe(self, wanted: list[TopicPartitionOffset]) -> None:
        """Join the group for these topics; a name that begins with ``^`` is a pattern.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L4355-L4360

        :param wanted: their names; partitions and offsets are kept for
            :meth:`subscription` only.
        :raises Failure: there is none, a name or a pattern is bad, or librdkafka
            refuses them.
        """
        self.check()
        if not wanted:
            raise bare_failure(INVALID_ARGUMENT)
        with self.lock, self._errors():
            names = [usable_pattern(topic) for topic, _, _ in wanted]
            self.client.subscribe(names, on_revoke=self._on_revoke)
            self._subscription = wanted

    def subscription(self) -> list[TopicPartitionOffset]:
        """What was subscribed to, sorted."""
        self.check()
        return sorted(self._subscription)

    def unsubscribe(self) -> None:
        """Leave the group; what :meth:`assign` has named is read no more."""
        self.check()
        with self.lock, self._errors():
            self.offsets.store()
            self.client.unsubscribe()
            self.client.unassign()  # what assign() named is no subscription
            self._subscription = []
            self._restart()

    def assign(self, wanted: list[TopicPartitionOffset]) -> None:
        """Read these partitions, and none else;
        without an offset from the committed one.

        :raises Failure: no topic can have a name, or librdkafka refuses.
        """
        self.check()
        with self.lock, self._errors():
            self.offsets.store()
            self.flow.forget_all()
            self.client.assign([position.or_stored().native() for position in wanted])
            self._restart()

    def assignment(self) -> list[TopicPartitionOffset]:
        """The partitions being read, with the offsets they were assigned with."""
        self.check()
        with self._errors():
            return [TopicPartitionOffset(p.topic, p.partition, p.offset) for p in self.client.assignment()]

    def pause(self, wanted: list[TopicPartitionOffset]) -> None:
        """Have nothing of these partitions read until :meth:`resume`,
        or until they are taken away; the offsets do not matter.

        :raises Failure: one of them is not assigned; then none is paused.
        """
        topic_partitions = self._assigned(wanted)
        with self.lock, self._errors():
            self.flow.pause(topic_partitions, Reason.SCRIPT)
            for topic_partition in topic_partitions:
                self.messages.park(topic_partition)

    def resume(self, wanted: list[TopicPartitionOffset]) -> None:
        """Go on with these partitions, where they were paused; the offsets do not
        matter.

        :raises Failure: one of them is not assigned; then none is resumed.
        """
        topic_partitions = self._assigned(wanted)
        with self.lock, self._errors():
            self.flow.resume(topic_partitions, Reason.SCRIPT)
            for topic_partition in topic_partitions:
                self.messages.unpark(topic_partition)
            self.lock.notify_all()

    def paused(self) -> list[TopicPartitionOffset]:
        """The partitions that the script has paused, sorted."""
        self.check()
        with self.lock:
            return [
                TopicPartitionOffset(*topic_partition)
                for topic_partition in sorted(self.flow.paused(Reason.SCRIPT))
            ]

    def commit(self, wanted: list[TopicPartitionOffset], *, wait: bool) -> None:
        """Commit these offsets, or without any those of what counts as consumed.

        :param wait: whether to wait for the broker's answer (a signal ends the wait).
        :raises Failure: librdkafka refuses; with ``wait`` also if there is nothing to
            commit, or the broker refuses.
        """
        self.check()
        with self.lock:
            self.offsets.store()
        with self._errors():
            offsets = {"offsets": [position.native() for position in wanted]} if wanted else {}
            if not wait:
                self.client.commit(asynchronous=True, **offsets)
                return
            for done in interruptibly(lambda: self.client.commit(asynchronous=False, **offsets)):
                if done.error is not None:
                    raise KafkaException(done.error)
                with self.lock:
                    self.offsets.settle({(done.topic, done.partition): done.offset})

    def read_positions(self, wanted: list[TopicPartitionOffset]) -> list[TopicPartitionOffset]:
        """The next offset that the script is to have of each partition, or the invalid
        one where none was had; the cluster is not asked.
        """
        self.check()
        with self.lock:
            found = [(topic, part, self.offsets.position((topic, part))) for topic, part, _ in wanted]
        return [
            TopicPartitionOffset(usable_name(topic), part, OFFSET_INVALID if offset is None else offset)
            for topic, part, offset in found
        ]

    def committed(self, wanted: list[TopicPartitionOffset], timeout_ms: int) -> list[TopicPartitionOffset]:
        """The committed offset of each partition, or the invalid one (waits; a signal
        ends the wait).

        :raises Failure: no answer within ``timeout_ms``.
        """
        self.check()
        with self._errors():
            native = [position.native() for position in wanted]
            found = interruptibly(lambda: self.client.committed(native, timeout=timeout_ms / 1000))
        return [TopicPartitionOffset(p.topic, p.partition, p.offset) for p in found]

    def watermarks(self, topic: str, partition: int, timeout_ms: int, *, cached: bool) -> tuple[int, int]:
        """The low and the high watermark: the oldest offset there is,
        and the next one to be written.

        :param cached: whether to return what librdkafka has heard last, and not to ask
            the cluster; -1001 (invalid) stands for what it has not heard.
        :raises Failure: no answer within ``timeout_ms``.
        """
        self.check()
        with self._errors():
            wanted = TopicPartitionOffset(topic, partition).native()
            found = interruptibly(
                lambda: self.client.get_watermark_offsets(wanted, timeout=timeout_ms / 1000, cached=cached)
            )
        if found is None:
            raise bare_failure(INVALID_ARGUMENT)
        return int(found[0]), int(found[1])

    def _errors(self) -> AbstractContextManager[None]:
        return kafka_errors(bare=True, why=self.why)

    def _assigned(self, wanted: list[TopicPartitionOffset]) -> list[TopicPartitionPair]:
        """The topics and partitions of these positions.

        :raises Failure: one of them is not assigned.
        """
        assigned = {(position.topic, position.partition) for position in self.assignment()}
        topic_partitions = [(usable_name(topic), partition) for topic, partition, _ in wanted]
        for topic, partition in topic_partitions:
            if (topic, partition) not in assigned:
                raise bare_failure(
                    UNKNOWN_PARTITION, f"partition {partition} of topic '{topic}' is not assigned"
                )
        return topic_partitions

    def _on_revoke(self, _consumer: Any, partitions: list[TopicPartition]) -> None:
        # Called within consume(), in the poll thread or a reader's, which hold the
        # lock, or within close(), in a thread that does not.  Positions must be stored
        # before the partitions go.
        with self.lock:
            self.messages.recall(_RECALL_SECONDS if self.poll_thread.is_current() else 0.0)
            self.offsets.store()
            for lost in partitions:
                self.messages.drop(lost.topic, lost.partition)
            self._forget([(lost.topic, lost.partition) for lost in partitions])

    def _restart(self) -> None:
        """Forget all positions, pauses and fetched messages, as a new assignment begins
        (lock held).
        """
        self._assignment_generation += 1
        self._forget(self.offsets.partitions())
        self.flow.forget_all()
        self.messages.clear()

    def _route(self, fetched: list[Item], generation: int) -> None:
        if generation != self._assignment_generation:
            return  # fetched for an earlier assignment
        for item in fetched:
            self.messages.put(item)
        self.messages.announce()

    def _buffers(self) -> Iterable[MessageBuffer]:
        return [self.messages]

    def _buffer_of(self, topic_partition: tuple[str, int]) -> MessageBuffer:
        return self.messages

    def _reader_of(self, topic_partition: tuple[str, int]) -> MessageBuffer:
        return self.messages
