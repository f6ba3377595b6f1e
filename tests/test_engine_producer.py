"""Producer handles and their topics, metadata, poll threads,
and waits that signals can end.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_engine import batch_of, engine, until
from fix_tcl import RunTcl

from kafkatcl.engine.poll_thread import PollThread
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.reports import DeliveryReport
from kafkatcl.engine.shared_topic import SharedTopic
from kafkatcl.engine.waiting import deadline_after, interruptibly, remaining
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.queues import SIGNAL

NOWHERE = "127.0.0.1:1"
MESSAGE_TIMED_OUT, UNKNOWN_PARTITION = -192, -190


def log_of(cluster: Cluster, topic: str, partition: int, count: int) -> list[tuple[bytes, bytes | None]]:
    """The first payloads and keys of a partition, read without our own code."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "log"})
    try:
        consumer.assign([TopicPartition(topic, partition, 0)])
        found = consumer.consume(count, 15)
        return [(message.value() or b"", message.key()) for message in found]
    finally:
        consumer.close()


# -- producing -------------------------------------------------------------------------


def test_produce_and_batch(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        target = running.producing_to(topic)
        target.produce(2, b"one", b"key")
        target.produce_batch(2, [batch_of(b"two", (b"three", b""))])
        target.produce_batch(2, [batch_of((b"", b"k"), (b"", b"")), batch_of(), batch_of(b"", b"six")])
        target.produce_batch(2, [])
        assert log_of(embedded_cluster, topic, 2, 7) == [
            (b"one", b"key"), (b"two", None), (b"three", b""), (b"", b"k"), (b"", b""), (b"", None), (b"six", None)
        ]  # fmt: skip


def test_what_is_refused_sends_nothing(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        target = running.producing_to(topic)
        target.handle.metadata()
        for partition in (-2, -(2**31), 2**31 - 1, 2**31, 2**63):
            with pytest.raises(Failure):
                target.produce(partition, b"x")
        with pytest.raises(Failure, match="Broker: Message size too large"):
            target.produce(0, bytes(2_000_000))
        assert target.handle.output_queue_length() == 0


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("quick", [False, True])
def test_an_early_message_to_an_unknown_partition_is_told_by_a_report(
    embedded_cluster: Cluster, quick: bool, before: int
) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.master.want("delivery", True)
        target = running.producing_to(topic)
        if quick:  # librdkafka knows the partitions before it looks at the message
            target.handle.client.list_topics(topic, 15)
        for _ in range(before):
            target.produce(0, b"good")
        target.produce(99, b"x")
        reports = before + 1
        assert until(lambda: target.handle.events.pending(target.handle, "m1.delivery") == reports)
        told = [argument for _, argument in target.handle.events.take(10)]
        failed = [report for report in told if report.code]
        assert failed == [DeliveryReport(b"x", 99, topic, code=UNKNOWN_PARTITION)]


def test_all_of_an_early_batch_to_an_unknown_partition_fail_alike(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.master.log_to("none")
        target = running.producing_to(topic)
        target.handle.client.list_topics(topic, 15)  # so librdkafka refuses what comes behind the first
        target.produce_batch(99, [batch_of(b"a", b"b", b"c")])
        assert until(lambda: target.handle.losses.total == 3)


@pytest.mark.parametrize("wanted", [set(), {"delivery"}])
def test_an_unknown_partition_is_refused_once_the_partitions_are_known(
    embedded_cluster: Cluster, wanted: set[str]
) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        for kind in wanted:
            running.master.want(kind, True)
        target = running.producing_to(topic)
        target.produce(0, b"first")
        target.handle.metadata(refresh=True)
        assert until(lambda: target.handle.output_queue_length() == len(wanted))
        with pytest.raises(Failure, match="Local: Unknown partition"):
            target.produce(99, b"x")
        with pytest.raises(Failure, match=r"Local: Unknown partition \(2 of 2 messages were not queued\)"):
            target.produce_batch(99, [batch_of(b"x"), batch_of(b"y")])


def test_a_batch_goes_on_after_a_refused_message(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        target = running.producing_to(topic)
        with pytest.raises(Failure) as failed:
            target.produce_batch(1, [batch_of(b"a", bytes(2_000_000)), batch_of(b"b")])
        assert failed.value.message.endswith("(1 of 3 messages were not queued)")
        assert failed.value.errorcode[:2] == ("KAFKA", "RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE")
        assert log_of(embedded_cluster, topic, 1, 2) == [(b"a", None), (b"b", None)]


def test_a_full_queue_refuses_exactly_what_does_not_fit() -> None:
    with engine(
        bootstrap_servers=NOWHERE, queue_buffering_max_messages="100", message_timeout_ms="500"
    ) as running:
        target = running.producing_to("t")
        with pytest.raises(
            Failure,
            match=r"Local: Queue full \(20 of 120 messages were not queued(; last error: .*)?\)",
        ):
            target.produce_batch(0, [batch_of(*[b"x"] * 50), batch_of(*[b"x"] * 60), batch_of(*[b"x"] * 10)])
        with pytest.raises(Failure) as failed:
            target.produce(0, b"x")
        assert failed.value.errorcode[1] == "RD_KAFKA_RESP_ERR__QUEUE_FULL"
        assert target.handle.output_queue_length() >= 100
        assert until(lambda: target.handle.output_queue_length() == 0)
        target.produce(0, b"x")


def test_a_full_queue_is_waited_for_as_long_as_is_set() -> None:
    with engine(
        bootstrap_servers=NOWHERE,
        queue_buffering_max_messages="10",
        message_timeout_ms="1000",
        max_block_ms="200",
    ) as running:
        target = running.producing_to("t")
        refusals: list[Callable[[], object]] = [
            lambda: target.produce_batch(0, [batch_of(*[b"x"] * 12)]),
            lambda: target.produce(0, b"x"),
        ]
        for refused in refusals:
            began = time.monotonic()
            with pytest.raises(Failure, match="Local: Queue full"):
                refused()
            assert 0.2 <= time.monotonic() - began < 0.9
        target.handle.master.configure("max.block.ms", "0")  # for handles to come
        began = time.monotonic()
        with pytest.raises(Failure, match="Local: Queue full"):
            target.produce(0, b"x")
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("wanted", [set(), {"delivery"}])
def test_more_than_the_queue_takes(embedded_cluster: Cluster, wanted: set[str]) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster, queue_buffering_max_messages="50", max_block_ms="15000") as running:
        for kind in wanted:
            running.master.want(kind, True)
        target = running.producing_to(topic)
        for number in range(1000):
            target.produce(0, b"%d" % number)
        target.produce_batch(0, [batch_of(*[b"%d" % number for number in range(1000, 2000)])])
        expected = [(b"%d" % number, None) for number in range(2000)]
        assert log_of(embedded_cluster, topic, 0, 2000) == expected


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "2147483648", "9" * 5000])
def test_bad_times_to_wait(value: str) -> None:
    with engine() as running, pytest.raises(Failure, match=r'property "max\.block\.ms": a number of ms'):
        running.master.configure("max.block.ms", value)


def test_an_empty_time_to_wait_is_the_default() -> None:
    with engine() as running:
        running.master.configure("max.block.ms", "5")
        running.master.configure("max.block.ms", "")
        assert running.master.max_block_ms == 0


def test_reports_are_events_and_count_until_they_are_told(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.master.want("delivery", True)
        target = running.producing_to(topic)
        for number in range(3):
            target.produce(0, b"%d" % number, b"k")
        assert until(
            lambda: running.events.pending(target.handle, target.handle.master.callback("delivery")) == 3
        )
        assert target.handle.output_queue_length() == 3
        assert running.events.take(9) == [
            ("m1.delivery", DeliveryReport(b"%d" % n, 0, topic, b"k", offset=n)) for n in range(3)
        ]
        assert target.handle.output_queue_length() == 3
        running.events.acknowledge({"m1.delivery": 1})
        assert target.handle.output_queue_length() == 1
        running.events.acknowledge({})
        assert target.handle.output_queue_length() == 0


def test_a_failed_report() -> None:
    with engine(bootstrap_servers=NOWHERE, message_timeout_ms="100") as running:
        running.master.want("delivery", True)
        target = running.producing_to("t")
        target.produce(0, b"x")
        assert until(
            lambda: running.events.pending(target.handle, target.handle.master.callback("delivery")) == 1
        )
        (event,) = running.events.take(9)
        report = event[1]
        assert report == DeliveryReport(b"x", 0, "t", code=MESSAGE_TIMED_OUT, reason=report.reason)


def test_nothing_is_told_about_a_deleted_producer(embedded_cluster: Cluster) -> None:
    with engine(embedded_cluster, linger_ms="50") as running:
        running.master.want("delivery", True)
        target = running.producing_to(embedded_cluster.topic())
        target.produce(0, b"x")
        target.handle.delete()
        assert not running.events.wait(300)
        with pytest.raises(Failure, match="was deleted"):
            target.produce(0, b"x")


def test_each_topic_has_its_configuration() -> None:
    with engine(bootstrap_servers=NOWHERE) as running:
        running.master.want("delivery", True)
        slow = running.producing_to("slow")
        slow.topic.configure("message.timeout.ms", "60000")
        handle = slow.handle
        quick = type(slow)(handle, handle.open_topic("quick"))
        quick.topic.configure("message.timeout.ms", "100")
        for topic in (slow, quick):
            topic.produce(0, topic.topic.name.encode())
        assert running.events.wait(10_000)
        assert until(lambda: handle.output_queue_length() == 2)  # one report, one message that waits
        assert len(running.events.take(9)) == 1
        with pytest.raises(Failure, match="topic 'slow' is in use"):
            slow.topic.configure("message.timeout.ms", "5")
        handle.client.purge()


def test_topics_of_one_name_are_one_topic() -> None:
    with engine() as running:
        handle = running.producer()
        first, second = handle.open_topic("t"), handle.open_topic("t")
        assert first is second
        handle.close_topic(first)
        assert handle.open_topic("t") is second
        for _ in range(2):
            handle.close_topic(second)
        assert handle.open_topic("t") is not second


# -- metadata --------------------------------------------------------------------------


def test_metadata(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        handle = running.producer()
        found = handle.metadata()
        assert found is handle.metadata()
        assert found is not handle.metadata(refresh=True)
        assert topic in found.topics()
        assert sorted(found.brokers()) == sorted(embedded_cluster.bootstrap)
        assert found.partitions(topic) == 4
        assert f"  topic {topic} with 4 partitions\n" in found.text()
        with pytest.raises(Failure, match=r"^kafka error: topic 'absent' not found$"):
            found.partitions("absent")
        assert "absent" not in handle.metadata(refresh=True).topics()


def test_metadata_without_brokers_fails_at_once() -> None:
    with engine() as running:
        began = time.monotonic()
        with pytest.raises(Failure) as failed:
            running.producer().metadata()
        assert time.monotonic() - began < 0.5
        assert failed.value.message == (
            "kafka error: Local: Broker transport failure (failed to acquire metadata)"
        )


def test_brokers_added_later_are_used(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine() as running:
        target = running.producing_to(topic)
        for bad in ([], [""], [","]):
            with pytest.raises(Failure):
                target.handle.add_brokers(bad)
        target.produce(0, b"early")
        target.handle.add_brokers(embedded_cluster.bootstrap)
        assert log_of(embedded_cluster, topic, 0, 1) == [(b"early", None)]


def test_the_embedded_broker_takes_the_place_of_brokers_and_security(run_tcl: RunTcl) -> None:
    done = run_tcl(
        """
        package require kafka
        kafka::kafka create m
        m config bootstrap.servers 127.0.0.1:1 security.protocol sasl_ssl sasl.mechanism PLAIN \
            sasl.username me sasl.password secret ssl.ca.location /nowhere/at/all
        m producer_creator p
        p add_brokers {127.0.0.1:2 elsewhere:9092}
        p new_topic pt t
        pt produce 0 hello
        m consumer_creator c
        c new_topic ct t
        ct start 0 beginning
        ct consume 0 10000 row
        puts $row(payload)
        puts [expr {[p info brokers] eq [c info brokers]}]
        puts [string match 127.0.0.1:* [p info brokers]]
        """,
        embedded=True,
    )
    assert (done.status, done.stdout) == (0, "hello\n1\n1\n")
    assert "secret" not in done.stderr


# -- poll threads ---------------------------------------------------------------------


@pytest.fixture
def poll_thread() -> Iterator[PollThread]:
    made = PollThread(lambda: False)
    yield made
    made.close()


def test_a_poll_thread_serves_when_it_is_woken(poll_thread: PollThread) -> None:
    served = threading.Event()

    def serve() -> bool:
        served.set()
        return False

    poll_thread._serve = serve
    poll_thread.start("test")
    for wake in (poll_thread.wake, lambda: os.write(poll_thread.descriptor, SIGNAL)):
        served.clear()
        began = time.monotonic()
        wake()
        assert served.wait(5)
        assert time.monotonic() - began < 0.5
    poll_thread.stop()


def test_a_poll_thread_goes_on_while_there_is_more(poll_thread: PollThread) -> None:
    rounds = iter(range(100))
    poll_thread._serve = lambda: next(rounds, None) is not None
    poll_thread.start("test")
    poll_thread.wake()
    assert until(lambda: next(rounds, None) is None, 0.9)
    poll_thread.stop()


def test_a_poll_thread_can_be_woken_without_end(poll_thread: PollThread) -> None:
    rounds = 0

    def serve() -> bool:
        nonlocal rounds
        rounds += 1
        return False

    poll_thread._serve = serve
    for _ in range(100_000):  # where it has a pipe, that holds less
        poll_thread.wake()
    poll_thread.start("test")
    assert until(lambda: rounds > 0)
    poll_thread.stop()
    assert rounds < 1000


def test_a_poll_thread_stops_from_its_own_thread(poll_thread: PollThread) -> None:
    def stop() -> bool:
        poll_thread.stop()
        return False

    poll_thread._serve = stop
    poll_thread.start("test")
    poll_thread.wake()
    assert until(lambda: not poll_thread._thread.is_alive())


def test_idle_handles_cost_nothing(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster, group_id="idle") as running:
        for _ in range(3):
            running.producing_to(topic).produce(0, b"x")
            running.consuming_from(topic).start(0, -2)
        assert until(lambda: all(handle.output_queue_length() == 0 for handle in running.handles))
        process = psutil.Process()
        began, before = time.monotonic(), process.cpu_times()
        running.events.wait(1000)
        used = process.cpu_times()
        share = (used.user + used.system - before.user - before.system) / (time.monotonic() - began)
        assert share < 0.2  # librdkafka's own fetches every 10 ms included


# -- waiting ---------------------------------------------------------------------------


def test_interruptibly_gives_the_value_or_the_error() -> None:
    assert interruptibly(lambda: 5) == 5
    with pytest.raises(KeyError, match="X"):
        interruptibly(lambda: os.environ["X"])


def test_a_signal_ends_the_wait() -> None:
    class AlarmError(Exception):
        pass

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise AlarmError

    blocked = threading.Event()
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        began = time.monotonic()
        with pytest.raises(AlarmError):
            interruptibly(lambda: blocked.wait(10))
        assert time.monotonic() - began < 2
    finally:
        blocked.set()
        signal.signal(signal.SIGALRM, before)


def test_deadlines() -> None:
    assert remaining(deadline_after(-1)) is None
    assert remaining(deadline_after(0)) == 0
    left = remaining(deadline_after(1000))
    assert left is not None
    assert 0.5 < left <= 1


def test_topics_are_deleted_while_their_handle_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failed.append(args.exc_value))
    with engine(bootstrap_servers=NOWHERE) as running:
        handle = running.producer()
        topics = [ProducerTopic(handle, handle.open_topic(f"t{number}")) for number in range(3)]

        def close(_topic: SharedTopic, _native: object) -> None:
            while topics:
                topics.pop().delete()

        monkeypatch.setattr(SharedTopic, "close", close)
        handle.delete()
        assert until(lambda: not topics)
    assert until(lambda: not [found for found in threading.enumerate() if "kafkatcl-close" in found.name])
    assert failed == []
