"""How Kafka's threads tell an interpreter of this process that a session has events."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress


class Bell:
    """A pipe that Kafka's threads write to and the interpreter's event loop reads.

    That is all they do with the interpreter: they hold nothing of it.
    """

    def __init__(self) -> None:
        self.descriptor, self._writing = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writing, False)
        self._lock = threading.Lock()
        self._open = True
        self._rung: set[str] = set()

    def ring(self, session: str) -> None:
        """Say that a session has events (any thread)."""
        with self._lock:
            if self._open:
                self._rung.add(session)
                with suppress(BlockingIOError):  # the pipe is full of rings already
                    os.write(self._writing, b"1")

    def keep(self, sessions: Iterable[str]) -> None:
        """Have sessions among the next that are :meth:`rung`."""
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
        """Close the pipe; whoever rings is not heard any more."""
        with self._lock:
            self._open = False
            os.close(self.descriptor)
            os.close(self._writing)
