"""The cluster of three: what happens to its nodes is what a test has done to them,
and goes when the tests do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import ConfigResource
from fix_engine import until
from fix_kafka_nodes import NODES, in_step
from fix_kafka_three import ThreeNodes
from fix_pytest import inner_output

TESTS = Path(__file__).parent
SECONDS = 60


def produced(nodes: ThreeNodes, topic: str, *payloads: bytes) -> list[int | None]:
    """The offsets of messages in partition 0, which ``acks=all`` has waited for."""
    offsets: list[int | None] = []

    def reported(error: KafkaError | None, message: Message) -> None:
        assert error is None
        offsets.append(message.offset())

    producer = Producer({"bootstrap.servers": nodes.bootstrap_servers, "acks": "all", "log_level": 0})
    for payload in payloads:
        producer.produce(topic, payload, partition=0, on_delivery=reported)
    assert producer.flush(SECONDS) == 0
    return offsets


def contents(nodes: ThreeNodes, topic: str, isolation: str = "read_committed") -> list[bytes | None]:
    """The payloads of partition 0, up to its end."""
    settings = {"group.id": "look", "isolation.level": isolation, "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": nodes.bootstrap_servers, "log_level": 0, **settings})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[bytes | None] = []
    try:
        while True:
            message = consumer.poll(SECONDS)
            assert message is not None, found
            error = message.error()
            if error is None:
                found.append(message.value())
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                return found
    finally:
        consumer.close()


def test_a_topic_has_three_replicas_and_acks_all_waits_for_two(three_nodes: ThreeNodes) -> None:
    topic = three_nodes.topic()
    partitions = three_nodes.metadata(topic).partitions.values()
    assert {tuple(sorted(partition.replicas)) for partition in partitions} == {NODES}
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    settings = three_nodes.admin.describe_configs([resource])[resource].result(SECONDS)
    assert settings["min.insync.replicas"].value == "2"


def test_an_acknowledged_message_survives_the_kill_of_its_leader(three_nodes: ThreeNodes) -> None:
    topic = three_nodes.topic(partitions=1)
    assert produced(three_nodes, topic, b"before") == [0]
    leader = three_nodes.leader(topic)
    three_nodes.kill(leader)
    assert three_nodes.await_other_leader(leader, topic) != leader
    # A new leader gives what all in step have, and knows that once the other has asked.
    assert until(lambda: contents(three_nodes, topic) == [b"before"])
    assert produced(three_nodes, topic, b"after") == [1]
    three_nodes.start(leader)
    three_nodes.await_in_step()
    assert contents(three_nodes, topic) == [b"before", b"after"]


def test_a_paused_node_loses_its_leaderships_and_comes_back(three_nodes: ThreeNodes) -> None:
    topic = three_nodes.topic(partitions=1)
    leader = three_nodes.leader(topic)
    three_nodes.pause(leader)
    three_nodes.await_other_leader(leader, topic)
    assert produced(three_nodes, topic, b"meanwhile") == [0]
    three_nodes.resume(leader)
    three_nodes.await_in_step()
    assert contents(three_nodes, topic) == [b"meanwhile"]


def test_a_node_stops_clean_and_starts_again(three_nodes: ThreeNodes) -> None:
    topic = three_nodes.topic(partitions=1)
    leader = three_nodes.leader(topic)
    three_nodes.stop(leader)
    assert three_nodes.leader(topic) != leader  # handed over before it ended
    assert produced(three_nodes, topic, b"meanwhile") == [0]
    three_nodes.start(leader)
    three_nodes.await_in_step()
    assert contents(three_nodes, topic) == [b"meanwhile"]


def test_the_controller_can_be_killed(three_nodes: ThreeNodes) -> None:
    topic = three_nodes.topic(partitions=1)
    controller = three_nodes.controller()
    three_nodes.kill(controller)
    assert until(lambda: three_nodes.controller() != controller, SECONDS)
    assert produced(three_nodes, topic, b"meanwhile") == [0]
    # A new topic takes a controller, which clients may still take the killed one for.
    made: list[str] = []

    def is_made() -> bool:
        try:
            made.append(three_nodes.topic(partitions=1))
        except KafkaException:
            three_nodes.ask_anew()
        return bool(made)

    assert until(is_made, SECONDS)
    assert produced(three_nodes, made[0], b"new") == [0]


def test_transactions(three_nodes: ThreeNodes) -> None:
    topic = three_nodes.topic(partitions=1)
    producer = Producer(
        {
            "bootstrap.servers": three_nodes.bootstrap_servers,
            "transactional.id": f"of-{topic}",
            "log_level": 0,
        }
    )
    producer.init_transactions(SECONDS)
    for payload, end in ((b"kept", "commit"), (b"dropped", "abort"), (b"kept too", "commit")):
        producer.begin_transaction()
        producer.produce(topic, payload, partition=0)
        producer.flush(SECONDS)
        getattr(producer, f"{end}_transaction")(SECONDS)
    assert contents(three_nodes, topic) == [b"kept", b"kept too"]
    assert contents(three_nodes, topic, "read_uncommitted") == [b"kept", b"dropped", b"kept too"]
    partitions = three_nodes.metadata("__transaction_state").partitions.values()
    assert {len(partition.replicas) for partition in partitions} == {3}


def test_an_operation_that_fails_is_told(three_nodes: ThreeNodes) -> None:
    with pytest.raises(RuntimeError, match="KeyError: 4"):
        three_nodes.kill(4)


def test_without_java_the_reason_is_told_once(tmp_path: Path) -> None:
    code = """
    def test_needs_one(kafka_bootstrap):
        pass

    def test_needs_three(three_nodes):
        pass
    """
    output = inner_output(tmp_path, code, "-p", "fix_kafka", PATH=str(tmp_path), JAVA_HOME="")
    assert "2 skipped" in output
    assert output.count("did not run: no java found") == 1


def test_a_kafka_that_runs_does_not_stand_in_for_three_nodes(tmp_path: Path) -> None:
    """Nobody's own cluster is to be killed."""
    code = """
    def test_needs_three(three_nodes):
        pass
    """
    given = {"KAFKATCL_BOOTSTRAP": "here:1", "KAFKATCL_REQUIRE_KAFKA": "1"}
    output = inner_output(tmp_path, code, "-p", "fix_kafka", PATH=str(tmp_path), JAVA_HOME="", **given)
    assert "no java found" in output
    assert "1 error" in output


def test_the_next_gets_the_nodes_when_the_one_before_is_through_and_in_step(three_nodes: ThreeNodes) -> None:
    three_nodes.kill(1)
    three_nodes.pause(2)
    with ThreadPoolExecutor() as pool:
        # A worker of pytest-xdist connects to the same socket.
        following = pool.submit(ThreeNodes, three_nodes.control)
        assert not wait([following], 0.5).done
        three_nodes.leave()
        with following.result() as theirs:
            assert all(in_step(address) for address in theirs.bootstrap)
            assert theirs.bootstrap == three_nodes.bootstrap
            theirs.kill(1)  # to do what one is asked for ends with the turn


FAKE_JAVA = """#!/bin/sh
case "$*" in
    -version) echo 'openjdk version "17.0.1"' >&2 ;;
    *StorageTool*) ;;
    *) echo $$ > {folder}/$$.part; mv {folder}/$$.part {folder}/$$.pid; while :; do sleep 0.1; done ;;
esac
"""


@pytest.mark.usefixtures("kafka_bootstrap")  # jars are looked for, though nothing of them runs here
def test_the_nodes_end_when_the_tests_are_killed_also_the_paused_ones(tmp_path: Path) -> None:
    java, temporary = tmp_path / "bin" / "java", tmp_path / "temporary"
    java.parent.mkdir()
    temporary.mkdir()
    java.write_text(FAKE_JAVA.format(folder=tmp_path))
    java.chmod(0o755)
    environment = {**os.environ, "JAVA_HOME": str(tmp_path), "TMPDIR": str(temporary)}
    code = "from fix_kafka_nodes import KafkaNodes; KafkaNodes()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=TESTS, env=environment) as run:
        try:
            assert until(lambda: len(list(tmp_path.glob("*.pid"))) == len(NODES), SECONDS)
            nodes = [psutil.Process(int(file.stem)) for file in tmp_path.glob("*.pid")]
            assert list(temporary.glob("kafkatcl-three-*"))
            nodes[0].suspend()
        finally:
            run.kill()
    assert until(lambda: not any(map(lives, nodes)), SECONDS), nodes
    assert until(lambda: not list(temporary.glob("kafkatcl-three-*")), SECONDS)


def lives(process: psutil.Process) -> bool:
    """Whether it runs: one that has ended and nobody has waited for does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
