"""How many messages a producer will certainly accept: they need no answer.

A message that is produced without an answer must be one that cannot be refused: the
queue has room for it (``queue.buffering.max.messages`` and ``.kbytes`` in
https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md), librdkafka
knows that its partition exists, and it is not too large.  What the interpreter has not
been granted it produces with an answer, and the answer grants more.
"""

from __future__ import annotations

import time
from typing import NamedTuple
from weakref import WeakKeyDictionary

from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.producer_topic import ProducerTopic

#: Larger messages (payload and key, in bytes) are produced with an answer.
LARGEST = 64 << 10
#: How long to wait for an answer about a topic's partitions.
_PATIENCE_MS = 50
#: Seconds to wait before asking, at first and at most.
_FIRST_PAUSE, _MAX_PAUSE = 0.005, 1.0


class Credit(NamedTuple):
    """What an interpreter may produce to a partition without an answer.

    ``messages`` of up to LARGEST bytes, counted for all topics of the handle.
    """

    handle: str
    messages: int
    #: 1 if the partition is known to exist, without which nothing is granted, or 0.
    is_known: int


class _PartitionLookup:
    """What is known of a topic's partitions (0: nothing yet), and when to ask again.

    ``next`` is a moment of ``time.monotonic``; ``pause`` is in seconds, and doubles.
    """

    def __init__(self, next: float) -> None:
        self.next = next
        self.pause = _FIRST_PAUSE
        self.partitions = 0


class Creditor:
    """Grants credit on the producers of one process."""

    def __init__(self) -> None:
        ProducerHandle.notes_nbytes = True
        self._asked: WeakKeyDictionary[ProducerTopic, _PartitionLookup] = WeakKeyDictionary()

    def grant(self, topic: ProducerTopic, partition: int) -> Credit:
        """The credit for a partition after a message for it was accepted.

        :param partition: -1, for which the partitioner chooses later, counts as known.
        """
        handle = topic.handle
        is_known = int(partition < self._known_partitions(topic))
        return Credit(handle.object_id, handle.room(LARGEST), is_known)

    def _known_partitions(self, topic: ProducerTopic) -> int:
        """How many partitions librdkafka knows the topic to have; 0: not known yet.

        The first question waits, since the metadata of a new topic is on its way; each
        question waits for 50 ms at most.
        """
        now = time.monotonic()
        asked = self._asked.setdefault(topic, _PartitionLookup(now + _FIRST_PAUSE))
        if not asked.partitions and now >= asked.next:
            asked.partitions = topic.partition_count(_PATIENCE_MS)
            asked.pause = min(2 * asked.pause, _MAX_PAUSE)
            asked.next = time.monotonic() + asked.pause
        return asked.partitions
