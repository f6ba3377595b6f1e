"""Offsets that are no place in a partition: librdkafka's numbers for what they mean."""

from __future__ import annotations

import confluent_kafka

OFFSET_BEGINNING = int(confluent_kafka.OFFSET_BEGINNING)
OFFSET_END = int(confluent_kafka.OFFSET_END)
OFFSET_STORED = int(confluent_kafka.OFFSET_STORED)
OFFSET_INVALID = int(confluent_kafka.OFFSET_INVALID)
#: ``RD_KAFKA_OFFSET_TAIL_BASE``: so much less N is N messages from the end.
OFFSET_TAIL_BASE = -2000
