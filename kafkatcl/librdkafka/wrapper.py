"""The clients of confluent-kafka, and what they take and raise: all that the engine has of the wrapper."""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

__all__ = ["Consumer", "KafkaException", "Producer", "TopicPartition"]
