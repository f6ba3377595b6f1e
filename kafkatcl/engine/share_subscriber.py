"""Share subscribers: members of a share group, which shares out messages and not
partitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafkatcl.engine.acquired import RELEASE, Place, places
from kafkatcl.engine.buffer import ConsumedBatch
from kafkatcl.engine.errors import bare_failure, kafka_errors
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import Item
from kafkatcl.engine.share_fetching import MODE, ShareHandle
from kafkatcl.engine.shared_topic import usable_name
from kafkatcl.engine.waiting import deadline_after, remaining
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, NOT_STARTED, TIMED_OUT


class ShareSubscriber(ShareHandle):
    """A member of a share group, as the script has it."""

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        self._consumed: list[ConsumedBatch] = []  # by consume, and not accepted yet

    def subscribe(self, topics: list[str]) -> None:
        """Join the group for these topics, instead of earlier ones.

        :raises Failure: there is none, or no topic can have a name.
        """
        self.check()
        if not topics:
            raise bare_failure(INVALID_ARGUMENT)
        for topic in topics:
            if topic.startswith("^"):
                raise bare_failure(
                    INVALID_ARGUMENT, f'"{topic}" is a pattern, which share groups do not know'
                )
        names = sorted({usable_name(topic) for topic in topics})
        with self._locked():
            self.client.subscribe(names)
            self.topics = names
        self.poll_thread.wake()

    def subscription(self) -> list[str]:
        """The topics that were subscribed to, sorted."""
        self.check()
        return list(self.topics)

    def unsubscribe(self) -> None:
        """Leave the group.

        What the script has not seen is released; what it has can still be acknowledged.
        """
        with self._locked():
            self.give_up()
            self.client.commit_async()
            self.client.unsubscribe()
            self.topics = []
            self._is_fetching = False

    def consume(self, timeout_ms: int) -> Item | None:
        """The next message or error; the one before counts as handled, and this one if
        there is a callback, which would wait for that.

        :param timeout_ms: how long to wait; for ever if negative.
        :returns: None if nothing comes in time.
        :raises Failure: nothing can come, see :meth:`wait`, or messages are not
            acknowledged.
        """
        with self._locked():
            self._accept_consumed()
            batch = self._take(1, timeout_ms)
            self._consumed.append(batch)
            if self.messages.callback_id is not None:
                self._accept_consumed()
            return batch.items[0] if batch.taken else None

    def consume_batch(self, count: int, timeout_ms: int) -> ConsumedBatch:
        """Up to ``count`` messages and errors: those that are there as soon as one is.

        :param timeout_ms: how long to wait for that; for ever if negative.
        :raises Failure: nothing can come, see :meth:`wait`, or messages are not
            acknowledged.
        """
        with self._locked():
            self._accept_consumed()
            return self._take(count, timeout_ms)

    def listen(self, callback_id: str | None) -> None:
        """Give messages to a callback from now on; with None keep them for readers."""
        with self._locked():
            self._accept_consumed()
            self.messages.listen(callback_id)
            self.poll_thread.wake()

    def has_failed(self, place: Place) -> None:
        """The callback has failed at a message, which is released, unless the script is
        to acknowledge it.
        """
        if not self.is_explicit:
            with self.lock:
                self.acknowledge_all([place], RELEASE)

    def acknowledge(self, place: Place, how: str) -> None:
        """Say something of a message that the script was given.

        :param how: of ``ACKNOWLEDGEMENTS``.
        :raises Failure: acknowledgement is implicit; or the message was not given to
            the script, or is acknowledged already.
        """
        with self._locked():
            if not self.is_explicit:
                why = f"messages are acknowledged as they are handled, unless {MODE} is explicit"
                raise bare_failure(NOT_STARTED, why)
            if not self.acquired.is_given(place):
                at = f"topic '{place.topic}', partition {place.partition}, offset {place.offset}"
                raise bare_failure(NOT_STARTED, f"no message is to be acknowledged at {at}")
            self.acknowledge_all([place], how)

    def commit(self, *, wait: bool, timeout_ms: int) -> None:
        """Send what was acknowledged; with implicit acknowledgement, all that the
        script has handled.

        :param wait: whether to wait for the broker's answer, up to ``timeout_ms``.
        :raises Failure: with ``wait``: no answer came in time, or an acknowledgement
            was refused since the last time.
        """
        with self._locked():
            self._accept_consumed()
            self.client.commit_async()
            if not wait:
                return
            sent, deadline = self.acquired.unconfirmed(), deadline_after(timeout_ms)
            while self.acquired.is_waiting_for(sent):
                if not self.lock.wait(remaining(deadline)):
                    raise bare_failure(TIMED_OUT, self.why())
                self.check()
            refusal = self.acquired.take_refusal()
            if refusal:
                raise bare_failure(refusal.code, refusal.words)

    # -- inside ------------------------------------------------------------------------

    def _take(self, count: int, timeout_ms: int) -> ConsumedBatch:
        """Messages and errors for the script, up to ``count`` (lock held)."""
        if not self.messages.size:
            self.require_acknowledged()
        batch = self.messages.batch(count, timeout_ms, wait_for_all=False)
        self.give(places(batch.items))
        return batch

    def _accept_consumed(self) -> None:
        """Count what ``consume`` has given as handled (lock held)."""
        consumed, self._consumed = self._consumed, []
        for batch in consumed:
            batch.end(0)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The lock, for calls of the client, which is not closed meanwhile."""
        with self.lock, kafka_errors(bare=True, why=self.why):
            self.check()
            yield
