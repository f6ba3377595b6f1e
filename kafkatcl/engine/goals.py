"""Where a walk ends: at an offset of each partition, looked up when the walk begins."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable
from typing import Callable, Optional

from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.errors import kafka_errors, kafka_failure
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.flow import Reason, TopicPartitionPair
from kafkatcl.engine.inflight import Taken, parted
from kafkatcl.engine.lookup import LOOKUP_MS
from kafkatcl.engine.messages import EndItem, Item, Run
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.waiting import interruptibly
from kafkatcl.librdkafka.offsets import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    OFFSET_STORED,
    OFFSET_TAIL_BASE,
)
from kafkatcl.librdkafka.wrapper import TopicPartition

#: The partitions to be read now, with the offsets that they were started at; None:
#: there will be none any more.
Partitions = Callable[[], Optional[list[TopicPartitionOffset]]]


class Goal:
    """The goal of one walk: the end of each partition, or a time.

    A partition that is assigned later gets an end of its own; one that is taken away
    needs nothing more.  Offsets of transactions are no messages, so the last message of
    a partition may be in front of its end: what librdkafka has passed counts as well.

    :param resets_to_end: whether a partition without a committed offset begins at its
        end.
    :param time_ms: messages of this time, in ms since 1970, and all behind them are
        beyond the goal; None: those that come once the walk has begun.  A time to come
        is waited for.
    """

    def __init__(
        self,
        handle: ConsumingHandle,
        partitions: Partitions,
        *,
        resets_to_end: bool,
        time_ms: int | None = None,
    ) -> None:
        self._handle = handle
        self._partitions = partitions
        self._resets_to_end = resets_to_end
        self._time_ms = time_ms
        self._ends: dict[TopicPartitionPair, int] = {}
        self._starts: dict[TopicPartitionPair, int] = {}
        self._reached: set[TopicPartitionPair] = set()
        self._held: set[TopicPartitionPair] = set()  # nothing is fetched of these

    def look_up(self) -> None:
        """Look up the ends of partitions that have none yet (without the lock; waits).

        :raises Failure: the cluster does not answer, or refuses.
        """
        new = [found for found in self._partitions() or () if found[:2] not in self._ends]
        if not new or (self._time_ms is not None and time.time() * 1000 < self._time_ms):
            return
        ends = self._offsets_at(new, OFFSET_END if self._time_ms is None else self._time_ms)
        without = [found for found in new if ends[found[:2]] < 0]  # nothing is as late
        ends.update(self._offsets_at(without, OFFSET_END))
        oldest = self._offsets_at(new, OFFSET_BEGINNING)
        committed = self._committed([found for found in new if self._starts_committed(found)])
        with self._handle.lock:
            self._ends.update(ends)
            for found in new:
                pair = found[:2]
                self._starts[pair] = self._start(found, ends[pair], oldest[pair], committed)
                if self._starts[pair] >= ends[pair]:
                    self._reached.add(pair)

    def is_reached(self) -> bool:
        """Whether nothing is left to be read (lock held)."""
        partitions = self._partitions()
        if partitions is None:
            return True
        return bool(partitions) and all(found[:2] in self._reached for found in partitions)

    def cut(self, buffer: MessageBuffer, taken: list[Taken]) -> list[Taken]:
        """Put back what is beyond the goal, and have no more of it fetched (lock held).

        :param taken: from the buffer.
        :returns: the messages and errors in front of the goal.
        """
        wanted: list[Taken] = []
        beyond: list[Taken] = []
        for item, era in taken:
            end = self._ends.get(item.topic_partition) if item.topic_partition else None
            if isinstance(item, EndItem):
                if end is not None and item.offset >= end:
                    self._reached.add(item.topic_partition)
            elif end is None or not isinstance(item, Run):
                wanted.append((item, era))
            else:
                front, behind = parted([(item, era)], item.size - bisect_left(item.offsets, end))
                wanted += front
                beyond += behind
                if item.last + 1 >= end:
                    self._reached.add(item.topic_partition)
        if beyond:
            buffer.end(beyond, sum(item.size for item, _ in beyond))
            self._hold(buffer, {item.topic_partition for item, _ in beyond if item.topic_partition})
        return wanted

    def step_back(self, items: Iterable[Item]) -> None:
        """These were put back, and are still to be read (lock held)."""
        self._reached.difference_update(item.topic_partition for item in items if item.topic_partition)

    def look_around(self, buffer: MessageBuffer) -> None:
        """Nothing has come: see which partitions were passed without a message (lock
        held).
        """
        waiting = buffer.topic_partitions()
        left = [pair for pair in self._ends if pair not in self._reached and pair not in waiting]
        if left:
            with kafka_errors():
                found = self._handle.client.position([TopicPartition(*pair) for pair in left])
            self._reached.update(
                (p.topic, p.partition) for p in found if p.offset >= self._ends[p.topic, p.partition]
            )

    def release(self, buffer: MessageBuffer) -> None:
        """Let others read what is beyond the goal (lock held)."""
        held, self._held = self._held, set()
        if held and not buffer.closed:
            self._handle.flow.resume(held, Reason.GOAL)
            for pair in held.difference(self._handle.flow.paused(Reason.SCRIPT)):
                buffer.unpark(pair)

    def span(self, pair: TopicPartitionPair) -> tuple[int, int] | None:
        """Where a partition is read from, and its end; None if that is not known yet
        (lock held).
        """
        return (self._starts[pair], self._ends[pair]) if pair in self._ends else None

    def _hold(self, buffer: MessageBuffer, pairs: set[TopicPartitionPair]) -> None:
        with kafka_errors():
            self._handle.flow.pause(pairs, Reason.GOAL)
        for pair in pairs:
            buffer.park(pair)
        self._held |= pairs

    def _offsets_at(
        self, wanted: Iterable[TopicPartitionOffset], time_ms: int
    ) -> dict[TopicPartitionPair, int]:
        """The offset of the first message of a time; librdkafka's numbers for the
        beginning and the end are times here, too.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L10533
        """
        asked = [TopicPartition(topic, partition, time_ms) for topic, partition, _ in wanted]
        if not asked:
            return {}
        with kafka_errors(why=self._handle.why):
            found = interruptibly(
                lambda: self._handle.client.offsets_for_times(asked, timeout=LOOKUP_MS / 1000)
            )
        for answer in found:
            if answer.error is not None:
                raise kafka_failure(answer.error.code(), f"{answer.topic}, partition {answer.partition}")
        return {(answer.topic, answer.partition): int(answer.offset) for answer in found}

    def _starts_committed(self, found: TopicPartitionOffset) -> bool:
        return found.offset in (OFFSET_STORED, OFFSET_INVALID) and self._passed(found[:2]) is None

    def _committed(self, wanted: list[TopicPartitionOffset]) -> dict[TopicPartitionPair, int]:
        if not wanted:
            return {}
        asked = [TopicPartition(topic, partition) for topic, partition, _ in wanted]
        with kafka_errors(why=self._handle.why):
            found = interruptibly(lambda: self._handle.client.committed(asked, timeout=LOOKUP_MS / 1000))
        return {(answer.topic, answer.partition): int(answer.offset) for answer in found}

    def _passed(self, pair: TopicPartitionPair) -> int | None:
        """The next offset that the script is to have; None if it has had none."""
        with self._handle.lock:
            return self._handle.offsets.position(pair)

    def _start(
        self, found: TopicPartitionOffset, end: int, oldest: int, committed: dict[TopicPartitionPair, int]
    ) -> int:
        """The offset at which a partition is read on, as far as that can be known
        before a message has come.
        """
        passed = self._passed(found[:2])
        if passed is not None:
            return passed
        offset = committed.get(found[:2], found.offset)
        if offset == OFFSET_END or (offset in (OFFSET_INVALID, OFFSET_STORED) and self._resets_to_end):
            return end
        if offset <= OFFSET_TAIL_BASE:
            return max(oldest, end - (OFFSET_TAIL_BASE - offset))
        # Beyond the end, the partition is reset.
        return offset if oldest <= offset <= end else oldest
