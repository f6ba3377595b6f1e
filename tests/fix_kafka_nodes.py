"""A real Apache Kafka of three nodes, each broker and controller,
that tests kill, pause, stop and start.

One program (this file, run with a folder) has the nodes as its children and is ended,
with them, by the guard of fix_process.py, so nothing outlives the test run.  Whoever
connects to the Unix socket ``control`` in its folder has the nodes to itself until the
connection closes: :class:`fix_kafka_three.ThreeNodes`.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Callable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from fix_kafka_server import HERE, accepts, format_storage, free_ports, java_command
from fix_process import Server

NODES = (1, 2, 3)  # their names, which are their ids in Kafka's metadata
HEAP = 320  # MB for each
CLEAN_STOP_SECONDS = 60  # a node hands its leaderships over before it ends
START_SECONDS = 200  # on a very busy machine; 10 on one that is not
HEAL_SECONDS = 150  # for nodes that were left stopped or killed to be in step again


class KafkaNodes:
    """The three nodes, started and waited for;
    ``address`` is the Unix socket at which they are controlled.

    Raises UnavailableError when the machine cannot run them, RuntimeError with the log
    when they do not start.
    """

    def __init__(self) -> None:
        java_command(HEAP)  # a reason not to start is told from here
        home = Path(tempfile.mkdtemp(prefix="kafkatcl-three-"))
        self.address = str(home / "control")
        self._server = Server([sys.executable, __file__, str(home)], home)
        try:
            self._server.wait_until((home / "ready").exists, START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the nodes and remove their data."""
        self._server.stop()


class Node:
    """The process of one node: ``command``, with its output added to ``log``."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def is_running(self) -> bool:
        """Whether there is a process, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Have it run; when it can be used, its cluster tells."""
        if not self.is_running():
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(self._command, stdout=output, stderr=output)

    def kill(self) -> None:
        """``kill -9``."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and does not answer."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT, for one that is paused."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Have it end by itself, its leaderships handed over;
        subprocess.TimeoutExpired if it does not.
        """
        self._signal(signal.SIGTERM)
        if self._process is not None:
            self._process.wait(CLEAN_STOP_SECONDS)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)


OPERATIONS: dict[str, Callable[[Node], None]] = {
    "start": Node.start,
    "kill": Node.kill,
    "pause": Node.pause,
    "resume": Node.resume,
    "stop": Node.stop,
}


class Nodes:
    """The three nodes as the program has them, their data and logs in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = free_ports(2 * len(NODES))
        self._brokers = {node: f"127.0.0.1:{port}" for node, port in zip(NODES, ports)}
        controllers = {node: f"127.0.0.1:{port}" for node, port in zip(NODES, ports[len(NODES) :])}
        self.bootstrap = ",".join(self._brokers.values())
        self._voters = ",".join(f"{node}@{address}" for node, address in controllers.items())
        runner = java_command(HEAP)
        files = [self._properties(node, controllers[node]) for node in NODES]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda file: format_storage(runner, file), files))
        self._nodes = {
            node: Node([*runner, "kafka.Kafka", str(file)], folder / f"node{node}.log")
            for node, file in zip(NODES, files)
        }

    def _properties(self, node: int, controller: str) -> Path:
        file = self._folder / f"node{node}.properties"
        file.write_text(
            (HERE / "server.properties").read_text()
            + "\n"
            + (HERE / "three.properties").read_text()
            + f"\nnode.id={node}\nbroker.rack=rack{node}\n"
            + f"listeners=PLAINTEXT://{self._brokers[node]},CONTROLLER://{controller}\n"
            + f"controller.quorum.voters={self._voters}\n"
            + f"log.dirs={self._data(node)}\n"
        )
        return file

    def _data(self, node: int) -> Path:
        return self._folder / f"data{node}"

    def serve(self, connection: Connection) -> None:
        """Do what is asked for until the connection closes (EOFError);
        the first answer is the bootstrap servers.
        """
        connection.send(self._answer(self.healed))
        while True:
            operation, node = connection.recv()
            connection.send(self._answer(lambda: self._do(operation, node)))  # noqa: B023

    def _answer(self, work: Callable[[], object]) -> tuple[str, object]:
        try:
            return "done", work()
        except Exception as error:
            return "failed", f"{type(error).__name__}: {error}"

    def _do(self, operation: str, node: int) -> object:
        if operation == "controller":
            return self._controller()
        if operation == "tails":
            return self._tails()
        return OPERATIONS[operation](self._nodes[node])

    def healed(self) -> str:
        """The bootstrap servers, when all nodes run and are in step;
        RuntimeError with their logs' ends if not.
        """
        for node in self._nodes.values():
            node.resume()
            node.start()
        deadline = time.monotonic() + HEAL_SECONDS
        while not all(in_step(address) for address in self._brokers.values()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the nodes are not in step after {HEAL_SECONDS} s:\n{self._tails()}")
            time.sleep(0.1)
        return self.bootstrap

    def _tails(self, lines: int = 15) -> str:
        """Whether each node runs, and the end of its log."""
        return "\n".join(
            f"node {name}, running: {node.is_running()}\n"
            + "\n".join(node.log.read_text(errors="replace").splitlines()[-lines:])
            for name, node in self._nodes.items()
        )

    def _controller(self) -> int:
        """The node that leads the controllers.

        Brokers do not tell (to clients they name any broker, KIP-590), but each
        controller notes it in a file.
        """
        states = [
            json.loads((self._data(node) / "__cluster_metadata-0" / "quorum-state").read_text())
            for node in NODES
            if self._nodes[node].is_running()
        ]
        newest = max(states, key=lambda state: int(state["leaderEpoch"]))
        return int(newest["leaderId"])

    def end(self) -> None:
        """Kill them all; their data goes too, so nothing is worth waiting for."""
        for node in self._nodes.values():
            node.kill()


def in_step(address: str) -> bool:
    """Whether the node at host:port says that all nodes are there
    and have all that they replicate.
    """
    if not accepts(address):
        return False
    with contextlib.suppress(KafkaException):
        # A fresh client asks this node: it knows no other.
        told = AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=10)
        partitions = [part for topic in told.topics.values() for part in topic.partitions.values()]
        return set(told.brokers) == set(NODES) and all(
            part.leader in part.isrs and set(part.isrs) == set(part.replicas) for part in partitions
        )
    return False


def _main(folder: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    nodes = Nodes(folder)
    try:
        nodes.healed()
        with Listener(str(folder / "control"), backlog=64) as listener:
            (folder / "ready").touch()
            while True:
                with contextlib.suppress(EOFError, OSError), listener.accept() as connection:
                    nodes.serve(connection)
    finally:
        nodes.end()


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
