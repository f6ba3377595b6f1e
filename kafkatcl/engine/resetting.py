"""Where a partition goes on whose offset is not there:
older than the oldest message, or beyond the end.

librdkafka does what ``auto.offset.reset`` says in both cases.  With its default
``largest``, a script that asks for the last 1000 messages of 500, or falls behind the
retention, would miss them all.  So librdkafka is set to report an error, and the engine
decides.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md#topic-configuration-properties
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafkatcl.engine.messages import ErrorItem
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.offsets import OFFSET_BEGINNING, OFFSET_END, OFFSET_INVALID
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

#: The property that says where to go on.
RESET = "auto.offset.reset"
#: Settings with which librdkafka reports what it would reset.
ASKING: Mapping[str, str] = {RESET: "error"}
_TO_FIRST = "smallest"
_NEVER = "error"
#: How long the cluster is asked for the oldest offset.
_SECONDS = 1.0


def reset_offset(client: Any, conf: TopicConf, item: ErrorItem) -> int | None:
    """The offset to go on from (poll thread, without the lock; waits up to a second).

    That is the oldest offset for one that is older, or where ``auto.offset.reset`` is
    ``smallest``, and otherwise the end.

    :param item: the error that librdkafka has reported, about a partition.
    :returns: OFFSET_INVALID to tell the reader of the error, as ``auto.offset.reset``
        is ``error``; None if the cluster does not answer.
    """
    assert item.topic_partition
    wanted = conf.get(RESET)
    if item.offset >= 0 or wanted == _TO_FIRST:
        oldest = _oldest_offset(client, item.topic_partition)
        if oldest is None or item.offset < oldest or wanted == _TO_FIRST:
            return oldest
    return OFFSET_INVALID if wanted == _NEVER else OFFSET_END


def offset_without_any(conf: TopicConf) -> int:
    """Where a partition is read of which no offset is stored, a logical offset:
    OFFSET_INVALID where ``auto.offset.reset`` is ``error``.
    """
    wanted = conf.get(RESET)
    if wanted == _NEVER:
        return OFFSET_INVALID
    return OFFSET_BEGINNING if wanted == _TO_FIRST else OFFSET_END


def _oldest_offset(client: Any, topic_partition: tuple[str, int]) -> int | None:
    """The offset of the oldest message; None if the cluster does not answer."""
    # OFFSET_BEGINNING itself will not do where to go on: librdkafka then takes the low
    # watermark that it has cached, less the 1000 of the last start.
    # https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_offset.c#L844-L853
    # https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_partition.c#L1420-L1430
    # As a time, the same number, -2, asks the broker for the oldest offset:
    # https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L10533
    try:
        found = client.offsets_for_times(
            [TopicPartition(*topic_partition, OFFSET_BEGINNING)], timeout=_SECONDS
        )
    except KafkaException:
        return None
    return None if found[0].error or found[0].offset < 0 else int(found[0].offset)
