"""Partitions that are read and do not exist: what librdkafka says of them.

It says so of a topic whenever it has asked the cluster, which it does once a second,
and of a partition only when it learns how many partitions the topic has.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_topic.c#L1276-L1288
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_topic.c#L1179-L1191
"""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

from kafkatcl.engine.messages import ErrorItem
from kafkatcl.librdkafka.errors import TOPIC_FORBIDDEN, UNKNOWN_PARTITION, error_name, error_text

#: Have librdkafka say at once that the cluster does not know a topic.  By default it
#: gives the cluster 30,000 ms to learn of a topic that was made a moment ago.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
SETTINGS = {"topic.metadata.propagation.max.ms": "0"}

# An error of a consumer that comes outside of the messages, as librdkafka words it:
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_partition.c#L2696-L2698
_TEXT = (
    r"(?P<topic>.+) \[(?P<partition>\d+)\]: (?:topic does not exist|desired partition is not available) \("
)
#: For how long a topic counts as absent after librdkafka has said so.
_SECONDS = 3.0
#: How long a missing topic is only noted before its reader gets an error.  The topic
#: may be on its way: a producer's client asks the cluster for new topics once a second,
#: which makes them where the cluster makes topics by itself.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.c#L2191-L2201
_PATIENCE_SECONDS = 1.5


class Absence(NamedTuple):
    """A partition that does not exist, as librdkafka has said.

    ``first_said_at`` and ``said_at``, by ``time.monotonic``, are when it said so first
    and last.  ``is_told``: the reader has had its error.
    """

    topic: str
    partition: int
    code: int
    first_said_at: float
    said_at: float
    is_told: bool = False

    @property
    def topic_partition(self) -> tuple[str, int]:
        """The topic and the partition."""
        return self.topic, self.partition

    @property
    def words(self) -> str:
        """What is the matter."""
        if self.code == UNKNOWN_PARTITION:
            return f"topic '{self.topic}' has no partition {self.partition}"
        if self.code == TOPIC_FORBIDDEN:
            return f"topic '{self.topic}' may not be read"
        return f"topic '{self.topic}' does not exist"

    def after(self, known: Absence | None) -> Absence:
        """This absence, continuing the one that was ``known`` of the partition.

        It begins anew where another error was known, and where the reader was not told
        and librdkafka has been silent meanwhile.
        """
        if known is None or known.code != self.code:
            return self
        if not known.is_told and not known.is_certain():  # it was there meanwhile, or nobody asked
            return self
        return self._replace(first_said_at=known.first_said_at, is_told=known.is_told)

    def is_due(self) -> bool:
        """Whether the reader gets the error now: once only, and for a topic only when
        it is no longer expected to be made.
        """
        waited = self.said_at - self.first_said_at
        return not self.is_told and (self.code == UNKNOWN_PARTITION or waited >= _PATIENCE_SECONDS)

    def is_certain(self) -> bool:
        """Whether the partition still does not exist:
        librdkafka says so of a missing partition only once.
        """
        return self.code != UNKNOWN_PARTITION and time.monotonic() - self.said_at < _SECONDS

    def item(self) -> ErrorItem:
        """The error for the reader of the partition."""
        return ErrorItem(
            error_text(self.code), error_name(self.code), self.words, self.code, self.topic_partition
        )


def absence_of(error: Any) -> Absence | None:
    """The absence that an error of a client tells of; None if it tells of none.

    :param error: the ``confluent_kafka.KafkaError`` of the error callback.
    """
    found = re.match(_TEXT, error.str())
    if not found:
        return None
    now = time.monotonic()
    return Absence(found["topic"], int(found["partition"]), error.code(), now, now)
