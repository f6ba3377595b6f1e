"""What the engine has of confluent-kafka:
its clients, what they take and raise, and a partitioner.
"""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition, consistent

__all__ = ["Consumer", "KafkaError", "KafkaException", "Producer", "TopicPartition", "consistent"]
