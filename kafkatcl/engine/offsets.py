"""The offsets of a consumer: how far the script has come, and what of that is stored.

A message counts as consumed when the script has it, not when it was fetched.  What is
stored is committed by librdkafka, by its own timer or when it is asked to.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Callable

from kafkatcl.engine.flow import Origin
from kafkatcl.engine.messages import Item, Run
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition


class OffsetStore:
    """The offsets of one consumer; all methods: the lock of its handle held.

    :param client: gives the ``confluent_kafka.Consumer``, which is made later.
    :param stores: whether to store offsets: there is a group, and the script does not.
    """

    def __init__(self, client: Callable[[], Any], *, stores: bool) -> None:
        self._client = client
        self._stores = stores
        self._positions: dict[Origin, int] = {}
        self._unstored: set[Origin] = set()

    def position(self, origin: Origin) -> int | None:
        """The next offset the script is to have of a partition; None: none is known."""
        return self._positions.get(origin)

    def partitions(self) -> list[Origin]:
        """The partitions that have a position."""
        return list(self._positions)

    def advance(self, items: Iterable[Item]) -> None:
        """The script has these now."""
        for item in items:
            if isinstance(item, Run):
                self._move(item.origin, item.last + 1)

    def rewind(self, items: Iterable[Item]) -> None:
        """The script did not get to these, and is given them again."""
        for item in items:
            if isinstance(item, Run) and self._positions.get(item.origin, 0) > item.first:
                self._move(item.origin, item.first)

    def store(self) -> None:
        """Store the positions that have moved since the last time."""
        moved, self._unstored = self._unstored, set()
        if not self._stores:
            return
        for origin in moved:
            # A partition that was taken away meanwhile is no longer ours to store.
            with suppress(KafkaException):
                self._client().store_offsets(offsets=[TopicPartition(*origin, self._positions[origin])])

    def forget(self, origins: Iterable[Origin]) -> None:
        """These partitions are no longer read."""
        for origin in origins:
            self._positions.pop(origin, None)
            self._unstored.discard(origin)

    def _move(self, origin: Origin, offset: int) -> None:
        self._positions[origin] = offset
        self._unstored.add(origin)
