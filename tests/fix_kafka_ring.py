"""A server that a whole test run shares, started when the first test asks for it.

The process that pytest was started as owns the server.  Under pytest-xdist the workers
ask that process over a Unix socket, so all of them get the same one.
"""

from __future__ import annotations

import contextlib
import threading
from multiprocessing.connection import Client, Listener
from typing import Callable, Protocol

from fix_kafka_server import UnavailableError

#: "at" and where the server is, or "unavailable" or "broken" and why.
Answer = tuple[str, str]


class Started(Protocol):
    """A running server: where tests find it, and how it ends."""

    @property
    def address(self) -> str: ...

    def stop(self) -> None: ...


class Ring(Protocol):
    """Where the server of this test run is; the first one to ask has it started."""

    def ask(self) -> Answer: ...


class OwnRing:
    """The ring of the process that owns the test run; ``start`` starts the server.

    ``start`` raises UnavailableError on a machine that cannot run it.
    """

    def __init__(self, start: Callable[[], Started]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._server: Started | None = None
        self._answer: Answer | None = None
        self._listener: Listener | None = None

    def ask(self) -> Answer:
        with self._lock:
            if self._answer is None:
                self._answer = self._started()
            return self._answer

    def _started(self) -> Answer:
        try:
            self._server = self._start()
        except UnavailableError as reason:
            return "unavailable", str(reason)
        except Exception as error:
            return "broken", f"{type(error).__name__}: {error}"
        return "at", self._server.address

    def socket(self) -> str:
        """The Unix socket at which a :class:`WorkerRing` asks."""
        if self._listener is None:
            self._listener = Listener(family="AF_UNIX")
            threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()
        return str(self._listener.address)

    def _serve(self, listener: Listener) -> None:
        while True:
            with contextlib.suppress(OSError), listener.accept() as connection:
                connection.send(self.ask())

    def why_left_out(self) -> str | None:
        """The reason, when a test asked for the server
        and this machine cannot run it.
        """
        return self._answer[1] if self._answer and self._answer[0] == "unavailable" else None

    def stop(self) -> None:
        """End the server if it was started."""
        if self._server is not None:
            self._server.stop()


class WorkerRing:
    """The ring as a pytest-xdist worker sees it."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def ask(self) -> Answer:
        with Client(self._socket) as connection:
            answer: Answer = connection.recv()
        return answer
