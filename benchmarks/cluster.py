"""The Kafka that is measured on: its topics, filled once,
and messages sent to it at a steady pace.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.workloads import PARTITIONS

ROOT = Path(__file__).parent.parent
ANSWER_SECONDS = 10  # for a broker to answer at all
SECONDS = 60  # for what a broker is asked to do
VOLUME = 250_000_000  # bytes of payload and overhead in a topic, at most
EMBEDDED_VOLUME = 4_000_000  # what the embedded broker keeps of one partition
HEADER = b"0123456789"  # the value of each header
PACE = 0.01  # seconds between two messages of `paced`


class Cluster:
    """A Kafka at ``bootstrap``; ``kind`` says in words what it is."""

    volume = VOLUME

    def __init__(self, bootstrap: str, kind: str) -> None:
        self.bootstrap = bootstrap
        self.kind = kind
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._filled: dict[tuple[int, int, int, int], str] = {}

    def check(self) -> None:
        """Raise ValueError when no Kafka answers."""
        try:
            self._admin.list_topics(timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise ValueError(f"no Kafka answers at {self.bootstrap}: {error.args[0].str()}") from None

    def create(self, partitions: int) -> str:
        """The name of a new topic."""
        topic = f"benchmark-{uuid.uuid4().hex[:12]}"
        self._create(topic, partitions)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = self._admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions.values()
            if len(found) >= partitions and all(partition.leader >= 0 for partition in found):
                return topic
            time.sleep(0.02)
        raise TimeoutError(f"topic {topic} has no leaders after {SECONDS} s")

    def _create(self, topic: str, partitions: int) -> None:
        self._admin.create_topics([NewTopic(topic, partitions)])[topic].result(SECONDS)

    def delete(self, topic: str) -> None:
        self._admin.delete_topics([topic])[topic].result(SECONDS)

    def filled(self, partitions: int, size: int, messages: int, headers: int = 0) -> str:
        """A topic with ``messages`` messages of ``size`` bytes,
        spread over its first ``partitions``; each has so many ``headers``.
        """
        wanted = (partitions, size, messages, headers)
        if wanted not in self._filled:
            self._filled[wanted] = self.create(partitions)
            self._fill(self._filled[wanted], *wanted)
        return self._filled[wanted]

    def _fill(self, topic: str, partitions: int, size: int, messages: int, headers: int) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 20})
        payload = b"x" * size
        pairs: list[tuple[str, str | bytes | None]] = [
            (f"header{number}", HEADER) for number in range(headers)
        ]
        for number in range(messages):
            while True:
                try:
                    producer.produce(topic, payload, b"key%d" % number, number % partitions, headers=pairs)
                    break
                except BufferError:
                    producer.poll(0.1)
        if left := producer.flush(SECONDS):
            raise TimeoutError(f"{left} messages were not acknowledged within {SECONDS} s")

    @contextmanager
    def temporary(self, partitions: int) -> Iterator[str]:
        """An empty topic that goes at the end."""
        topic = self.create(partitions)
        try:
            yield topic
        finally:
            self.delete(topic)

    @contextmanager
    def paced(self, topic: str) -> Iterator[None]:
        """Have 100 messages a second sent to partition 0:
        each is the time, in microseconds.
        """
        ended = threading.Event()
        thread = threading.Thread(target=self._send_paced, args=(topic, ended))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _send_paced(self, topic: str, ended: threading.Event) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 0})
        while not ended.wait(PACE):
            producer.produce(topic, str(time.time_ns() // 1000).encode(), partition=0)
            producer.poll(0)
        producer.flush(SECONDS)

    def close(self) -> None:
        """Delete the topics that were filled."""
        for topic in self._filled.values():
            self.delete(topic)


class EmbeddedCluster(Cluster):
    """The embedded broker: a topic comes into being when it is asked for,
    and none can be deleted.
    """

    volume = EMBEDDED_VOLUME

    def _create(self, topic: str, partitions: int) -> None:
        pass

    def delete(self, topic: str) -> None:
        pass


@contextmanager
def given(bootstrap: str) -> Iterator[Cluster]:
    """The Kafka that runs at ``bootstrap``.  Raises ValueError
    when none answers there.
    """
    cluster = Cluster(bootstrap, "a Kafka that was running")
    cluster.check()
    try:
        yield cluster
    finally:
        cluster.close()


@contextmanager
def started() -> Iterator[Cluster]:
    """An Apache Kafka of our own, as the tests have it.  Raises ValueError
    when this machine cannot run it.
    """
    sys.path.append(str(ROOT / "tests"))
    from fix_kafka_server import KafkaServer, UnavailableError, version  # noqa: PLC0415

    try:
        server = KafkaServer()
    except UnavailableError as reason:
        raise ValueError(f"{reason}; or measure with --bootstrap or --embedded") from None
    try:
        yield Cluster(server.bootstrap, f"Apache Kafka {version()}, one node on the same machine")
    finally:
        server.stop()


@contextmanager
def embedded() -> Iterator[Cluster]:
    """An embedded broker in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "kafkatcl",
        "broker",
        "--until-eof",
        "--partitions",
        str(max(PARTITIONS)),
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as broker:
        assert broker.stdin is not None
        assert broker.stdout is not None
        try:
            yield EmbeddedCluster(broker.stdout.readline().strip(), "the embedded broker of KafkaTcl")
        finally:
            broker.stdin.close()  # which ends it
