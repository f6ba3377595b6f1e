"""What a subscriber has handed over and nothing has committed yet: it is sent with a
transaction, and comes again when that is aborted.

A message belongs to the transaction that sends its offset, whether the script got it
within that or before, as by a callback.  So an abort goes back to what was committed
last, or to where reading has begun.  Where a script consumes within its transactions
that is where the transaction has begun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kafkatcl.engine.errors import kafka_failure, worded
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.engine.waiting import remaining
from kafkatcl.librdkafka.errors import ASSIGNMENT_LOST, INVALID_ARGUMENT, NOT_STARTED


class Handover(NamedTuple):
    """A subscriber, as far as transactions are concerned."""

    subscriber: Subscriber

    def require_transactional(self) -> None:
        """Refuse a subscriber with which messages could be lost or come twice.

        One that commits by itself could commit what an aborted transaction has
        consumed; or after a transaction what was stored before it.  One that reads
        what is not committed does not wait for the transactions of other members,
        either, before it goes on from their offsets.

        :raises Failure: it is one of these, or was deleted.
        """
        self.subscriber.check()
        setting = self.subscriber.native.setting
        if setting("enable.auto.commit") != "false":
            more = "the subscriber commits by itself: set enable.auto.commit to false before it is made"
            raise kafka_failure(INVALID_ARGUMENT, more)
        if setting("isolation.level") != "read_committed":
            more = "the subscriber does not wait for commits: leave isolation.level at read_committed"
            raise kafka_failure(INVALID_ARGUMENT, more)

    def handed_over(self, positions: Sequence[TopicPartitionOffset] = ()) -> Handed:
        """What goes with a transaction.

        :param positions: these, and not those of what is not committed yet.
        :raises Failure: as :meth:`require_transactional`.  errorCode says ``abortable``
            where a partition was taken away whose messages are not committed yet:
            another member gets them, too.
        """
        self.require_transactional()
        subscriber = self.subscriber
        with subscriber.lock:
            # In this order: the group is that of before the question whether it still
            # has us, and nobody takes partitions away without the lock.
            group = subscriber.client.consumer_group_metadata()
            lost = [f"partition {part} of topic '{topic}'" for topic, part in subscriber.offsets.taken_away]
            if lost or subscriber.native.is_assignment_lost():
                more = f"taken away before the commit: {', '.join(lost) or 'all partitions'}"
                raise worded(kafka_failure(ASSIGNMENT_LOST, more), "abortable")
            found = [
                TopicPartitionOffset(*partition, end)
                for partition, (_, end) in subscriber.offsets.unsettled().items()
            ]
        return Handed(self, positions or found, group)

    def settle(self, positions: Sequence[TopicPartitionOffset]) -> None:
        """A transaction has committed these."""
        with self.subscriber.lock:
            self.subscriber.offsets.settle({(topic, part): offset for topic, part, offset in positions})

    def go_back(self) -> None:
        """A transaction was aborted: what is not committed comes again."""
        with self.subscriber.lock:
            self._rewind(self._begins())
            self.subscriber.offsets.taken_away.clear()

    def doubt(self) -> None:
        """It is not known how a transaction has ended."""
        self.subscriber.offsets.is_doubtful = True

    def settle_doubt(self, deadline: float | None) -> None:
        """Where it is not known how a transaction has ended, go back to what the group
        has committed.  The cluster tells that when the transaction has ended.

        :param deadline: by ``time.monotonic``; None: never.
        :raises Failure: no answer came in time.  Or it did, and errorCode says
            ``abortable``: what the script has in hand comes again, if it was not
            committed.
        """
        offsets = self.subscriber.offsets
        if not offsets.is_doubtful:
            return
        with self.subscriber.lock:
            begins = self._begins()
        if begins:
            left = remaining(deadline)
            wanted = [TopicPartitionOffset(*partition) for partition in begins]
            found = self.subscriber.committed(wanted, -1 if left is None else int(left * 1000))
            begins.update({place.topic_partition: place.offset for place, _ in found if place.offset >= 0})
        with self.subscriber.lock:
            offsets.settle(begins)
            self._rewind(begins)
            offsets.taken_away.clear()
            offsets.is_doubtful = False
        more = "how an earlier transaction ended was not known: back to what the group has committed"
        raise worded(kafka_failure(NOT_STARTED, more), "abortable")

    def _rewind(self, targets: Mapping[TopicPartitionPair, int]) -> None:
        """Have the subscriber read partitions from these offsets on, those of them that
        it still reads (lock held).
        """
        if not self.subscriber.deleted:
            read = {place.topic_partition for place in self.subscriber.assignment()}
            self.subscriber.seek(
                [TopicPartitionOffset(*pair, offset) for pair, offset in targets.items() if pair in read]
            )

    def _begins(self) -> dict[tuple[str, int], int]:
        unsettled = self.subscriber.offsets.unsettled()
        return {partition: begin for partition, (begin, _) in unsettled.items()}


class Handed(NamedTuple):
    """Positions of a subscriber as they go with a transaction; ``group`` tells the
    cluster which member of the group it is, and since which rebalance.
    """

    member: Handover
    positions: Sequence[TopicPartitionOffset]
    group: Any

    def native(self) -> list[Any]:
        """The positions for confluent-kafka."""
        return [position.native() for position in self.positions]
