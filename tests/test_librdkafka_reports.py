"""Reports of messages that are sent without the wrapper: what is assumed of librdkafka,
of the wrapper, and of Python.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Producer
from fix_cluster import Cluster
from fix_mock import Mock

from kafkatcl.librdkafka.batches import BYTES_AT, address
from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.reporting import Delivery
from kafkatcl.librdkafka.sending import NO_HEADERS, Headers, MessageSender

SECONDS = 20
BIG = b"x" * 100_000


@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)), BIG])
def test_the_bytes_of_bytes_lie_at_one_place(data: bytes) -> None:
    assert id(data) + BYTES_AT == address(data)


def sender(producer: Producer, topic: str) -> tuple[NativeClient, MessageSender]:
    native = NativeClient(producer)
    return native, native.message_sender(native.open_topic(topic))


def poll_until(producer: Producer, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        producer.poll(0.05)


def test_a_report_tells_all_of_its_message(embedded_cluster: Cluster) -> None:
    producer = Producer({"bootstrap.servers": embedded_cluster.bootstrap_servers, "linger.ms": 100})
    native, messages = sender(producer, embedded_cluster.topic())
    told: list[tuple[int, Delivery]] = []
    native.reports.take_failures(lambda *_: None, lambda *report: told.append(report))
    native.reports.want_all(True)
    headers = Headers((b"a\0", b"a\0"), (b"1", None))
    assert messages.send((1, BIG, b"", 5, headers, None), 7) == 0
    assert messages.send((1, None, None, 0, NO_HEADERS, None), 9) == 0
    poll_until(producer, lambda: len(told) == 2)
    (first, big), (second, tombstone) = told
    assert (first, second) == (7, 9)
    assert (big.code, big.partition, big.offset, big.payload, big.key, big.status) == (
        0,
        1,
        0,
        BIG,
        b"",
        "persisted",
    )
    assert (tombstone.payload, tombstone.key, tombstone.offset) == (None, None, 1)
    assert 100_000 <= big.latency < SECONDS * 1_000_000
    producer.close()


@pytest.mark.parametrize("wanted", [True, False])
def test_what_is_delivered_is_told_where_it_is_wanted(embedded_cluster: Cluster, wanted: bool) -> None:
    producer = Producer({"bootstrap.servers": embedded_cluster.bootstrap_servers})
    native, messages = sender(producer, embedded_cluster.topic())
    told: list[int] = []
    native.reports.take_failures(lambda *_: None, lambda number, _: told.append(number))
    native.reports.want_all(wanted)
    for number in range(1, 21, 2):
        assert messages.send((0, b"x", None, 0, NO_HEADERS, None), number) == 0
    producer.flush(SECONDS)
    assert told == (list(range(1, 21, 2)) if wanted else [])
    producer.close()


def test_the_wrapper_gets_the_reports_of_its_own_messages(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    told: list[object] = []
    producer = Producer(
        {
            "bootstrap.servers": embedded_cluster.bootstrap_servers,
            "on_delivery": lambda error, message: told.append((error, message.value())),
        }
    )
    native, messages = sender(producer, topic)
    producer.produce(topic, b"before", partition=0)
    native.reports.take_own(lambda number, delivery: told.append((number, delivery.payload)))
    for number in range(100):
        producer.produce(topic, b"theirs%d" % number, partition=0)
        assert messages.send((0, b"ours%d" % number, None, 0, NO_HEADERS, None), 2 * number + 1) == 0
    producer.produce(
        topic, b"other", partition=0, on_delivery=lambda _, message: told.append(message.value())
    )
    producer.flush(SECONDS)
    assert told == [
        (None, b"before"),
        *(
            report
            for number in range(100)
            for report in ((None, b"theirs%d" % number), (2 * number + 1, b"ours%d" % number))
        ),
        b"other",
    ]
    producer.close()


def test_a_message_that_was_sent_may_have_arrived(mock: Mock) -> None:
    producer = Producer({"bootstrap.servers": ",".join(mock.bootstrap)})
    native, messages = sender(producer, "slow")
    told: list[Delivery] = []
    native.reports.take_failures(lambda *_: None, lambda _, delivery: told.append(delivery))
    native.reports.want_all(True)
    messages.send((0, b"first", None, 0, NO_HEADERS, None), 1)
    producer.flush(SECONDS)
    mock.delay(3000)
    messages.send((0, b"late", None, 0, NO_HEADERS, None), 3)
    producer.flush(0.5)
    producer.purge()
    poll_until(producer, lambda: len(told) == 2)
    assert [delivery.status for delivery in told] == ["persisted", "possibly"]
    producer.close()
