"""The ctypes view of librdkafka: configurations, error names,
and the live handles of confluent-kafka's clients.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import time
from collections.abc import Iterator
from typing import Any

import confluent_kafka
import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from fix_cluster import Cluster

from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.conf import GlobalConf, PropertyError, TopicConf, is_topic_property
from kafkatcl.librdkafka.errors import error_name, error_text
from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.logs import LogLine, LogQueue
from kafkatcl.librdkafka.properties import allowed
from kafkatcl.librdkafka.version import version

NOWHERE = "127.0.0.1:1"


# -- configurations --------------------------------------------------------------------


def pairs(conf: GlobalConf | TopicConf) -> dict[str, str]:
    flat = conf.dump()
    assert len(flat) % 2 == 0
    return dict(zip(flat[::2], flat[1::2]))


def test_a_setting_shows_in_the_dump_under_its_canonical_name() -> None:
    conf = GlobalConf()
    conf.set("bootstrap.servers", "a:1,b:2")
    conf.set("client.id", "me")
    assert pairs(conf)["metadata.broker.list"] == conf.get("metadata.broker.list") == "a:1,b:2"
    assert conf.get("client.id") == "me"
    assert conf.get("sasl.username") is None
    assert conf.settings == {"bootstrap.servers": "a:1,b:2", "client.id": "me"}


def test_blanks_in_front_of_a_value_are_left_out_as_the_library_does() -> None:
    conf = GlobalConf()
    for blanks in ("", " ", "\t\n\v\f\r "):
        for value in ("", "name "):
            conf.set("group.id", blanks + value)
            settings = {"group.id": value} if value else {}
            assert (conf.get("group.id") or "", conf.settings) == (value, settings)


def test_a_setting_made_again_is_the_last_one() -> None:
    conf = GlobalConf()
    for name, value in (("client.id", "a"), ("linger.ms", "7"), ("client.id", "b")):
        conf.set(name, value)
    assert list(conf.settings.items()) == [("linger.ms", "7"), ("client.id", "b")]


def test_a_copy_is_one_of_its_own() -> None:
    original = TopicConf()
    original.set("acks", "1")
    copy = original.copy()
    copy.set("acks", "0")
    copy.set("message.timeout.ms", "5")
    assert (original.get("request.required.acks"), original.settings) == ("1", {"acks": "1"})
    assert copy.get("request.required.acks") == "0"


@pytest.mark.parametrize(
    ("conf", "name", "value", "text"),
    [
        (GlobalConf, "no.such", "1", 'No such configuration property: "no.such"'),
        (GlobalConf, "batch.size", "abc", 'Invalid value for configuration property "batch.size"'),
        (GlobalConf, "debug", "x", 'Invalid value "x" for configuration property "debug"'),
        (
            GlobalConf,
            "enable.idempotence",
            "maybe",
            'Expected bool value for "enable.idempotence": true or false',
        ),
        (
            GlobalConf,
            "session.timeout.ms",
            "-1",
            'Configuration property "session.timeout.ms" value -1 is outside allowed range 1..3600000',
        ),
        (GlobalConf, "log_cb", "x", 'Property "log_cb" must be set through dedicated .._set_..() function'),
        (TopicConf, "linger.ms", "5", 'No such configuration property: "linger.ms"'),
        (GlobalConf, "client\0id", "x", "the name of a configuration property cannot hold a NUL character"),
        (GlobalConf, "client.id", "\0", "the value of a configuration property cannot hold a NUL character"),
        (
            GlobalConf,
            "client.id",
            "\ud800",
            "the value of a configuration property cannot hold half of a character",
        ),
        (GlobalConf, "\udced", "x", "the name of a configuration property cannot hold half of a character"),
    ],
)
def test_what_is_refused(conf: type[GlobalConf | TopicConf], name: str, value: str, text: str) -> None:
    refusing = conf()
    pairs_before = pairs(refusing)
    with pytest.raises(PropertyError) as refused:
        refusing.set(name, value)
    assert str(refused.value) == text
    assert refusing.settings == {}
    assert pairs(refusing).items() >= pairs_before.items()


@pytest.mark.parametrize(
    ("name", "of_topics"),
    [
        ("acks", True),
        ("request.required.acks", True),
        ("auto.offset.reset", True),
        ("compression.codec", False),
        ("compression.type", False),
        ("linger.ms", False),
        ("no.such", False),
        ("", False),
    ],
)
def test_topic_properties(name: str, of_topics: bool) -> None:
    assert is_topic_property(name) is of_topics


def test_long_values_that_are_not_ascii() -> None:
    conf = GlobalConf()
    conf.set("client.id", "é" * 100_000)
    assert conf.get("client.id") == "é" * 100_000


# -- errors ----------------------------------------------------------------------------


class _Description(ctypes.Structure):
    _fields_ = (("code", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char_p))


def descriptions() -> Iterator[Any]:
    """librdkafka's own table of its errors."""
    table, size = ctypes.POINTER(_Description)(), ctypes.c_size_t()
    function("rd_kafka_get_err_descs", None, [ctypes.c_void_p, ctypes.c_void_p])(
        ctypes.byref(table), ctypes.byref(size)
    )
    return (table[index] for index in range(size.value) if table[index].name)


def test_every_error_has_its_name_and_text() -> None:
    originals = {14, 15, 16}
    found = {entry.code: entry for entry in descriptions()}
    assert len(found) > 150
    for code, entry in found.items():
        if code not in originals and entry.text:
            assert error_name(code) == f"RD_KAFKA_RESP_ERR_{entry.name.decode()}"
            assert error_text(code) == entry.text.decode()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (-185, "_TIMED_OUT"),
        (3, "UNKNOWN_TOPIC_OR_PART"),
        (14, "GROUP_LOAD_IN_PROGRESS"),
        (15, "GROUP_COORDINATOR_NOT_AVAILABLE"),
        (16, "NOT_COORDINATOR_FOR_GROUP"),
    ],
)
def test_names_that_scripts_test_for(code: int, name: str) -> None:
    assert error_name(code) == f"RD_KAFKA_RESP_ERR_{name}"


def test_the_library_is_the_one_confluent_kafka_uses() -> None:
    assert version() == confluent_kafka.libversion()[0]
    with open("/proc/self/maps") as maps:
        libraries = {line.split()[-1] for line in maps if "librdkafka" in line}
    assert len(libraries) == 1


# -- live handles ----------------------------------------------------------------------


@contextlib.contextmanager
def producing(**settings: Any) -> Iterator[tuple[Producer, NativeClient]]:
    producer = Producer(
        {"log_level": 0, **{name.replace("_", "."): value for name, value in settings.items()}}
    )
    native = NativeClient(producer)
    try:
        yield producer, native
    finally:
        native.release()
        producer.purge()
        producer.close()


@contextlib.contextmanager
def consuming(**settings: Any) -> Iterator[tuple[Consumer, NativeClient]]:
    named = {name.replace("_", "."): value for name, value in settings.items()}
    consumer = Consumer({"log_level": 0, "group.id": "g", **named})
    native = NativeClient(consumer)
    try:
        yield consumer, native
    finally:
        native.release()
        consumer.close()


@contextlib.contextmanager
def signal_pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def test_the_pointer_is_that_of_the_client() -> None:
    with producing(client_id="one") as (_, one), consuming(client_id="two") as (_, two):
        assert one.name().startswith("one#producer-")
        assert two.name().startswith("two#consumer-")


def test_brokers_can_be_added_to_a_live_client(embedded_cluster: Cluster) -> None:
    with producing() as (producer, native):
        assert native.add_brokers("") == 0
        assert native.add_brokers(embedded_cluster.bootstrap_servers) == len(embedded_cluster.bootstrap)
        assert producer.list_topics(timeout=10).brokers


def test_the_output_queue_counts_messages() -> None:
    with producing() as (producer, native):
        assert native.output_queue_length() == 0
        for _ in range(3):
            producer.produce("t", b"x")
        assert native.output_queue_length() == 3


@contextlib.contextmanager
def log_queue(native: NativeClient) -> Iterator[tuple[LogQueue, int]]:
    """The queue of the log lines of a client,
    and what becomes readable when some come.
    """
    with signal_pipe() as (reader, writer):
        queue = native.divert_logs(writer)
        yield queue, reader
        queue.close()


def await_line(queue: LogQueue, reader: int, wanted: str) -> LogLine:
    """The first log line with ``wanted``, told by signals alone."""
    end = time.monotonic() + 10
    while (left := end - time.monotonic()) > 0:
        readable, _, _ = select.select([reader], [], [], left)
        if readable:
            os.read(reader, 4096)
        for line in queue.lines(100):
            if wanted in line.message:
                return line
    raise AssertionError(f"no log line with {wanted}")


def test_log_lines_with_level_and_facility() -> None:
    with (
        producing(log_queue="true", bootstrap_servers=NOWHERE) as (_, native),
        log_queue(native) as (queue, reader),
    ):
        native.set_log_level(6)
        line = await_line(queue, reader, "Connect to ipv4#127.0.0.1:1 failed")
        assert (line.level, line.facility) == (3, "FAIL")
        native.set_log_level(7)
        native.add_brokers("127.0.0.1:2")
        assert await_line(queue, reader, "127.0.0.1:2").level <= 7


def test_log_level_silences() -> None:
    with producing(log_queue="true", bootstrap_servers=NOWHERE) as (_, native):
        native.set_log_level(0)
        with log_queue(native) as (queue, reader):
            list(queue.lines(100))  # from before
            select.select([reader], [], [], 0.5)
            assert list(queue.lines(100)) == []


def test_the_oldest_log_lines_can_be_taken_alone() -> None:
    with (
        producing(log_queue="true", debug="generic") as (_, native),
        log_queue(native) as (queue, reader),
    ):
        native.set_log_level(7)
        native.add_brokers("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3")
        assert select.select([reader], [], [], 10)[0]
        end = time.monotonic() + 10
        while len(queue) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        assert len(list(queue.surplus(2))) >= 1
        assert len(queue) >= 2


def test_what_an_enumeration_allows() -> None:
    assert allowed("security.protocol") == ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
    assert allowed("auto.offset.reset")[:2] == ("smallest", "earliest")
    assert allowed("client.id") == allowed("no.such.property") == ()


def test_each_topic_of_a_producer_has_its_own_configuration() -> None:
    quick, slow = TopicConf(), TopicConf()
    quick.set("message.timeout.ms", "100")
    slow.set("message.timeout.ms", "60000")
    failed: list[str] = []
    settings = {"bootstrap.servers": NOWHERE, "log_level": 0}
    producer = Producer({**settings, "on_delivery": lambda error, message: failed.append(message.topic())})
    native = NativeClient(producer)
    topics = [native.open_topic("slow", slow), native.open_topic("quick", quick)]
    for topic in ("slow", "quick"):
        producer.produce(topic, b"x")
    end = time.monotonic() + 10
    while not failed and time.monotonic() < end:
        producer.poll(0.1)
    assert failed == ["quick"]
    for topic in topics:
        native.close_topic(topic)
    producer.purge()
    native.release()
    producer.close()


def test_how_many_partitions_a_topic_has(cluster: Cluster) -> None:
    with producing(bootstrap_servers=cluster.bootstrap_servers) as (_, native):
        topic = native.open_topic(cluster.topic(4))
        assert native.partition_count(topic, 10_000) == 4
        native.close_topic(topic)
    with producing(bootstrap_servers=NOWHERE) as (_, native):
        topic = native.open_topic("t")
        assert native.partition_count(topic, 10) == 0
        native.close_topic(topic)


def test_each_topic_of_a_consumer_has_its_own_configuration(embedded_cluster: Cluster) -> None:
    first, last = embedded_cluster.topic(), embedded_cluster.topic()
    with producing(bootstrap_servers=embedded_cluster.bootstrap_servers) as (producer, _):
        for topic in (first, last):
            producer.produce(topic, b"old", partition=0)
        assert producer.flush(10) == 0
    with consuming(bootstrap_servers=embedded_cluster.bootstrap_servers) as (consumer, native):
        topics = []
        for topic, reset in ((first, "earliest"), (last, "latest")):
            conf = TopicConf()
            conf.set("auto.offset.reset", reset)
            topics.append(native.open_topic(topic, conf))
        consumer.assign([TopicPartition(last, 0, 999), TopicPartition(first, 0, 999)])
        message = consumer.poll(10)
        assert message
        assert (message.topic(), message.value()) == (first, b"old")
        assert consumer.poll(0.7) is None
        for opened in topics:
            native.close_topic(opened)


def test_a_topic_that_is_refused_says_why() -> None:
    conf = TopicConf()
    conf.set("message.timeout.ms", "5")
    with producing(linger_ms="1000") as (_, native), pytest.raises(ValueError, match="-186"):
        native.open_topic("t", conf)  # the timeout must be more than linger.ms
    with producing() as (_, native), pytest.raises(ValueError, match="-186"):
        native.open_topic("t" * 600, TopicConf())
    assert error_text(-186) == "Local: Invalid argument or configuration"


def test_signals_come_when_there_is_something_to_poll(embedded_cluster: Cluster) -> None:
    reported: list[Any] = []
    settings = {"bootstrap.servers": embedded_cluster.bootstrap_servers, "log_level": 0}
    producer = Producer({**settings, "on_delivery": lambda error, message: reported.append(error)})
    native = NativeClient(producer)
    with signal_pipe() as (reader, writer):
        native.signal_events(writer, consumer=False)
        producer.produce(embedded_cluster.topic(), b"x")
        assert reported == []
        assert select.select([reader], [], [], 10)[0]
        producer.poll(0)
        assert reported == [None]
        native.release()
        producer.close()


def test_librdkafka_answers_rebalances_behind_release(embedded_cluster: Cluster) -> None:
    topic, told = embedded_cluster.topic(), []
    with consuming(bootstrap_servers=embedded_cluster.bootstrap_servers, group_id=topic) as (consumer, _):
        consumer.subscribe(
            [topic], on_assign=lambda *_: told.append("assigned"), on_revoke=lambda *_: told.append("revoked")
        )
        deadline = time.monotonic() + 20
        while not told and time.monotonic() < deadline:
            consumer.poll(0.05)
    assert told == ["assigned"]


def test_release_and_close_leave_nothing(embedded_cluster: Cluster) -> None:
    process = psutil.Process()
    topic = embedded_cluster.topic()

    def cycle(opening: Any, consumer: bool) -> None:
        conf = TopicConf()
        with (
            signal_pipe() as (_, writer),
            opening(bootstrap_servers=embedded_cluster.bootstrap_servers, log_queue="true") as (
                _client,
                native,
            ),
            log_queue(native),
        ):
            native.signal_events(writer, consumer=consumer)
            opened = native.open_topic(topic, conf)
            native.close_topic(opened)

    for opening, consumer in ((producing, False), (consuming, True)):
        cycle(opening, consumer)
        before = (process.num_threads(), process.num_fds())
        for _ in range(50):
            cycle(opening, consumer)
        # One socket is opened at some moment, and stays: not one for each client.
        assert process.num_threads() <= before[0]
        assert process.num_fds() <= before[1] + 1


@pytest.mark.parametrize(
    ("conf", "name", "value"),
    [
        (TopicConf, "acks", "1099511627776"),
        (TopicConf, "acks", "9" * 5000),
        (TopicConf, "message.timeout.ms", "99999999999"),
        (TopicConf, "message.timeout.ms", "1.5"),
        (GlobalConf, "message.max.bytes", "4294972296"),
    ],
)
def test_a_number_that_would_come_out_as_another_is_refused(conf: Any, name: str, value: str) -> None:
    made = conf()
    before = made.dump()
    with pytest.raises(PropertyError, match=f'Invalid value "{value}" for configuration property "{name}"'):
        made.set(name, value)
    assert (made.dump(), made.settings) == (before, {})


@pytest.mark.parametrize(("name", "value"), [("client.id", "99999999999"), ("linger.ms", "0.5")])
def test_such_numbers_are_fine_where_they_are_kept(name: str, value: str) -> None:
    made = GlobalConf()
    made.set(name, value)
    assert value in made.dump()


def test_a_refused_property_leaves_no_trace() -> None:
    made = GlobalConf()
    before = made.dump()
    with pytest.raises(PropertyError):
        made.set("no.such.property", "1")
    assert made.dump() == before


@pytest.mark.parametrize("code", [9999, -9999, 2**31 - 1])
def test_a_number_that_is_no_error_code(code: int) -> None:
    assert error_name(code) == "RD_KAFKA_UNRECOGNIZED_ERROR"
