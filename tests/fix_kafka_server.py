"""A real Apache Kafka for the tests:
one node on free ports, its data in a temporary folder.

``python tests/fix_kafka_server.py`` only fetches the jars, so that no test has to wait
for that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from fix_process import Server

HERE = Path(__file__).parent / "kafka"
CACHE = Path(__file__).parent.parent / ".cache"
OLDEST_JAVA = 17  # what Kafka 4 brokers need
START_SECONDS = 90
CLUSTER_ID = "kafkatcl-tests-kafka-w"  # 16 bytes in base64, as Kafka wants it


class UnavailableError(Exception):
    """Kafka cannot run on this machine; the message says why and what to do."""


def version() -> str:
    """The version of Kafka that the pom names."""
    found = ElementTree.parse(HERE / "pom.xml").find("./{*}properties/{*}kafka.version")
    assert found is not None
    assert found.text
    return found.text


def java() -> str:
    """The Java to run Kafka with, JAVA_HOME's before the one on PATH;
    UnavailableError without a fit one.
    """
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    advice = (
        f"Apache Kafka needs Java {OLDEST_JAVA} or newer (Debian: apt-get install openjdk-17-jre-headless)"
    )
    if program is None:
        raise UnavailableError(f"no java found: {advice}")
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    number = re.search(r'version "(\d+)', told)
    if number is None or int(number[1]) < OLDEST_JAVA:
        raise UnavailableError(f"{program} is too old or does not run: {advice}\n{told}")
    return program


def jars() -> Path:
    """The folder of Kafka's jars, fetched with Maven the first time;
    UnavailableError where that fails.
    """
    folder = CACHE / f"kafka-{version()}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test runs at the same time fetch once
        if not folder.exists():
            part = CACHE / f"kafka-{version()}.part"
            shutil.rmtree(part, ignore_errors=True)
            _fetch(part)
            part.rename(folder)
    return folder


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("no mvn found: Maven fetches Apache Kafka (Debian: apt-get install maven)")
    command = [maven, "-B", "-q", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
    done = subprocess.run(
        [*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UnavailableError(f"Maven could not fetch Apache Kafka {version()}:\n{done.stdout[-2000:]}")


def java_command(heap: int) -> list[str]:
    """What runs a class of Kafka's with a heap of so many MB;
    UnavailableError where nothing can.
    """
    settings = [f"-Xmx{heap}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    settings.append(f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}")
    return [java(), *settings, "-cp", f"{jars()}/*"]


def format_storage(runner: Sequence[str], properties: Path, *options: str) -> None:
    """Prepare the data folder of a node;
    ``runner`` is a :func:`java_command`. RuntimeError where that fails.
    """
    command = [*runner, "kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID]
    command += ["--config", str(properties), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"Kafka could not format its data folder:\n{done.stdout}{done.stderr}")


def accepts(address: str) -> bool:
    """Whether something listens at host:port."""
    host, port = address.split(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


class KafkaServer:
    """A Kafka that answers at ``bootstrap``.

    Raises UnavailableError when the machine cannot run it, RuntimeError with its log
    when it does not start.
    """

    def __init__(self) -> None:
        runner = java_command(heap=512)
        self._home = Path(tempfile.mkdtemp(prefix="kafkatcl-kafka-"))
        broker, controller = free_ports(2)
        self.bootstrap = self.address = f"127.0.0.1:{broker}"
        properties = self._home / "server.properties"
        properties.write_text(
            (HERE / "server.properties").read_text()
            + f"listeners=PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{controller}\n"
            + f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n"
            + f"log.dirs={self._home / 'data'}\n"
        )
        self._server: Server | None = None
        try:
            format_storage(runner, properties, "--standalone")
            # Nobody will read its data, and to close the files of a thousand topics
            # takes it longer than 10 s.
            self._server = Server([*runner, "kafka.Kafka", str(properties)], self._home, grace=0)
            self._server.wait_until(self._answers, START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        if not accepts(self.bootstrap):
            return False
        with contextlib.suppress(KafkaException):
            client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            return bool(client.list_topics(timeout=1).brokers)
        return False

    def stop(self) -> None:
        """End Kafka and remove its data."""
        if self._server is not None:
            self._server.stop()  # before its folder goes
        shutil.rmtree(self._home, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens at."""
    # Below the range that the system hands to outgoing connections, which could take a
    # port until Kafka does.
    ports = (port for port in random.sample(range(20000, 32000), 1000) if _is_free(port))
    return [next(ports) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


if __name__ == "__main__":
    try:
        java()
        jars()
    except UnavailableError as reason:
        print(f"The tests on a real Kafka will be left out: {reason}", file=sys.stderr)
