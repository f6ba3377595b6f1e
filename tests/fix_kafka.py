"""pytest plugin: the real Kafka, of one node and of three,
each started at most once and only when a test asks.

``KAFKATCL_BOOTSTRAP`` (host:port,...) names a running cluster to be used instead of the
single node.  The three nodes are always our own, as tests kill them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fix_kafka_nodes import KafkaNodes
from fix_kafka_ring import OwnRing, Ring, Started, WorkerRing
from fix_kafka_server import KafkaServer, version
from fix_kafka_three import ThreeNodes


@dataclass(frozen=True)
class _Given:
    """A Kafka that runs already and goes on running."""

    address: str

    def stop(self) -> None:
        pass


def _single() -> Started:
    given = os.environ.get("KAFKATCL_BOOTSTRAP")
    return _Given(given) if given else KafkaServer()


#: For a test in which nodes end and start; none takes 30 on a machine that is not busy.
THREE_SECONDS = 300

#: What each ring is called and how its server starts.
_SERVERS = {"single": _single, "three": KafkaNodes}
_RINGS = pytest.StashKey[Mapping[str, Ring]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kafka: runs on a real Kafka; tests get it from their fixtures")
    worker = getattr(config, "workerinput", None)
    if worker:
        config.stash[_RINGS] = {name: WorkerRing(socket) for name, socket in worker["kafka_rings"].items()}
    else:
        config.stash[_RINGS] = {name: OwnRing(start) for name, start in _SERVERS.items()}


def _own_rings(config: pytest.Config) -> dict[str, OwnRing]:
    return {name: ring for name, ring in config.stash[_RINGS].items() if isinstance(ring, OwnRing)}


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    rings = _own_rings(node.config)
    node.workerinput["kafka_rings"] = {name: ring.socket() for name, ring in rings.items()}


def pytest_unconfigure(config: pytest.Config) -> None:
    for ring in _own_rings(config).values():
        ring.stop()


def pytest_report_header() -> str:
    given = os.environ.get("KAFKATCL_BOOTSTRAP")
    return f"Kafka: the one at {given}" if given else f"Kafka: {version()}"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for reason in sorted({ring.why_left_out() or "" for ring in _own_rings(config).values()} - {""}):
        terminalreporter.section("no real Kafka")
        terminalreporter.line(f"The tests that need a real Kafka did not run: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        taken = getattr(item, "fixturenames", ())
        if "kafka_bootstrap" in taken:
            item.add_marker(pytest.mark.kafka)
        if "three_nodes" in taken:
            item.add_marker(pytest.mark.kafka)
            # The fixture waits while others have the nodes, which is not the test's
            # time.
            item.add_marker(pytest.mark.timeout(THREE_SECONDS, func_only=True))


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """The bootstrap servers of the real Kafka.

    Where it cannot run, the test is skipped; with ``CI=true`` or
    ``KAFKATCL_REQUIRE_KAFKA=1`` it fails.
    """
    return _address("single", request.config)


@pytest.fixture
def three_nodes(request: pytest.FixtureRequest) -> Iterator[ThreeNodes]:
    """A real Kafka of three nodes, all up and in step,
    which the test has to itself: see :class:`ThreeNodes`.

    Where it cannot run, the test is skipped or fails as with ``kafka_bootstrap``.
    """
    with ThreeNodes(_address("three", request.config)) as nodes:
        yield nodes


def _address(name: str, config: pytest.Config) -> str:
    kind, text = config.stash[_RINGS][name].ask()
    if kind == "at":
        return text
    if kind == "unavailable" and not _required():
        pytest.skip(f"no real Kafka: {text}")
    pytest.fail(f"no real Kafka: {text}", pytrace=False)


def _required() -> bool:
    return os.environ.get("CI") == "true" or os.environ.get("KAFKATCL_REQUIRE_KAFKA") == "1"
