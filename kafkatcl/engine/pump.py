"""The owner thread of a client: it waits for librdkafka's signal and serves the client at once.

librdkafka writes to a descriptor when a client gets something to be polled for, so the thread sleeps in
``poll(2)`` on it instead of in librdkafka: no other thread ever waits for the client, and an idle client costs nothing.
"""

from __future__ import annotations

import os
import selectors
import sys
import threading
from contextlib import suppress
from typing import Callable

from kafkatcl.librdkafka.library import SIGNAL

# Unlike select, poll takes any number of descriptors; unlike epoll, it needs none of its own.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

#: Seconds after which a client is served without a signal; consumer groups expect to be polled now and then.
IDLE_SECONDS = 1.0


class Pump:
    """Calls ``serve`` in a thread of its own whenever ``descriptor`` was written to, until it is stopped.

    ``serve`` returns whether there is more to do right now.
    """

    def __init__(self, serve: Callable[[], bool]) -> None:
        self._serve = serve
        self._reading, self.descriptor = _signal_descriptors()
        self._selector = _Selector()
        self._selector.register(self._reading, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, name: str) -> None:
        """Begin to serve the client of this name.

        :raises RuntimeError: the system has no thread left.
        """
        self._thread.name = f"kafkatcl-{name}"
        self._thread.start()

    def wake(self) -> None:
        """Have the client served soon."""
        with suppress(BlockingIOError):  # there are as many signals as can be
            os.write(self.descriptor, SIGNAL)

    def stop(self) -> None:
        """End the thread, and wait for the round it is in; it may be called from the thread itself."""
        self._stopping = True
        self.wake()
        if not self.is_current():
            self._thread.join()

    def is_current(self) -> bool:
        """Whether the caller is this thread."""
        return self._thread is threading.current_thread()

    def close(self) -> None:
        """Close ``descriptor``; nothing may write to it any more."""
        self._selector.close()
        for descriptor in {self._reading, self.descriptor}:
            os.close(descriptor)

    def _run(self) -> None:
        more = False
        while not self._stopping:
            if not more:
                self._selector.select(IDLE_SECONDS)
            self._drain()
            more = self._serve()

    def _drain(self) -> None:
        with suppress(BlockingIOError):  # served without a signal
            os.read(self._reading, 4096)


def _signal_descriptors() -> tuple[int, int]:
    """Where to read signals, and where to write them: the same, where the system has descriptors for that."""
    if sys.platform == "linux" and sys.version_info >= (3, 10):
        signals = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return signals, signals
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing
