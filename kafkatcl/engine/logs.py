"""The log of each client: one thread takes the lines of all of them
to where their masters want them.

It is a thread of its own so that whoever does not read stderr holds up no client.  Who
holds the lock of a log may take that of the reader, but never the other way round.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Callable

from kafkatcl.engine import secrets
from kafkatcl.engine.logsinks import sink
from kafkatcl.engine.outages import DEBUG, Outages
from kafkatcl.engine.poll_thread import PollThread
from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.logs import LogLine, LogQueue

# Warnings that are none: brokers may be named later, and a master is for clients of
# both kinds, so it has properties that one of them ignores.
_UNTRUE = r"No `bootstrap\.servers` configured|property \S+ is a \w+ property and will be ignored by this \w+ instance"
#: Lines of a client that may wait; beyond that the oldest are left out, and their
#: number is told.
WAITING_LIMIT = 10_000
_WARNING, _INFO, _DEBUG = 4, 6, 7
#: Lines of one client that are taken before others get their turn.
_BATCH = 1000
#: Seconds that a client which is being closed waits for somebody to read its last
#: lines.
_LAST_SECONDS = 1.0


class Log:
    """The log of a client, which keeps its lines until the log is opened.

    :param native: has ``log.queue`` on.
    :param settings: what the script has set for the client.
    :param logger: where lines go: ``stderr``, ``syslog``, ``none``, or ``callback``.
    :param tell: takes a line for the callback (log thread, or one that closes).
    """

    def __init__(
        self,
        native: NativeClient,
        settings: Mapping[str, str],
        logger: str,
        tell: Callable[[LogLine], None],
    ) -> None:
        #: The script has asked for librdkafka's debug lines, and gets the log as
        #: librdkafka writes it.
        self._is_raw = bool(settings.get("debug"))
        #: Up to which level lines are told.
        self.level = _DEBUG if self._is_raw else int(settings.get("log_level") or _INFO)
        self.outages = Outages(ends_connections=settings.get("socket.max.fails") != "0")
        self._lock = threading.Lock()  # held by the thread that writes lines
        self._sink = sink(logger, native.name(), tell, self._gives_up)
        self._is_for_people = logger != "callback"
        self._sums_up = self._is_for_people and not self._is_raw
        self._own: deque[LogLine] = deque()
        self._left_out = 0  # guarded by the reader's lock
        self._end: float | None = None  # when writing to a stderr that nobody reads is given up
        self._closed = False
        self._native = native
        self._queue: LogQueue

    def open(self) -> None:
        """Begin to tell lines; those since the client was made come first.

        :raises OSError: the system has no descriptor left.
        :raises RuntimeError: no thread can be started.
        """
        try:
            _reader.add(self)
        except OSError:
            _reader.rest()
            raise

    def reads(self, descriptor: int) -> None:
        """Have ``descriptor`` signalled when there are lines (reader's lock held)."""
        self._queue = self._native.divert_logs(descriptor)

    def set_level(self, level: int) -> None:
        """Tell lines up to a level of syslog from now on."""
        if self._is_raw:
            self._native.set_log_level(level)
        else:
            self.level = level

    def say(self, facility: str, message: str) -> None:
        """Log a warning of our own (any thread, with any lock of a handle held).

        The log thread writes the line, so the caller does not wait for whoever reads
        stderr.
        """
        self._own.append(LogLine(_WARNING, facility, message))
        _reader.wake()

    def serve(self) -> bool:
        """Tell up to 1000 lines of the client, and all of our own (log thread, or one
        that closes).

        :returns: whether there may be more.
        """
        with self._lock:
            if self._closed:
                return False
            left_out = _reader.limit([self])
            taken = list(self._queue.lines(_BATCH))
            more = len(taken) == _BATCH
            own = [self._own.popleft() for _ in range(len(self._own))]
            lines = [*own, *(line for line in self._told(taken) if line.level <= self.level)]
            if left_out:
                lines.insert(0, LogLine(_WARNING, "LOG", f"{left_out} log lines were left out"))
            if lines:
                self._sink(lines)
        return more

    def leave_out(self) -> None:
        """Drop the oldest lines, if too many wait (the reader's lock held)."""
        self._left_out += sum(line.level <= self.level for line in self._queue.surplus(WAITING_LIMIT))

    def left_out(self) -> int:
        """How many were dropped since this was asked last (the reader's lock held)."""
        left_out, self._left_out = self._left_out, 0
        return left_out

    def close(self) -> None:
        """Tell the last lines of a client that is about to be closed (any thread;
        waits).

        A reader of stderr is waited for up to a second, a callback not at all.
        """
        self._end = time.monotonic() + _LAST_SECONDS
        while self.serve():
            pass
        with self._lock:
            if self._sums_up and (lines := self.outages.ended(closing=True)):
                self._sink([line for line in lines if line.level <= self.level])
            self._closed = True
            _reader.remove(self)
            self._queue.close()
        _reader.rest()

    def _told(self, lines: list[LogLine]) -> Iterator[LogLine]:
        """What to tell of lines of the client."""
        for line in lines:
            instead = self.outages.take(line)
            if self._sums_up and instead is not None:
                yield from instead
            elif not (
                self._is_for_people and line.facility == "CONFWARN" and re.search(_UNTRUE, line.message)
            ):
                yield line._replace(message=secrets.scrub(line.message))
        if self._sums_up:
            yield from self.outages.ended()

    def _gives_up(self) -> bool:
        """Whether to drop lines that nobody reads: the client is closing, for more than
        a second.  A sink that waits for a reader asks again and again; meanwhile lines
        beyond the limit are left out (the log's lock held).
        """
        _reader.limit()
        return self._end is not None and time.monotonic() > self._end


def log_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that a client needs for its log;
    the script's own settings decide which lines are shown.
    """
    # Else librdkafka itself prints what a broker sends as it is: librdkafka/logs.py.
    queued = {"log.queue": "true"}
    return queued if settings.get("debug") else {**queued, "debug": DEBUG, "log_level": str(_DEBUG)}


class _Reader:
    """The thread that writes the lines of all logs;
    it runs as long as there are logs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[Log, None] = {}  # a set that keeps its order
        self._poll_thread: PollThread | None = None

    def add(self, log: Log) -> None:
        """Begin to read a log; the first one starts the thread."""
        with self._lock:
            self._poll_thread = self._poll_thread or self._start()
            log.reads(self._poll_thread.descriptor)
            self._logs[log] = None

    def remove(self, log: Log) -> None:
        """Read this log no more (its own lock held)."""
        with self._lock:
            del self._logs[log]

    def wake(self) -> None:
        """Have all logs served soon, if there are any (any thread)."""
        with self._lock:
            if self._poll_thread:
                self._poll_thread.wake()

    def rest(self) -> None:
        """End the thread, if there is nothing left to read (no lock of a log held)."""
        with self._lock:
            idle = self._take_idle()
        _end(idle)

    def _take_idle(self) -> PollThread | None:
        """The thread, if there is nothing left to read (lock held)."""
        if self._logs:
            return None
        idle, self._poll_thread = self._poll_thread, None
        return idle

    def limit(self, logs: Iterable[Log] | None = None) -> int:
        """Drop the oldest lines of all logs, or of these, where too many wait.

        :returns: how many were dropped of ``logs`` since this was asked last.
        """
        with self._lock:
            for log in self._logs if logs is None else logs:
                log.leave_out()
            return sum(log.left_out() for log in logs or ())

    def _start(self) -> PollThread:
        poll_thread = PollThread(self._serve)
        try:
            poll_thread.start("log")
        except RuntimeError:
            poll_thread.close()
            raise
        return poll_thread

    def _serve(self) -> bool:
        with self._lock:
            logs = list(self._logs)
        more = [log.serve() for log in logs]
        return True in more


def _end(poll_thread: PollThread | None) -> None:
    if poll_thread:
        poll_thread.stop()
        poll_thread.close()


_reader = _Reader()
