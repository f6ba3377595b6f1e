"""The poll thread of a client: it waits for librdkafka's signal
and serves the client at once.

librdkafka writes to a descriptor when a client gets something to be polled for and had
nothing before (see ``librdkafka/queues.py``), so the thread sleeps in ``poll(2)`` on it
instead of in librdkafka: no other thread waits for the client longer than a fetch of
what is there takes, and an idle client wakes its thread once a second only.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
import weakref
from contextlib import suppress
from typing import Callable

from kafkatcl.engine.process import is_forked
from kafkatcl.librdkafka.queues import SIGNAL

#: Seconds after which a client is served without a signal.  A consumer group expects
#: its members to be polled each max.poll.interval.ms, 300,000 by default.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
IDLE_SECONDS = 1.0


#: The longest rest, for the case that nobody ends it, and how long threads get to come
#: to rest.
_REST_SECONDS = 0.2
_ROUND_SECONDS = 0.05
#: How long a thread that was woken may take until it sees that it is to rest.
_WAKING_SECONDS = 0.005

_going = threading.Event()
_going.set()
_poll_threads: weakref.WeakSet[PollThread] = weakref.WeakSet()


def rest(wanted: bool) -> None:
    """Have all poll threads rest, or go on (the interpreter's thread).

    While a poll thread rests it does not take the GIL, which a child that is forked
    meanwhile would wait for for ever.  Those that are busy get 50 ms to come to rest;
    then the call returns nevertheless.  A rest ends by itself after 0.2 s.
    """
    if is_forked():
        return  # there is no other thread
    if not wanted:
        _going.set()
        return
    _going.clear()
    deadline = time.monotonic() + _ROUND_SECONDS
    time.sleep(_WAKING_SECONDS)
    while any(poll_thread.is_serving for poll_thread in list(_poll_threads)) and time.monotonic() < deadline:
        time.sleep(_WAKING_SECONDS)


class PollThread:
    """Calls ``serve`` in a thread of its own whenever ``descriptor`` was written to,
    and once a second, until it is stopped.

    :param serve: must not raise; returns whether there is more to do right now.
    :raises OSError: the system has no descriptor left.
    """

    def __init__(self, serve: Callable[[], bool]) -> None:
        self._serve = serve
        self._reading, self.descriptor = _signal_descriptors()
        # Unlike select, poll takes any number of descriptors; unlike epoll, it needs
        # none of its own.
        self._poll = select.poll()
        self._poll.register(self._reading, select.POLLIN)
        self._stopping = False
        self.is_serving = False
        _poll_threads.add(self)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, name: str) -> None:
        """Begin to serve the client of this name.

        :raises RuntimeError: the system has no thread left.
        """
        self._thread.name = f"kafkatcl-{name}"
        self._thread.start()

    def wake(self) -> None:
        """Have the client served soon (any thread)."""
        with suppress(BlockingIOError):  # there are as many signals as can be
            os.write(self.descriptor, SIGNAL)

    def stop(self) -> None:
        """End the thread, and wait for the round it is in (any thread; in the thread
        itself there is no wait).
        """
        self._stopping = True
        self.wake()
        if not self.is_current():
            self._thread.join()

    def is_current(self) -> bool:
        """Whether the caller is this thread."""
        return self._thread is threading.current_thread()

    def close(self) -> None:
        """Close ``descriptor``; nobody may write to it any more.

        The thread has ended, or was never started.
        """
        for descriptor in {self._reading, self.descriptor}:
            os.close(descriptor)

    def _run(self) -> None:
        more = False
        while not self._stopping:
            if not more:
                self._poll.poll(IDLE_SECONDS * 1000)
            self._begin()
            self._drain()
            more = self._serve()
            self.is_serving = False

    def _begin(self) -> None:
        """Wait until nobody wants the threads to rest, 0.2 s at most."""
        self.is_serving = True
        if not _going.is_set():
            self.is_serving = False
            _going.wait(_REST_SECONDS)
            self.is_serving = True

    def _drain(self) -> None:
        with suppress(BlockingIOError):  # served without a signal
            os.read(self._reading, 4096)


def _signal_descriptors() -> tuple[int, int]:
    """The descriptor to read signals from, and the one to write them to: an eventfd for
    both where there are eventfds, else the ends of a pipe.
    """
    if sys.platform == "linux" and sys.version_info >= (3, 10):
        signals = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return signals, signals
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing
