"""The real Kafka of three nodes, as the test that has it to itself sees it."""

from __future__ import annotations

import contextlib
import time
from functools import cached_property
from multiprocessing.connection import Client
from typing import Any, Callable, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, TopicMetadata
from fix_cluster import Cluster
from fix_kafka_nodes import CLEAN_STOP_SECONDS, HEAL_SECONDS, NODES, in_step

#: How long tests wait for their turn: others may have the nodes before them.
TURN_SECONDS = 600
SECONDS = 60  # for what must come in the end: another leader, nodes in step

Found = TypeVar("Found")


class ThreeNodes(Cluster):
    """Three nodes, named 1, 2, and 3 as in Kafka's metadata,
    all in step when a test gets them.

    Topics have three replicas, of which ``acks=all`` waits for two.  What is done to
    the nodes is in ``log``, with seconds since the beginning; what is left undone is
    mended before the next test.
    """

    replication = 3

    def __init__(self, control: str) -> None:
        self.control = control
        self._connection = Client(control)
        bootstrap: str = self._answer(TURN_SECONDS + HEAL_SECONDS)
        super().__init__("kafka", bootstrap)
        self._begin = time.monotonic()
        self.log: list[str] = []

    def __enter__(self) -> ThreeNodes:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Let the next have the nodes."""
        self._connection.close()

    @cached_property
    def admin(self) -> AdminClient:
        """A client for questions to the cluster,
        which soon gives up on a node that does not answer.
        """
        return AdminClient(
            {"bootstrap.servers": self.bootstrap_servers, "log_level": 0, "socket.timeout.ms": 5000}
        )

    def ask_anew(self) -> None:
        """Have a new client ask what comes: one may take a killed node for the
        controller as long as it lives.
        """
        self.__dict__.pop("admin", None)

    # -- what is done to nodes

    def kill(self, node: int) -> None:
        """``kill -9``."""
        self._do("kill", node)

    def pause(self, node: int) -> None:
        """SIGSTOP: the node keeps its connections and does not answer."""
        self._do("pause", node)

    def resume(self, node: int) -> None:
        """SIGCONT, for a node that is paused."""
        self._do("resume", node)

    def stop(self, node: int) -> None:
        """SIGTERM, and wait until the node has ended by itself,
        its leaderships handed over.
        """
        self._do("stop", node)

    def start(self, node: int) -> None:
        """Start a node that was killed or stopped;
        :meth:`await_in_step` waits for it.
        """
        self._do("start", node)

    def _do(self, operation: str, node: int) -> None:
        self.note(f"{operation} {node}")
        self._ask(operation, node)

    def note(self, what: str) -> None:
        """Add a line to the log."""
        self.log.append(f"{time.monotonic() - self._begin:.1f} s: {what}")

    def _ask(self, operation: str, node: int) -> Any:
        self._connection.send((operation, node))
        return self._answer(CLEAN_STOP_SECONDS + SECONDS)

    def _answer(self, seconds: float) -> Any:
        if not self._connection.poll(seconds):
            raise TimeoutError(f"the program of the nodes has not answered for {seconds} s")
        how, value = self._connection.recv()
        if how == "failed":
            raise RuntimeError(value)
        return value

    # -- what they say

    def leader(self, topic: str, partition: int = 0) -> int:
        """The node that leads a partition, when one does."""
        return self._told(lambda: self._leader(topic, partition), f"{topic} {partition} has no leader")

    def await_other_leader(self, node: int, topic: str, partition: int = 0) -> int:
        """Another node than ``node``, when one leads the partition."""

        def other() -> int | None:
            found = self._leader(topic, partition)
            return found if found != node else None

        return self._told(other, f"node {node} still leads {topic} {partition}")

    def controller(self) -> int:
        """The node that leads the controllers."""
        node: int = self._ask("controller", 0)
        return node

    def await_in_step(self) -> None:
        """Wait until all nodes are there and have all that they replicate."""
        self._told(
            lambda: all(in_step(address) for address in self.bootstrap) or None, "the nodes are not in step"
        )
        self.note("in step")

    def _leader(self, topic: str, partition: int) -> int | None:
        node = self.metadata(topic).partitions[partition].leader
        return node if node in NODES else None

    def metadata(self, topic: str) -> TopicMetadata:
        """What a node says of a topic; KafkaException where none answers."""
        return self.admin.list_topics(topic, timeout=5).topics[topic]

    def _told(self, ask: Callable[[], Found | None], complaint: str) -> Found:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(KafkaException, KeyError):
                found = ask()
                if found is not None:
                    return found
            time.sleep(0.05)
        raise TimeoutError(f"{complaint} after {SECONDS} s: {self.log}\n{self._ask('tails', 0)}")
