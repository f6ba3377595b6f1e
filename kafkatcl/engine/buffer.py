"""Messages that have been fetched and not yet handed to the script.

The owner thread of the client puts them in; the interpreter's thread takes them out, one by one, in batches, or
lends them to a callback.  All of it happens under the lock of the handle, which counts what its buffers hold.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from kafkatcl.engine.errors import DESTROYED, kafka_failure
from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.messages import EndRow, ErrorRow, Row, argument
from kafkatcl.engine.waiting import deadline, remaining


class Stopped(NamedTuple):
    """A partition that is no longer fetched, and the callback it fed, if any."""

    token: str
    topic: str
    partition: int


class BufferOwner:
    """What buffers need of a handle.  On its own it owns buffers that nothing is ever put into."""

    def __init__(self, events: EventQueue) -> None:
        self.events = events
        #: Guards the buffers, and tells those who wait for messages that some may have come.
        self.lock = threading.Condition()

    def wait(self, buffer: MessageBuffer, end: float | None) -> bool:
        """Wait until something may have come into an empty buffer; False when the time ``end`` has come.

        :raises Failure: the buffer is closed.
        """
        if buffer.closed:
            raise kafka_failure(DESTROYED, "it was stopped or deleted")
        return self.lock.wait(remaining(end))

    def took(self, rows: list[Row]) -> None:
        """Rows went from a buffer to the script (lock held, as for all that follow)."""

    def made_room(self, count: int) -> None:
        """A buffer holds ``count`` rows less."""

    def handed(self, rows: list[Row]) -> None:
        """The script has these rows now: they count as consumed."""

    def returned(self, rows: list[Row]) -> None:
        """The script gave these rows back: they count as not consumed."""

    def close_queue(self, queue: MessageBuffer) -> list[Stopped]:
        """Close a buffer for good."""
        with self.lock:
            queue.close()
            self.lock.notify_all()
        return []


class Batch(NamedTuple):
    """Messages and errors that the script works through; it may give the rest of them back."""

    buffer: MessageBuffer
    rows: list[Row]

    def give_back(self, count: int) -> None:
        """Put back the last ``count``: the script did not get to them."""
        self.buffer.put_back(self.rows[len(self.rows) - count :])


class MessageBuffer:
    """The messages of one partition, of one queue, or of one subscriber, in the order of their coming."""

    def __init__(self, owner: BufferOwner) -> None:
        self.owner = owner
        self.rows: deque[Row] = deque()
        #: The callback that gets the messages, if any, as the Tcl side knows it.
        self.token: str | None = None
        self.closed = False
        self._lent: list[Row] = []  # given to callbacks that have perhaps not run yet

    def belongs_to(self, owner: object) -> bool:
        """Whether the messages come from this handle."""
        return self.owner is owner

    def put(self, rows: list[Row]) -> None:
        """Add fetched rows (owner thread, lock held)."""
        self.rows.extend(rows)
        self.announce()

    def announce(self) -> None:
        """Tell the event queue if there is something for the callback (lock held)."""
        if self.rows and self.token is not None:
            self.owner.events.ready(self)

    def next(self, timeout_ms: int) -> Row | None:
        """The next row, or None if none comes within ``timeout_ms`` (for ever if negative)."""
        end = deadline(timeout_ms)
        with self.owner.lock:
            while not self.rows:
                if not self.owner.wait(self, end):
                    return None
            row = self.rows.popleft()
            self.owner.took([row])
            return row

    def batch(self, count: int, timeout_ms: int, *, wait_for_all: bool = True) -> Batch:
        """Up to ``count`` messages and errors; fewer only after ``timeout_ms``.

        Without ``wait_for_all`` the wait is for the first alone: what is there then is all that is returned.
        """
        end = deadline(timeout_ms)
        got: list[Row] = []
        with self.owner.lock:
            while len(got) < count:
                if self.rows:
                    fresh = [self.rows.popleft() for _ in range(min(count - len(got), len(self.rows)))]
                    self.owner.took(fresh)
                    got += [row for row in fresh if type(row) is not EndRow]
                elif (got and not wait_for_all) or not self.owner.wait(self, end):
                    break
        return Batch(self, got)

    def put_back(self, rows: list[Row]) -> None:
        """Put rows back to the front: the script did not get to them."""
        with self.owner.lock:
            if rows and not self.closed:
                self.rows.extendleft(reversed(rows))
                self.owner.returned(rows)
                self.announce()

    def listen(self, token: str | None) -> None:
        """Give messages to a callback from now on, or with None keep them."""
        with self.owner.lock:
            self.token = token
            self.announce()

    def lend(self, count: int) -> list[Event]:
        """Up to ``count`` events for the callback; they count as handed over when :meth:`settle` says so."""
        with self.owner.lock:
            token = self.token
            if token is None:
                return []
            fresh = [self.rows.popleft() for _ in range(min(count, len(self.rows)))]
            self.owner.made_room(len(fresh))
            rows = [row for row in fresh if type(row) is not EndRow]
            self._lent += rows
            return [(token, argument(row)) for row in rows]

    def settle(self, waiting: int) -> None:
        """Take what was lent for handed over, except the last ``waiting`` messages, which have not run yet."""
        with self.owner.lock:
            lent = self._lent
            run = len(lent) - waiting
            self.owner.handed(lent[:run])
            self._lent = lent[run:]

    def reclaim(self, waiting: int) -> None:
        """Settle, and take back the last ``waiting`` messages: their callback is gone."""
        with self.owner.lock:
            self.settle(waiting)
            self.put_back(self._lent)
            self._lent = []

    def drop(self, topic: str, partition: int) -> None:
        """Forget all that came from one partition (lock held)."""
        kept = [row for row in self.rows if _origin(row) != (topic, partition)]
        self.owner.made_room(len(self.rows) - len(kept))
        self.rows = deque(kept)
        self._lent = [row for row in self._lent if _origin(row) != (topic, partition)]

    def close(self) -> None:
        """Forget everything; waiting for messages fails from now on (lock held)."""
        self.closed = True
        self.token = None
        self.clear()

    def clear(self) -> None:
        """Forget what was fetched (lock held)."""
        self.owner.made_room(len(self.rows))
        self.rows.clear()
        self._lent = []


def _origin(row: Row) -> tuple[str, int] | None:
    """The topic and partition of a message or of an end; errors have none."""
    if isinstance(row, ErrorRow):
        return None
    if isinstance(row, EndRow):
        return row.topic, row.partition
    return row[4], row[1]
