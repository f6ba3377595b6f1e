"""pytest plugin: the clusters that tests run on.

A test that takes ``cluster`` runs once on the embedded broker and once on a real Kafka.
A test that can only be shown on one of them takes ``embedded_cluster`` or
``kafka_cluster``.
"""

from __future__ import annotations

import contextlib
import sys
import time
import uuid
from collections.abc import Iterator
from functools import cached_property

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from fix_process import Server

EMBEDDED_PARTITIONS = 4
SECONDS = 20  # for a topic to be ready


class Cluster:
    """A running cluster: its ``kind`` ("embedded" or "kafka")
    and its ``bootstrap`` list of host:port.
    """

    replication = 1  # of the topics that a real Kafka makes

    def __init__(self, kind: str, bootstrap_servers: str) -> None:
        self.kind = kind
        self.bootstrap_servers = bootstrap_servers
        self.bootstrap = bootstrap_servers.split(",")

    @cached_property
    def admin(self) -> AdminClient:
        """A client for questions to the cluster itself."""
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})

    def topic(self, partitions: int = 4, config: dict[str, str] | None = None) -> str:
        """The name of a topic made for this test alone, with leaders everywhere;
        Kafka takes ``config``.
        """
        return self._topics([f"test-{uuid.uuid4().hex[:12]}"], partitions, config)[0]

    @contextlib.contextmanager
    def topics(self, count: int) -> Iterator[list[str]]:
        """The names of so many topics of 4 partitions,
        of the form that ``support.tcl`` gives them.

        Kafka deletes them at the end: with every topic it has, answers about all of
        them get longer.
        """
        names = self._topics([f"tcltest.topic.{uuid.uuid4().hex[:12]}" for _ in range(count)], 4, None)
        yield names
        if self.kind == "kafka" and names:
            self.admin.delete_topics(names)

    def _topics(self, names: list[str], partitions: int, config: dict[str, str] | None) -> list[str]:
        if self.kind == "kafka" and names:
            made = self.admin.create_topics(
                [NewTopic(name, partitions, self.replication, config=config or {}) for name in names]
            )
            for answer in made.values():
                answer.result(SECONDS)
        elif partitions != EMBEDDED_PARTITIONS:
            raise ValueError(f"topics of the embedded broker have {EMBEDDED_PARTITIONS} partitions")
        for name in names:  # the embedded broker makes a topic when it is asked about it
            self._await_leaders(name, partitions)
        return names

    def messages_in(self, topic: str) -> int:
        """How many messages the log of a topic of :meth:`topic` holds."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": "count"})
        try:
            parts = [TopicPartition(topic, partition) for partition in range(4)]
            marks = [consumer.get_watermark_offsets(part, timeout=10) for part in parts]
        finally:
            consumer.close()
        return sum(high - low for low, high in marks)

    def told_topic(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """A new topic, which scripts find in the environment variable TOPIC,
        beside the brokers.
        """
        name = self.topic()
        monkeypatch.setenv("TOPIC", name)
        monkeypatch.setenv("KAFKATCL_TEST_BROKERS", " ".join(self.bootstrap))
        return name

    def _await_leaders(self, topic: str, partitions: int) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = self.admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions.values()
            if len(found) == partitions and all(partition.leader >= 0 for partition in found):
                return
            time.sleep(0.02)
        raise TimeoutError(f"topic {topic} has no leaders after {SECONDS} s")


@pytest.fixture(scope="session")
def embedded_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three embedded brokers, run by ``kafkatcl broker`` as a process of their own."""
    folder = tmp_path_factory.mktemp("embedded")
    file = folder / "bootstrap"
    command = [sys.executable, "-m", "kafkatcl", "broker", "--bootstrap-file", str(file)]
    server = Server([*command, "--brokers", "3", "--partitions", str(EMBEDDED_PARTITIONS)], folder)
    try:
        server.wait_until(file.exists, 30)
        yield Cluster("embedded", file.read_text().strip())
    finally:
        server.stop()


@pytest.fixture(scope="session")
def kafka_cluster(kafka_bootstrap: str) -> Cluster:
    """The real Kafka."""
    return Cluster("kafka", kafka_bootstrap)


@pytest.fixture(scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each kind of cluster in turn."""
    found: Cluster = request.getfixturevalue(f"{request.param}_cluster")
    return found
