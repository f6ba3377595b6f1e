"""The owner thread of a client: it waits for librdkafka's signal and serves the client at once.

librdkafka writes a byte to a pipe when a client gets something to be polled for, so the thread sleeps in
``poll(2)`` on it instead of in librdkafka: no other thread ever waits for the client, and an idle client costs nothing.
"""

from __future__ import annotations

import os
import selectors
import threading
from contextlib import suppress
from typing import Callable

# Unlike select, poll takes any number of descriptors; unlike epoll, it needs none of its own.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

#: Seconds after which a client is served without a signal; consumer groups expect to be polled now and then.
IDLE_SECONDS = 1.0


class Pump:
    """Calls ``serve`` in a thread of its own whenever ``descriptor`` was written to, until it is stopped.

    ``serve`` returns whether there is more to do right now.
    """

    def __init__(self, name: str, serve: Callable[[], bool]) -> None:
        self._serve = serve
        self._reading, self.descriptor = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self.descriptor, False)
        self._selector = _Selector()
        self._selector.register(self._reading, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"kafkatcl-{name}", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def wake(self) -> None:
        """Have the client served soon."""
        with suppress(BlockingIOError):  # the pipe is full of signals already
            os.write(self.descriptor, b"1")

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
        """Close the pipe; nothing may write to it any more."""
        self._selector.close()
        os.close(self._reading)
        os.close(self.descriptor)

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
