"""What the engine has of confluent-kafka:
its clients, what they take and raise, and a partitioner.
"""

from __future__ import annotations

from confluent_kafka import (
    AcknowledgeType,
    Consumer,
    KafkaException,
    Producer,
    ShareConsumer,
    TopicPartition,
    consistent,
)

__all__ = [
    "AcknowledgeType",
    "Consumer",
    "KafkaException",
    "Producer",
    "ShareConsumer",
    "TopicPartition",
    "consistent",
]
