"""The log of each client: one thread takes the lines of all of them to where their masters want them.

It is a thread of its own so that whoever does not read stderr holds up no client.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kafkatcl.engine import secrets
from kafkatcl.engine.logsinks import sink
from kafkatcl.engine.pump import Pump
from kafkatcl.librdkafka.logs import LogLine, LogQueue

if TYPE_CHECKING:
    from kafkatcl.engine.handle import Handle

# Warnings that are none: brokers may be named later, and a master is for clients of both kinds.
_UNTRUE = re.compile(
    r"No `bootstrap\.servers` configured|property \S+ is a \w+ property and will be ignored by this \w+ instance"
)
#: Lines of a client that may wait; beyond that the oldest are left out, and their number is told.
WAITING_LIMIT = 10_000
_WARNING = 4
#: Lines of one client that are taken before others get their turn.
_BATCH = 1000
#: Seconds that a client which is being closed waits for somebody to read its last lines.
_LAST_SECONDS = 1.0


class Log:
    """The log of a handle, whose client has ``log.queue`` on and keeps its lines until the log is opened."""

    def __init__(self, handle: Handle) -> None:
        self._lock = threading.Lock()  # whoever has it tells lines
        self._sink = sink(handle, self._gives_up)
        self._is_for_people = handle.master.logger != "callback"
        self._left_out = 0  # guarded by the reader's lock
        self._end: float | None = None  # when those who wait for a reader of stderr give up
        self._closed = False
        self._handle = handle
        self._queue: LogQueue

    def open(self) -> None:
        """Begin to tell lines.

        :raises OSError: librdkafka or the system has no room for it.
        :raises RuntimeError: no thread can be started.
        """
        try:
            _reader.add(self)
        except OSError:
            _reader.rest()
            raise

    def reads(self, descriptor: int) -> None:
        """Have ``descriptor`` signalled when there are lines."""
        self._queue = self._handle.native.divert_logs(descriptor)

    def say(self, facility: str, message: str) -> None:
        """Log a warning of our own."""
        with self._lock:
            self._sink([LogLine(_WARNING, facility, message)])

    def serve(self) -> bool:
        """Tell some lines; whether there may be more."""
        with self._lock:
            if self._closed:
                return False
            left_out = _reader.limit([self])
            taken = list(self._queue.lines(_BATCH))
            more = len(taken) == _BATCH
            lines = [
                line._replace(message=secrets.scrub(line.message)) for line in taken if self._is_told(line)
            ]
            if left_out:
                lines.insert(0, LogLine(_WARNING, "LOG", f"{left_out} log lines were left out"))
            if lines:
                self._sink(lines)
        return more

    def leave_out(self) -> None:
        """Drop the oldest lines, if too many wait (the reader's lock is held)."""
        self._left_out += self._queue.drop(WAITING_LIMIT)

    def left_out(self) -> int:
        """How many were dropped since this was asked last (the reader's lock is held)."""
        left_out, self._left_out = self._left_out, 0
        return left_out

    def close(self) -> None:
        """Tell the last lines of a client that is closed."""
        self._end = time.monotonic() + _LAST_SECONDS
        while self.serve():
            pass
        with self._lock:
            self._closed = True
            _reader.remove(self)
            self._queue.close()
        _reader.rest()

    def _is_told(self, line: LogLine) -> bool:
        untrue = self._is_for_people and line.facility == "CONFWARN" and _UNTRUE.search(line.message)
        return not untrue

    def _gives_up(self) -> bool:
        """Whether lines that cannot be told now are to be given up; a sink that waits asks all the time."""
        _reader.limit()
        return self._end is not None and time.monotonic() > self._end


class _Reader:
    """The thread that tells the lines of all logs; it is there as long as there are logs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[Log, None] = {}  # a set that keeps its order
        self._pump: Pump | None = None

    def add(self, log: Log) -> None:
        """Begin to read a log."""
        with self._lock:
            self._pump = self._pump or self._start()
            log.reads(self._pump.descriptor)
            self._logs[log] = None

    def remove(self, log: Log) -> None:
        """Read this log no more."""
        with self._lock:
            del self._logs[log]

    def rest(self) -> None:
        """End the thread, if there is nothing left to read."""
        with self._lock:
            idle = self._take_idle()
        _end(idle)

    def _take_idle(self) -> Pump | None:
        """The thread, if there is nothing left to read (lock held)."""
        if self._logs:
            return None
        idle, self._pump = self._pump, None
        return idle

    def limit(self, logs: Iterable[Log] | None = None) -> int:
        """Drop lines that have waited too long, of all logs or of these; how many of these were dropped."""
        with self._lock:
            for log in self._logs if logs is None else logs:
                log.leave_out()
            return sum(log.left_out() for log in logs or ())

    def _start(self) -> Pump:
        pump = Pump(self._serve)
        try:
            pump.start("log")
        except RuntimeError:
            pump.close()
            raise
        return pump

    def _serve(self) -> bool:
        with self._lock:
            logs = list(self._logs)
        more = [log.serve() for log in logs]
        return True in more


def _end(pump: Pump | None) -> None:
    if pump:
        pump.stop()
        pump.close()


_reader = _Reader()
