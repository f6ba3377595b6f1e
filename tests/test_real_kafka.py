"""The clusters that the tests run on:
a real Kafka, once, and gone when the tests are.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from fix_cluster import Cluster
from fix_process import Server
from fix_pytest import inner_output, inner_pytest

TESTS = Path(__file__).parent
PLUGIN = ("-p", "fix_kafka")


def test_a_message_comes_back(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers})
    producer.produce(topic, b"payload", b"key", partition=3)
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": topic})
    consumer.assign([TopicPartition(topic, 3, 0)])
    message = consumer.poll(20)
    consumer.close()
    assert message
    assert (message.value(), message.key(), message.offset()) == (b"payload", b"key", 0)


def test_a_topic_is_made_on_first_use(cluster: Cluster) -> None:
    """As scripts expect that produce to topics nobody made."""
    topic = f"{cluster.topic()}-unmade"
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers})
    producer.produce(topic, b"payload")
    assert producer.flush(20) == 0
    assert len(cluster.admin.list_topics(topic, timeout=20).topics[topic].partitions) == 4


def test_topics_are_new_each_time(cluster: Cluster) -> None:
    assert cluster.topic() != cluster.topic()


def test_a_topic_has_the_partitions_asked_for(kafka_cluster: Cluster) -> None:
    topic = kafka_cluster.topic(partitions=7)
    assert len(kafka_cluster.admin.list_topics(topic, timeout=20).topics[topic].partitions) == 7


def test_the_embedded_broker_cannot_choose_partitions(embedded_cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="4 partitions"):
        embedded_cluster.topic(partitions=7)


#: In the place of Java, for what is told of any server that Java runs: the embedded
#: broker is there in no time.
JAVA = f"""#!/bin/sh
for last; do :; done
case "$*" in
    *-version*) echo 'openjdk version "17"' >&2 ;;
    *StorageTool*) ;;
    *) exec {sys.executable} -m kafkatcl broker \\
        --port $(sed -n 's/^listeners=PLAINTEXT:.*:\\([0-9]*\\),.*/\\1/p' "$last") ;;
esac
"""


@pytest.mark.usefixtures("kafka_bootstrap")  # where Kafka is, its jars are
def test_the_workers_share_one_kafka_that_dies_with_them(tmp_path: Path) -> None:
    """Two pytest-xdist workers get the same Kafka; killing pytest hard ends it."""
    code = """
    import os, pathlib, time

    def test_waits(kafka_bootstrap):
        worker = os.environ["PYTEST_XDIST_WORKER"]
        part = pathlib.Path(worker + ".part")
        part.write_text(kafka_bootstrap)
        part.rename(worker)
        time.sleep(100)
    """
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(JAVA)
    java.chmod(0o755)
    with tempfile.TemporaryDirectory() as temporary:
        options = [*PLUGIN, "--dist=each", "--tx=2*popen"]
        environment = {"TMPDIR": temporary, "JAVA_HOME": str(tmp_path)}
        with inner_pytest(tmp_path, code, *options, **environment) as run:
            try:
                workers = [tmp_path / "gw0", tmp_path / "gw1"]
                _wait(lambda: run.poll() is not None or all(worker.exists() for worker in workers), 100)
                first, second = (worker.read_text() for worker in workers)
                assert first == second
                assert _listens(first)
                assert list(Path(temporary).glob("kafkatcl-kafka-*"))
            finally:
                run.kill()
        _wait(lambda: not _listens(first) and not list(Path(temporary).glob("kafkatcl-kafka-*")), 30)


NEEDS_KAFKA = """
def test_needs_it(kafka_bootstrap):
    pass

def test_needs_it_too(kafka_bootstrap):
    pass
"""


def test_without_java_the_reason_is_told_once(tmp_path: Path) -> None:
    output = inner_output(tmp_path, NEEDS_KAFKA, *PLUGIN, PATH=str(tmp_path), JAVA_HOME="")
    assert "2 skipped" in output
    assert output.count("did not run: no java found: Apache Kafka needs Java 17 or newer") == 1


@pytest.mark.parametrize("setting", [{"CI": "true"}, {"KAFKATCL_REQUIRE_KAFKA": "1"}])
def test_without_java_a_required_kafka_is_an_error(tmp_path: Path, setting: dict[str, str]) -> None:
    output = inner_output(tmp_path, NEEDS_KAFKA, *PLUGIN, PATH=str(tmp_path), JAVA_HOME="", **setting)
    assert "2 errors" in output


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("""#!/bin/sh\necho 'openjdk version "11.0.2" 2019-01-15' >&2\n""")
    java.chmod(0o755)
    output = inner_output(tmp_path, NEEDS_KAFKA, *PLUGIN, PATH=str(tmp_path), JAVA_HOME="")
    assert f"{java} is too old" in output


def test_a_running_kafka_can_be_named(tmp_path: Path) -> None:
    code = """
    def test_it(kafka_bootstrap):
        assert kafka_bootstrap == "here:1,there:2"
    """
    assert "1 passed" in inner_output(tmp_path, code, *PLUGIN, KAFKATCL_BOOTSTRAP="here:1,there:2")


def test_runs_without_kafka_leave_its_tests_out(tmp_path: Path) -> None:
    code = """
    def test_on_both(cluster):
        assert cluster.kind == "embedded"

    def test_on_kafka(kafka_cluster):
        assert False
    """
    output = inner_output(tmp_path, code, *PLUGIN, "-p", "fix_cluster", "-m", "not kafka")
    assert "1 passed, 2 deselected" in output


def test_a_server_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    server = Server([sys.executable, "-c", "import sys; sys.exit('no room')"], tmp_path)
    with pytest.raises(RuntimeError, match=r"ended with status 1:\nno room"):
        server.wait_until(lambda: False, 20)
    server.stop()


def test_a_server_is_ended_with_its_children_and_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    child = folder / "child"
    server = Server(
        ["sh", "-c", f"sleep 100 & echo $! > {child}.part; mv {child}.part {child}; wait"], folder
    )
    server.wait_until(child.exists, 20)
    pid = int(child.read_text())
    server.stop()
    _wait(lambda: not psutil.pid_exists(pid), 20)
    assert not folder.exists()


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; touch {tmp_path}/ready; while :; do sleep 0.1; done"
    code = f"import fix_process; print(fix_process.guard('none', ['sh', '-c', {stubborn!r}], grace=0.5))"
    guard = [sys.executable, "-c", code]
    with subprocess.Popen(guard, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        _wait((tmp_path / "ready").exists, 20)
        assert run.communicate(timeout=20)[0] == f"{-signal.SIGKILL}\n"


def _listens(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
