"""pytest plugin: a topic to consume from, and what was consumed of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_engine import column, engine

from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.messages import Item, Run
from kafkatcl.engine.subscriber import Subscriber

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


@pytest.fixture
def subscriber(embedded_cluster: Cluster, group: str) -> Iterator[Subscriber]:
    with engine(embedded_cluster, group_id=group, enable_auto_commit="false") as running:
        yield running.subscriber()


def numbers(items: list[Item], partition: int | None = None) -> list[int]:
    """The payloads of messages, which are numbers;
    those of one partition, or of all.
    """
    runs = [item for item in items if isinstance(item, Run) and partition in (None, item.partition)]
    return [int(payload) for run in runs for payload in column(run, "payload")]


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
