"""Consumer handles and subscribers: routing, restarts, positions and commits, and how much is held ahead."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, TopicPartition
from fix_cluster import Cluster
from fix_engine import engine, until

from kafkatcl.engine import fetching
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.consumer import Queue
from kafkatcl.engine.errors import Failure
from kafkatcl.engine.fetching import Fetcher
from kafkatcl.engine.flow import HELD_BYTES, HELD_LIMIT
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run, items
from kafkatcl.engine.subscriber import Position, Subscriber

BEGINNING, END, STORED = -2, -1, -1000
WAIT = 15_000


@pytest.fixture(scope="module")
def hundred(embedded_cluster: Cluster) -> str:
    """A topic with messages 0 to 99 in each of its partitions."""
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        for partition in range(4):
            running.fill(topic, partition, 100)
    return topic


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex[:8]}"


def numbers(items: list[Item], partition: int | None = None) -> list[int]:
    """The payloads of messages, which are numbers; those of one partition, or of all."""
    runs = [item for item in items if isinstance(item, Run) and partition in (None, item.partition)]
    return [int(payload) for run in runs for payload in run.fields[:: run.width]]


def payloads(buffer: MessageBuffer, count: int) -> list[int]:
    """The payloads of the next messages, which count as consumed then."""
    batch = buffer.batch(count, WAIT)
    batch.end(0)
    return numbers(batch.items)


def committed(cluster: Cluster, group: str, topic: str) -> list[int]:
    """The committed offset of each partition, asked without our own code."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": group})
    try:
        wanted = [TopicPartition(topic, partition) for partition in range(4)]
        return [found.offset for found in consumer.committed(wanted, timeout=10)]
    finally:
        consumer.close()


# -- routing -----------------------------------------------------------------------------------------------


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
        topic.start(0, 98, "token")
        events: list[Any] = []
        while sum(run.size for _, run in events) < 2:
            assert running.events.wait(WAIT)
            events += running.events.take(10)
        assert {(token, run.origin, run.width) for token, run in events} == {("token", (hundred, 0), 3)}
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
    """A client whose first message takes its time on the way from librdkafka to the buffers."""

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
        self._client.held_up()  # in the owner thread
        return b"%d" % self._fields["offset"]

    def __getattr__(self, name: str) -> Any:
        return lambda: self._fields.get(name)


def interpose(handle: Fetcher, topic: str) -> Interposed:
    """Let nothing but three messages of our own come to a handle that reads nothing yet: numbers 7, 50 and 51."""
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
        topic.handle.pump.wake()
        assert client.on_its_way.wait(15)
        if into_queue:
            topic.start_queue(0, 50, queue)
        else:
            topic.start(0, 50)
        client.go_on.set()
        topic.handle.pump.wake()
        assert payloads(queue if into_queue else topic.buffer(0), 2) == [50, 51]


def test_what_is_on_its_way_when_a_partition_is_stopped_is_forgotten(
    embedded_cluster: Cluster, hundred: str
) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        client = interpose(topic.handle, hundred)
        topic.start_queue(0, 0, queue)
        topic.handle.pump.wake()
        assert client.on_its_way.wait(15)
        topic.stop(0)
        client.go_on.set()
        assert queue.next(200) is None


@pytest.mark.parametrize("leave", [False, True])
def test_what_is_on_its_way_when_a_subscriber_is_assigned_anew_is_forgotten(
    leave: bool, subscriber: Subscriber, hundred: str
) -> None:
    client = interpose(subscriber, hundred)
    subscriber.assign([Position(hundred, 0, 0)])
    subscriber.pump.wake()
    assert client.on_its_way.wait(15)
    if leave:
        subscriber.unsubscribe()
    subscriber.assign([Position(hundred, 0, 50)])
    client.go_on.set()
    subscriber.pump.wake()
    assert payloads(subscriber.messages, 2) == [50, 51]


# -- how much is held --------------------------------------------------------------------------------------

PLENTY = 25_000


@pytest.fixture(scope="module")
def plenty(embedded_cluster: Cluster) -> str:
    """A topic with more messages in partition 0 than a handle holds, and 100 in partition 1."""
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
        topic.handle.pump.stop()  # the owner thread fetches nothing
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

        def slow(messages: Any) -> Iterator[Item]:
            if messages and threading.current_thread() is not threading.main_thread():
                reads.wait(WAIT / 1000)
            return items(messages)

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
            payloads(topic.buffer(0), 1)
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
        topic.start(0, BEGINNING, "token")
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
        subscriber.subscribe([Position(plenty)])
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
    """As many bytes as a handle holds come and stay, but for what one round of fetching adds."""

    def held() -> int:
        return sum(buffer.bytes for buffer in buffers)

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
        assert [(buffer.size, buffer.bytes) for buffer in buffers] == [(0, 0)] * len(buffers)


def test_a_subscriber_holds_large_messages_up_to_a_number_of_bytes(
    embedded_cluster: Cluster, large: list[tuple[str, int]], group: str
) -> None:
    with engine(embedded_cluster, group_id=group, enable_auto_commit="false") as running:
        subscriber = running.subscriber()
        subscriber.assign([Position(name, partition, 0) for name, partition in large])
        assert_held([subscriber.messages])
        batch = subscriber.messages.batch(100, WAIT)
        assert batch.size == 100
        batch.end(100)  # the bytes are back, and none is lost
        found = subscriber.messages.batch(len(large) * EACH, WAIT).items
        for name, partition in large:
            assert numbers([item for item in found if item.origin == (name, partition)]) == list(range(EACH))


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
        assert until(lambda: queue.bytes >= HELD_BYTES)
        assert waiting.buffer(0).next(1500) is None
        assert queue.bytes <= HELD_BYTES + (8 << 20) + LARGE
        assert len(payloads(queue, len(large) * EACH)) == len(large) * EACH  # what was paused goes on


def test_dropped_large_messages_make_room(embedded_cluster: Cluster, large: list[tuple[str, int]]) -> None:
    with engine(embedded_cluster) as running:
        handle = running.consumer()
        topics = {name: running.consuming_from(name, handle) for name, _ in large}
        for _ in range(3):
            for name, partition in large:
                topics[name].start(partition, BEGINNING)
            assert until(
                lambda: sum(topics[name].buffer(partition).bytes for name, partition in large) >= HELD_BYTES
            )


# -- positions and commits ---------------------------------------------------------------------------------


@pytest.fixture
def subscriber(embedded_cluster: Cluster, group: str) -> Iterator[Subscriber]:
    with engine(embedded_cluster, group_id=group, enable_auto_commit="false") as running:
        yield running.subscriber()


def test_positions_follow_what_was_handed_over(subscriber: Subscriber, hundred: str) -> None:
    both = [Position(hundred, 0), Position(hundred, 1)]
    assert subscriber.read_positions(both) == both
    subscriber.assign([Position(hundred, 0, 10)])
    assert subscriber.read_positions(both) == both
    batch = subscriber.messages.batch(20, WAIT)
    assert subscriber.read_positions(both) == both  # what the script has not got to does not count
    batch.end(5)
    assert subscriber.read_positions(both)[0].offset == 25
    subscriber.messages.next(WAIT)
    assert subscriber.read_positions(both)[0].offset == 26
    subscriber.assign([Position(hundred, 1, 0)])
    assert subscriber.read_positions(both) == both


def read_ahead(subscriber: Subscriber, least: int) -> Run:
    """Messages of which at least so many are read ahead."""
    while True:
        item = subscriber.messages.read_ahead(WAIT)
        assert isinstance(item, Run)
        if item.size > least:
            return item


def test_positions_follow_what_was_used_of_what_was_read_ahead(subscriber: Subscriber, hundred: str) -> None:
    def position() -> int:
        return subscriber.read_positions([Position(hundred, 0)])[0].offset

    subscriber.assign([Position(hundred, 0, 10)])
    item = read_ahead(subscriber, 3)
    assert position() == item.first + 1
    subscriber.messages.settle(2)
    assert position() == item.last - 1
    subscriber.messages.reclaim(2)
    assert position() == item.last - 1
    assert payloads(subscriber.messages, 2) == [item.last - 1, item.last]
    assert position() == item.last + 1


def test_a_message_that_is_put_back_lowers_the_position(
    subscriber: Subscriber, group: str, embedded_cluster: Cluster
) -> None:
    """Whoever reads past what another read ahead: nothing behind the first unread message is committed."""
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.fill(topic, 0, 100)
        subscriber.assign([Position(topic, 0, 0)])
        item = read_ahead(subscriber, 3)
        running.fill(topic, 0, 20, start=100)  # there is something behind, even if all was read ahead
    assert payloads(subscriber.messages, 1) == [item.last + 1]
    assert subscriber.read_positions([Position(topic, 0)])[0].offset == item.last + 2
    subscriber.messages.reclaim(2)
    assert subscriber.read_positions([Position(topic, 0)])[0].offset == item.last - 1
    subscriber.commit([], wait=True)
    assert committed(embedded_cluster, group, topic)[0] == item.last - 1
    assert payloads(subscriber.messages, 3) == [item.last - 1, item.last, item.last + 2]
    assert subscriber.read_positions([Position(topic, 0)])[0].offset == item.last + 3


def test_what_was_read_ahead_and_not_used_is_not_committed(
    embedded_cluster: Cluster, hundred: str, group: str
) -> None:
    with engine(embedded_cluster, group_id=group) as running:
        subscriber = running.subscriber()
        subscriber.assign([Position(hundred, 0, 0)])
        item = read_ahead(subscriber, 3)
        subscriber.delete()
        assert committed(embedded_cluster, group, hundred)[0] == item.first + 1


def test_only_what_was_handed_over_is_committed(
    subscriber: Subscriber, hundred: str, group: str, embedded_cluster: Cluster
) -> None:
    subscriber.assign([Position(hundred, 0, 10), Position(hundred, 1, 20)])
    with pytest.raises(Failure, match="Local: No offset stored"):
        subscriber.commit([], wait=True)
    subscriber.messages.batch(100, WAIT).end(99)
    subscriber.commit([], wait=True)
    nothing = OFFSET_INVALID
    found = committed(embedded_cluster, group, hundred)
    assert found[:2] in ([11, nothing], [nothing, 21])  # the first message was of either partition
    assert found[2:] == [nothing, nothing]
    subscriber.commit([Position(hundred, 2, 77)], wait=True)
    assert committed(embedded_cluster, group, hundred)[2] == 77
    assert subscriber.committed([Position(hundred, 2), Position(hundred, 3)], WAIT) == [
        Position(hundred, 2, 77),
        Position(hundred, 3, nothing),
    ]


def test_deleting_commits_what_was_handed_over(embedded_cluster: Cluster, hundred: str, group: str) -> None:
    with engine(embedded_cluster, group_id=group) as running:
        subscriber = running.subscriber()
        subscriber.assign([Position(hundred, 0, 0)])
        assert payloads(subscriber.messages, 7) == list(range(7))
        subscriber.delete()
        assert committed(embedded_cluster, group, hundred)[0] == 7


def test_a_script_can_keep_offsets_to_itself(embedded_cluster: Cluster, hundred: str, group: str) -> None:
    with engine(embedded_cluster, group_id=group, enable_auto_offset_store="false") as running:
        topic = running.consuming_from(hundred)
        topic.start(0, 0)
        assert len(payloads(topic.buffer(0), 7)) == 7
        topic.handle.delete()
        assert committed(embedded_cluster, group, hundred)[0] == OFFSET_INVALID


def test_a_consumer_with_a_group_starts_where_it_was(
    embedded_cluster: Cluster, hundred: str, group: str
) -> None:
    with engine(embedded_cluster, group_id=group, auto_offset_reset="earliest") as running:
        topic = running.consuming_from(hundred)
        topic.start(0, STORED)
        assert payloads(topic.buffer(0), 10) == list(range(10))
        topic.handle.delete()
        again = running.consuming_from(hundred)
        again.start(0, STORED)
        assert payloads(again.buffer(0), 3) == [10, 11, 12]


def test_watermarks_and_subscriptions(subscriber: Subscriber, hundred: str) -> None:
    assert subscriber.watermarks(hundred, 0, WAIT, cached=False) == (0, 100)
    with pytest.raises(Failure, match="Local: Unknown partition"):
        subscriber.watermarks(hundred, 99, WAIT, cached=False)
    assert subscriber.subscription() == []
    with pytest.raises(Failure, match="Local: Invalid argument or configuration"):
        subscriber.subscribe([])
    subscriber.subscribe([Position("b"), Position("a")])
    assert subscriber.subscription() == [Position("a"), Position("b")]
    subscriber.unsubscribe()
    assert subscriber.subscription() == []


def test_two_members_share_and_lose_nothing(embedded_cluster: Cluster, group: str) -> None:
    """The second member joins while the first reads; between them they see every message."""
    topic = embedded_cluster.topic()
    with engine(
        embedded_cluster, group_id=group, session_timeout_ms="1000", heartbeat_interval_ms="100"
    ) as running:
        for partition in range(4):
            running.fill(topic, partition, 200)
        members = [running.subscriber()]
        members[0].subscribe([Position(topic)])
        seen: set[tuple[int, int]] = set()
        end = time.monotonic() + 30
        while time.monotonic() < end and (len(seen) < 800 or not members[-1].assignment()):
            for member in members:
                item = member.messages.next(5)
                if isinstance(item, Run):
                    seen.add((item.partition, item.first))
            if len(members) == 1 and len(seen) > 50:
                members.append(running.subscriber())
                members[1].subscribe([Position(topic)])
        assert len(seen) == 800
        assert sorted(len(member.assignment()) for member in members) == [2, 2]


def test_a_batch_that_outlives_its_start_is_nothing_to_the_new_one(
    embedded_cluster: Cluster, hundred: str, group: str
) -> None:
    with engine(embedded_cluster, group_id=group) as running:
        topic = running.consuming_from(hundred)
        topic.start(0, 0)
        batch = topic.buffer(0).batch(50, WAIT)
        topic.start(0, 10)
        batch.end(0)
        assert payloads(topic.buffer(0), 1) == [10]
        topic.handle.delete()
        assert committed(embedded_cluster, group, hundred)[0] == 11


def test_a_batch_that_outlives_its_assignment_is_nothing_to_the_new_one(
    subscriber: Subscriber, hundred: str
) -> None:
    subscriber.assign([Position(hundred, 0, 0)])
    batch = subscriber.messages.batch(50, WAIT)
    subscriber.assign([Position(hundred, 0, 10)])
    batch.end(0)
    assert payloads(subscriber.messages, 1) == [10]
    assert subscriber.read_positions([Position(hundred, 0)])[0].offset == 11


def test_the_rest_of_such_a_batch_is_not_put_back(subscriber: Subscriber, hundred: str) -> None:
    subscriber.assign([Position(hundred, 0, 0)])
    batch = subscriber.messages.batch(50, WAIT)
    subscriber.assign([Position(hundred, 0, 10)])
    batch.end(45)
    assert payloads(subscriber.messages, 2) == [10, 11]


def test_the_rest_of_a_stopped_partition_is_not_put_back_into_a_queue(
    embedded_cluster: Cluster, hundred: str
) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        topic.start_queue(0, 0, queue)
        batch = queue.batch(20, WAIT)
        topic.stop(0)
        batch.end(5)
        assert queue.size == 0


@pytest.mark.parametrize("name", ["enable.auto.commit", "auto.commit.enable"])
@pytest.mark.parametrize("of_topics", [False, True])
def test_without_automatic_commits_nothing_is_committed(
    name: str, of_topics: bool, embedded_cluster: Cluster, hundred: str, group: str
) -> None:
    """As a property of clients or, as the C original has it, of topics."""
    with engine(embedded_cluster, group_id=group, auto_commit_interval_ms="10") as running:
        if of_topics:
            running.master.topic_conf.set(name, "false")
        else:
            running.master.configure(name, "false")
        topic = running.consuming_from(hundred)
        topic.start(0, 0)
        assert payloads(topic.buffer(0), 10) == list(range(10))
        topic.handle.delete()
        assert committed(embedded_cluster, group, hundred)[0] == OFFSET_INVALID
