"""kafkatcl.Interp: what package kafka gives, and waiting for it."""

from __future__ import annotations

import time
from typing import Any, Callable

import pytest
from fix_cluster import Cluster
from fix_interp import ALL_BYTES

from kafkatcl.interp import Interp, Message


def test_the_package_is_there(interp: Interp) -> None:
    assert interp.eval("package require kafka") == "2.5"


def test_the_object_behind_a_kafka_command(interp: Interp) -> None:
    interp.eval("package require kafka; kafka::kafka create master")
    assert type(interp.object("master")).__name__ == "Master"
    with pytest.raises(LookupError, match='no Python object is behind the command "none"'):
        interp.object("none")
    with pytest.raises(LookupError, match='no Python object is behind the command "puts"'):
        interp.object("puts")


def in_mainloop(interp: Interp) -> None:
    interp.eval("trace add variable seen write {apply {args leave}}")
    interp.command("leave")(lambda *names: interp.quit())
    interp.mainloop()


def in_vwait(interp: Interp) -> None:
    assert interp.vwait("seen", 30)


def in_vwait_of_a_script(interp: Interp) -> None:
    interp.eval("vwait seen")


def in_update(interp: Interp) -> None:
    end = time.monotonic() + 30
    while "seen" not in interp and time.monotonic() < end:
        interp.update()


@pytest.mark.parametrize("wait", [in_mainloop, in_vwait, in_vwait_of_a_script, in_update])
def test_callbacks_of_kafka_arrive(
    interp: Interp, embedded_cluster: Cluster, wait: Callable[[Interp], None]
) -> None:
    """The handles are left open: close() ends them."""
    topic, payload = embedded_cluster.topic(), ALL_BYTES

    @interp.command
    def arrived(message: dict[str, str]) -> None:
        interp["seen"] = message["payload"]

    interp["brokers"], interp["topic"], interp["payload"] = embedded_cluster.bootstrap_servers, topic, payload
    interp.eval("""
        package require kafka
        kafka::kafka create kafka
        kafka config metadata.broker.list $brokers fetch.wait.max.ms 10
        kafka producer_creator producer
        kafka consumer_creator consumer
        producer new_topic out $topic
        consumer new_topic in $topic
        in consume_start 0 beginning arrived
        out produce 0 $payload
    """)
    assert type(interp.object("out")).__name__ == "ProducerTopic"
    wait(interp)
    assert interp.get("seen", bytes) == payload


def test_callbacks_get_messages_and_reports_with_their_bytes(
    interp: Interp, embedded_cluster: Cluster
) -> None:
    topic = embedded_cluster.topic()
    told: list[Any] = []

    @interp.command
    def arrived(message: Message) -> None:
        told.append(message)
        interp["arrived"] = 1

    @interp.command
    def reported(report: dict[str, bytes]) -> None:
        told.append(report)
        interp["reported"] = 1

    interp["brokers"], interp["topic"] = embedded_cluster.bootstrap_servers, topic
    interp.eval("""
        package require kafka
        kafka::kafka create kafka
        kafka config metadata.broker.list $brokers fetch.wait.max.ms 10
        kafka delivery_report callback reported
        kafka producer_creator producer
        producer new_topic out $topic
    """)
    interp.call("out", "produce", 0, ALL_BYTES, ALL_BYTES)
    assert interp.vwait("reported", 30)
    interp.eval("""
        kafka consumer_creator consumer
        consumer new_topic in $topic
        in consume_start 0 beginning arrived
    """)
    assert interp.vwait("arrived", 30)
    report, message = told
    assert report == {
        "payload": ALL_BYTES, "partition": b"0", "offset": b"0", "topic": topic.encode(), "key": ALL_BYTES
    }  # fmt: skip
    assert message == Message(topic, 0, 0, ALL_BYTES, ALL_BYTES, message.timestamp)
    assert message.timestamp > 0
