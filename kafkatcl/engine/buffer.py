"""Messages that have been fetched and not yet handed to the script.

The thread that fetches puts them in: the poll thread of the client, or the thread of a
reader.  Readers take them out one by one or in batches, and the interpreter's thread
hands them out to a callback.  All of it happens under the lock of the handle, which
counts what its buffers hold: methods that say "(lock held)" are called with it, others
take it.  The lock is reentrant: librdkafka may call back within a fetch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Callable, NamedTuple

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.fetched_runs import FetchedRun
from kafkatcl.engine.forms import Form, UnconvertedItem, converted
from kafkatcl.engine.inflight import Eras, Taken, parted
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run
from kafkatcl.engine.waiting import deadline_after, interruption, remaining
from kafkatcl.librdkafka.errors import DESTROYED, UNKNOWN_PARTITION

#: The limits of what a callback or a reader ahead gets at once: bytes, and messages.
_MAX_IN_FLIGHT_BYTES = 1 << 20
_AHEAD = 500
#: The largest batch that has others read ahead behind it.
_SMALL = 100


class Stopped(NamedTuple):
    """A partition that is no longer fetched, and the callback it fed, if any."""

    callback_id: str
    topic: str
    partition: int


class BufferOwner:
    """The part of a handle that buffers use.  An owner that is no handle has buffers
    that nothing is ever put into.
    """

    def __init__(self, events: EventQueue) -> None:
        self.events = events
        #: Guards the buffers; it is notified when messages may have come.
        self.lock = threading.Condition()

    def wait(self, buffer: MessageBuffer, deadline: float | None) -> bool:
        """Wait until something may have come into an empty buffer (lock held, and given
        up while the thread sleeps).

        :param deadline: by ``time.monotonic``; None: never.
        :returns: False when ``deadline`` has come.
        :raises Failure: the buffer is closed.
        """
        if buffer.closed:
            raise kafka_failure(DESTROYED, "it was stopped or deleted")
        return self.lock.wait(remaining(deadline))

    def why_empty(self, buffer: MessageBuffer) -> str:
        """The known reason why a buffer stays empty, or an empty text."""
        return ""

    def held_changed(self, count: int, nbytes: int) -> None:
        """The buffers hold ``count`` more messages of ``nbytes`` bytes together (lock
        held); both are negative where they hold less.
        """

    def on_consumed(self, items: Iterable[Item]) -> None:
        """The script has these now: they count as consumed (lock held)."""

    def on_requeued(self, items: Iterable[Item]) -> None:
        """The script did not get to these: they count as not consumed (lock held)."""

    def ask(self, form: Form) -> None:
        """Have messages that are fetched from now on read as a form says, where it is
        that of their buffer (lock held).
        """

    def watched(self) -> None:
        """Somebody has begun to watch a buffer, or to listen to it (lock held)."""

    def is_full(self) -> bool:
        """Whether the buffers hold so much that no more comes (lock held)."""
        return False

    def close_queue(self, queue: MessageBuffer) -> list[Stopped]:
        """Close a buffer for good.

        :returns: the partitions that fed it, which are not fetched any more.
        """
        with self.lock:
            queue.close()
            self.lock.notify_all()
        return []


class ConsumedBatch(NamedTuple):
    """Messages and errors that the script works through;
    it may not get to all of them.  They are in flight until :meth:`end`.
    """

    buffer: MessageBuffer
    taken: list[Taken]
    #: What was taken, as the script gets it.
    items: list[Item]
    #: The messages of further batches of that size, which are read ahead.
    ahead: Item | None = None

    @property
    def size(self) -> int:
        """The number of messages and errors."""
        return sum(item.size for item, _ in self.taken)

    def end(self, rest: int, *, has_failed: bool = False) -> None:
        """The script is through with all but the last ``rest`` messages and errors, or
        ``has_failed`` at the one before those.
        """
        self.buffer.end(self.taken, rest, has_failed=has_failed)


class MessageBuffer:
    """The messages of one partition, of one queue, or of one subscriber,
    in the order of their coming.

    :param form: how the script wants them.
    """

    def __init__(self, owner: BufferOwner, form: Form | None = None) -> None:
        self.owner = owner
        self.form = form or Form()
        #: The callback that gets the messages, if any, as events name it.
        self.callback_id: str | None = None
        self.closed = False
        #: How many messages, errors and ends are here, and their bytes.
        self.size = self.nbytes = 0
        self._items: deque[Item] = deque()
        self._at = 0  # how many messages of the first item are gone
        self._eras = Eras()
        self._parked: dict[tuple[str, int], list[Item]] = {}  # of partitions that the script has paused
        #: What callbacks, or a reader ahead of its need, have got and not used yet.
        self._in_flight: list[Taken] = []
        self._ahead = 1  # how many messages the next reader gets at once
        # The partition and the offset of the message that could not be converted for
        # the callback, which has been told so.
        self._stuck: tuple[object, int] | None = None
        #: How many walks go through the messages, see ``walks.py``.
        self.walks = 0
        #: How much is waited for, and whom to tell.
        self._watchers: list[tuple[int, Callable[[], None]]] = []

    def belongs_to(self, owner: object) -> bool:
        """Whether the messages come from this handle."""
        return self.owner is owner

    def why_empty(self) -> str:
        """The known reason why no message comes, or an empty text."""
        return self.owner.why_empty(self)

    def is_unasked(self, item: Item) -> bool:
        """Whether this is the end of a partition, and the script has not asked for
        ends.
        """
        return type(item) is EndItem and not self.form.tells_ends

    def topic_partitions(self) -> set[tuple[str, int] | None]:
        """The topics and partitions of what is here; None stands for errors that are
        about no partition.
        """
        return {item.topic_partition for item in self._items}

    # -- for the handle (lock held) ----------------------------------------------------

    def put(self, item: Item) -> None:
        """Add what was fetched."""
        if self._parked and item.topic_partition in self._parked:
            self._parked[item.topic_partition].append(item)
            return
        self._items.append(item)
        self._account(item.size, item.nbytes)

    def announce(self) -> None:
        """Tell the event queue if there is something for the callback, which rings the
        bell of the interpreter; tell those who watch.
        """
        if self.more():
            self.owner.events.ready(self)
        if self._items and self._watchers:
            self._tell_watchers(self.owner.is_full())

    def drop(self, topic: str, partition: int) -> None:
        """Forget all that came from one partition; what of it is in flight does not
        count as consumed, and is not put back.
        """
        self._eras.drop((topic, partition))
        self._parked.pop((topic, partition), None)
        self._replace([item for item in self._remaining() if item.topic_partition != (topic, partition)])

    def close(self) -> None:
        """Forget everything; waiting for messages fails from now on."""
        self.closed = True
        self.callback_id = None
        self.clear()
        self._tell_watchers(everybody=True)

    def clear(self) -> None:
        """Forget what was fetched; what is in flight does not count as consumed, and is
        not put back.
        """
        self._eras.clear()
        self._parked.clear()
        self._replace([])

    def park(self, topic_partition: tuple[str, int]) -> None:
        """Keep the messages of a partition back, those here and those to come, until
        :meth:`unpark`; they do not count as held.
        """
        if topic_partition not in self._parked:
            items = self._remaining()
            self._parked[topic_partition] = [
                item for item in items if item.topic_partition == topic_partition
            ]
            self._replace([item for item in items if item.topic_partition != topic_partition])

    def unpark(self, topic_partition: tuple[str, int]) -> None:
        """Let the messages that were kept back be read, behind those here."""
        parked = self._parked.pop(topic_partition, None)
        if parked:
            self._replace([*self._remaining(), *parked])
            self.announce()

    def recall(self, seconds: float) -> None:
        """Recall the messages in flight, as partitions are about to be taken away.

        The interpreter's thread answers, and cannot as long as it waits for the lock.
        So the wait has a bound, and a thread that may be the interpreter's own must not
        wait at all.

        :param seconds: how long to wait for an answer; 0: not at all.
        """
        if self.callback_id is not None:
            self.owner.events.recall(self, self.callback_id, seconds)
        if self.walks or (self._in_flight and self.callback_id is None):
            self.owner.events.recall_read(seconds)

    # -- reading -----------------------------------------------------------------------

    def next(self, timeout_ms: int) -> Item | None:
        """The next message, error or end, which counts as consumed at once.

        :param timeout_ms: how long to wait; for ever if negative.
        :returns: None if nothing comes in time.
        :raises Failure: the buffer is closed, or its handle deleted.
        """
        with self.owner.lock:
            if not self._wait(deadline_after(timeout_ms)):
                return None
            item, shown = self._take(1)
            self.owner.on_consumed([item])
            return shown

    def read_ahead(self, timeout_ms: int) -> Item | None:
        """The next message with further ones of its partition behind it.

        They are 1, 4, 16 and so on, up to 500 and 1 MiB, as long as the reader goes on.
        Only the first counts as consumed at once, the others when :meth:`acknowledge`
        or :meth:`requeue` say so.  What an earlier call returned is acknowledged.  A
        buffer with a callback gives one message, as :meth:`next` does.

        :param timeout_ms: how long to wait; for ever if negative.
        :returns: None if nothing comes in time.
        :raises Failure: the buffer is closed, or its handle deleted.
        """
        if self.callback_id is not None:
            return self.next(timeout_ms)
        with self.owner.lock:
            self._acknowledge(0)
            if not self._wait(deadline_after(timeout_ms)):
                return None
            item, shown = self._take(self._ahead, _MAX_IN_FLIGHT_BYTES)
            self._ahead = min(4 * self._ahead, _AHEAD)
            self._in_flight = self._eras.taken([item])
            self._acknowledge(item.size - 1)
            return shown

    def batch(
        self, count: int, timeout_ms: int, *, wait_for_all: bool = True, reads_ahead: bool = False
    ) -> ConsumedBatch:
        """Up to ``count`` messages and errors; fewer only after ``timeout_ms``, or in
        front of a message that cannot be converted.

        Ends of partitions, if nobody asked for them, and partitions that do not exist,
        are left out.

        :param timeout_ms: how long to wait; for ever if negative.
        :param wait_for_all: if not, the wait is for the first alone: what is there then
            is all that is returned.
        :param reads_ahead: behind a small batch that is full give the messages of
            further ones; for these holds what :meth:`read_ahead` says of all but the
            first.
        :raises Failure: the buffer is closed, or its handle deleted; what was taken is
            put back.
        """
        deadline = deadline_after(timeout_ms)
        wanted = count
        got: list[Item] = []
        shown: list[Item] = []
        with self.owner.lock:
            if reads_ahead and count > 0 and self._wait(deadline):
                ahead = self._take_fetched(count)
                if ahead is not None:
                    return ConsumedBatch(self, [], [], ahead)
            try:
                while count > 0 and (self._items or ((wait_for_all or not got) and self._wait(deadline))):
                    item, as_shown = self._take(count)
                    if type(item) is Run or not self._is_silent(item):
                        got.append(item)
                        shown.append(as_shown)
                        count -= item.size
                    if type(item) is UnconvertedItem:
                        break
            except BaseException:  # stopped, or interrupted
                self._put_back(got)
                raise
            is_followed = reads_ahead and count == 0 and 0 < wanted <= _SMALL
            ahead = self._take_batches(wanted) if is_followed else None
            return ConsumedBatch(self, self._eras.taken(got), shown, ahead)

    def batch_ahead(self, waiting: int, count: int) -> ConsumedBatch:
        """Make a batch of messages that were read ahead: of the last ``waiting`` the
        first ``count``.  Those before count as consumed, the others are put back.
        """
        with self.owner.lock:
            self._acknowledge(waiting)
            taken, others = parted(self._in_flight, waiting - count)
            self._in_flight = others
            self._requeue()
            return ConsumedBatch(self, taken, [])

    def some(self, count: int, max_bytes: int, deadline: float | None) -> list[Taken]:
        """Up to ``count`` messages, errors and ends of what is here, and about
        ``max_bytes`` bytes; the wait is for the first alone (lock held).

        They are in flight until :meth:`end`.  ``form.shown`` gives them as the script
        is to have them.

        :param deadline: when to stop to wait, by ``time.monotonic``; None: never.
        :raises Failure: the buffer is closed, or its handle deleted.
        """
        got: list[Item] = []
        if self._wait(deadline):
            while self._items and count > 0 and max_bytes > 0:
                item, _ = self._take(count, max_bytes)
                got.append(item)
                count -= item.size
                max_bytes -= item.nbytes
                if type(item) is UnconvertedItem:
                    break
        return self._eras.taken(got)

    def end(self, taken: list[Taken], rest: int, *, has_failed: bool = False) -> None:
        """The script is through with a batch, whether it ``has_failed`` or not, but for
        the last ``rest`` messages and errors.  Those are put back.
        """
        with self.owner.lock:
            used, left = parted(taken, rest)
            self.owner.on_consumed(self._eras.wanted(used))
            self._put_back(self._eras.wanted(left))

    # -- watching ----------------------------------------------------------------------

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is to be told when something comes: a callback, or who
        watches (lock held).
        """
        return self.callback_id is not None or bool(self._watchers)

    def watch(self, count: int, tell: Callable[[], None]) -> None:
        """Have ``tell`` called once, when there are ``count`` messages to read or as
        many as are held, or the buffer is closed; that may be at once, and is in any
        thread with the lock held.
        """
        with self.owner.lock:
            self._watchers.append((count, tell))
            self._tell_watchers(self.closed or self.owner.is_full())
            self.owner.watched()

    def unwatch(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` not called any more."""
        with self.owner.lock:
            self._watchers = [watcher for watcher in self._watchers if watcher[1] is not tell]

    def _tell_watchers(self, everybody: bool) -> None:
        watchers, self._watchers = self._watchers, []
        for count, tell in watchers:
            if everybody or self.size >= count:
                tell()
            else:
                self._watchers.append((count, tell))

    # -- callbacks ---------------------------------------------------------------------

    def listen(self, callback_id: str | None) -> None:
        """Give messages to a callback from now on; with None keep them for readers."""
        with self.owner.lock:
            self.callback_id = callback_id
            self.announce()
            if callback_id is not None:
                self.owner.watched()

    def hand_out(self, count: int) -> list[Event]:
        """Up to ``count`` messages and 1 MiB for the callback, but one if there is any;
        they count as consumed when :meth:`acknowledge` says so.
        """
        handed_out: list[Item] = []
        events: list[Event] = []
        with self.owner.lock:
            room = _MAX_IN_FLIGHT_BYTES
            while self.more() and count > 0 and (not handed_out or self._fits(room)):
                item, shown = self._take(count, room)
                if not self.is_unasked(item):
                    handed_out.append(item)
                    events.append((self.callback_id or "", shown))
                count -= item.size
                room -= item.nbytes
                if type(item) is UnconvertedItem:
                    self._stuck = (item.topic_partition, item.offset)
            self._in_flight += self._eras.taken(handed_out)
        return events

    def more(self) -> bool:
        """Whether there is something for the callback.

        It is not told again of a message that cannot be converted: that, and what is
        behind it, waits until it is wanted in another form, or not any more.
        """
        return bool(self._items) and self.callback_id is not None and not (self._stuck and self._is_stuck())

    def reform(self) -> None:
        """The script wants the messages in another form now."""
        with self.owner.lock:
            self.owner.ask(self.form)
            self._stuck = None
            self.announce()

    def acknowledge(self, waiting: int) -> None:
        """Acknowledge the messages in flight, except the last ``waiting``,
        which have not run yet.
        """
        with self.owner.lock:
            self._acknowledge(waiting)

    def requeue(self, waiting: int) -> None:
        """Acknowledge, and requeue the last ``waiting`` messages,
        whose callback or reader is gone.
        """
        with self.owner.lock:
            self._acknowledge(waiting)
            self._requeue()

    # -- inside (lock held) ------------------------------------------------------------

    def _requeue(self) -> None:
        left, self._in_flight = self._in_flight, []
        self._put_back(self._eras.wanted(left))
        self._ahead = 1

    def _wait(self, deadline: float | None) -> bool:
        interruption.refuse()
        while not self._items:
            if not self.owner.wait(self, deadline):
                return False
        return True

    def _take(self, count: int, max_bytes: int | None = None) -> tuple[Item, Item]:
        """The first item, or up to ``count`` messages of it, of ``max_bytes`` bytes
        together; at least one.

        A message that cannot be converted is not taken.

        :returns: what was taken, and the same as the script gets it.
        """
        item = self._items[0]
        if not isinstance(item, Run):
            self._items.popleft()
            self._account(-1, 0)
            return item, item
        left = item.size - self._at
        taken = item.part(self._at, min(count, left))
        nbytes = taken.nbytes
        if max_bytes is not None and nbytes > max_bytes:
            taken = taken.part(0, taken.within(max_bytes))
            nbytes = taken.nbytes
        shown = self.form.with_fields(taken)
        if self.form.encoding is not None:
            shown, failed = converted(shown, self.form.encoding)
            if failed:
                if not shown.size:
                    return failed, failed
                taken = taken.part(0, shown.size)
                nbytes = taken.nbytes
        self._at += taken.size
        if taken.size == left:
            self._items.popleft()
            self._at = 0
        self._account(-taken.size, -nbytes)
        return taken, shown

    def _take_fetched(self, count: int) -> Item | None:
        """A batch of ``count`` messages that are still as librdkafka has given them,
        all of one partition; of a small one several batches.  They are in flight, as if
        they were read ahead.

        :returns: as the script gets them; None where there is no such batch to take.
        """
        item = self._items[0]
        if type(item) is not FetchedRun or self.form.encoding or self.form.asked:
            return None
        if self._in_flight or self.callback_id is not None:
            return None
        left = item.size - self._at
        wanted = min(left, max(count, min(self._ahead * count, _AHEAD)))
        wanted -= wanted % count
        if not wanted or item.part(self._at, wanted).nbytes > _MAX_IN_FLIGHT_BYTES:
            return None
        self._ahead = min(4 * self._ahead, _AHEAD)
        taken, shown = self._take(wanted)
        self._in_flight = self._eras.taken([taken])
        return shown

    def _take_batches(self, count: int) -> Item | None:
        """The messages of some batches of ``count``, all of one partition: of none at
        first, then 3, 15 and so on, within the limits of :meth:`read_ahead`.

        :returns: as the script gets them; None where there is no batch to take.
        """
        if self._in_flight or self.callback_id is not None:
            return None
        wanted = min((self._ahead - 1) * count, _AHEAD)
        self._ahead = min(4 * self._ahead, _AHEAD)
        item = self._items[0] if self._items else None
        if not wanted or not isinstance(item, Run):
            return None
        offered = item.part(self._at, min(wanted, item.size - self._at))
        is_small = offered.nbytes <= _MAX_IN_FLIGHT_BYTES
        wanted = offered.size if is_small else offered.within(_MAX_IN_FLIGHT_BYTES)
        if wanted < count:
            return None
        taken, shown = self._take(wanted - wanted % count)
        if type(taken) is UnconvertedItem:
            return None
        self._in_flight = self._eras.taken([taken])
        return shown

    def _is_stuck(self) -> bool:
        """Whether the first message is still the one that could not be converted."""
        item = self._items[0]
        if isinstance(item, Run):
            return self._stuck == (item.topic_partition, item.part(self._at, 1).first)
        return False

    def _fits(self, room: int) -> bool:
        """Whether the first message has no more bytes than that."""
        item = self._items[0]
        return (item.part(self._at, 1) if isinstance(item, Run) else item).nbytes <= room

    def _acknowledge(self, waiting: int) -> None:
        if self._in_flight:
            used, self._in_flight = parted(self._in_flight, waiting)
            self.owner.on_consumed(self._eras.wanted(used))

    def _put_back(self, items: list[Item]) -> None:
        if any(type(item) is UnconvertedItem for item in items):  # it will be found again
            items = [item for item in items if type(item) is not UnconvertedItem]
            self._stuck = None
            self.announce()
        if items and not self.closed:
            for topic_partition, parked in self._parked.items():
                parked[:0] = [item for item in items if item.topic_partition == topic_partition]
            back = [item for item in items if item.topic_partition not in self._parked]
            self._replace([*back, *self._remaining()])
            self.owner.on_requeued(items)
            self.announce()

    def _remaining(self) -> list[Item]:
        items = list(self._items)
        if self._at and isinstance(items[0], Run):
            items[0] = items[0].part(self._at, items[0].size - self._at)
        return items

    def _replace(self, items: list[Item]) -> None:
        self._items, self._at = deque(items), 0
        count, total = sum(item.size for item in items), sum(item.nbytes for item in items)
        self._account(count - self.size, total - self.nbytes)
        if self._stuck:  # no more, perhaps
            self.announce()

    def _account(self, count: int, nbytes: int) -> None:
        """Add to the numbers of items and bytes; negative ones are taken off."""
        self.size += count
        self.nbytes += nbytes
        self.owner.held_changed(count, nbytes)

    def _is_silent(self, item: Item) -> bool:
        """Whether a batch leaves an item out, as the original does with the end of a
        partition and with one that does not exist.
        """
        return self.is_unasked(item) or (isinstance(item, ErrorItem) and item.number == UNKNOWN_PARTITION)
