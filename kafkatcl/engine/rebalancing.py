"""Consumers whose partitions a group gives and takes,
and scripts that are told so in time.

librdkafka tells of a rebalance within the call that fetches or closes.  As soon as its
callback has returned, the partitions go: then nobody can commit for them any more.  So
where a script wants to be told, the poll thread alone fetches.  It posts a notice and
waits in the callback until the script has handled that, and meanwhile the calls that
the script makes run in its thread (see ``delegation.py``).  A script that waits for
messages is interrupted by a failure with the errorCode ``REBALANCE_DUE``: it is to be
told first, and may then wait on.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3173-L3178
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

from kafkatcl.engine.buffer import BufferOwner, ConsumedBatch, MessageBuffer
from kafkatcl.engine.delegation import DelegatedClient, Delegation
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import ErrorItem, Item
from kafkatcl.engine.rebalances import ASSIGNED, LOST, REVOKED, Notice, Notices, Rebalance
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import FATAL, MAX_POLL_EXCEEDED
from kafkatcl.librdkafka.offsets import OFFSET_STORED
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

REBALANCE_DUE = ("KAFKA", "REBALANCE", "DUE")

#: How long a revocation in the poll thread waits for the callback that is running.
_RECALL_SECONDS = 0.2
#: Of max.poll.interval.ms, which share a script gets to handle a rebalance.  Behind the
#: whole of it librdkafka leaves the group.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
_SHARE = 0.9
#: How long leaving a group waits for the revocation.
_LEAVE_SECONDS = 5.0
#: How many messages are dropped at once where only rebalances are to be answered, and
#: how often.
_DROPPED, _DROPS = 10_000, 20


class SubscriberBuffer(MessageBuffer):
    """A buffer whose readers are told of rebalances before they get messages."""

    owner: RebalancingHandle

    def batch(self, count: int, timeout_ms: int, **options: bool) -> ConsumedBatch:
        self.owner.require_told()
        return super().batch(count, timeout_ms, **options)

    def _wait(self, deadline: float | None) -> bool:
        self.owner.require_told()
        return super()._wait(deadline)


class RebalancingHandle(ConsumingHandle):
    """A consumer that a group gives partitions, with one buffer for all of them."""

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        self.messages = SubscriberBuffer(self)
        self._notices = Notices()
        self._delegation = Delegation(self.lock, self._on_free)
        self._listener = ""  # the callback id of the script's callback, if it has one
        self._script_thread = 0  # the one that must not wait while it is to be told
        self._of_group: set[TopicPartitionPair] = set()  # what the group has given
        self._taken_away: set[TopicPartitionPair] = set()  # within the fetch under way
        self._is_static = bool(master.conf.get("group.instance.id"))
        self._is_retired = False  # whether the handle is about to be deleted
        self._is_leaving = False  # whether what the group has given is not wanted any more
        self._notice_seconds = _SHARE * int(master.conf.get("max.poll.interval.ms") or 300_000) / 1000

    # -- for the script ----------------------------------------------------------------

    def tell_rebalances(self, callback_id: str) -> None:
        """Tell a callback of rebalances from now on; with an empty id none.

        What the group has given already is told first, unless another callback was
        told.  To be called by the thread of the interpreter.
        """
        self.check()
        with self.lock:
            before, self._listener = self._listener, callback_id
            self._script_thread = threading.get_ident()
            if not callback_id:
                self._notices.drop()
                self.lock.notify_all()
                self.events.silence(self, before)
            elif not isinstance(self.client, DelegatedClient):
                self.client = DelegatedClient(self.client, self._delegation)
            if callback_id and not before and self._of_group:
                self._post(ASSIGNED, sorted(self._of_group), is_awaited=False)

    def tells_rebalances(self) -> bool:
        """Whether a callback is told of rebalances (any thread)."""
        return bool(self._listener)

    def next_rebalance(self) -> Rebalance | None:
        """What the script is to be told of now, if anything; until
        :meth:`end_rebalance` there is nothing else.

        What it was given before must have been acknowledged or requeued.  From now on
        it gets no message of partitions that are taken away.
        """
        with self.lock:
            notice = self._notices.begin()
            if notice is None:
                return None
            if notice.kind != ASSIGNED and notice.is_awaited:
                for topic_partition in notice.topic_partitions:
                    self.messages.drop(*topic_partition)
            return Rebalance(
                notice.kind, [self._place(notice, each) for each in sorted(notice.topic_partitions)]
            )

    def end_rebalance(self) -> None:
        """The script has handled what :meth:`next_rebalance` gave."""
        with self.lock:
            notice = self._notices.end()
            if notice and notice.kind != ASSIGNED and notice.is_awaited:
                self._of_group.difference_update(notice.topic_partitions)
            self.lock.notify_all()

    def retire(self) -> None:
        """Tell the script that all its partitions are revoked, as the handle is about
        to be deleted.

        To unsubscribe has librdkafka tell it when the group takes a commit.  But it
        would end the place that a static member has in its group: that fetches nothing
        more and is told here, and leaves when it closes.

        :raises Failure: the script is to be told now, with ``REBALANCE_DUE``; to be
            called again then.
        """
        self.check()
        with self.lock:
            if not self._listener or self._notices.is_telling:
                return
            self.require_told()
            is_first, self._is_retired = not self._is_retired, True
            if not self._is_static:
                with suppress(KafkaException):  # after a fatal error
                    self._leave(is_member=is_first)
            elif self._of_group:
                self._post(REVOKED, sorted(self._of_group), is_awaited=True)
                self.require_told()

    def require_told(self) -> None:
        """Refuse to give messages to a script that is to be told of a rebalance first.

        :raises Failure: it is, with ``REBALANCE_DUE``.
        """
        if self._notices.is_due and self._script_thread == threading.get_ident():
            raise Failure("a rebalance is to be told first", REBALANCE_DUE)

    def require_no_rebalance(self, what: str) -> None:
        """Refuse what must not be done while the script handles a rebalance.

        :raises Failure: it does.
        """
        if self._notices.is_telling:
            raise Failure(f"cannot {what} in the rebalance callback", ("KAFKA", "REBALANCE", "RUNNING"))

    def _leave(self, *, is_member: bool) -> bool:
        """Leave the group, and read nothing any more; a script that is told of
        rebalances is waited for, up to 5 s (lock held, and given up meanwhile).

        :param is_member: whether the group is to be left; False where it was already,
            and this goes on waiting.
        :returns: False where there is no such wait, as the script handles a rebalance:
            then the revocation comes behind that.
        :raises Failure: the script is to be told now, with ``REBALANCE_DUE``.
        """
        if is_member:
            self.client.unsubscribe()
        if self._notices.is_telling:
            return False
        deadline = time.monotonic() + _LEAVE_SECONDS
        while self._listener and self._of_group and not self.deleted:
            self.require_told()
            if not self.lock.wait(deadline - time.monotonic()):
                break
        if self.native.rebalances_incrementally():
            # What the group has given goes with its revocation, and nothing of it is
            # read until then.
            named = [each for each in self.client.assignment() if _pair(each) not in self._of_group]
            self.client.incremental_unassign(named)
        else:
            self.client.unassign()  # what assign() named is no subscription
        self._is_leaving = True
        return True

    # -- fetching, where a script is told ----------------------------------------------

    def wait(self, buffer: MessageBuffer, deadline: float | None) -> bool:
        if not self._listener:
            return super().wait(buffer, deadline)
        self.check()
        self.require_told()
        if self._notices.is_telling and self._script_thread == threading.get_ident():
            return False  # nothing is fetched before the script has handled it
        return BufferOwner.wait(self, buffer, deadline)

    def _is_read(self) -> bool:
        if not self._listener:
            return super()._is_read()
        return (self._is_retired and self._is_static) or self._delegation.is_busy()

    def _keep(self, fetched: list[Item], count: int, generation: int) -> None:
        if self._listener and any(_is_fatal(item) for item in fetched):
            # Another static member has taken the place of this one: librdkafka does
            # nothing more, and tells no rebalance.
            self._take_away(LOST, sorted(self._of_group))
        if self._taken_away or self._is_leaving:
            unwanted = self._taken_away | (self._of_group if self._is_leaving else set())
            fetched = [item for item in fetched if item.topic_partition not in unwanted]
            self._taken_away.clear()
        super()._keep(fetched, count, generation)

    # -- called within consume and close, in whatever thread does that -----------------

    def _on_assign(self, client: Any, partitions: list[TopicPartition]) -> None:
        with self.lock:
            topic_partitions = [_pair(each) for each in partitions]
            self._of_group.update(topic_partitions)
            self._taken_away.difference_update(topic_partitions)
            self._read_natively(topic_partitions)
            if self._is_told():
                # As the wrapper does it behind a callback that does not.  Here it is
                # done first, so that the script finds the partitions assigned.
                is_incremental = self.native.rebalances_incrementally()
                with suppress(KafkaException):  # unsubscribed meanwhile
                    (client.incremental_assign if is_incremental else client.assign)(partitions)
                self._tell(ASSIGNED, topic_partitions)

    def _on_revoke(self, _client: Any, partitions: list[TopicPartition]) -> None:
        self._take_away(REVOKED, [_pair(each) for each in partitions])

    def _on_lost(self, _client: Any, partitions: list[TopicPartition]) -> None:
        self._take_away(LOST, [_pair(each) for each in partitions])

    def _take_away(self, kind: str, topic_partitions: list[TopicPartitionPair]) -> None:
        # A closing thread comes here without the lock.  Positions must be stored before
        # the partitions go.
        with self.lock:
            is_told = self._is_told() and not self._of_group.isdisjoint(topic_partitions)
            self.messages.recall(0.0 if is_told or not self.poll_thread.is_current() else _RECALL_SECONDS)
            if is_told:
                self._tell(kind, [each for each in topic_partitions if each in self._of_group])
            self.offsets.store()
            for topic_partition in topic_partitions:
                self.messages.drop(*topic_partition)
            self._read_no_more(topic_partitions)
            self._forget(topic_partitions)
            self._of_group.difference_update(topic_partitions)
            self._taken_away.update(topic_partitions)

    def _is_told(self) -> bool:
        """Whether a script is told of a rebalance, and waited for, here and now."""
        return bool(self._listener) and not self.deleted and self.poll_thread.is_current()

    def _tell(self, kind: str, topic_partitions: list[TopicPartitionPair]) -> None:
        """Have the script handle a rebalance (poll thread, lock held and given up
        meanwhile).
        """
        notice = self._post(kind, topic_partitions, is_awaited=True)
        deadline = time.monotonic() + self._notice_seconds
        is_over = self._delegation.serve(lambda: notice.is_over or self.deleted, deadline)
        notice.is_awaited = False
        if not is_over:
            words = f"the rebalance callback did not end within {self._notice_seconds:g} s: {kind} goes on"
            self.log.say("REBALANCE", words)
            self.report_error(MAX_POLL_EXCEEDED, words)

    def _post(self, kind: str, topic_partitions: list[TopicPartitionPair], *, is_awaited: bool) -> Notice:
        notice = self._notices.post(kind, topic_partitions, is_awaited=is_awaited)
        self.events.post(self, self._listener, "")
        self.lock.notify_all()
        return notice

    def _place(self, notice: Notice, topic_partition: TopicPartitionPair) -> tuple[str, int, int]:
        position = None if notice.kind == ASSIGNED else self.offsets.position(topic_partition)
        return (*topic_partition, OFFSET_STORED if position is None else position)

    # -- the end -----------------------------------------------------------------------

    def let_go(self) -> None:
        super().let_go()
        self._stop_telling()

    def close(self, deadline: float) -> None:
        self._stop_telling()
        super().close(deadline)

    def _finish(self, deadline: float) -> None:
        self._answer_rebalances()
        super()._finish(deadline)

    def _answer_rebalances(self) -> None:
        """Answer what waits, while the group can hear it: librdkafka closes a consumer
        for ever that answers later (closing thread).
        """
        with suppress(KafkaException):
            for _ in range(_DROPS):
                if not self.client.consume(_DROPPED, 0):
                    return

    def _stop_telling(self) -> None:
        """Have nobody wait for the script: it is gone."""
        self.deleted = True
        with self.lock:
            self.lock.notify_all()

    def _on_free(self) -> None:
        if not self.deleted:
            self.poll_thread.wake()


def _is_fatal(item: Item) -> bool:
    return isinstance(item, ErrorItem) and item.number == FATAL


def _pair(partition: TopicPartition) -> TopicPartitionPair:
    return partition.topic, partition.partition
