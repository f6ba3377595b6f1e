"""Which offset is meant by a time, by the end, or by what is stored, as the cluster
says.

Every question is one request to each broker that leads a partition, however many
partitions there are.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable

from kafkatcl.engine.destination import EMBEDDED_CLUSTER
from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.metadata import Metadata
from kafkatcl.engine.positions import Moment, TopicPartitionOffset
from kafkatcl.engine.waiting import deadline_after, interruptibly, remaining
from kafkatcl.librdkafka.errors import PARTITION_END, TIMED_OUT
from kafkatcl.librdkafka.offsets import OFFSET_BEGINNING, OFFSET_END, OFFSET_STORED, OFFSET_TAIL_BASE
from kafkatcl.librdkafka.wrapper import Consumer, KafkaError, KafkaException, TopicPartition

#: How long to ask, in ms, where the script does not say.
LOOKUP_MS = 5000
#: How many messages are looked at at once, and for how long they are waited for.
_SCAN, _SCAN_SECONDS = 500, 0.05


class OffsetLookup:
    """Questions about offsets, for which there is so much time together (any thread,
    without the lock of a handle; each waits, and a signal ends the wait).

    Their error is a KafkaException: a partition does not exist, or there is no answer.

    :param client: the ``confluent_kafka.Consumer`` that asks.
    :param timeout_ms: for ever if negative.
    """

    def __init__(self, client: Any, timeout_ms: int) -> None:
        self._client = client
        self._deadline = deadline_after(timeout_ms)

    def oldest(self, topic_partitions: Iterable[TopicPartitionPair]) -> dict[TopicPartitionPair, int]:
        """The offset of the oldest message of each partition."""
        return self._ask(dict.fromkeys(topic_partitions, OFFSET_BEGINNING))

    def ends(self, topic_partitions: Iterable[TopicPartitionPair]) -> dict[TopicPartitionPair, int]:
        """The offset of the next message that a reader can have from each partition
        once it has all others: with ``isolation.level read_committed`` that is where
        the first open transaction began.
        """
        return self._ask(dict.fromkeys(topic_partitions, OFFSET_END))

    def at_times(self, times: Mapping[TopicPartitionPair, int]) -> dict[TopicPartitionPair, int]:
        """The offset of the first message at or after a time, in ms since the epoch, of
        each partition; OFFSET_END where there is none.
        """
        found = self._ask(times)
        missing = [pair for pair, offset in found.items() if offset == OFFSET_END]
        if missing and self._is_embedded():
            found.update((pair, self._searched(pair, times[pair])) for pair in missing)
        return found

    def committed(self, topic_partitions: Iterable[TopicPartitionPair]) -> dict[TopicPartitionPair, int]:
        """The offset that the group has committed of each partition; OFFSET_INVALID
        where it has none.
        """
        wanted = [TopicPartition(*pair) for pair in topic_partitions]
        return self._answer(lambda timeout: self._client.committed(wanted, timeout=timeout))

    def moments(self, wanted: Collection[TopicPartitionOffset]) -> list[TopicPartitionOffset]:
        """The same positions, with numbers in the place of times.

        Where no message is so new that is the end as it was before the question, so
        that no message is passed over which comes meanwhile.
        """
        times = {place.topic_partition: place.offset for place in wanted if isinstance(place.offset, Moment)}
        if not times:
            return list(wanted)
        ends = self.ends(times)
        found = self.at_times(times)
        return _moved(
            wanted, {pair: ends[pair] if found[pair] == OFFSET_END else found[pair] for pair in times}
        )

    def numbers(
        self, wanted: Collection[TopicPartitionOffset], reset: Callable[[str], int]
    ) -> list[TopicPartitionOffset]:
        """The same positions, with numbers in the place of times and of logical
        offsets.

        :param reset: says for a topic what stands for a stored offset where there is
            none: OFFSET_BEGINNING or OFFSET_END.
        """
        places = self.moments(wanted)
        stored = [place.topic_partition for place in places if place.offset == OFFSET_STORED]
        if stored:
            found = self.committed(stored)
            places = _moved(
                places, {pair: found[pair] if found[pair] >= 0 else reset(pair[0]) for pair in stored}
            )
        logical = {place.topic_partition: place.offset for place in places if place.offset < 0}
        if not logical:
            return places
        oldest, ends = self.oldest(logical), self.ends(logical)
        return _moved(
            places, {pair: _counted(offset, oldest[pair], ends[pair]) for pair, offset in logical.items()}
        )

    def _ask(self, times: Mapping[TopicPartitionPair, int]) -> dict[TopicPartitionPair, int]:
        # What librdkafka calls a time may be one of two logical offsets as well:
        # https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L10533
        wanted = [TopicPartition(*pair, int(ms)) for pair, ms in times.items()]
        if not wanted:
            return {}
        return self._answer(lambda timeout: self._client.offsets_for_times(wanted, timeout=timeout))

    def _answer(self, ask: Callable[[float], list[Any]]) -> dict[TopicPartitionPair, int]:
        seconds = remaining(self._deadline)
        answers = interruptibly(lambda: ask(-1 if seconds is None else seconds))
        for answer in answers:
            if answer.error is not None:
                raise KafkaException(answer.error)
        return {(answer.topic, answer.partition): int(answer.offset) for answer in answers}

    # -- the embedded broker knows no times --------------------------------------------

    def _is_embedded(self) -> bool:
        seconds = remaining(self._deadline)
        cluster_id = interruptibly(
            lambda: self._client.cluster_id(timeout=5.0 if seconds is None else seconds)
        )
        return str(cluster_id or "").startswith(EMBEDDED_CLUSTER.decode())

    def _searched(self, topic_partition: TopicPartitionPair, ms: int) -> int:
        """Look through a partition for the first message at or after a time: of each
        question about one the mock cluster says that there is none.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock_handlers.c
        """
        brokers = Metadata(interruptibly(lambda: self._client.list_topics(timeout=5.0))).brokers()
        reader = Consumer({
            "bootstrap.servers": ",".join(brokers), "group.id": f"kafkatcl-{os.urandom(16).hex()}",
            "enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 10, "log_level": 0,
        })  # fmt: skip
        try:
            # A number: to find a logical offset takes librdkafka half a second here.
            reader.assign([TopicPartition(*topic_partition, self.oldest([topic_partition])[topic_partition])])
            while remaining(self._deadline) != 0:
                for message in reader.consume(_SCAN, _SCAN_SECONDS):
                    error = message.error()
                    if error is not None and error.code() == PARTITION_END:
                        return OFFSET_END
                    if error is None and message.timestamp()[1] >= ms:
                        return int(message.offset() or 0)
            raise KafkaException(KafkaError(TIMED_OUT))
        finally:
            reader.close()


def _moved(
    places: Iterable[TopicPartitionOffset], found: dict[TopicPartitionPair, int]
) -> list[TopicPartitionOffset]:
    """The same positions, with what was found in the place of their offsets."""
    return [place._replace(offset=found.get(place.topic_partition, place.offset)) for place in places]


def _counted(offset: int, oldest: int, end: int) -> int:
    """The number of a logical offset: the beginning, the end, or so many messages
    before the end.
    """
    if offset == OFFSET_BEGINNING:
        return oldest
    return end if offset == OFFSET_END else max(oldest, end + offset - OFFSET_TAIL_BASE)
