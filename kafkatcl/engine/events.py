"""The events of one script: from any thread to its callbacks.

Any thread may post; only the one that serves the interpreter takes, acknowledges and
requeues.  Reports, errors, statistics and log lines wait here as notices; consumed
messages wait in their buffers (see ``buffer.py``), which say here that they have some.
An event is a pair: the callback id, and the argument of the callback.  The argument is
a record (see ``reports.py``), or an item of messages (see ``messages.py``), for each of
which the callback runs.

Who holds the lock of a handle may take that of a queue, but never the other way round:
sources are called without the queue's lock.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any, Callable, Protocol

from kafkatcl.engine.recalls import READ_AHEAD, Recalls
from kafkatcl.engine.waiting import deadline_after, remaining

Event = tuple[str, Any]

#: Notices that may wait before producers leave further reports in librdkafka, where its
#: queue limit holds.
NOTICE_LIMIT = 100_000
#: Errors, and log lines, of a handle that may wait for their callback; further ones are
#: counted.
_UNBIDDEN_LIMIT = 1000


#: Stands for the argument in ``EventQueue._latest``.
_LATEST = object()


class CallbackSource(Protocol):
    """A buffer of messages with a callback."""

    callback_id: str | None

    def belongs_to(self, owner: object) -> bool:
        """Whether the messages come from this handle."""

    def hand_out(self, count: int) -> list[Event]:
        """Events for up to ``count`` messages, which are in flight then."""

    def more(self) -> bool:
        """Whether there is something to hand out."""

    def acknowledge(self, waiting: int) -> None:
        """Acknowledge what is in flight, except the last ``waiting`` messages,
        which have not run yet.
        """

    def requeue(self, waiting: int) -> None:
        """Acknowledge, and requeue the last ``waiting`` messages,
        whose callback is gone.
        """


#: A handle and a callback id.
Key = tuple[object, str]


class EventQueue:
    """The events of one interpreter.

    :param ring: is called, from any thread, when there is something to take, and then
        not again before :meth:`take` has found nothing.
    :param ring_back: is called, from any thread, when events that were taken are
        recalled (see :meth:`recalled`); without it ``ring`` is.
    :param library: of ``native.library.loaded``, where the interpreter works with it.
    """

    def __init__(
        self,
        ring: Callable[[], None],
        ring_back: Callable[[], None] | None = None,
        library: Any = None,
    ) -> None:
        #: The native part, where the interpreter works with it.
        self.library = library
        self._ring = ring
        self._recalls = Recalls(ring_back or ring)
        self._lock = threading.Lock()
        self._notices: deque[tuple[object, Event]] = deque()
        self._latest: dict[Key, Any] = {}  # arguments that stand for themselves in `_notices` as _LATEST
        self._left_out: dict[Key, tuple[int, Callable[[int], Any]]] = {}
        self._ready: dict[CallbackSource, None] = {}  # a set that keeps its order
        self._sources_in_flight: set[CallbackSource] = set()
        self._counts: Counter[Key] = Counter()
        self._in_flight: list[tuple[object, Event]] = []  # notices taken; some may not have run yet
        self._rung = False
        #: What its producers have lost, in the words of the line at the end.
        self.lost: list[str] = []
        self._arrived = threading.Condition(self._lock)

    def post(
        self,
        owner: object,
        callback_id: str,
        argument: Any,
        has_listener: Callable[[], bool] | None = None,
    ) -> bool:
        """Add a notice (any thread).

        :param owner: the handle that it concerns.
        :param argument: what the callback gets, a record of ``reports.py`` or a text.
        :param has_listener: asked with the lock that :meth:`forget` and :meth:`silence`
            take.  So a notice is there for them to drop, or is not added.
        :returns: whether it was added.
        """
        with self._lock:
            if has_listener is not None and not has_listener():
                return False
            self._append(owner, callback_id, argument)
        self._wake()
        return True

    def post_latest(self, owner: object, callback_id: str, argument: Any) -> None:
        """Add a notice that takes the place of an earlier one for its callback, if
        that still waits (any thread).
        """
        with self._lock:
            if (owner, callback_id) not in self._latest:
                self._append(owner, callback_id, _LATEST)
            self._latest[owner, callback_id] = argument
        self._wake()

    def post_unbidden(
        self, owner: object, callback_id: str, argument: Any, left_out: Callable[[int], Any]
    ) -> None:
        """Add a notice that nobody asked for, such as a log line (any thread).

        Up to 1000 of a handle and a callback wait, the others are counted.

        :param left_out: makes, of the number of the others, the argument that tells it,
            when the callback has got those that waited.
        """
        key = (owner, callback_id)
        with self._lock:
            if self._counts[key] >= _UNBIDDEN_LIMIT:
                count = self._left_out[key][0] if key in self._left_out else 0
                self._left_out[key] = (count + 1, left_out)
            else:
                self._append(owner, callback_id, argument)
        self._wake()

    def ready(self, source: CallbackSource) -> None:
        """Say that a buffer has messages for its callback (any thread)."""
        with self._lock:
            self._ready[source] = None
        self._wake()

    def full(self) -> bool:
        """Whether so many notices wait that no more reports should be fetched
        (any thread).
        """
        return len(self._notices) >= NOTICE_LIMIT

    def pending(self, owner: object, callback_id: str) -> int:
        """The number of notices concerning ``owner`` that a callback has not been told
        yet: those that wait, and those taken and not acknowledged (any thread).
        """
        with self._lock:
            return self._counts[owner, callback_id]

    def wait(self, timeout_ms: int) -> bool:
        """Wait until something is there to take.

        :param timeout_ms: how long at most; for ever if negative.
        :returns: False if nothing came in time.
        """
        deadline = deadline_after(timeout_ms)
        with self._lock:
            while not (self._notices or self._ready):
                if not self._arrived.wait(remaining(deadline)):
                    return False
        return True

    def take(self, count: int) -> list[Event]:
        """Events for up to ``count`` notices and messages, notices first.

        All earlier events are acknowledged.  An empty result rearms the bell: it rings
        for what comes next.
        """
        self.acknowledge({})
        with self._lock:
            events = [self._next_notice() for _ in range(min(count, len(self._notices)))]
            sources = list(self._ready)
        wanted = count - len(events)
        for source in sources:
            if wanted <= 0:
                break
            with self._lock:
                self._ready.pop(source, None)
                self._sources_in_flight.add(source)
            handed_out = source.hand_out(wanted)
            events += handed_out
            wanted -= sum(item.size for _, item in handed_out)
            if source.more():
                self.ready(source)  # at the end of the line, so that a busy buffer does not starve the others
        if not events:
            self._rearm()
        return events

    def waits(self, is_meant: Callable[[object, str], bool]) -> bool:
        """Whether a notice waits that is meant (any thread).

        :param is_meant: gets the owner and the callback id of a notice.
        """
        with self._lock:
            return any(is_meant(owner, event[0]) for owner, event in self._notices)

    def take_notices(self, is_meant: Callable[[object, str], bool], count: int) -> list[Event]:
        """Up to ``count`` notices that are meant, and no other events; all earlier
        events are acknowledged.

        :param is_meant: as of :meth:`waits`; not for those of :meth:`post_latest`.
        """
        self.acknowledge({})
        taken: list[tuple[object, Event]] = []
        rest: deque[tuple[object, Event]] = deque()
        with self._lock:
            for owner, event in self._notices:
                is_taken = len(taken) < count and is_meant(owner, event[0])
                (taken if is_taken else rest).append((owner, event))
            self._notices = rest
            self._in_flight += taken
        return [event for _, event in taken]

    def acknowledge(self, waiting: dict[str, int]) -> None:
        """Acknowledge the events taken so far.

        :param waiting: by callback id, how many of the last ones have not run yet and
            stay in flight; messages are counted, not their items.
        """
        # The thread that recalls holds the lock of its source, which is needed below.
        # So answer first the recalls whose events have all run.
        self._recalls.answer_told(waiting)
        with self._lock:
            sources, self._sources_in_flight = self._sources_in_flight, set()
        for source in sources:
            left = waiting.get(source.callback_id or "", 0)
            source.acknowledge(left)
            if left:
                self._sources_in_flight.add(source)
        with self._lock:
            self._in_flight = self._acknowledge_notices(waiting)

    def requeue(self, waiting: dict[str, int]) -> None:
        """Acknowledge the events taken so far, and put those of ``waiting`` back."""
        self._recalls.answer(waiting)
        with self._lock:
            sources, self._sources_in_flight = self._sources_in_flight, set()
        for source in sources:
            source.requeue(waiting.get(source.callback_id or "", 0))
        with self._lock:
            self._notices.extendleft(reversed(self._acknowledge_notices(waiting)))
            self._in_flight = []

    # -- recalls -----------------------------------------------------------------------

    def recall(self, source: CallbackSource, callback_id: str, seconds: float) -> None:
        """Recall what a source has in flight (any thread, with the source's lock held).

        An interpreter that is busy for longer stops as soon as it can; what it gives
        back then counts for nothing.

        :param seconds: how long to wait for the interpreter's answer.
        """
        if source in self._sources_in_flight:
            left = self._recalls.recall(callback_id, seconds)
            if left is not None:
                source.requeue(left)

    def recall_read(self, seconds: float) -> None:
        """Recall what was read ahead, without a callback; waits up to ``seconds``."""
        self._recalls.recall(READ_AHEAD, seconds)

    def recalled(self) -> list[str]:
        """The callback ids whose events are recalled, to be answered by
        :meth:`answer_recall`; READ_AHEAD stands for messages read ahead.
        """
        return self._recalls.wanted()

    def answer_recall(self, callback_id: str, waiting: int) -> None:
        """Answer a recall: the callback runs no more of its events.

        :param waiting: how many messages, the last of those taken, have not run.
        """
        self._recalls.answer({callback_id: waiting}, [callback_id])
        if self._recalls.withdraw(callback_id):  # nobody has waited for it
            with self._lock:
                sources = [source for source in self._sources_in_flight if source.callback_id == callback_id]
            for source in sources:
                source.requeue(waiting)

    def _acknowledge_notices(self, waiting: dict[str, int]) -> list[tuple[object, Event]]:
        """The notices that were taken and have not run (lock held)."""
        left = Counter(waiting)
        kept = []
        for owner, event in reversed(self._in_flight):
            callback_id = event[0]
            if left[callback_id] > 0:
                left[callback_id] -= 1
                kept.append((owner, event))
            else:
                self._counts[owner, callback_id] -= 1
        return kept[::-1]

    def forget(self, owner: object) -> list[Event]:
        """Drop all that concerns ``owner``, a handle that is being deleted.

        :returns: the notices that were not told, those in flight among them.
        """
        with self._lock:
            self._ready = {source: None for source in self._ready if not source.belongs_to(owner)}
            self._sources_in_flight = {
                source for source in self._sources_in_flight if not source.belongs_to(owner)
            }
            return self._drop(lambda entry: entry[0] is owner)

    def silence(self, owner: object, callback_id: str) -> list[Event]:
        """Drop the notices of ``owner`` for a callback that is gone.

        :returns: these notices, those in flight among them.
        """
        with self._lock:
            return self._drop(lambda entry: entry[0] is owner and entry[1][0] == callback_id)

    def _drop(self, drops: Callable[[tuple[object, Event]], bool]) -> list[Event]:
        dropped = [entry for entry in (*self._in_flight, *self._notices) if drops(entry)]
        if dropped:
            self._notices = deque(entry for entry in self._notices if not drops(entry))
            self._in_flight = [entry for entry in self._in_flight if not drops(entry)]
        for owner, (callback_id, _) in dropped:
            self._counts.pop((owner, callback_id), None)
            self._latest.pop((owner, callback_id), None)
            self._left_out.pop((owner, callback_id), None)
        return [event for _, event in dropped]

    def _append(self, owner: object, callback_id: str, argument: Any) -> None:
        self._notices.append((owner, (callback_id, argument)))
        self._counts[owner, callback_id] += 1

    def _next_notice(self) -> Event:
        owner, (callback_id, argument) = self._notices.popleft()
        if argument is _LATEST:
            argument = self._latest.pop((owner, callback_id))
        self._in_flight.append((owner, (callback_id, argument)))
        if not self._notices and self._left_out:
            left_out, self._left_out = self._left_out, {}
            for key, (count, make) in left_out.items():
                self._append(*key, make(count))
        return callback_id, argument

    def _wake(self) -> None:
        with self._lock:
            self._arrived.notify_all()
            if self._rung:
                return
            self._rung = True
        self._ring()

    def _rearm(self) -> None:
        """Rearm the bell: it rings for the next event, and at once if there is one."""
        with self._lock:
            self._rung = False
            again = bool(self._notices or self._ready)
        if again:
            self._wake()
