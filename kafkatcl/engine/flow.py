"""Flow control of a consumer: how much its handle holds for the script,
and which partitions are paused and why.

librdkafka knows one kind of pause.  Here each pause has a reason, so that what the
script has paused is not resumed when there is room again, and the other way round.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Callable

from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition

#: Messages, and bytes, a handle holds for the script before it leaves further ones to
#: librdkafka.  That has limits of its own, queued.min.messages (100,000 of a partition)
#: and queued.max.messages.kbytes (64 MiB).
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
HELD_LIMIT = 20_000
HELD_BYTES = 16 << 20
#: The most that is taken from librdkafka at once: messages, and about so many bytes.
MAX_FETCH = 500
_MAX_FETCH_BYTES = 4 << 20
#: Bytes that each buffer may hold, however many there are.
_MIN_SHARE_BYTES = 256 << 10
#: How many messages a full handle takes, one in each idle round of a second, before it
#: pauses its partitions.
_MAX_FULL_POLLS = 30

#: A topic and a partition.
TopicPartitionPair = tuple[str, int]


class Reason(enum.Enum):
    """Why a partition is paused."""

    SCRIPT = "the script has asked for it"
    FULL = "the handle holds enough of it"
    GOAL = "a walk has come to its goal there"


class FlowControl:
    """The flow control of one consumer; all methods: the lock of its handle held.

    :param client: gives the ``confluent_kafka.Consumer``, which is made later.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._count = 0
        #: How many bytes the buffers hold.
        self.nbytes = 0
        self._average = _MAX_FETCH_BYTES // 10  # bytes of a message, as far as is known
        self._reasons: dict[TopicPartitionPair, set[Reason]] = {}
        self._full_polls = 0
        self._polled = 0.0  # when a full handle took its last message
        #: Whether nothing is fetched until there is room.
        self.throttled = False

    # -- how much is held --------------------------------------------------------------

    def account(self, count: int, nbytes: int) -> bool:
        """The buffers hold ``count`` messages more, of ``nbytes`` bytes together; both
        are negative where they hold less.

        :returns: whether the poll thread may fetch or resume again.
        """
        self._count += count
        self.nbytes += nbytes
        if count >= 0:
            return False
        if self.throttled and self.has_room_again():
            self.throttled = False
            return True
        return bool(self._reasons and self.paused(Reason.FULL))

    def is_full(self) -> bool:
        """Whether no more is wanted."""
        return self._count >= HELD_LIMIT or self.nbytes >= HELD_BYTES

    def has_room_again(self) -> bool:
        """Whether so much was used that a throttled handle should go on:
        before the script has used up the rest.
        """
        return self._count <= HELD_LIMIT * 3 // 4 and self.nbytes <= HELD_BYTES * 3 // 4

    def max_fetch(self, most: int = MAX_FETCH) -> int:
        """How many messages to take at once: up to ``most``, and about 4 MiB if they
        are as large as those before.
        """
        return max(1, min(most, _MAX_FETCH_BYTES // self._average))

    def learn(self, count: int, nbytes: int) -> None:
        """``count`` messages, at least one, of ``nbytes`` together were fetched."""
        # Small messages may be followed by large ones.
        self._average = max(1, nbytes // count, self._average // 2)

    def throttle(self) -> None:
        """Fetch nothing until there is room;
        :meth:`poll_is_due` says when one message is taken all the same.
        """
        if not self.throttled:
            self.throttled = True
            self._full_polls = 0
            self._polled = time.monotonic()

    def poll_is_due(self, seconds: float) -> bool:
        """Whether it is time to take one message although no more are wanted:
        once in ``seconds``.

        A group expects its members to poll, each ``max.poll.interval.ms`` at least,
        whatever the script does.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md

        A script that stays busy for 30 times ``seconds`` is not given more: the
        partitions are paused.  librdkafka then drops what it had of them, and fetches
        that anew when they are resumed.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_partition.c#L2123-L2127
        """
        if time.monotonic() - self._polled < seconds:
            return False
        self._polled = time.monotonic()
        self._full_polls += 1
        if self._full_polls == _MAX_FULL_POLLS:
            self.pause([(p.topic, p.partition) for p in self._client().assignment()], Reason.FULL)
        return True

    # -- which partitions are paused ---------------------------------------------------

    def paused(self, reason: Reason) -> list[TopicPartitionPair]:
        """The partitions that are paused for a reason."""
        return [topic_partition for topic_partition, reasons in self._reasons.items() if reason in reasons]

    def pause(self, topic_partitions: Collection[TopicPartitionPair], reason: Reason) -> None:
        """Have librdkafka fetch none of these partitions until the reason is gone,
        by :meth:`resume` or :meth:`forget`.
        """
        running = [
            topic_partition for topic_partition in topic_partitions if not self._reasons.get(topic_partition)
        ]
        if running:
            self._client().pause([TopicPartition(*topic_partition) for topic_partition in running])
        for topic_partition in topic_partitions:
            self._reasons.setdefault(topic_partition, set()).add(reason)

    def resume(self, topic_partitions: Iterable[TopicPartitionPair], reason: Reason) -> None:
        """Take back a reason; partitions that are paused for no other go on."""
        freed = []
        for topic_partition in topic_partitions:
            reasons = self._reasons.get(topic_partition, set())
            if reason in reasons:
                reasons.remove(reason)
                if not reasons:
                    del self._reasons[topic_partition]
                    freed.append(topic_partition)
        if freed:
            self._client().resume([TopicPartition(*topic_partition) for topic_partition in freed])

    def forget(self, topic_partitions: Iterable[TopicPartitionPair]) -> None:
        """Resume these partitions, as they are read no more or anew.

        librdkafka keeps a pause beyond the assignment: with that it takes back only
        pauses of its own.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_assignment.c#L413-L417
        """
        paused = [
            topic_partition
            for topic_partition in topic_partitions
            if self._reasons.pop(topic_partition, None)
        ]
        if paused:
            with suppress(KafkaException):  # those that are not assigned any more
                self._client().resume([TopicPartition(*topic_partition) for topic_partition in paused])

    def forget_all(self) -> None:
        """The same of all partitions."""
        self.forget(list(self._reasons))

    def share(self, buffers: int) -> tuple[int, int]:
        """The messages, and bytes, from which on one of so many buffers is crowded."""
        each = max(1, buffers)
        return max(MAX_FETCH, HELD_LIMIT // each), max(_MIN_SHARE_BYTES, HELD_BYTES // each)
