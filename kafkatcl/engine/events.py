"""What waits to be told to a script: the way from Kafka's threads to the callbacks of one interpreter.

Any thread may post; only the interpreter's own thread takes.  Reports, errors, statistics and log lines wait here
as notices; consumed messages wait in their buffers (see ``buffer.py``), which say here that they have some.
An event is a pair of a token, which names the callback to the script's side, and what it is to be told: the argument
of the callback, or an item of messages (see ``messages.py``), of which it gets one by one.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any, Callable, Protocol

from kafkatcl.engine.waiting import deadline, remaining

Event = tuple[str, Any]

#: Notices that may wait before producers leave further reports in librdkafka, where its queue limit holds.
NOTICE_LIMIT = 100_000


class Source(Protocol):
    """A buffer of messages with a callback."""

    token: str | None

    def belongs_to(self, owner: object) -> bool:
        """Whether the messages come from this handle."""

    def lend(self, count: int) -> list[Event]:
        """Events for up to ``count`` messages."""

    def more(self) -> bool:
        """Whether there is something to lend."""

    def settle(self, waiting: int) -> None:
        """Take what was lent for handed over, except the last ``waiting`` messages, which have not run yet."""

    def reclaim(self, waiting: int) -> None:
        """Settle, and take back the last ``waiting`` messages: their callback is gone."""


class EventQueue:
    """The events of one interpreter.  ``ring`` is called, from any thread, when there is something to take."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._notices: deque[tuple[object, Event]] = deque()
        self._ready: dict[Source, None] = {}  # a set that keeps its order
        self._lenders: set[Source] = set()
        self._counts: Counter[tuple[object, str]] = Counter()  # by handle and token
        self._told: list[tuple[object, Event]] = []  # notices taken, of which some have perhaps not run yet
        self._rung = False
        #: What its producers have lost, in the words of the line at the end.
        self.lost: list[str] = []
        self._arrived = threading.Condition(self._lock)

    def post(self, owner: object, token: str, argument: Any) -> None:
        """Add a notice that concerns the handle ``owner``."""
        with self._lock:
            self._notices.append((owner, (token, argument)))
            self._counts[owner, token] += 1
        self._wake()

    def ready(self, source: Source) -> None:
        """Say that a buffer has messages for its callback."""
        with self._lock:
            self._ready[source] = None
        self._wake()

    def full(self) -> bool:
        """Whether so many notices wait that no more reports should be fetched."""
        return len(self._notices) >= NOTICE_LIMIT

    def pending(self, owner: object, token: str) -> int:
        """The number of notices concerning ``owner`` that the callback ``token`` has not been told yet."""
        with self._lock:
            return self._counts[owner, token]

    def wait(self, timeout_ms: int) -> bool:
        """Wait until something is there to take, ``timeout_ms`` at most (for ever if negative)."""
        end = deadline(timeout_ms)
        with self._lock:
            while not (self._notices or self._ready):
                if not self._arrived.wait(remaining(end)):
                    return False
        return True

    def take(self, count: int) -> list[Event]:
        """Events for up to ``count`` notices and messages, when those before have run; none means: ring me again."""
        self.settle({})
        with self._lock:
            events = [self._next_notice() for _ in range(min(count, len(self._notices)))]
            sources = list(self._ready)
        wanted = count - len(events)
        for source in sources:
            if wanted <= 0:
                break
            with self._lock:
                self._ready.pop(source, None)
                self._lenders.add(source)
            lent = source.lend(wanted)
            events += lent
            wanted -= sum(item.size for _, item in lent)
            if source.more():
                self.ready(source)  # at the end of the line, so that a busy buffer does not starve the others
        if not events:
            self._rest()
        return events

    def settle(self, waiting: dict[str, int]) -> None:
        """Take what was taken so far for handed over, except so many of each token that have not run yet."""
        with self._lock:
            lenders, self._lenders = self._lenders, set()
        for source in lenders:
            left = waiting.get(source.token or "", 0)
            source.settle(left)
            if left:
                self._lenders.add(source)
        with self._lock:
            self._told = self._settle_notices(waiting)

    def reclaim(self, waiting: dict[str, int]) -> None:
        """The same, and put back those that have not run."""
        with self._lock:
            lenders, self._lenders = self._lenders, set()
        for source in lenders:
            source.reclaim(waiting.get(source.token or "", 0))
        with self._lock:
            self._notices.extendleft(reversed(self._settle_notices(waiting)))
            self._told = []

    def _settle_notices(self, waiting: dict[str, int]) -> list[tuple[object, Event]]:
        """The notices that were taken and have not run."""
        left = Counter(waiting)
        kept = []
        for owner, event in reversed(self._told):
            token = event[0]
            if left[token] > 0:
                left[token] -= 1
                kept.append((owner, event))
            else:
                self._counts[owner, token] -= 1
        return kept[::-1]

    def forget(self, owner: object) -> list[Event]:
        """Drop all that waits for ``owner``, a handle that is being deleted; the notices that were not told."""
        with self._lock:
            self._ready = {source: None for source in self._ready if not source.belongs_to(owner)}
            self._lenders = {source for source in self._lenders if not source.belongs_to(owner)}
            return self._drop(lambda entry: entry[0] is owner)

    def silence(self, owner: object, token: str) -> list[Event]:
        """Drop the notices of ``owner`` for a callback that is gone; they are returned."""
        with self._lock:
            return self._drop(lambda entry: entry[0] is owner and entry[1][0] == token)

    def _drop(self, drops: Callable[[tuple[object, Event]], bool]) -> list[Event]:
        dropped = [entry for entry in (*self._told, *self._notices) if drops(entry)]
        if dropped:
            self._notices = deque(entry for entry in self._notices if not drops(entry))
            self._told = [entry for entry in self._told if not drops(entry)]
        for owner, event in dropped:
            self._counts.pop((owner, event[0]), None)
        return [event for _, event in dropped]

    def _next_notice(self) -> Event:
        owner, event = self._notices.popleft()
        self._told.append((owner, event))
        return event

    def _wake(self) -> None:
        with self._lock:
            self._arrived.notify_all()
            if self._rung:
                return
            self._rung = True
        self._ring()

    def _rest(self) -> None:
        with self._lock:
            self._rung = False
            again = bool(self._notices or self._ready)
        if again:
            self._wake()
