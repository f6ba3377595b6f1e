"""What a script says of partitions that are read, without Tcl: what is on its way when
a partition is sought, seeks that librdkafka cannot do yet, and what is committed.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from fix_cluster import Cluster
from fix_consumer import WAIT, committed, numbers, payloads
from fix_engine import engine, until
from test_engine_consumer import interpose

from kafkatcl.engine import consumer
from kafkatcl.engine.control import ControlledHandle
from kafkatcl.engine.messages import ErrorItem
from kafkatcl.engine.positions import OffsetAndMetadata, TopicPartitionOffset
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.offsets import OFFSET_END


def at(topic: str, offset: int, partition: int = 0) -> list[TopicPartitionOffset]:
    return [TopicPartitionOffset(topic, partition, offset)]


def test_what_is_on_its_way_when_a_partition_is_sought_is_dropped(
    subscriber: Subscriber, hundred: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = interpose(subscriber, hundred)
    monkeypatch.setattr(client, "seek", lambda _: None, raising=False)
    subscriber.assign(at(hundred, 0))
    subscriber.poll_thread.wake()
    assert client.on_its_way.wait(15)
    subscriber.seek(at(hundred, 50))
    client.go_on.set()
    subscriber.poll_thread.wake()
    assert payloads(subscriber.messages, 2) == [50, 51]


def test_what_is_on_its_way_of_others_is_not(subscriber: Subscriber, hundred: str) -> None:
    client = interpose(subscriber, hundred)
    subscriber.assign([*at(hundred, 0), *at(hundred, 0, partition=1)])
    subscriber.poll_thread.wake()
    assert client.on_its_way.wait(15)
    subscriber.seek(at(hundred, 50, partition=1))
    client.go_on.set()
    subscriber.poll_thread.wake()
    assert payloads(subscriber.messages, 3) == [7, 50, 51]


class Unready:
    """A client that does not fetch yet, and so cannot seek before the third time."""

    def __init__(self, handle: ControlledHandle) -> None:
        self._client = handle.client
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def seek(self, place: Any) -> None:
        if self.refused < 3:
            self.refused += 1
            raise KafkaException(KafkaError(KafkaError._STATE))
        self._client.seek(place)


def test_a_seek_that_librdkafka_cannot_do_yet_counts_at_once(subscriber: Subscriber, hundred: str) -> None:
    with subscriber.lock:
        subscriber.client = client = Unready(subscriber)
    subscriber.assign([*at(hundred, 0), *at(hundred, 0, partition=1)])
    subscriber.seek(at(hundred, 42))
    assert subscriber.read_positions(at(hundred, 0)) == at(hundred, 42)
    items = subscriber.messages.batch(158, WAIT)
    items.end(0)
    assert numbers(items.items, 0) == list(range(42, 100))
    assert numbers(items.items, 1) == list(range(100))
    assert client.refused == 3


def test_a_seek_right_behind_the_assignment(subscriber: Subscriber, hundred: str) -> None:
    """The committed offset is being asked for then: librdkafka does not fetch yet."""
    for offset in (30, 60, 10):
        subscriber.assign([TopicPartitionOffset(hundred, 0)])
        subscriber.seek(at(hundred, offset))
        assert payloads(subscriber.messages, 2) == [offset, offset + 1]


def test_several_are_sought_at_once_or_none(subscriber: Subscriber, hundred: str) -> None:
    subscriber.assign([*at(hundred, 0), *at(hundred, 0, partition=1)])
    assert len(payloads(subscriber.messages, 20)) == 20
    before = subscriber.read_positions([*at(hundred, 0), *at(hundred, 0, partition=1)])
    with pytest.raises(Failure, match=r"partition 3 of topic '.*' is not assigned"):
        subscriber.seek([*at(hundred, 5), *at(hundred, 5, partition=3)])
    assert subscriber.read_positions(before) == before
    subscriber.seek([*at(hundred, 90), *at(hundred, 95, partition=1)])
    batch = subscriber.messages.batch(15, WAIT)
    batch.end(0)
    assert numbers(batch.items, 0) == list(range(90, 100))
    assert numbers(batch.items, 1) == list(range(95, 100))


def test_a_batch_that_outlives_a_seek_is_nothing_to_what_follows(
    subscriber: Subscriber, hundred: str
) -> None:
    subscriber.assign(at(hundred, 0))
    batch = subscriber.messages.batch(50, WAIT)
    subscriber.seek(at(hundred, 10))
    batch.end(20)
    assert subscriber.read_positions(at(hundred, 0)) == at(hundred, 10)
    assert payloads(subscriber.messages, 2) == [10, 11]


def test_a_queue_goes_on_with_the_others(embedded_cluster: Cluster, hundred: str) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        queue = Queue(topic.handle)
        for partition in (0, 1):
            topic.start_queue(partition, 0, queue)
        assert until(lambda: queue.size == 200)
        topic.handle.seek(at(hundred, 80))
        found = queue.batch(120, WAIT)
        found.end(0)
        assert numbers(found.items, 0) == list(range(80, 100))
        assert numbers(found.items, 1) == list(range(100))


def test_a_seek_that_was_not_done_goes_with_its_assignment(subscriber: Subscriber, hundred: str) -> None:
    with subscriber.lock:
        subscriber.client = Unready(subscriber)
    subscriber.assign(at(hundred, 0))
    subscriber.seek(at(hundred, 42))
    subscriber.assign(at(hundred, 5))
    assert payloads(subscriber.messages, 95) == list(range(5, 100))


def test_where_an_offset_is_not_there_a_seek_takes_the_place_of_the_reset(
    embedded_cluster: Cluster, hundred: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def asking(*_: Any) -> int:
        asked.set()
        assert go_on.wait(15)
        return OFFSET_END

    with engine(embedded_cluster) as running:
        topic = running.consuming_from(hundred)
        with monkeypatch.context() as patched:
            patched.setattr(consumer, "reset_offset", asking)
            topic.start(0, 500)
            assert asked.wait(15)
            topic.handle.seek(at(hundred, 30))
            go_on.set()
            assert payloads(topic.buffer(0), 2) == [30, 31]
        topic.handle.seek(at(hundred, 500))  # beyond the end: to the end, as of a start
        assert topic.buffer(0).next(300) is None


@pytest.mark.parametrize("how", ["assign", "cooperative-sticky", "range"])
def test_a_script_that_is_told_of_a_missing_offset_can_seek(
    embedded_cluster: Cluster, hundred: str, group: str, how: str
) -> None:
    """With ``auto.offset.reset error`` librdkafka fetches the partition no more;
    an eager group cannot take it up again.
    """
    settings = {} if how == "assign" else {"partition_assignment_strategy": how}
    with engine(embedded_cluster, group_id=group, auto_offset_reset="error", **settings) as running:
        subscriber = running.subscriber()
        if how == "assign":
            subscriber.assign([*at(hundred, 500), *at(hundred, 70, partition=1)])
        else:
            offsets = [OffsetAndMetadata(place) for place in at(hundred, 70, partition=1)]
            subscriber.commit(offsets, wait=True)
            subscriber.subscribe([TopicPartitionOffset(hundred)])
        wrong = {(hundred, 0)} if how == "assign" else {(hundred, partition) for partition in (0, 2, 3)}
        told: set[tuple[str, int] | None] = set()
        found: list[int] = []
        while told != wrong or len(found) < 5:
            item = subscriber.messages.next(WAIT)
            assert item
            if isinstance(item, ErrorItem):
                told.add(item.topic_partition)
            else:
                found += numbers([item])
        assert not wrong - told
        if how == "range":
            for _ in range(2):
                with pytest.raises(Failure, match="the group assigns all partitions anew"):
                    subscriber.seek(at(hundred, 80))
            return
        for topic, partition in sorted(wrong):
            subscriber.seek(at(topic, 80 + partition, partition))
        expected = {pair: list(range(80 + pair[1], 100)) for pair in wrong}
        batch = subscriber.messages.batch(sum(map(len, expected.values())) + 30 - len(found), WAIT)
        batch.end(0)
        assert {pair: numbers(batch.items, pair[1]) for pair in wrong} == expected
        assert found + numbers(batch.items, 1) == list(range(70, 100))


@pytest.mark.parametrize("by", ["commit", "timer", "delete", "unsubscribe"])
def test_a_group_goes_back_where_its_script_was_sought_back(
    embedded_cluster: Cluster, hundred: str, group: str, by: str
) -> None:
    """Of itself librdkafka commits nothing that lies behind its last commit."""
    settings = {"auto_commit_interval_ms": "20"} if by == "timer" else {"auto_commit_interval_ms": "60000"}
    if by == "commit":
        settings = {"enable_auto_commit": "false"}
    with engine(embedded_cluster, group_id=group, **settings) as running:
        subscriber = running.subscriber()
        subscriber.assign([*at(hundred, 50), *at(hundred, 0, partition=1)])
        assert len(payloads(subscriber.messages, 140)) == 140
        subscriber.commit([], wait=True)
        last = committed(embedded_cluster, group, hundred)[0]
        assert last > 20
        subscriber.seek(at(hundred, 10))
        while subscriber.read_positions(at(hundred, 0))[0].offset < 13:
            subscriber.messages.next(WAIT)
        if by == "commit":
            subscriber.commit([], wait=True)
            with pytest.raises(Failure, match="No offset stored"):
                subscriber.commit([], wait=True)
        elif by == "delete":
            subscriber.delete()
        elif by == "unsubscribe":
            subscriber.unsubscribe()
        assert until(lambda: 10 <= committed(embedded_cluster, group, hundred)[0] <= 13)
        if by != "timer":
            assert committed(embedded_cluster, group, hundred)[0] == 13


def test_a_script_that_stores_offsets_itself(embedded_cluster: Cluster, hundred: str, group: str) -> None:
    with engine(embedded_cluster, group_id=group, enable_auto_offset_store="0") as running:
        subscriber = running.subscriber()
        subscriber.assign(at(hundred, 0))
        assert len(payloads(subscriber.messages, 7)) == 7
        subscriber.seek(at(hundred, 0))
        subscriber.store([OffsetAndMetadata(at(hundred, 5)[0], "five \u20ac")])
        with pytest.raises(Failure, match="is not assigned"):
            subscriber.store([OffsetAndMetadata(at(hundred, 5, partition=2)[0])])
        subscriber.commit([], wait=True)
        assert subscriber.committed(at(hundred, 0), WAIT) == [
            OffsetAndMetadata(at(hundred, 5)[0], "five \u20ac")
        ]


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d"])
def test_metadata_that_is_no_text(subscriber: Subscriber, hundred: str, text: str) -> None:
    with pytest.raises(Failure, match="metadata of an offset has no NUL, and no half of a character"):
        subscriber.commit([OffsetAndMetadata(at(hundred, 5)[0], text)], wait=True)


def test_lag_is_what_the_script_has_not_had(subscriber: Subscriber, hundred: str) -> None:
    assert subscriber.lag(WAIT) == {}
    subscriber.commit([OffsetAndMetadata(at(hundred, 60, partition=2)[0])], wait=True)
    subscriber.assign(
        [
            *at(hundred, 10),
            *at(hundred, OFFSET_END, partition=1),
            TopicPartitionOffset(hundred, 2),
            TopicPartitionOffset(hundred, 3),
        ]
    )
    subscriber.pause([*at(hundred, 0, partition=2), *at(hundred, 0, partition=3)])
    assert subscriber.lag(WAIT) == {
        (hundred, 0): 90,
        (hundred, 1): 0,
        (hundred, 2): 40,
        (hundred, 3): 100,
    }
    assert payloads(subscriber.messages, 30) == list(range(10, 40))
    assert subscriber.lag(WAIT)[hundred, 0] == 60


def test_partitions_come_and_go_one_by_one(subscriber: Subscriber, hundred: str) -> None:
    subscriber.assign(at(hundred, 0))
    assert payloads(subscriber.messages, 5) == list(range(5))
    subscriber.incremental_assign([*at(hundred, 20, partition=1), *at(hundred, 30, partition=2)])
    subscriber.pause(at(hundred, 0))
    batch = subscriber.messages.batch(150, WAIT)
    batch.end(0)
    assert numbers(batch.items, 1) == list(range(20, 100))
    assert numbers(batch.items, 2) == list(range(30, 100))
    subscriber.resume(at(hundred, 0))
    assert until(lambda: subscriber.messages.size == 95)
    subscriber.incremental_unassign(at(hundred, 0))
    assert (subscriber.messages.size, subscriber.messages.next(100)) == (0, None)
    assert [place.partition for place in sorted(subscriber.assignment())] == [1, 2]
    subscriber.commit([], wait=True)
    with pytest.raises(Failure, match=r"partition 0 of topic '.*' is not assigned"):
        subscriber.incremental_unassign([*at(hundred, 0, partition=1), *at(hundred, 0)])
    with pytest.raises(Failure, match="is assigned already"):
        subscriber.incremental_assign(at(hundred, 0, partition=2))


def test_an_eager_group_takes_no_partitions_one_by_one(
    embedded_cluster: Cluster, hundred: str, group: str
) -> None:
    with engine(embedded_cluster, group_id=group) as running:
        subscriber = running.subscriber()
        subscriber.subscribe([TopicPartitionOffset(hundred)])
        assert subscriber.messages.next(WAIT)
        assert subscriber.member_id()
        for change in (subscriber.incremental_assign, subscriber.incremental_unassign):
            wanted = at("other", 0) if change == subscriber.incremental_assign else at(hundred, 0)
            with pytest.raises(Failure, match=r"Erroneous state .the group assigns all partitions anew"):
                change(wanted)
        assert len(subscriber.assignment()) == 4


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_a_partition_that_was_lost_can_neither_be_sought_nor_paused(
    embedded_cluster: Cluster, hundred: str, group: str, strategy: str
) -> None:
    with engine(
        embedded_cluster,
        group_id=group,
        session_timeout_ms="1000",
        heartbeat_interval_ms="100",
        partition_assignment_strategy=strategy,
    ) as running:
        members = [running.subscriber() for _ in range(2)]
        members[0].subscribe([TopicPartitionOffset(hundred)])
        assert until(lambda: members[0].messages.next(5) is not None)
        members[0].pause([TopicPartitionOffset(hundred, partition) for partition in range(4)])
        for place in members[0].assignment():
            members[0].seek([place._replace(offset=90)])
        members[1].subscribe([TopicPartitionOffset(hundred)])

        def are_two() -> bool:
            for member in members:
                member.messages.next(5)
            return [len(member.assignment()) for member in members] == [2, 2]

        assert until(are_two, 30)
        lost = sorted(members[1].assignment())
        for call in (members[0].pause, members[0].seek, members[0].resume):
            with pytest.raises(Failure, match="is not assigned"):
                call([lost[0]._replace(offset=5)])
        assert not {place.topic_partition for place in members[0].paused()} & {
            place.topic_partition for place in lost
        }


def test_a_seek_costs_no_round_trip(subscriber: Subscriber, hundred: str) -> None:
    subscriber.assign(at(hundred, 0))
    assert payloads(subscriber.messages, 1) == [0]
    begun = time.monotonic()
    for offset in range(50):
        subscriber.seek(at(hundred, offset))
    assert time.monotonic() - begun < 5
    assert payloads(subscriber.messages, 1) == [49]
