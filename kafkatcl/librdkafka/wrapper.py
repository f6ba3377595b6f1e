"""What the engine has of confluent-kafka:
its clients, what they take and raise, and a partitioner.
"""

from __future__ import annotations

import warnings

from confluent_kafka.cimpl import (
    SHARE_ACKNOWLEDGE_TYPE_ACCEPT,
    SHARE_ACKNOWLEDGE_TYPE_REJECT,
    SHARE_ACKNOWLEDGE_TYPE_RELEASE,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    ShareConsumer,
    TopicPartition,
    consistent,
)

__all__ = [
    "SHARE_ACKNOWLEDGE_TYPE_ACCEPT",
    "SHARE_ACKNOWLEDGE_TYPE_REJECT",
    "SHARE_ACKNOWLEDGE_TYPE_RELEASE",
    "Consumer",
    "KafkaError",
    "KafkaException",
    "Producer",
    "ShareConsumer",
    "TopicPartition",
    "consistent",
]

# A producer that has had a fatal error cannot abort, and tells so once more when it is
# closed: scripts were told before.
warnings.filterwarnings("ignore", "Producer abort_transaction failed during close", RuntimeWarning)
