"""Consumer handles: partitions are started one by one and read in any of three ways."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Callable, NamedTuple

from kafkatcl.engine.buffer import MessageBuffer, Stopped
from kafkatcl.engine.control import ControlledHandle
from kafkatcl.engine.errors import kafka_errors, kafka_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import ErrorItem, Item
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.resetting import ASKING, reset_offset
from kafkatcl.engine.shared_topic import SharedTopic
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.errors import (
    AUTO_OFFSET_RESET,
    INVALID_ARGUMENT,
    NOT_STARTED,
    TIMED_OUT,
    UNKNOWN_PARTITION,
)
from kafkatcl.librdkafka.offsets import OFFSET_INVALID, OFFSET_STORED
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

# What librdkafka's old consumer of partitions had as properties of topics, and the name
# that today's consumer has for it, which does not read the former.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md#topic-configuration-properties
_COMMITS = {
    "auto.commit.enable": "enable.auto.commit",
    "auto.commit.interval.ms": "auto.commit.interval.ms",
    "enable.auto.commit": "enable.auto.commit",
}


#: How long even a ``consume`` that is not to wait asks whether there is a partition.
#: A broker answers the requests of a connection in their order, so the answer comes
#: behind that to a fetch, which takes up to ``fetch.wait.max.ms``, half a second.
#: https://kafka.apache.org/protocol.html#protocol_network
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
_MIN_SECONDS = 0.75


class Route(NamedTuple):
    """Where the messages of a partition go, which object started it, and in which
    generation of the assignment.
    """

    buffer: MessageBuffer
    starter: object
    generation: int
    topic: SharedTopic


class ConsumerHandle(ControlledHandle):
    """A handle whose topics consume."""

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        self.routes: dict[TopicPartitionPair, Route] = {}
        #: Partitions whose offset is not there.
        self._resets: dict[TopicPartitionPair, tuple[Route, ErrorItem]] = {}
        self._started: set[str] = set()  # the topics of which partitions were ever started
        self._unstarted: set[TopicPartitionPair] = set()  # whose readers were told so

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        for name, value in self.topic_conf.settings.items():
            if name in _COMMITS:
                settings.setdefault(_COMMITS[name], value)
        settings.update(ASKING)
        if not self.has_group:
            # A consumer must name a group; this one is never joined and nothing is
            # committed to it.
            settings["group.id"] = f"kafkatcl-{os.urandom(16).hex()}"
            settings["enable.auto.commit"] = "false"
        return settings

    def start(
        self, topic: SharedTopic, partition: int, offset: int, buffer: MessageBuffer, starter: object
    ) -> list[Stopped]:
        """Fetch a partition from ``offset`` on into ``buffer``;
        if it is started already, move there.

        :param offset: of a message, or one of librdkafka's logical offsets.
        :param starter: the object to stop the partition with, see :meth:`stop_all`.
        :returns: the partition, where it was started already.
        :raises Failure: no such partition can be, the offset is the stored one and
            there is no group, or librdkafka refuses.
        """
        self.check()
        if partition < 0:
            raise kafka_failure(UNKNOWN_PARTITION)
        if offset == OFFSET_STORED and not self.has_group:
            raise kafka_failure(INVALID_ARGUMENT)
        with self.lock:
            topic.open(self.native, ASKING)
            stopped = self._unassign([(topic.name, partition)])
            topic.was_started = True
            self._started.add(topic.name)
            self._only_topic = topic.name if len(self._started) == 1 else None
            with kafka_errors():
                self._read_natively([(topic.name, partition)])
                self.client.incremental_assign([TopicPartition(topic.name, partition, offset)])
            self._assignment_generation += 1
            self.routes[topic.name, partition] = Route(buffer, starter, self._assignment_generation, topic)
        return stopped

    def stop(self, topic: SharedTopic, partition: int) -> list[Stopped]:
        """Stop fetching a partition and forget what was fetched of it.

        A partition that is not started is asked for (waits, see :meth:`metadata`).

        :raises Failure: it is neither started nor known to exist.
        """
        self.check()
        with self.lock:
            stopped = self._unassign([(topic.name, partition)])
        if not stopped:
            self.require_partition(topic, partition)
        return stopped

    def stop_all(self, starter: object) -> list[Stopped]:
        """Stop the partitions that ``starter`` has started."""
        return self._stop_where(lambda route: route.starter is starter)

    def delete(self) -> list[Stopped]:
        with self.lock:
            stopped = [
                Stopped(route.buffer.callback_id or "", *topic_partition)
                for topic_partition, route in self.routes.items()
            ]
        super().delete()
        return stopped

    def close_queue(self, queue: MessageBuffer) -> list[Stopped]:
        stopped = self._stop_where(lambda route: route.buffer is queue)
        super().close_queue(queue)
        return stopped

    def buffer(self, topic: SharedTopic, partition: int, timeout_ms: int) -> MessageBuffer:
        """The buffer that ``consume`` reads:
        that of a started partition, or an empty one.

        :param timeout_ms: how long the cluster may be asked about a partition that was
            not started: 750 ms at least, 5 s at most; 5 s if negative.
        :raises Failure: the partition is neither started nor known to exist; or nothing
            can come and ``timeout_ms`` is negative, so that the wait would never end.
        """
        self.check()
        route = self.routes.get((topic.name, partition))
        if route is None:
            self.require_partition(topic, partition, timeout_ms / 1000 if timeout_ms >= 0 else None)
        elif not isinstance(route.buffer, Queue):
            return route.buffer
        self._report_not_started(
            topic.name, partition, is_queued=route is not None, is_endless=timeout_ms < 0
        )
        return MessageBuffer(self)

    def require_partition(self, topic: SharedTopic, partition: int, seconds: float | None = None) -> None:
        """Ask the cluster for a partition, unless it is known already.

        :param seconds: how long to wait, 0.75 at least; None: 5.
        :raises Failure: the cluster does not have this partition, or does not answer in
            time; the latter is no error where a partition of the topic was started.
        """
        if 0 <= partition < topic.partitions:
            return
        try:
            seconds = None if seconds is None else max(seconds, _MIN_SECONDS)
            topic.partitions = self.metadata(refresh=True, seconds=seconds).partitions(topic.name)
        except Failure as failure:
            # Where a partition of the topic was started, librdkafka has asked the
            # cluster about the topic, and would have said that it is absent.
            if partition >= 0 and topic.was_started and failure.code == TIMED_OUT and seconds is not None:
                return
            raise kafka_failure(UNKNOWN_PARTITION) from failure
        if not 0 <= partition < topic.partitions:
            raise kafka_failure(UNKNOWN_PARTITION)

    def _report_not_started(self, topic: str, partition: int, *, is_queued: bool, is_endless: bool) -> None:
        """Tell once, in the log and to the error callback, that nothing can come of a
        partition, as its messages go elsewhere or nowhere.

        :raises Failure: the reader would wait for ever (``is_endless``).
        """
        words = f"partition {partition} of topic '{topic}' " + (
            "feeds a queue" if is_queued else "was not started"
        )
        if is_endless:
            raise kafka_failure(NOT_STARTED, words)
        if (topic, partition) not in self._unstarted:
            self._unstarted.add((topic, partition))
            self.log.say("CONSUME", f"nothing is consumed: {words}")
            self.report_error(NOT_STARTED, words)

    def _stop_where(self, chosen: Callable[[Route], bool]) -> list[Stopped]:
        if self.deleted:
            return []
        with self.lock:
            return self._unassign(
                [topic_partition for topic_partition, route in self.routes.items() if chosen(route)]
            )

    def _unassign(self, topic_partitions: list[TopicPartitionPair]) -> list[Stopped]:
        """Stop fetching those of these partitions that were started (lock held)."""
        stopped = []
        for topic_partition in topic_partitions:
            route = self.routes.pop(topic_partition, None)
            if route is None:
                continue
            with kafka_errors():
                self.offsets.store()
                self.client.incremental_unassign([TopicPartition(*topic_partition)])
            self._read_no_more([topic_partition])
            self._forget([topic_partition])
            stopped.append(Stopped(route.buffer.callback_id or "", *topic_partition))
            route.buffer.drop(*topic_partition)
            if not isinstance(route.buffer, Queue):
                route.buffer.close()
        self.lock.notify_all()
        return stopped

    def _route(self, fetched: list[Item], generation: int) -> None:
        """Put each item into the buffer of its partition (lock held).

        What was fetched before the present start of a partition is dropped, and so is
        what belongs to no partition that is started.  An offset that is not there is
        left to :meth:`_reset` in the poll thread, as it has to ask the cluster.
        """
        filled = set()
        for item in fetched:
            route = self.routes.get(item.topic_partition) if item.topic_partition else None
            # What was fetched for an earlier start of the partition is not for this
            # one.
            if route is not None and route.generation <= generation:
                if isinstance(item, ErrorItem) and item.topic_partition and item.number == AUTO_OFFSET_RESET:
                    self._note_halt(item)
                    self._resets[item.topic_partition] = route, item
                    self.poll_thread.wake()
                    continue
                route.buffer.put(item)
                filled.add(route.buffer)
            elif isinstance(item, ErrorItem) and item.topic_partition is None:
                self.report_error(item.number, item.message)
        for buffer in filled:
            buffer.announce()

    def _poll(self) -> bool:
        self._reset()
        return super()._poll()

    def _reset(self) -> None:
        """Set partitions whose offset is not there on one that is (poll thread).

        The cluster is asked without the lock, up to a second for each partition.
        """
        with self.lock:
            waiting = dict(self._resets)
        for topic_partition, (route, item) in waiting.items():
            offset = None if self.deleted else reset_offset(self.client, route.topic.conf, item)
            if offset is None:
                return  # asked again in the next round
            with self.lock:
                if self._resets.get(topic_partition) == (route, item):
                    del self._resets[topic_partition]
                if self.routes.get(topic_partition) is not route:
                    continue  # stopped, or started anew
                if offset == OFFSET_INVALID:
                    route.buffer.put(item)
                    route.buffer.announce()
                    self.lock.notify_all()
                    continue
                with suppress(KafkaException):
                    self._reassign(topic_partition, offset)
                self.flow.forget([topic_partition])

    def _being_read(self) -> Collection[TopicPartitionPair]:
        return self.routes.keys()

    def _not_read(self, topic: str, partition: int) -> str:
        return f"partition {partition} of topic '{topic}' was not started"

    def _reset_conf(self, topic: str) -> TopicConf:
        return self._topics[topic].conf

    def _on_sought(self, topic_partition: TopicPartitionPair) -> None:
        # Another object in its place: a reset that is under way is not for this route.
        self.routes[topic_partition] = self.routes[topic_partition]._replace()
        self._resets.pop(topic_partition, None)

    def _buffers(self) -> Iterable[MessageBuffer]:
        return {route.buffer for route in self.routes.values()}

    def _buffer_of(self, topic_partition: TopicPartitionPair) -> MessageBuffer:
        return self.routes[topic_partition].buffer

    def _reader_of(self, topic_partition: TopicPartitionPair) -> MessageBuffer | None:
        route = self.routes.get(topic_partition)
        return route.buffer if route else None
