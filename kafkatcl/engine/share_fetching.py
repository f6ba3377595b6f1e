"""How a member of a share group fetches messages, and acknowledges them.

confluent-kafka's ShareConsumer takes no two calls at a time, so each is made with the
lock of the handle held, and none of them waits there.  It polls many messages at once,
and polls again when each of them is acknowledged.  So what a fetch has brought is all
there is, until the script is through with it.  Nothing is fetched before the script
wants it, as nobody else gets what is locked for us.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kafkatcl.engine.acquired import ACCEPT, RELEASE, Acquired, Place, places
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.errors import bare_failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.hints import listed
from kafkatcl.engine.inflight import Taken, parted
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import ErrorItem, Item, error_item, items
from kafkatcl.engine.pace import Pace
from kafkatcl.engine.settings import creation_text
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, MAX_POLL_EXCEEDED, NOT_STARTED
from kafkatcl.librdkafka.wrapper import KafkaException, ShareConsumer

MODE = "share.acknowledgement.mode"
_IMPLICIT, _EXPLICIT = _MODES = ("implicit", "explicit")

#: What messages have beside the usual fields.
_FIELDS = frozenset(("delivery_count",))
_MOST = "max.poll.records"
_DEFAULT_MOST = 500
#: How long messages are kept that the script does not take.  The broker's locks last 30
#: s, unless the group says otherwise.
#: https://kafka.apache.org/documentation/#groupconfigs_share.record.lock.duration.ms
_KEEP_SECONDS = 25.0


class ShareBuffer(MessageBuffer):
    """The messages of one member."""

    def __init__(self, member: ShareHandle) -> None:
        super().__init__(member)
        self._member = member

    def end(self, taken: list[Taken], rest: int, *, has_failed: bool = False) -> None:
        """The script is through with a batch.

        What it has not got to is released.  With implicit acknowledgement the message
        at which it has failed is released as well, and the others are accepted.
        """
        used, left = parted(taken, rest)
        failed: list[Taken] = []
        if has_failed and not self._member.is_explicit:
            used, failed = parted(used, 1)
        with self.owner.lock:
            if not self._member.is_explicit:
                self._member.acknowledge_all(places(item for item, _ in used), ACCEPT)
            self._member.acknowledge_all(places(item for item, _ in [*failed, *left]), RELEASE)


class ShareHandle(Handle, BufferOwner):
    """A handle with a share consumer.

    Methods that say "(lock held)" are called with it; all others take it where they
    need it.

    :raises Failure: the master names no group, or no mode of acknowledgement that there
        is.
    """

    consumes = True

    def __init__(self, master: Master, events: EventQueue) -> None:
        Handle.__init__(self, master, events)
        BufferOwner.__init__(self, events)
        settings = master.conf.settings
        if not settings.get("group.id"):
            raise Failure("a share subscriber needs a share group: set group.id on its master first")
        mode = settings.get(MODE) or _IMPLICIT
        if mode not in _MODES:
            raise bare_failure(INVALID_ARGUMENT, f"{MODE} must be {listed(_MODES)}")
        self.is_explicit = mode == _EXPLICIT
        self.messages = ShareBuffer(self)
        self.acquired = Acquired(lambda: self.client)
        self.topics: list[str] = []  # those subscribed to
        self._pace = Pace(int(settings.get(_MOST) or _DEFAULT_MOST))
        self._waiting = 0  # readers who sleep until something comes
        self._is_fetching = False  # whether a fetch was begun that has brought nothing yet
        self._fatal: ErrorItem | None = None  # after this nothing comes any more

    # -- for the buffer ----------------------------------------------------------------

    def wait(self, buffer: MessageBuffer, deadline: float | None) -> bool:
        """Begin to fetch, and sleep until something comes (lock held).

        Another reader may get what comes; when that is acknowledged, the poll thread
        fetches for who still waits.

        :raises Failure: nothing can come, as there is no subscription, or the group has
            failed; or the handle is deleted.
        """
        self.check()
        self.require_group()
        if not self.acquired and (self._fetch() or self._fatal):
            return True  # to look again
        self._waiting += 1
        try:
            return super().wait(buffer, deadline)
        finally:
            self._waiting -= 1

    def on_consumed(self, items: Iterable[Item]) -> None:
        """The callback has had these (lock held)."""
        if self.is_explicit:
            self.give(places(items))
        else:
            self.acknowledge_all(places(items), ACCEPT)

    # -- for commands (lock held) ------------------------------------------------------

    def require_group(self) -> None:
        """Refuse to wait for messages where none can come.

        :raises Failure: there is no subscription, or the group has failed.
        """
        if self._fatal:
            raise bare_failure(self._fatal.number, f"{self._fatal.message}; make another share subscriber")
        if not self.topics:
            raise bare_failure(NOT_STARTED, "there is no subscription")

    def require_acknowledged(self) -> None:
        """Refuse to wait for messages where the script has some.

        :raises Failure: these are not acknowledged, so nothing is fetched.
        """
        if self.acquired:
            count, given = len(self.acquired), self.acquired.given()
            are = "messages are" if count > 1 else "message is"
            which = ", {{{} {} {}}} for one".format(*given[0]) if given else ""
            words = f"{count} {are} not acknowledged yet{which}: no more come before that"
            raise bare_failure(NOT_STARTED, words)

    def give(self, given: list[Place]) -> None:
        """The script has these now, until they are acknowledged."""
        self.acquired.give(given)
        self._pace.taken()

    def acknowledge_all(self, acknowledged: list[Place], how: str) -> None:
        """Say something of messages, where nothing was said yet; when the last one is
        acknowledged, more may come.

        :param how: of ``ACKNOWLEDGEMENTS``.
        """
        if self.deleted:
            return
        if self.acquired.has_unseen():
            self._pace.taken()
        self.acquired.acknowledge(acknowledged, how)
        if not self.acquired:
            self.poll_thread.wake()

    def give_up(self) -> None:
        """Release what the script has not taken.

        What waits for its callback is recalled, to be released the next time: one of
        these messages may be running.
        """
        if self.acquired.has_unseen():
            self._pace.taken()
            self.messages.recall(0)
            left = self.messages.batch(self.messages.size, 0).items
            self.acquired.give_up(places(left))
            self._keep([item for item in left if isinstance(item, ErrorItem)])

    # -- inside ------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        # librdkafka's own implicit acknowledgement accepts all that a poll has brought.
        return {**super()._settings(), **self.topic_conf.settings, MODE: _EXPLICIT}

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
            if self._pace.age() > _KEEP_SECONDS:
                self.give_up()
            wanted = self._waiting or self._is_fetching or self.messages.callback_id is not None
            if wanted and self.topics and not self.acquired:
                return self._fetch()
            self.client.commit_async()
            return False

    def _fetch(self) -> bool:
        """Take what is there, or have librdkafka fetch; whether something was there
        (lock held).  What was acknowledged is sent along.
        """
        if not self._is_fetching:
            self.native.fetch_at_most(self._pace.wanted())
        try:
            fetched = list(items(self.client.poll(0), _FIELDS))
        except KafkaException as error:
            return self._keep_error(error.args[0])
        self._is_fetching = not fetched
        if fetched:
            self.acquired.add(places(fetched))
            self._pace.fetched()
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

    def _on_answered(self, answered: Any, error: Any) -> None:
        # Called within poll, commit_async and close.
        with self.lock:
            refusal = self.acquired.confirm(answered, error.args[0] if error else None)
            self.lock.notify_all()
        if refusal:
            self.report_error(*refusal)

    def _finish(self, deadline: float) -> None:
        with self.lock:
            self.messages.close()
            self.lock.notify_all()
        self._release()
        self.client.close()
