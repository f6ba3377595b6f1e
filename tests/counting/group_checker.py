"""Says what is wrong with what the members of a group were told and got.

A history is one life of a member: what ``member.tcl`` has written.  A partition is held
from the moment it is assigned until the callback that it is revoked has ended; that of
a member that was killed, until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

#: Where a message is: its partition and offset.
Place = tuple[int, int]


class Event(NamedTuple):
    """A line of a member's file: when, in microseconds, what, and its words."""

    moment: int
    what: str
    words: list[str]


@dataclass
class Life:
    """One life of a member; ``killed`` is when it was, if it was, in microseconds."""

    events: list[Event]
    killed: int | None = None


class Holding(NamedTuple):
    """A partition that a member had; it may not know that it has lost it."""

    begin: int
    end: int
    is_lost: bool


@dataclass
class GroupCounts:
    """How many messages, notices or holdings are what the names say."""

    sent: int = 0
    got: int = 0  # told to a member, with repetitions
    assigned: int = 0  # partitions, in all notices
    revoked: int = 0
    lost_partitions: int = 0
    repeated_after_kill: int = 0  # and by a member that had lost the partition
    lost: int = 0  # sent, and told to nobody
    foreign: int = 0  # told to a member that did not hold the partition
    shared: int = 0  # holdings that began while another member held the partition
    inconsistent: int = 0  # assigned while held, revoked or lost while not, or never given back
    repeated: int = 0  # though the member that had it before had committed it, or could have
    reordered: int = 0  # told behind a later one of one holding
    corrupt: int = 0  # not the payload that was sent
    uncommitted: int = 0  # commits that failed while partitions were revoked
    errors: int = 0  # told in the place of messages

    def anomalies(self) -> dict[str, int]:
        """What is not 0 and should be."""
        return {name: count for name, count in vars(self).items() if count and name not in HARMLESS}

    def __str__(self) -> str:
        return ", ".join(f"{each.name} {getattr(self, each.name)}" for each in fields(self))


#: Counts that say how a trial went; all others are of what must not be.
HARMLESS = {"sent", "got", "assigned", "revoked", "lost_partitions", "repeated_after_kill"}


def read_life(file: Path) -> list[Event]:
    """What a member has written; of one that was killed half of the last line may be
    missing.
    """
    events = []
    for line in file.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            moment, what, *words = line.split()
            events.append(Event(int(moment), what, words))
    return events


def payload(partition: int, offset: int) -> str:
    """What is sent to this place."""
    return f"{partition}-{offset}"


def check(sent: Sequence[int], lives: Sequence[Life]) -> GroupCounts:
    """Count what is in the history of a group.

    :param sent: how many messages each partition has, the first at offset 0.
    """
    counts = GroupCounts(sent=sum(sent))
    members = [_Member(life, counts) for life in lives]
    _check_holdings(members, counts)
    _check_messages(sent, members, counts)
    return counts


class _Member:
    """A life as it went: what the member held, and what it got."""

    def __init__(self, life: Life, counts: GroupCounts) -> None:
        self._counts = counts
        self.holdings: dict[int, list[Holding]] = defaultdict(list)
        #: When it got which message, and whether another one may get it again.
        self.got: list[tuple[int, Place, bool]] = []
        self._held: dict[int, int] = {}  # since when
        self._next: dict[int, int] = {}  # the least offset that may come
        self._uncommitted: list[tuple[int, Place]] = []
        self._going: tuple[list[int], bool] = ([], False)
        for event in life.events:
            getattr(self, f"_on_{event.what}")(event)
        self._end(life)

    def _on_assigned(self, event: Event) -> None:
        for partition in map(int, event.words):
            self._counts.assigned += 1
            self._counts.inconsistent += partition in self._held
            self._held[partition] = event.moment
            self._next[partition] = 0

    def _on_revoked(self, event: Event) -> None:
        self._counts.revoked += len(event.words)
        self._give_up(event, is_lost=False)

    def _on_lost(self, event: Event) -> None:
        self._counts.lost_partitions += len(event.words)
        self._give_up(event, is_lost=True)

    def _give_up(self, event: Event, *, is_lost: bool) -> None:
        partitions = [int(word) for word in event.words]
        self._counts.inconsistent += sum(partition not in self._held for partition in partitions)
        self._going = ([partition for partition in partitions if partition in self._held], is_lost)

    def _on_handled(self, event: Event) -> None:
        partitions, is_lost = self._going
        self._going = ([], False)
        for partition in partitions:
            begin = self._held.pop(partition)
            self.holdings[partition].append(Holding(begin, event.moment, is_lost))
        if is_lost:
            self._settle(may_repeat=True, partitions=partitions)

    def _on_got(self, event: Event) -> None:
        partition, offset = map(int, event.words[:2])
        self._counts.got += 1
        self._counts.corrupt += event.words[2:] != [payload(partition, offset)]
        # From the beginning of the callback on, nothing is told of what goes.
        self._counts.foreign += partition not in self._held or partition in self._going[0]
        self._counts.reordered += offset < self._next.get(partition, 0)
        self._next[partition] = offset + 1
        self._uncommitted.append((event.moment, (partition, offset)))

    def _on_committed(self, _event: Event) -> None:
        self._settle(may_repeat=False)

    def _on_failed(self, _event: Event) -> None:
        self._counts.uncommitted += 1

    def _on_error(self, _event: Event) -> None:
        self._counts.errors += 1

    def _on_left(self, _event: Event) -> None:
        self._counts.inconsistent += len(self._held)
        self._held.clear()

    def _settle(self, *, may_repeat: bool, partitions: Sequence[int] | None = None) -> None:
        """Say of what was not committed until now whether it may come again."""
        left = []
        for moment, place in self._uncommitted:
            if partitions is None or place[0] in partitions:
                self.got.append((moment, place, may_repeat))
            else:
                left.append((moment, place))
        self._uncommitted = left

    def _end(self, life: Life) -> None:
        self._settle(may_repeat=life.killed is not None)
        if life.killed is not None:
            for partition, begin in self._held.items():
                self.holdings[partition].append(Holding(begin, life.killed, is_lost=False))
        else:
            self._counts.inconsistent += len(self._held)


def _check_holdings(members: Sequence[_Member], counts: GroupCounts) -> None:
    """No two members hold a partition at a time, as far as they can know."""
    by_partition: dict[int, list[Holding]] = defaultdict(list)
    for member in members:
        for partition, holdings in member.holdings.items():
            by_partition[partition] += [holding for holding in holdings if not holding.is_lost]
    for found in by_partition.values():
        ordered = sorted(found)
        counts.shared += sum(later.begin < earlier.end for earlier, later in zip(ordered, ordered[1:]))


def _check_messages(sent: Sequence[int], members: Sequence[_Member], counts: GroupCounts) -> None:
    """All messages are told, and again only where nobody could have committed them."""
    got: dict[Place, list[tuple[int, bool]]] = defaultdict(list)
    for member in members:
        for moment, place, may_repeat in member.got:
            got[place].append((moment, may_repeat))
    counts.lost = sum(
        (partition, offset) not in got for partition, count in enumerate(sent) for offset in range(count)
    )
    for times in got.values():
        before = [may_repeat for _, may_repeat in sorted(times)][:-1]
        counts.repeated_after_kill += sum(before)
        counts.repeated += len(before) - sum(before)
