"""The engine's consumers: positions and commits."""

from __future__ import annotations

import time
from collections.abc import Collection

import pytest
from confluent_kafka import OFFSET_INVALID
from fix_cluster import Cluster
from fix_consumer import STORED, WAIT, committed, payloads
from fix_engine import engine, until

from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.messages import Run
from kafkatcl.engine.positions import OffsetAndMetadata, TopicPartitionOffset
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.errors import Failure


def test_positions_follow_what_was_handed_over(subscriber: Subscriber, hundred: str) -> None:
    both = [TopicPartitionOffset(hundred, 0), TopicPartitionOffset(hundred, 1)]
    assert subscriber.read_positions(both) == both
    subscriber.assign([TopicPartitionOffset(hundred, 0, 10)])
    assert subscriber.read_positions(both) == both
    batch = subscriber.messages.batch(20, WAIT)
    assert subscriber.read_positions(both) == both  # what the script has not got to does not count
    batch.end(5)
    assert subscriber.read_positions(both)[0].offset == 25
    subscriber.messages.next(WAIT)
    assert subscriber.read_positions(both)[0].offset == 26
    subscriber.assign([TopicPartitionOffset(hundred, 1, 0)])
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
        return subscriber.read_positions([TopicPartitionOffset(hundred, 0)])[0].offset

    subscriber.assign([TopicPartitionOffset(hundred, 0, 10)])
    item = read_ahead(subscriber, 3)
    assert position() == item.first + 1
    subscriber.messages.acknowledge(2)
    assert position() == item.last - 1
    subscriber.messages.requeue(2)
    assert position() == item.last - 1
    assert payloads(subscriber.messages, 2) == [item.last - 1, item.last]
    assert position() == item.last + 1


def test_a_message_that_is_put_back_lowers_the_position(
    subscriber: Subscriber, group: str, embedded_cluster: Cluster
) -> None:
    """Whoever reads past what another read ahead:
    nothing behind the first unread message is committed.
    """
    topic = embedded_cluster.topic()
    with engine(embedded_cluster) as running:
        running.fill(topic, 0, 100)
        subscriber.assign([TopicPartitionOffset(topic, 0, 0)])
        item = read_ahead(subscriber, 3)
        running.fill(topic, 0, 20, start=100)  # there is something behind, even if all was read ahead
    assert payloads(subscriber.messages, 1) == [item.last + 1]
    assert subscriber.read_positions([TopicPartitionOffset(topic, 0)])[0].offset == item.last + 2
    subscriber.messages.requeue(2)
    assert subscriber.read_positions([TopicPartitionOffset(topic, 0)])[0].offset == item.last - 1
    subscriber.commit([], wait=True)
    assert committed(embedded_cluster, group, topic)[0] == item.last - 1
    assert payloads(subscriber.messages, 3) == [item.last - 1, item.last, item.last + 2]
    assert subscriber.read_positions([TopicPartitionOffset(topic, 0)])[0].offset == item.last + 3


def test_what_was_read_ahead_and_not_used_is_not_committed(
    embedded_cluster: Cluster, hundred: str, group: str
) -> None:
    with engine(embedded_cluster, group_id=group) as running:
        subscriber = running.subscriber()
        subscriber.assign([TopicPartitionOffset(hundred, 0, 0)])
        item = read_ahead(subscriber, 3)
        subscriber.delete()
        assert committed(embedded_cluster, group, hundred)[0] == item.first + 1


def test_only_what_was_handed_over_is_committed(
    subscriber: Subscriber, hundred: str, group: str, embedded_cluster: Cluster
) -> None:
    subscriber.assign([TopicPartitionOffset(hundred, 0, 10), TopicPartitionOffset(hundred, 1, 20)])
    with pytest.raises(Failure, match="Local: No offset stored"):
        subscriber.commit([], wait=True)
    subscriber.messages.batch(100, WAIT).end(99)
    subscriber.commit([], wait=True)
    nothing = OFFSET_INVALID
    found = committed(embedded_cluster, group, hundred)
    assert found[:2] in ([11, nothing], [nothing, 21])  # the first message was of either partition
    assert found[2:] == [nothing, nothing]
    subscriber.commit([OffsetAndMetadata(TopicPartitionOffset(hundred, 2, 77))], wait=True)
    assert committed(embedded_cluster, group, hundred)[2] == 77
    assert subscriber.committed(
        [TopicPartitionOffset(hundred, 2), TopicPartitionOffset(hundred, 3)], WAIT
    ) == [
        OffsetAndMetadata(TopicPartitionOffset(hundred, 2, 77)),
        OffsetAndMetadata(TopicPartitionOffset(hundred, 3, nothing)),
    ]


def test_deleting_commits_what_was_handed_over(embedded_cluster: Cluster, hundred: str, group: str) -> None:
    with engine(embedded_cluster, group_id=group) as running:
        subscriber = running.subscriber()
        subscriber.assign([TopicPartitionOffset(hundred, 0, 0)])
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
    subscriber.subscribe([TopicPartitionOffset("b"), TopicPartitionOffset("a")])
    assert subscriber.subscription() == [TopicPartitionOffset("a"), TopicPartitionOffset("b")]
    subscriber.unsubscribe()
    assert subscriber.subscription() == []


def test_two_members_share_and_lose_nothing(embedded_cluster: Cluster, group: str) -> None:
    """The second member joins while the first reads;
    between them they see every message.
    """
    topic = embedded_cluster.topic()
    with engine(
        embedded_cluster, group_id=group, session_timeout_ms="1000", heartbeat_interval_ms="100"
    ) as running:
        for partition in range(4):
            running.fill(topic, partition, 200)
        members = [running.subscriber()]
        members[0].subscribe([TopicPartitionOffset(topic)])
        seen: set[tuple[int, int]] = set()
        end = time.monotonic() + 30
        while time.monotonic() < end and (len(seen) < 800 or not members[-1].assignment()):
            for member in members:
                item = member.messages.next(5)
                if isinstance(item, Run):
                    seen.add((item.partition, item.first))
            if len(members) == 1 and len(seen) > 50:
                members.append(running.subscriber())
                members[1].subscribe([TopicPartitionOffset(topic)])
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
    subscriber.assign([TopicPartitionOffset(hundred, 0, 0)])
    batch = subscriber.messages.batch(50, WAIT)
    subscriber.assign([TopicPartitionOffset(hundred, 0, 10)])
    batch.end(0)
    assert payloads(subscriber.messages, 1) == [10]
    assert subscriber.read_positions([TopicPartitionOffset(hundred, 0)])[0].offset == 11


def test_the_rest_of_such_a_batch_is_not_put_back(subscriber: Subscriber, hundred: str) -> None:
    subscriber.assign([TopicPartitionOffset(hundred, 0, 0)])
    batch = subscriber.messages.batch(50, WAIT)
    subscriber.assign([TopicPartitionOffset(hundred, 0, 10)])
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


def test_partitions_are_taken_away_under_the_lock_also_where_the_client_is_closed(
    subscriber: Subscriber, hundred: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that a closing thread answers what the group has said."""
    subscriber.subscribe([TopicPartitionOffset(hundred)])
    assert subscriber.messages.next(WAIT)
    locked: list[bool] = []
    forget = subscriber._forget

    def note(topic_partitions: Collection[TopicPartitionPair]) -> None:
        locked.append(subscriber.lock._is_owned())  # type: ignore[attr-defined]
        forget(topic_partitions)

    monkeypatch.setattr(subscriber, "_forget", note)
    subscriber.poll_thread.stop()
    subscriber.client.unsubscribe()

    def is_answered() -> bool:
        subscriber._answer_rebalances()
        return bool(locked)

    assert until(is_answered)
    subscriber.delete()
    assert locked == [True]
