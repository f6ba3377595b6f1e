"""Share subscribers: members of a share group, which shares out messages and not
partitions.

confluent-kafka's ShareConsumer takes no two calls at a time, so each is made with the
lock of the handle held, and none of them waits there.  It polls many messages at once,
and polls again when each of them is acknowledged.  So what a poll has brought is all
there is, until the script is through with it.  Nothing is fetched before the script
wants it: nobody else gets what is locked for us.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from kafkatcl.engine.acquired import ACCEPT, RELEASE, Acquired, Place, places
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.errors import bare_failure, kafka_errors
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.hints import listed
from kafkatcl.engine.inflight import Taken, parted
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import ErrorItem, Item, error_item, items
from kafkatcl.engine.settings import creation_text
from kafkatcl.engine.shared_topic import usable_name
from kafkatcl.engine.waiting import deadline_after, remaining
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, MAX_POLL_EXCEEDED, NOT_STARTED, TIMED_OUT
from kafkatcl.librdkafka.wrapper import KafkaException, ShareConsumer

_MODE = "share.acknowledgement.mode"
_IMPLICIT, _EXPLICIT = _MODES = ("implicit", "explicit")

#: How long messages are kept that the script does not take.  The broker's locks last 30
#: s, unless it or the group says otherwise.
#: https://kafka.apache.org/documentation/#groupconfigs_share.record.lock.duration.ms
_KEEP_SECONDS = 25.0


class ShareBatch(NamedTuple):
    """Messages and errors that the script works through; it may not get to all."""

    subscriber: ShareSubscriber
    taken: list[Taken]

    @property
    def items(self) -> list[Item]:
        """What was taken."""
        return [item for item, _ in self.taken]

    @property
    def size(self) -> int:
        """The number of messages and errors."""
        return sum(item.size for item, _ in self.taken)

    def end(self, rest: int, *, has_failed: bool = False) -> None:
        """The script is through.

        :param rest: how many of the last ones it has not got to.
        :param has_failed: whether it has failed at the one before those.
        """
        self.subscriber.end(self, rest, has_failed=has_failed)


class ShareSubscriber(Handle, BufferOwner):
    """A member of a share group.

    Methods that say "(lock held)" are called with it; all others take it where they
    need it.

    :raises Failure: the master names no group, or no mode of acknowledgement that there
        is.
    """

    consumes = True

    def __init__(self, master: Master, events: EventQueue) -> None:
        Handle.__init__(self, master, events)
        BufferOwner.__init__(self, events)
        if not master.conf.settings.get("group.id"):
            raise Failure("a share subscriber needs a share group: set group.id on its master first")
        mode = master.conf.settings.get(_MODE) or _IMPLICIT
        if mode not in _MODES:
            raise bare_failure(INVALID_ARGUMENT, f"{_MODE} must be {listed(_MODES)}")
        self.is_explicit = mode == _EXPLICIT
        self.messages = MessageBuffer(self)
        self._acquired = Acquired(lambda: self.client)
        self._acquired_at = 0.0  # by time.monotonic
        self._subscription: list[str] = []
        self._consumed: list[ShareBatch] = []  # by consume, and not accepted yet
        self._waiting = 0  # readers who sleep until something comes
        self._is_fetching = False  # whether a fetch was begun that has brought nothing yet
        self._fatal: ErrorItem | None = None  # after this nothing comes any more

    # -- commands ----------------------------------------------------------------------

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
        with self.lock, self._errors():
            names = sorted({usable_name(topic) for topic in topics})
            self.client.subscribe(names)
            self._subscription = names
        self.poll_thread.wake()

    def subscription(self) -> list[str]:
        """The topics that were subscribed to, sorted."""
        self.check()
        return list(self._subscription)

    def unsubscribe(self) -> None:
        """Leave the group.

        What the script has not seen is released; what it has can still be acknowledged.
        """
        self.check()
        with self.lock, self._errors():
            self._give_up()
            self.client.commit_async()
            self.client.unsubscribe()
            self._subscription = []
            self._is_fetching = False

    def consume(self, timeout_ms: int) -> Item | None:
        """The next message or error; the one before counts as handled.

        :param timeout_ms: how long to wait; for ever if negative.
        :returns: None if nothing comes in time.
        :raises Failure: nothing can come, see :meth:`wait`.
        """
        with self.lock:
            self._accept_consumed()
            batch = self._take(1, timeout_ms)
            if not batch.taken:
                return None
            self._consumed.append(batch)
            return batch.items[0]

    def consume_batch(self, count: int, timeout_ms: int) -> ShareBatch:
        """Up to ``count`` messages and errors: those that are there as soon as one is.

        :param timeout_ms: how long to wait for that; for ever if negative.
        :raises Failure: nothing can come, see :meth:`wait`.
        """
        with self.lock:
            self._accept_consumed()
            return self._take(count, timeout_ms)

    def end(self, batch: ShareBatch, rest: int, *, has_failed: bool = False) -> None:
        """The script is through with a batch: see :class:`ShareBatch`.

        What it has not got to is released.  With implicit acknowledgement the message
        at which it has failed is released as well, and the others are accepted.
        """
        with self.lock:
            used, left = parted(batch.taken, rest)
            failed: list[Taken] = []
            if has_failed and not self.is_explicit:
                used, failed = parted(used, 1)
            if not self.is_explicit:
                self._acknowledge(places(item for item, _ in used), ACCEPT)
            self._acknowledge(places(item for item, _ in [*failed, *left]), RELEASE)

    def listen(self, callback_id: str | None) -> None:
        """Give messages to a callback from now on; with None keep them for readers."""
        self.messages.listen(callback_id)
        self.poll_thread.wake()

    def has_failed(self, place: Place) -> None:
        """The callback has failed at a message, which is released, unless the script is
        to acknowledge it.
        """
        if not self.is_explicit:
            with self.lock:
                self._acknowledge([place], RELEASE)

    def acknowledge(self, place: Place, how: str) -> None:
        """Say something of a message that the script was given.

        :param how: of ``ACKNOWLEDGEMENTS``.
        :raises Failure: acknowledgement is implicit; or the message was not given to
            the script, or is acknowledged already.
        """
        self.check()
        if not self.is_explicit:
            raise bare_failure(
                NOT_STARTED, f"messages are acknowledged as they are handled, unless {_MODE} is explicit"
            )
        with self.lock, self._errors():
            if place not in self._acquired.given():
                at = f"topic '{place.topic}', partition {place.partition}, offset {place.offset}"
                raise bare_failure(NOT_STARTED, f"no message is to be acknowledged at {at}")
            self._acknowledge([place], how)

    def commit(self, *, wait: bool, timeout_ms: int) -> None:
        """Send what was acknowledged; with implicit acknowledgement, all that the
        script has handled.

        :param wait: whether to wait for the broker's answer, up to ``timeout_ms``.
        :raises Failure: with ``wait``: no answer came in time, or an acknowledgement
            was refused since the last time.
        """
        self.check()
        with self.lock, self._errors():
            self._accept_consumed()
            self.client.commit_async()
            if not wait:
                return
            sent, deadline = self._acquired.unconfirmed(), deadline_after(timeout_ms)
            while self._acquired.is_waiting_for(sent):
                if not self.lock.wait(remaining(deadline)):
                    raise bare_failure(TIMED_OUT, self.why())
                self.check()
            refusal = self._acquired.take_refusal()
        if refusal:
            raise bare_failure(refusal.code, refusal.words)

    # -- for the buffer ----------------------------------------------------------------

    def wait(self, buffer: MessageBuffer, deadline: float | None) -> bool:
        """Begin to fetch, and sleep until something comes (lock held).

        :raises Failure: nothing can come: there is no subscription, or messages are not
            acknowledged; or the handle is deleted.
        """
        self.check()
        self._require_readable()
        if self._fetch() or self._fatal:
            return True  # to look again
        self._waiting += 1
        try:
            return super().wait(buffer, deadline)
        finally:
            self._waiting -= 1

    def on_consumed(self, items: Iterable[Item]) -> None:
        """The callback has had these (lock held)."""
        if self.deleted:
            return
        if self.is_explicit:
            self._acquired.give(places(items))
        else:
            self._acknowledge(places(items), ACCEPT)

    # -- inside ------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        # librdkafka's own implicit acknowledgement accepts all that a poll has brought.
        return {**super()._settings(), **self.topic_conf.settings, _MODE: _EXPLICIT}

    def _make(self, settings: dict[str, Any]) -> ShareConsumer:
        try:
            return ShareConsumer(settings)
        except ValueError as error:  # what the wrapper makes of an invalid argument
            text = str(error).partition(": ")[2] or str(error)
        raise Failure(creation_text(text, settings))

    def _prepare(self) -> None:
        # The answers to acknowledgements come to the main queue.
        self.native.signal_events(self.poll_thread.descriptor, consumer=False)
        self.client.set_acknowledgement_commit_callback(self._on_answered)

    def _poll(self) -> bool:
        """Fetch if somebody waits for messages and may have more; else only send what
        was acknowledged, and hear what is said to that (poll thread).
        """
        with self.lock:
            if self._fatal:
                return False
            if time.monotonic() - self._acquired_at > _KEEP_SECONDS:
                self._give_up()
            wanted = self._waiting or self._is_fetching or self.messages.callback_id is not None
            if wanted and self._subscription and not self._acquired:
                return self._fetch()
            self.client.commit_async()
            return False

    def _fetch(self) -> bool:
        """Take what is there, or have librdkafka fetch; whether something was there
        (lock held).  What was acknowledged is sent along.
        """
        try:
            fetched = list(items(self.client.poll(0)))
        except KafkaException as error:
            return self._keep_error(error.args[0])
        self._is_fetching = not fetched
        if fetched:
            self._acquired.add(places(fetched))
            self._acquired_at = time.monotonic()
            self._keep(fetched)
        return bool(fetched)

    def _keep_error(self, error: Any) -> bool:
        """Take note of an error of a fetch; whether somebody is to have it in the place
        of a message (lock held).
        """
        item = error_item(error)
        if error.fatal():
            self._fatal = item
        self._on_error(error)
        self.poll_thread.wake()  # there may be more behind it
        # The member has only been idle for long; with this fetch it is back.
        if item.number == MAX_POLL_EXCEEDED or (error.fatal() and self.messages.callback_id is None):
            self.lock.notify_all()
            return False
        self._keep([item])
        return True

    def _keep(self, fetched: list[Item]) -> None:
        for item in fetched:
            self.messages.put(item)
        self.messages.announce()
        self.lock.notify_all()

    def _require_readable(self) -> None:
        if self._fatal:
            raise bare_failure(self._fatal.number, f"{self._fatal.message}; make another share subscriber")
        if not self._subscription:
            raise bare_failure(NOT_STARTED, "there is no subscription")
        if self._acquired:
            given = self._acquired.given()
            topic, partition, offset = given[0] if given else ("", 0, 0)
            which = f", as {{{topic} {partition} {offset}}}" if given else ""
            raise bare_failure(
                NOT_STARTED,
                f"{len(self._acquired)} messages are not acknowledged yet{which}: "
                "no more are fetched before they are",
            )

    def _take(self, count: int, timeout_ms: int) -> ShareBatch:
        """Messages and errors for the script, up to ``count`` (lock held)."""
        taken = self.messages.batch(count, timeout_ms, wait_for_all=False).taken
        self._acquired.give(places(item for item, _ in taken))
        return ShareBatch(self, taken)

    def _accept_consumed(self) -> None:
        """Count what ``consume`` has given as handled (lock held)."""
        consumed, self._consumed = self._consumed, []
        for batch in consumed:
            batch.end(0)

    def _acknowledge(self, acknowledged: list[Place], how: str) -> None:
        """Say something of messages, where nothing was said yet; when the last one is
        acknowledged, more may come (lock held).
        """
        if self.deleted:
            return
        self._acquired.acknowledge(acknowledged, how)
        if not self._acquired:
            self.poll_thread.wake()

    def _give_up(self) -> None:
        """Release what the script has not taken (lock held)."""
        if self._acquired.has_unseen():
            self.messages.recall(0)
            self.messages.clear()
            self._acquired.give_up()

    def _on_answered(self, answered: Any, error: Any) -> None:
        # Called within poll, commit_async and close.
        with self.lock:
            refusal = self._acquired.confirm(answered, error.args[0] if error else None)
            self.lock.notify_all()
        if refusal:
            self.report_error(*refusal)

    def _errors(self) -> AbstractContextManager[None]:
        return kafka_errors(bare=True, why=self.why)

    def _finish(self, deadline: float) -> None:
        with self.lock:
            self.messages.close()
            self.lock.notify_all()
        self._release()
        self.client.close()
