"""How Kafka's threads tell an interpreter of this process that a session has events."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress


class Bell:
    """A pipe that Kafka's threads write to and the interpreter's event loop reads.

    A thread of Kafka knows nothing of an interpreter but this pipe, and so holds no
    reference to one.

    :raises OSError: the process has no two descriptors left.
    """

    def __init__(self) -> None:
        self.descriptor, self._writing = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writing, False)
        self._lock = threading.Lock()
        self._open = True
        self._rung: set[str] = set()

    def ring(self, session: str) -> None:
        """Say that a session has events (any thread; never waits)."""
        with self._lock:
            if self._open:
                self._rung.add(session)
                with suppress(BlockingIOError):  # the pipe is full of rings already
                    os.write(self._writing, b"1")

    def keep(self, sessions: Iterable[str]) -> None:
        """Have sessions that could not be told yet come again with :meth:`rung`."""
        with self._lock:
            self._rung.update(sessions)

    def rung(self) -> set[str]:
        """The sessions the bell has rung for since the last call."""
        with self._lock:
            with suppress(BlockingIOError):
                os.read(self.descriptor, 4096)
            rung, self._rung = self._rung, set()
        return rung

    def close(self) -> None:
        """Close the pipe; later rings are ignored."""
        with self._lock:
            self._open = False
            os.close(self.descriptor)
            os.close(self._writing)
