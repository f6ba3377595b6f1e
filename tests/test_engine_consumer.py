"""Consumer handles and subscribers: routing, restarts, positions and commits, and how much is held ahead."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_engine import engine, until

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.consumer import Queue
from kafkatcl.engine.errors import Failure
from kafkatcl.engine.fetching import HELD_LIMIT
from kafkatcl.engine.messages import EndRow, ErrorRow
from kafkatcl.engine.subscriber import OFFSET_INVALID, Position, Subscriber

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


def payloads(buffer: MessageBuffer, count: int) -> list[int]:
    """The payloads of the next messages, which are numbers."""
    return [int(row[0]) for row in buffer.batch(count, WAIT).rows if type(row) is tuple]


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
        rows = [row for row in queue.batch(300, WAIT).rows if type(row) is tuple]
        for partition in range(3):
            assert [row[2] for row in rows if row[1] == partition] == list(range(100))
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
        events = []
        while len(events) < 2:
            assert running.events.wait(WAIT)
            events += running.events.take(10)
        assert [(token, argument[:6]) for token, argument in events] == [
            ("token", ("payload", b"%d" % number, "partition", 0, "offset", number)) for number in (98, 99)
        ]
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
        assert topic.buffer(0).next(WAIT) == EndRow(hundred, 0, 100)
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
        assert until(lambda: len(buffer.rows) >= HELD_LIMIT)
        assert not until(lambda: len(buffer.rows) > HELD_LIMIT + 500, 1.5)
        topic.start(1, BEGINNING)  # another partition is not starved
        assert payloads(topic.buffer(1), 100) == list(range(100))
        assert not until(lambda: len(buffer.rows) > HELD_LIMIT + 1000, 0.3)
        assert payloads(buffer, PLENTY) == list(range(PLENTY))


def test_unread_queues_are_held_up_to_a_limit(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        queue = Queue(topic.handle)
        topic.start_queue(0, BEGINNING, queue)
        assert until(lambda: len(queue.rows) >= HELD_LIMIT)
        topic.start(1, BEGINNING)
        assert payloads(topic.buffer(1), 100) == list(range(100))
        assert payloads(queue, PLENTY) == list(range(PLENTY))
        topic.stop(0)
        topic.start(0, PLENTY - 1)  # room was counted right: nothing is throttled now
        assert payloads(topic.buffer(0), 1) == [PLENTY - 1]


def test_dropped_messages_make_room(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        for _ in range(3):
            topic.start(0, BEGINNING)
            buffer = topic.buffer(0)
            assert until(lambda buffer=buffer: len(buffer.rows) >= HELD_LIMIT)
        topic.stop(0)
        topic.start(1, BEGINNING)
        assert until(lambda: len(topic.buffer(1).rows) == 100)


def test_a_callback_gets_everything_in_order(embedded_cluster: Cluster, plenty: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(plenty)
        topic.start(0, BEGINNING, "token")
        seen: list[int] = []
        while len(seen) < PLENTY:
            assert running.events.wait(WAIT)
            seen += [argument[5] for _, argument in running.events.take(500)]
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
        assert until(lambda: len(subscriber.messages.rows) >= HELD_LIMIT)
        assert not until(lambda: len(subscriber.messages.rows) > HELD_LIMIT + 1000, 3)  # twice the interval
        rows = subscriber.messages.batch(PLENTY + 100, WAIT).rows
        assert [row for row in rows if isinstance(row, ErrorRow)] == []
        assert [int(row[0]) for row in rows if row[1] == 0] == list(range(PLENTY))


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
    assert subscriber.read_positions(both)[0].offset == 30
    batch.give_back(5)
    assert subscriber.read_positions(both)[0].offset == 25
    subscriber.messages.next(WAIT)
    assert subscriber.read_positions(both)[0].offset == 26
    subscriber.assign([Position(hundred, 1, 0)])
    assert subscriber.read_positions(both) == both


def test_only_what_was_handed_over_is_committed(
    subscriber: Subscriber, hundred: str, group: str, embedded_cluster: Cluster
) -> None:
    subscriber.assign([Position(hundred, 0, 10), Position(hundred, 1, 20)])
    with pytest.raises(Failure, match="Local: No offset stored"):
        subscriber.commit([], wait=True)
    subscriber.messages.batch(100, WAIT).give_back(99)
    subscriber.commit([], wait=True)
    nothing = OFFSET_INVALID
    # The first message was of either partition; what was given back may count as the place to go on from.
    first = [10, nothing], [20, nothing]
    found = committed(embedded_cluster, group, hundred)
    assert (found[0] == 11 and found[1] in first[1]) or (found[1] == 21 and found[0] in first[0])
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
        subscriber.messages.batch(7, WAIT)
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
        last: dict[tuple[int, int], int] = {}
        end = time.monotonic() + 30
        while time.monotonic() < end and (len(seen) < 800 or not members[-1].assignment()):
            for number, member in enumerate(members):
                row = member.messages.next(5)
                if type(row) is tuple:
                    seen.add((row[1], row[2]))
                    last[number, row[1]] = row[2]
            if len(members) == 1 and len(seen) > 50:
                members.append(running.subscriber())
                members[1].subscribe([Position(topic)])
        assert len(seen) == 800
        assert sorted(len(member.assignment()) for member in members) == [2, 2]
