"""Offsets that are no place in a partition: librdkafka's numbers for what they mean."""

from __future__ import annotations

import confluent_kafka

OFFSET_BEGINNING = int(confluent_kafka.OFFSET_BEGINNING)
OFFSET_END = int(confluent_kafka.OFFSET_END)
OFFSET_STORED = int(confluent_kafka.OFFSET_STORED)
OFFSET_INVALID = int(confluent_kafka.OFFSET_INVALID)
#: ``RD_KAFKA_OFFSET_TAIL_BASE``: this number less N means N messages before the end.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3922-L3930
OFFSET_TAIL_BASE = -2000
