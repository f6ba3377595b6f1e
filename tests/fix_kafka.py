"""pytest plugin: the real Kafka, at most one in a test run and only when a test asks for it.

The process that pytest was started as owns it.  Under pytest-xdist the workers ask that process over a Unix
socket, so all of them get the same one.  ``KAFKATCL_BOOTSTRAP`` (host:port,...) names a running cluster to be
used instead.
"""

from __future__ import annotations

import contextlib
import os
import threading
from multiprocessing.connection import Client, Listener
from typing import Any, Protocol

import pytest
from fix_kafka_server import KafkaServer, UnavailableError, version

Answer = tuple[str, str]  # "bootstrap" and where Kafka is, or "unavailable" or "broken" and why


class Ring(Protocol):
    """Where the real Kafka of this test run is; the first one to ask has it started."""

    def ask(self) -> Answer: ...


class OwnRing:
    """The ring of the process that owns the test run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: KafkaServer | None = None
        self._answer: Answer | None = None
        self._listener: Listener | None = None

    def ask(self) -> Answer:
        with self._lock:
            if self._answer is None:
                self._answer = self._start()
            return self._answer

    def _start(self) -> Answer:
        if given := os.environ.get("KAFKATCL_BOOTSTRAP"):
            return "bootstrap", given
        try:
            self._server = KafkaServer()
        except UnavailableError as reason:
            return "unavailable", str(reason)
        except Exception as error:
            return "broken", f"{type(error).__name__}: {error}"
        return "bootstrap", self._server.bootstrap

    def address(self) -> str:
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
        """The reason, when a test asked for Kafka and this machine cannot run it."""
        return self._answer[1] if self._answer and self._answer[0] == "unavailable" else None

    def stop(self) -> None:
        """End Kafka if it was started."""
        if self._server is not None:
            self._server.stop()


class WorkerRing:
    """The ring as a pytest-xdist worker sees it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self) -> Answer:
        with Client(self._address) as connection:
            answer: Answer = connection.recv()
        return answer


_RING = pytest.StashKey[Ring]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kafka: runs on a real Kafka; tests get it from their fixtures")
    worker = getattr(config, "workerinput", None)
    config.stash[_RING] = WorkerRing(worker["kafka_ring"]) if worker else OwnRing()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["kafka_ring"] = node.config.stash[_RING].address()


def pytest_unconfigure(config: pytest.Config) -> None:
    ring = config.stash[_RING]
    if isinstance(ring, OwnRing):
        ring.stop()


def pytest_report_header() -> str:
    given = os.environ.get("KAFKATCL_BOOTSTRAP")
    return f"Kafka: the one at {given}" if given else f"Kafka: {version()}"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    ring = config.stash[_RING]
    reason = ring.why_left_out() if isinstance(ring, OwnRing) else None
    if reason:
        terminalreporter.section("no real Kafka")
        terminalreporter.line(f"The tests that need a real Kafka did not run: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "kafka_bootstrap" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """The bootstrap servers of the real Kafka.

    Where it cannot run, the test is skipped; with ``CI=true`` or ``KAFKATCL_REQUIRE_KAFKA=1`` it fails.
    """
    kind, text = request.config.stash[_RING].ask()
    if kind == "bootstrap":
        return text
    if kind == "unavailable" and not _required():
        pytest.skip(f"no real Kafka: {text}")
    pytest.fail(f"no real Kafka: {text}", pytrace=False)


def _required() -> bool:
    return os.environ.get("CI") == "true" or os.environ.get("KAFKATCL_REQUIRE_KAFKA") == "1"
