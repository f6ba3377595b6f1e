"""The engine's consumers: how much is held for a script that does not read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fix_cluster import Cluster
from fix_consumer import BEGINNING, END, WAIT, numbers, payloads
from fix_engine import engine, until

from kafkatcl.engine import fetching
from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.flow import HELD_BYTES, HELD_LIMIT
from kafkatcl.engine.messages import ErrorItem, Item, items
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.queue import Queue

PLENTY = 25_000


@pytest.fixture(scope="module")
def plenty(embedded_cluster: Cluster) -> str:
    """A topic with more messages in partition 0 than a handle holds,
    and 100 in partition 1.
    """
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.fill(topic, 0, PLENTY)
        running.fill(topic, 1, 100)
    return topic


def test_unread_messages_are_held_up_to_a_limit(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        topic.start(0, BEGINNING)
        buffer = topic.buffer(0)
        assert until(lambda: buffer.size >= HELD_LIMIT)
        assert not until(lambda: buffer.size > HELD_LIMIT + 500, 1.5)
        topic.start(1, BEGINNING)  # another partition is not starved
        assert payloads(topic.buffer(1), 100) == list(range(100))
        assert not until(lambda: buffer.size > HELD_LIMIT + 1000, 0.3)
        assert payloads(buffer, PLENTY) == list(range(PLENTY))


def test_unread_queues_are_held_up_to_a_limit(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        queue = Queue(topic.handle)
        topic.start_queue(0, BEGINNING, queue)
        assert until(lambda: queue.size >= HELD_LIMIT)
        topic.start(1, BEGINNING)
        assert payloads(topic.buffer(1), 100) == list(range(100))
        assert payloads(queue, PLENTY) == list(range(PLENTY))
        topic.stop(0)
        topic.start(0, PLENTY - 1)  # room was counted right: nothing is throttled now
        assert payloads(topic.buffer(0), 1) == [PLENTY - 1]


def test_a_reader_fetches_for_itself(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        topic.handle.poll_thread.stop()  # the poll thread fetches nothing
        topic.start(0, BEGINNING)
        buffer = topic.buffer(0)
        got: list[int] = []

        def read() -> bool:
            got.extend(numbers(buffer.batch(1000, 100).items))
            return len(got) >= 5000

        assert until(read)
        assert got == list(range(len(got)))


def test_a_reader_never_overtakes_the_owner_thread(
    embedded_cluster: Cluster, plenty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        reads = threading.Event()

        def slow(messages: Any, *how: Any) -> Iterator[Item]:
            if messages and threading.current_thread() is not threading.main_thread():
                reads.wait(WAIT / 1000)
            return items(messages, *how)

        monkeypatch.setattr(fetching, "items", slow)
        topic.start(0, BEGINNING)
        handle, buffer = topic.handle, topic.buffer(0)
        assert until(lambda: handle._routing)
        timer = threading.Timer(0.2, reads.set)
        timer.start()
        assert payloads(buffer, 2000) == list(range(2000))


def test_a_reader_does_not_hold_up_the_callbacks_of_its_handle(
    embedded_cluster: Cluster, plenty: str
) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        topic.start(0, BEGINNING)
        topic.start(1, BEGINNING, "listener")
        told: list[int] = []

        def read_and_listen() -> bool:
            # On a busy machine much of partition 0 may have come before the other.
            payloads(topic.buffer(0), max(1, min(topic.buffer(0).size, 100)))
            told.extend(numbers([item for _, item in running.events.take(500)]))
            return len(told) == 100

        assert until(read_and_listen)
        assert told == list(range(100))


def test_dropped_messages_make_room(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        for _ in range(3):
            topic.start(0, BEGINNING)
            assert until(lambda: topic.buffer(0).size >= HELD_LIMIT)
        topic.stop(0)
        topic.start(1, BEGINNING)
        assert until(lambda: topic.buffer(1).size == 100)


def test_a_callback_gets_everything_in_order(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        topic.start(0, BEGINNING, "callback")
        seen: list[int] = []
        while len(seen) < PLENTY:
            assert running.events.wait(WAIT)
            seen += numbers([run for _, run in running.events.take(500)])
        assert seen == list(range(PLENTY))


def test_a_subscriber_that_reads_nothing_stays_in_its_group(
    embedded_cluster: Cluster, plenty: str, group: str
) -> None:
    with engine(
        embedded_cluster,
        group_id=group,
        session_timeout_ms="1000",
        heartbeat_interval_ms="200",
        max_poll_interval_ms="1500",
    ) as running:
        subscriber = running.subscriber()
        subscriber.subscribe([TopicPartitionOffset(plenty)])
        assert until(lambda: subscriber.messages.size >= HELD_LIMIT)
        assert not until(lambda: subscriber.messages.size > HELD_LIMIT + 1000, 3)  # twice the interval
        found = subscriber.messages.batch(PLENTY + 100, WAIT).items
        assert [item for item in found if isinstance(item, ErrorItem)] == []
        assert numbers(found, 0) == list(range(PLENTY))


LARGE, EACH = 100 << 10, 40  # so that a partition has no more than the embedded broker keeps


@pytest.fixture(scope="module")
def large(embedded_cluster: Cluster) -> list[tuple[str, int]]:
    """Partitions with large messages, with more bytes together than a handle holds."""
    topics = [embedded_cluster.topic() for _ in range(2)]
    with engine(embedded_cluster) as running:
        for topic in topics:
            for partition in range(4):
                running.fill(topic, partition, EACH, payload=f"{{:<{LARGE}}}")
    found = [(topic, partition) for topic in topics for partition in range(4)]
    assert len(found) * EACH * LARGE > HELD_BYTES * 3 // 2
    return found


def assert_held(buffers: list[MessageBuffer]) -> None:
    """As many bytes as a handle holds come and stay,
    but for what one round of fetching adds.
    """

    def held() -> int:
        return sum(buffer.nbytes for buffer in buffers)

    assert until(lambda: held() >= HELD_BYTES)
    assert not until(lambda: held() > HELD_BYTES + (4 << 20) + LARGE, 1.5)
    assert sum(buffer.size for buffer in buffers) < HELD_LIMIT  # it was the bytes


def test_large_messages_are_held_up_to_a_number_of_bytes(
    embedded_cluster: Cluster, large: list[tuple[str, int]]
) -> None:
    with engine(embedded_cluster) as running:
        handle = running.consumer()
        topics = {name: running.consuming_from(name, handle) for name, _ in large}
        for name, partition in large:
            topics[name].start(partition, BEGINNING)
        buffers = [topics[name].buffer(partition) for name, partition in large]
        assert_held(buffers)
        for buffer in buffers:  # however little is held of one, no reader is starved
            assert payloads(buffer, EACH) == list(range(EACH))
        assert [(buffer.size, buffer.nbytes) for buffer in buffers] == [(0, 0)] * len(buffers)


def test_a_subscriber_holds_large_messages_up_to_a_number_of_bytes(
    embedded_cluster: Cluster, large: list[tuple[str, int]], group: str
) -> None:
    with engine(embedded_cluster, group_id=group, enable_auto_commit="false") as running:
        subscriber = running.subscriber()
        subscriber.assign([TopicPartitionOffset(name, partition, 0) for name, partition in large])
        assert_held([subscriber.messages])
        batch = subscriber.messages.batch(100, WAIT)
        assert batch.size == 100
        batch.end(100)  # the bytes are back, and none is lost
        found = subscriber.messages.batch(len(large) * EACH, WAIT).items
        for name, partition in large:
            assert numbers([item for item in found if item.topic_partition == (name, partition)]) == list(
                range(EACH)
            )


def test_a_reader_that_waits_does_not_let_large_messages_pile_up(
    embedded_cluster: Cluster, large: list[tuple[str, int]], hundred: str
) -> None:
    with engine(embedded_cluster) as running:
        handle = running.consumer()
        queue = Queue(handle)
        for name, partition in large:
            running.consuming_from(name, handle).start_queue(partition, BEGINNING, queue)
        waiting = running.consuming_from(hundred, handle)
        waiting.start(0, END)
        assert until(lambda: queue.nbytes >= HELD_BYTES)
        assert waiting.buffer(0).next(1500) is None
        assert queue.nbytes <= HELD_BYTES + (8 << 20) + LARGE
        assert len(payloads(queue, len(large) * EACH)) == len(large) * EACH  # what was paused goes on


def test_dropped_large_messages_make_room(embedded_cluster: Cluster, large: list[tuple[str, int]]) -> None:
    with engine(embedded_cluster) as running:
        handle = running.consumer()
        topics = {name: running.consuming_from(name, handle) for name, _ in large}
        for _ in range(3):
            for name, partition in large:
                topics[name].start(partition, BEGINNING)
            assert until(
                lambda: sum(topics[name].buffer(partition).nbytes for name, partition in large) >= HELD_BYTES
            )
