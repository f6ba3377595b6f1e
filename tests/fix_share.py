"""What the tests of share groups have in common."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from fix_cluster import SECONDS, Cluster


def share_group(cluster: Cluster, **settings: str) -> str:
    """The name of a new share group of a real Kafka that begins with the oldest
    messages; its settings have underscores for dots, and no ``share.`` in front.
    """
    group = f"share-{uuid.uuid4().hex[:12]}"
    entries = [
        ConfigEntry(f"share.{name.replace('_', '.')}", value, incremental_operation=AlterConfigOpType.SET)
        for name, value in {"auto_offset_reset": "earliest", **settings}.items()
    ]
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=entries)
    for answer in cluster.admin.incremental_alter_configs([resource]).values():
        answer.result(SECONDS)
    return group


def together(cluster: Cluster, topic: str, payloads: Sequence[str]) -> None:
    """Produce messages to partition 0 in one batch: brokers lend whole ones."""
    _produce(cluster, topic, payloads, linger=1000)


def apart(cluster: Cluster, topic: str, payloads: Sequence[str]) -> None:
    """Produce messages to partition 0, each in a batch of its own."""
    _produce(cluster, topic, payloads, most=1)


def _produce(
    cluster: Cluster, topic: str, payloads: Sequence[str], most: int = 10_000, linger: int = 0
) -> None:
    producer = Producer(
        {"bootstrap.servers": cluster.bootstrap_servers, "batch.num.messages": most, "linger.ms": linger}
    )
    for payload in payloads:
        producer.produce(topic, payload, partition=0)
    assert producer.flush(SECONDS) == 0
