"""Committing: the group is told how far the script has come, and asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kafkatcl.engine.control import ControlledHandle
from kafkatcl.engine.errors import bare_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.fetching import AUTO_STORE
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.lookup import LOOKUP_MS, OffsetLookup
from kafkatcl.engine.master import Master
from kafkatcl.engine.positions import OffsetAndMetadata, TopicPartitionOffset
from kafkatcl.engine.shared_topic import usable_name
from kafkatcl.engine.waiting import interruptibly
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, NO_OFFSET
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition


class CommittingHandle(ControlledHandle):
    """A handle whose script tells the group how far it has come."""

    is_bare: ClassVar[bool] = True

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        #: Whether the script stores offsets itself.
        self._stores = master.conf.get(AUTO_STORE) == "false"

    def commit(self, wanted: Sequence[OffsetAndMetadata], *, wait: bool) -> None:
        """Commit these offsets, or without any those of what counts as consumed.

        :param wanted: offsets that are times are asked for (waits).
        :param wait: whether to wait for the broker's answer (a signal ends the wait).
        :raises Failure: librdkafka refuses; with ``wait`` also if there is nothing to
            commit, or the broker refuses.
        """
        self.check()
        with self.lock:
            self.offsets.store()
            sought = {} if wanted else self.offsets.sought()
        with self._errors():
            if wanted:
                self._commit(self._without_times(wanted), wait=wait)
                return
            if not sought:
                self._commit(None, wait=wait)
                return
            self._commit([TopicPartition(*pair, offset) for pair, offset in sought.items()], wait=wait)
            try:
                self._commit(None, wait=wait)
            except KafkaException as error:  # there may have been no others
                if error.args[0].code() != NO_OFFSET:
                    raise
        with self.lock:
            self.offsets.committed(sought)

    def store(self, wanted: Sequence[OffsetAndMetadata]) -> None:
        """Store these offsets, in memory, to be committed by the next commit that names
        none, or by that of each ``auto.commit.interval.ms``.

        :param wanted: offsets that are times are asked for (waits).
        :raises Failure: ``enable.auto.offset.store`` is not false, so that offsets are
            stored of what counts as consumed; a partition is not read.
        """
        self.require_read([offset.position for offset in wanted])
        if not self._stores:
            raise bare_failure(
                INVALID_ARGUMENT, f"{AUTO_STORE} is not false: offsets are stored by themselves"
            )
        with self._errors():
            self.client.store_offsets(offsets=self._without_times(wanted))

    def committed(self, wanted: Sequence[TopicPartitionOffset], timeout_ms: int) -> list[OffsetAndMetadata]:
        """The committed offset of each partition, or the invalid one, and its metadata
        (waits; a signal ends the wait).

        :raises Failure: no answer within ``timeout_ms``.
        """
        self.check()
        with self._errors():
            native = [position.native() for position in wanted]
            found = interruptibly(lambda: self.client.committed(native, timeout=timeout_ms / 1000))
        return [
            OffsetAndMetadata(TopicPartitionOffset(p.topic, p.partition, p.offset), p.metadata or "")
            for p in found
        ]

    def offsets_for_times(
        self, wanted: Sequence[TopicPartitionOffset], timeout_ms: int
    ) -> list[TopicPartitionOffset]:
        """The offset of the first message at or after a time of each partition; the end
        where there is none (waits; a signal ends the wait).

        :param wanted: positions whose offsets are times.
        :raises Failure: no such partition, or no answer within ``timeout_ms``.
        """
        self.check()
        for place in wanted:
            usable_name(place.topic)
        lookup = OffsetLookup(self.client, timeout_ms)
        found: dict[TopicPartitionOffset, int] = {}
        rest = set(wanted)
        with self._errors():
            while rest:  # one time of each partition goes into a question
                asked = {place.topic_partition: place for place in rest}
                answers = lookup.at_times({pair: place.offset for pair, place in asked.items()})
                found.update((place, answers[pair]) for pair, place in asked.items())
                rest.difference_update(asked.values())
        return [place._replace(offset=found[place]) for place in wanted]

    def lag(self, timeout_ms: int) -> dict[TopicPartitionPair, int]:
        """How many offsets each partition that is read has beyond what the script has
        had (waits; a signal ends the wait).

        Where the script had nothing yet, beyond where it begins.

        :raises Failure: no answer within ``timeout_ms``.
        """
        assigned = sorted(self.assignment())
        places = self.read_positions(assigned)
        places = [begin.or_stored() if place.offset < 0 else place for place, begin in zip(places, assigned)]
        lookup = OffsetLookup(self.client, timeout_ms)
        with self._errors():
            ends = lookup.ends(place.topic_partition for place in places)
            positions = lookup.numbers(places, self._without_stored)
        return {
            place.topic_partition: max(0, ends[place.topic_partition] - place.offset) for place in positions
        }

    def _without_times(self, wanted: Sequence[OffsetAndMetadata]) -> list[TopicPartition]:
        found = OffsetLookup(self.client, LOOKUP_MS).moments([offset.position for offset in wanted])
        return [offset._replace(position=place).native() for offset, place in zip(wanted, found)]

    def _commit(self, offsets: list[TopicPartition] | None, *, wait: bool) -> None:
        """Commit these offsets, or what is stored in librdkafka.

        :raises KafkaException: as :meth:`commit`.
        """
        given: dict[str, Any] = {} if offsets is None else {"offsets": offsets}
        if not wait:
            self.client.commit(asynchronous=True, **given)
            return
        for done in interruptibly(lambda: self.client.commit(asynchronous=False, **given)):
            if done.error is not None:
                raise KafkaException(done.error)
            with self.lock:
                self.offsets.settle({(done.topic, done.partition): done.offset})
