"""Partitions that are read and do not exist: what librdkafka says of them, and says again each second."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

from confluent_kafka import KafkaError

from kafkatcl.engine.errors import UNKNOWN_PARTITION
from kafkatcl.engine.messages import ErrorItem
from kafkatcl.librdkafka.errors import error_name, error_text

#: Have librdkafka say at once that the cluster does not know a topic, instead of waiting half a minute for it.
SETTINGS = {"topic.metadata.propagation.max.ms": "0"}

_TEXT = re.compile(
    r"(?P<topic>.+) \[(?P<partition>\d+)\]: (?:topic does not exist|desired partition is not available) \("
)
_FORBIDDEN = int(KafkaError.TOPIC_AUTHORIZATION_FAILED)
#: For how long after it was said a topic is taken for absent.
_SECONDS = 3.0


class Absence(NamedTuple):
    """A partition that does not exist, as was said at the time ``said_at`` of ``time.monotonic``."""

    topic: str
    partition: int
    code: int
    said_at: float
    is_told: bool = False

    @property
    def origin(self) -> tuple[str, int]:
        """The topic and the partition."""
        return self.topic, self.partition

    @property
    def words(self) -> str:
        """What is the matter."""
        if self.code == UNKNOWN_PARTITION:
            return f"topic '{self.topic}' has no partition {self.partition}"
        if self.code == _FORBIDDEN:
            return f"topic '{self.topic}' may not be read"
        return f"topic '{self.topic}' does not exist"

    def is_due(self, known: Absence | None) -> bool:
        """Whether it is to be told after what was ``known``: a topic may be on its way, which a second shows."""
        return self.code == UNKNOWN_PARTITION or known is not None

    def is_certain(self) -> bool:
        """Whether it is so still: of a partition that is missing it is said once only."""
        return self.code != UNKNOWN_PARTITION and time.monotonic() - self.said_at < _SECONDS

    def item(self) -> ErrorItem:
        """What whoever reads it is told."""
        return ErrorItem(error_text(self.code), error_name(self.code), self.words, self.code, self.origin)


def absence_of(error: Any) -> Absence | None:
    """The absence that an error of a client tells of, if it does."""
    found = _TEXT.match(error.str())
    if not found:
        return None
    return Absence(found["topic"], int(found["partition"]), error.code(), time.monotonic())
