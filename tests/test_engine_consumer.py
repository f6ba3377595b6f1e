"""The engine's consumers: which messages go where."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from confluent_kafka import Consumer
from fix_cluster import Cluster
from fix_consumer import BEGINNING, STORED, WAIT, numbers, payloads
from fix_engine import engine

from kafkatcl.engine.buffer import BufferOwner
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.layouts import PLAIN
from kafkatcl.engine.messages import EndItem
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.errors import Failure


@pytest.mark.parametrize(
    ("offset", "first"),
    [(BEGINNING, 0), (0, 0), (42, 42), (-2000 - 3, 97), (-2000 - 1000, 0)],
)
def test_start_offsets(offset: int, first: int, embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        topic.start(1, offset)
        assert payloads(topic.buffer(1), 3) == [first, first + 1, first + 2]


def test_partitions_and_topics_do_not_mix(embedded_cluster: Cluster, hundred: str) -> None:
    other = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.fill(other, 0, 50, start=1000)
        topic = running.consuming_from(hundred)
        second = running.consuming_from(other, topic.handle)
        for partition in range(3):
            topic.start(partition, partition * 10)
        second.start(0, BEGINNING)
        for partition in (2, 0, 1):
            assert payloads(topic.buffer(partition), 20) == list(range(partition * 10, partition * 10 + 20))
        assert payloads(second.buffer(0), 50) == list(range(1000, 1050))


def test_queues_take_any_number_of_partitions(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        for partition in range(3):
            topic.start_queue(partition, BEGINNING, queue)
        topic.start(3, BEGINNING)
        found = queue.batch(300, WAIT).items
        for partition in range(3):
            assert numbers(found, partition) == list(range(100))
        assert payloads(topic.buffer(3), 100) == list(range(100))


def test_queues_of_others_are_refused(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        for queue in (Queue(running.consumer()), Queue(BufferOwner(running.events))):
            with pytest.raises(Failure, match="the queue belongs to another handle"):
                topic.start_queue(0, BEGINNING, queue)
        deleted = Queue(topic.handle)
        deleted.delete()
        with pytest.raises(Failure, match="the queue was deleted"):
            topic.start_queue(0, BEGINNING, deleted)
        assert not topic.handle.routes


def test_callbacks_get_events(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        topic.start(0, 98, "callback")
        events: list[Any] = []
        while sum(run.size for _, run in events) < 2:
            assert running.events.wait(WAIT)
            events += running.events.take(10)
        assert {(callback_id, run.topic_partition, run.layout) for callback_id, run in events} == {
            ("callback", (hundred, 0), PLAIN)
        }
        fields = [field for _, run in events for field in run.fields]
        assert (fields[0::3], fields[1::3]) == ([b"98", b"99"], [98, 99])
        assert running.rings > 0


def test_what_cannot_be_started(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        with pytest.raises(Failure, match="Local: Unknown partition"):
            topic.start(-1, 0)
        with pytest.raises(Failure, match="Local: Invalid argument or configuration"):
            topic.start(0, STORED)
        for partition in (2**31, 2**40):
            with pytest.raises(Failure):
                topic.start(partition, 0)
        for partition in (4, 2**31 - 1, -1):
            with pytest.raises(Failure, match="Local: Unknown partition"):
                topic.stop(partition)
            with pytest.raises(Failure, match="Local: Unknown partition"):
                topic.buffer(partition)
        assert topic.stop(3) == []
        assert topic.buffer(3).next(0) is None
        topic.start(3, 99)  # after all this it still works
        assert payloads(topic.buffer(3), 1) == [99]


def test_stop_tells_what_was_fetched(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        topic.start(0, 0, "first")
        assert topic.start(0, 0, "second") == [("first", hundred, 0)]
        topic.start(1, 0)
        assert topic.stop(0) == [("second", hundred, 0)]
        assert topic.delete() == [("", hundred, 1)]
        assert not topic.handle.routes


def test_a_topic_object_stops_only_what_it_started(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        twin = running.consuming_from(hundred, topic.handle)
        topic.start(0, 0)
        twin.start(1, 0)
        topic.delete()
        assert payloads(twin.buffer(1), 100) == list(range(100))


def test_the_end_of_a_partition(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster, enable_partition_eof="true") as running:
        topic = running.consuming_from(hundred)
        topic.start(0, 99)
        assert payloads(topic.buffer(0), 1) == [99]
        assert topic.buffer(0).next(WAIT) == EndItem(hundred, 0, 100)
        assert topic.buffer(0).next(50) is None


def test_delete_ends_a_wait(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        topic.start(0, 100)
        timer = threading.Timer(0.1, topic.handle.delete)
        timer.start()
        with pytest.raises(Failure, match="deleted"):
            topic.buffer(0).next(-1)
        timer.join()
        for call in (lambda: topic.start(0, 0), lambda: topic.stop(0), lambda: topic.buffer(0)):
            with pytest.raises(Failure, match="was deleted"):
                call()


@pytest.mark.parametrize("seed", range(2))
def test_restarts_never_mix_messages_of_an_earlier_start(
    seed: int, embedded_cluster: Cluster, hundred: str
) -> None:
    chance = random.Random(seed)
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        for _ in range(200):
            partition, first = chance.randrange(4), chance.randrange(90)
            into_queue = chance.random() < 0.3
            if into_queue:
                for fed in range(4):
                    topic.stop(fed)
                topic.start_queue(partition, first, queue)
            else:
                topic.start(partition, first)
            if chance.random() < 0.5:
                count = chance.randint(1, 10)
                buffer = queue if into_queue else topic.buffer(partition)
                assert payloads(buffer, count) == list(range(first, first + count)), f"seed {seed}"
            if chance.random() < 0.3:
                topic.stop(partition)


class Interposed:
    """A client whose first message takes its time on the way from librdkafka
    to the buffers.
    """

    def __init__(self, client: Consumer, topic: str) -> None:
        self._client = client
        self.on_its_way = threading.Event()
        self.go_on = threading.Event()
        self._answers = [[_Message(self, topic, number) for number in answer] for answer in ((7,), (50, 51))]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def consume(self, _count: int, _timeout: float) -> list[Any]:
        return self._answers.pop(0) if self._answers else []

    def held_up(self) -> None:
        self.on_its_way.set()
        assert self.go_on.wait(15)


class _Message:
    """As ``confluent_kafka`` gives them; asked for its payload it waits."""

    def __init__(self, client: Interposed, topic: str, number: int) -> None:
        self._client = client
        self._fields: dict[str, Any] = {
            "topic": topic,
            "partition": 0,
            "offset": number,
            "timestamp": (0, -1),
        }

    def value(self) -> bytes:
        self._client.held_up()  # in the poll thread
        return b"%d" % self._fields["offset"]

    def __getattr__(self, name: str) -> Any:
        return lambda: self._fields.get(name)


def interpose(handle: ConsumingHandle, topic: str) -> Interposed:
    """Let nothing but three messages of our own come to a handle
    that reads nothing yet: numbers 7, 50 and 51.
    """
    with handle.lock:
        handle.client = client = Interposed(handle.client, topic)
    return client


@pytest.mark.parametrize("into_queue", [False, True])
def test_what_is_on_its_way_when_a_partition_is_started_anew_is_forgotten(
    into_queue: bool, embedded_cluster: Cluster, hundred: str
) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        client = interpose(topic.handle, hundred)
        topic.start(0, 0)
        topic.handle.poll_thread.wake()
        assert client.on_its_way.wait(15)
        if into_queue:
            topic.start_queue(0, 50, queue)
        else:
            topic.start(0, 50)
        client.go_on.set()
        topic.handle.poll_thread.wake()
        assert payloads(queue if into_queue else topic.buffer(0), 2) == [50, 51]


def test_what_is_on_its_way_when_a_partition_is_stopped_is_forgotten(
    embedded_cluster: Cluster, hundred: str
) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        client = interpose(topic.handle, hundred)
        topic.start_queue(0, 0, queue)
        topic.handle.poll_thread.wake()
        assert client.on_its_way.wait(15)
        topic.stop(0)
        client.go_on.set()
        assert queue.next(200) is None


@pytest.mark.parametrize("leave", [False, True])
def test_what_is_on_its_way_when_a_subscriber_is_assigned_anew_is_forgotten(
    leave: bool, subscriber: Subscriber, hundred: str
) -> None:
    client = interpose(subscriber, hundred)
    subscriber.assign([TopicPartitionOffset(hundred, 0, 0)])
    subscriber.poll_thread.wake()
    assert client.on_its_way.wait(15)
    if leave:
        subscriber.unsubscribe()
    subscriber.assign([TopicPartitionOffset(hundred, 0, 50)])
    client.go_on.set()
    subscriber.poll_thread.wake()
    assert payloads(subscriber.messages, 2) == [50, 51]
