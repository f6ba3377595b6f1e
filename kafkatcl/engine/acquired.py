"""The messages that a share group has lent to one of its members.

The broker locks each for the member that gets it.  The member acknowledges it: accepts
it, releases it to be delivered again, or rejects it.  The broker confirms that, or
refuses it, as for a message whose lock has run out meanwhile.
https://cwiki.apache.org/confluence/display/KAFKA/KIP-932%3A+Queues+for+Kafka
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from kafkatcl.engine.layouts import PLAIN
from kafkatcl.engine.messages import Item, Run
from kafkatcl.librdkafka.wrapper import (
    SHARE_ACKNOWLEDGE_TYPE_ACCEPT,
    SHARE_ACKNOWLEDGE_TYPE_REJECT,
    SHARE_ACKNOWLEDGE_TYPE_RELEASE,
)

_OFFSET = PLAIN.place("offset")  # as in all layouts

#: What a member may say of a message.
ACCEPT, RELEASE, REJECT = "accept", "release", "reject"
_TYPES = {
    ACCEPT: SHARE_ACKNOWLEDGE_TYPE_ACCEPT,
    RELEASE: SHARE_ACKNOWLEDGE_TYPE_RELEASE,
    REJECT: SHARE_ACKNOWLEDGE_TYPE_REJECT,
}
ACKNOWLEDGEMENTS = tuple(_TYPES)


class Place(NamedTuple):
    """Where a message stands."""

    topic: str
    partition: int
    offset: int


class Refusal(NamedTuple):
    """Acknowledgements that the broker has refused: Kafka's number of the error,
    and in words which ones.
    """

    code: int
    words: str


def places(items: Iterable[Item]) -> list[Place]:
    """The places of all messages; errors have none."""
    return [
        Place(run.topic, run.partition, offset)
        for run in items
        if isinstance(run, Run)
        for offset in run.fields[_OFFSET :: run.layout.width]
    ]


class Acquired:
    """The messages of one member; all methods: the lock of its handle held.

    :param client: gives the ``confluent_kafka.ShareConsumer``, which is made later.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        #: Those that are not acknowledged.
        self._open: set[Place] = set()
        #: Those of them that the script has, and must decide on.
        self._given: set[Place] = set()
        #: Acknowledged ones of which the broker has said nothing yet.
        self._unconfirmed: set[Place] = set()
        #: Those given up: nobody need know what the broker says of them.
        self._given_up: set[Place] = set()
        self._refusal: Refusal | None = None

    def __len__(self) -> int:
        return len(self._open)

    def add(self, acquired: Iterable[Place]) -> None:
        """The broker has locked these for us."""
        self._open.update(acquired)

    def give(self, given: Iterable[Place]) -> None:
        """The script has these now, until they are acknowledged."""
        self._given.update(self._open.intersection(given))

    def is_given(self, place: Place) -> bool:
        """Whether the script has a message and has not acknowledged it."""
        return place in self._given

    def given(self) -> list[Place]:
        """What the script has and has not acknowledged, sorted."""
        return sorted(self._given)

    def acknowledge(self, acknowledged: Iterable[Place], how: str) -> None:
        """Say something of those among these that are not acknowledged yet; it is sent
        to the broker later, by ``commit_async`` or ``poll``.

        :param how: of ``ACKNOWLEDGEMENTS``.
        """
        for place in acknowledged:
            if place in self._open:
                self._client().acknowledge_offset(*place, _TYPES[how])
                self._open.remove(place)
                self._given.discard(place)
                self._unconfirmed.add(place)

    def has_unseen(self) -> bool:
        """Whether there are some that the script does not have."""
        return len(self._open) > len(self._given)

    def give_up(self, unseen: list[Place]) -> None:
        """Release messages that the script has not seen."""
        self.acknowledge(unseen, RELEASE)
        self._given_up.update(unseen)

    def unconfirmed(self) -> set[Place]:
        """What is acknowledged, and not confirmed yet."""
        return set(self._unconfirmed)

    def is_waiting_for(self, acknowledged: set[Place]) -> bool:
        """Whether the broker has said nothing yet of some of these."""
        return not self._unconfirmed.isdisjoint(acknowledged)

    def confirm(self, answered: Mapping[Any, Iterable[int]], error: Any) -> Refusal | None:
        """Take note of what the broker says to acknowledgements.

        :param answered: the offsets of each ``confluent_kafka.TopicPartition``.
        :param error: a ``confluent_kafka.KafkaError``; None: they are done.
        :returns: what it refuses, if anybody should know.
        """
        told = {
            Place(at.topic, at.partition, offset) for at, offsets in answered.items() for offset in offsets
        }
        wanted = sorted(told - self._given_up)
        self._unconfirmed -= told
        self._given_up -= told
        if error is None or not wanted:
            return None
        self._refusal = Refusal(error.code(), _refused(wanted))
        return self._refusal

    def take_refusal(self) -> Refusal | None:
        """The last refusal, once."""
        refusal, self._refusal = self._refusal, None
        return refusal


def _refused(refused: list[Place]) -> str:
    """In words which acknowledgements were refused."""
    topic, partition, offset = refused[0]
    which = f"of {len(refused)} messages" if len(refused) > 1 else "of a message"
    at = f"topic '{topic}', partition {partition}, offset {offset}"
    return f"the acknowledgement {which} came to nothing ({at}{' and more' * (len(refused) > 1)})"
