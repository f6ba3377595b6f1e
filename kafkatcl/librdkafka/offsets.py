"""Offsets that are no place in a partition: librdkafka's numbers for what they mean."""

from __future__ import annotations

from confluent_kafka.cimpl import OFFSET_BEGINNING, OFFSET_END, OFFSET_INVALID, OFFSET_STORED

__all__ = ["OFFSET_BEGINNING", "OFFSET_END", "OFFSET_INVALID", "OFFSET_STORED", "OFFSET_TAIL_BASE"]

#: ``RD_KAFKA_OFFSET_TAIL_BASE``: this number less N means N messages before the end.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3922-L3930
OFFSET_TAIL_BASE = -2000
