"""The rebalances of a group that a script is to be told of, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from kafkatcl.engine.flow import TopicPartitionPair

ASSIGNED, REVOKED, LOST = "assigned", "revoked", "lost"


class Rebalance(NamedTuple):
    """What a script is told: ``assigned``, ``revoked`` or ``lost``, and the partitions,
    each a topic, a number, and the offset that the script is to have next of it: the
    stored one where it had none.
    """

    kind: str
    partitions: list[tuple[str, int, int]]


class Notice:
    """A rebalance that waits to be told, or is being told.

    :param is_awaited: whether the group waits until the script has handled it.
    """

    def __init__(self, kind: str, topic_partitions: list[TopicPartitionPair], *, is_awaited: bool) -> None:
        self.kind = kind
        self.topic_partitions = topic_partitions
        self.is_awaited = is_awaited
        self.is_over = False


class Notices:
    """The notices of one subscriber; all methods: the lock of its handle held."""

    def __init__(self) -> None:
        self._waiting: deque[Notice] = deque()
        self._told: Notice | None = None

    @property
    def is_telling(self) -> bool:
        """Whether the script handles one now."""
        return self._told is not None

    @property
    def is_due(self) -> bool:
        """Whether the script is to be told of one now: it handles no other."""
        return bool(self._waiting) and self._told is None

    def post(self, kind: str, topic_partitions: Iterable[TopicPartitionPair], *, is_awaited: bool) -> Notice:
        """Add one."""
        notice = Notice(kind, list(topic_partitions), is_awaited=is_awaited)
        self._waiting.append(notice)
        return notice

    def begin(self) -> Notice | None:
        """The one that is to be told now, if any; until :meth:`end` there is no
        other.
        """
        if not self.is_due:
            return None
        self._told = self._waiting.popleft()
        return self._told

    def end(self) -> Notice | None:
        """The script has handled what :meth:`begin` gave, which is returned."""
        notice, self._told = self._told, None
        if notice is not None:
            notice.is_over = True
        return notice

    def drop(self) -> None:
        """Nobody is to be told of those that wait."""
        for notice in self._waiting:
            notice.is_over = True
        self._waiting.clear()
