"""Subscribers: members of a consumer group, which shares out the partitions,
or readers of partitions they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.committing import CommittingHandle
from kafkatcl.engine.destination import is_embedded, named
from kafkatcl.engine.errors import bare_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import ErrorItem, Item
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.rebalancing import RebalancingHandle
from kafkatcl.engine.resetting import RESET
from kafkatcl.engine.shared_topic import usable_pattern
from kafkatcl.engine.waiting import interruptibly
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.errors import CONFLICT, INVALID_ARGUMENT, NOT_STARTED
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

#: Where to begin without a committed offset, unless the script says otherwise.
_RESET = "earliest"
_EAGER = (
    "the group assigns all partitions anew at each rebalance: use assign, "
    "or set partition.assignment.strategy to cooperative-sticky"
)


class Subscriber(RebalancingHandle, CommittingHandle):
    """A consumer that belongs to a group.

    :raises Failure: the master names no group.
    """

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        if not self.has_group:
            raise Failure("a subscriber needs a consumer group: set group.id on its master first")
        self._subscription: list[TopicPartitionOffset] = []

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        settings.setdefault(RESET, _RESET)
        settings.update(self.topic_conf.settings)
        # Of the consumer protocol the session is the broker's matter, and to set it an
        # error: https://github.com/confluentinc/librdkafka/blob/v2.15.0/INTRODUCTION.md
        is_classic = settings.get("group.protocol", "classic") == "classic"
        if is_classic and "session.timeout.ms" not in settings and self._is_embedded(settings):
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
            self.client.subscribe(
                names, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
            self._subscription = wanted
            self._is_leaving = False

    def subscription(self) -> list[TopicPartitionOffset]:
        """What was subscribed to, sorted."""
        self.check()
        return sorted(self._subscription)

    def unsubscribe(self) -> None:
        """Leave the group; what :meth:`assign` has named is read no more.

        :raises Failure: a script is to be told of the revocation first, with
            ``REBALANCE_DUE``; to be called again then.
        """
        self.check()
        with self.lock, self._errors():
            self.offsets.store()
            is_member = bool(self._subscription) or not self.tells_rebalances()
            self._subscription = []
            if self._leave(is_member=is_member):
                self._restart()

    def assign(self, wanted: list[TopicPartitionOffset]) -> None:
        """Read these partitions, and none else;
        without an offset from the committed one.

        :raises Failure: no topic can have a name, or librdkafka refuses.
        """
        self.check()
        self.require_no_rebalance("assign")
        with self.lock, self._errors():
            self.offsets.store()
            self.flow.forget_all()
            named = [position.or_stored().native() for position in wanted]
            self._read_natively({place.topic_partition for place in wanted}, alone=True)
            self.client.assign(named)
            self._restart()

    def incremental_assign(self, wanted: list[TopicPartitionOffset]) -> None:
        """Read these partitions besides those that are read; without an offset from the
        committed one.

        :raises Failure: one of them is read already; no topic can have a name; or
            librdkafka refuses, as the group assigns all partitions anew at each
            rebalance.
        """
        self.check()
        self.require_no_rebalance("incremental_assign")
        read = self._being_read()
        for place in wanted:
            if place.topic_partition in read:
                more = f"partition {place.partition} of topic '{place.topic}' is assigned already"
                raise bare_failure(CONFLICT, more)
        with self.lock, self._incremental():
            named = [position.or_stored().native() for position in wanted]
            self._read_natively(place.topic_partition for place in wanted)
            self.client.incremental_assign(named)

    def incremental_unassign(self, wanted: list[TopicPartitionOffset]) -> None:
        """Read these partitions no more; the offsets do not matter.

        :raises Failure: one of them is not assigned; or as
            :meth:`incremental_assign`.
        """
        self.require_no_rebalance("incremental_unassign")
        with self.lock, self._incremental():
            topic_partitions = self.require_read(wanted)
            self.offsets.store()
            self.client.incremental_unassign([TopicPartition(*pair) for pair in topic_partitions])
            self._read_no_more(topic_partitions)
            self._drop(topic_partitions)
            self._forget(topic_partitions)

    def member_id(self) -> str:
        """What the group calls this member; empty where it is none yet."""
        self.check()
        return str(self.client.memberid() or "")

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

    @contextmanager
    def _incremental(self) -> Iterator[None]:
        with self._errors():
            try:
                yield
            except KafkaException as error:
                if error.args[0].code() != NOT_STARTED:
                    raise
                raise bare_failure(NOT_STARTED, _EAGER) from error

    def _being_read(self) -> set[TopicPartitionPair]:
        return {place.topic_partition for place in self.assignment()}

    def _not_read(self, topic: str, partition: int) -> str:
        return f"partition {partition} of topic '{topic}' is not assigned"

    def _reset_conf(self, topic: str) -> TopicConf:
        conf = self.topic_conf.copy()
        if RESET not in conf.settings:
            conf.set(RESET, _RESET)
        return conf

    def _reassign(self, topic_partition: TopicPartitionPair, offset: int) -> None:
        with self._incremental():
            super()._reassign(topic_partition, offset)

    def _restart(self) -> None:
        """Forget all positions, pauses and fetched messages, as a new assignment begins
        (lock held).
        """
        self._assignment_generation += 1
        self._forget(self.offsets.partitions())
        self.flow.forget_all()
        self._halted.clear()
        self.messages.clear()

    def _route(self, fetched: list[Item], generation: int) -> None:
        if generation != self._assignment_generation:
            return  # fetched for an earlier assignment
        for item in fetched:
            if type(item) is ErrorItem:
                self._note_halt(item)
            self.messages.put(item)
        self.messages.announce()

    def _buffers(self) -> Iterable[MessageBuffer]:
        return [self.messages]

    def _buffer_of(self, topic_partition: tuple[str, int]) -> MessageBuffer:
        return self.messages

    def _reader_of(self, topic_partition: tuple[str, int]) -> MessageBuffer:
        return self.messages
