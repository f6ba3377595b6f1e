"""Messages in flight: a script was given them and has not used them yet.

Used messages count as consumed; messages that the script did not reach are requeued.
Messages that were dropped meanwhile, as their partition was stopped, revoked or started
anew, are neither.  All of it happens with the lock of the handle held.
"""

from __future__ import annotations

from collections import Counter

from kafkatcl.engine.messages import Item, Run

#: An item that was taken from a buffer, and the era it was taken in: how often the
#: buffer had been cleared, and how often the item's partition had been dropped.
Taken = tuple[Item, tuple[int, int]]


class Eras:
    """How often a buffer has dropped its messages, of all partitions and of each."""

    def __init__(self) -> None:
        self._clears = 0
        self._drops: Counter[tuple[str, int]] = Counter()

    def clear(self) -> None:
        """Begin a new era for all partitions: what was taken so far is not wanted."""
        self._clears += 1

    def drop(self, topic_partition: tuple[str, int]) -> None:
        """Begin a new era for one partition: what was taken of it is not wanted."""
        self._drops[topic_partition] += 1

    def taken(self, items: list[Item]) -> list[Taken]:
        """Items as they are taken now, each with its era."""
        return [(item, self._era(item)) for item in items]

    def wanted(self, taken: list[Taken]) -> list[Item]:
        """The items that were not dropped since they were taken."""
        return [item for item, era in taken if era == self._era(item)]

    def _era(self, item: Item) -> tuple[int, int]:
        topic_partition = item.topic_partition
        return self._clears, self._drops.get(topic_partition, 0) if topic_partition else 0


def parted(taken: list[Taken], rest: int) -> tuple[list[Taken], list[Taken]]:
    """All but the last ``rest`` messages, and those; a run is cut in two for that."""
    if rest == 0:
        return taken, []
    first, last = list(taken), []
    while rest > 0 and first:
        item, era = first.pop()
        if isinstance(item, Run) and item.size > rest:
            first.append((item.part(0, item.size - rest), era))
            item = item.part(item.size - rest, rest)
        last.append((item, era))
        rest -= item.size
    return first, last[::-1]
