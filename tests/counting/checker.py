"""Says what is wrong with what was sent and what was read.

The kinds of anomalies are those that Jepsen looks for in Kafka
(https://jepsen.io/analyses/redpanda-21.10.1), as far as one message at a time shows
them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, fields

from counting.histories import Read, Sent
from counting.message import Id, identity

#: Where a message is: its partition and offset.
Place = tuple[int, int]

#: Counts that say how a run went; all others are of what must not be.
HARMLESS = {"sent", "acked", "failed", "unacked_but_present", "repeated", "errors"}


@dataclass
class Counts:
    """How many messages of a run, or places in its log, are what the names say."""

    sent: int = 0
    acked: int = 0
    failed: int = 0  # whose report said so
    lost: int = 0  # acked and never read
    duplicate: int = 0  # at a second place, or read twice in a life
    reordered: int = 0  # behind a later one of its producer, or read behind a later one
    two_values: int = (
        0  # places that hold two messages, and messages that are not at the place of their report
    )
    unacked_but_present: int = 0
    corrupt: int = 0  # read, but not as they were sent, or never sent to this partition
    skipped: int = 0  # known to be there, and left out by a reader that went on behind them
    unreported: int = 0
    doubly_reported: int = 0
    repeated: int = 0  # read again in a later life
    errors: int = 0  # that the reader's callback was told

    def anomalies(self, allowed: Collection[str] = ()) -> dict[str, int]:
        """What is not 0 and should be, but for what is ``allowed``."""
        return {
            name: count
            for name, count in vars(self).items()
            if count and name not in HARMLESS and name not in allowed
        }

    def __str__(self) -> str:
        return ", ".join(f"{each.name} {getattr(self, each.name)}" for each in fields(self))


def check(sent: Sent, read: Read) -> Counts:
    """Count what is in a history in which readers, together, were to get everything."""
    counts = Counts(sent=len(sent.reports), errors=read.errors)
    _check_reports(sent, counts)
    log = _Log(sent, read, counts)
    log.check_order()
    log.check_acks()
    log.check_lives()
    return counts


def _check_reports(sent: Sent, counts: Counts) -> None:
    counts.doubly_reported = sent.unasked
    for reports in sent.reports.values():
        counts.unreported += not reports
        counts.doubly_reported += max(len(reports) - 1, 0)
        counts.acked += _acked(reports)
        counts.failed += None in reports


def _acked(reports: list[int | None]) -> bool:
    return any(offset is not None for offset in reports)


class _Log:
    """The log of the topic, as far as it was read."""

    def __init__(self, sent: Sent, read: Read, counts: Counts) -> None:
        self._sent = sent
        self._read = read
        self._counts = counts
        self._content: dict[Place, bytes] = {}
        self._message_at: dict[Place, Id] = {}
        self._places: dict[Id, list[Place]] = defaultdict(list)
        self._contradicted: set[Place] = set()
        for got in read.messages:
            self._add((got.partition, got.offset), got.payload)

    def _add(self, place: Place, payload: bytes) -> None:
        if self._content.setdefault(place, payload) != payload:
            self._contradicted.add(place)
        message = identity(payload)
        if message is None or message not in self._sent.reports or message.partition != place[0]:
            self._counts.corrupt += 1
            return
        places = self._places[message]
        if place not in places:  # else it was read again
            places.append(place)
            self._message_at.setdefault(place, message)
            self._counts.duplicate += len(places) > 1

    def check_order(self) -> None:
        """Of each producer, the messages of a partition are in the order in
        which they were sent.
        """
        newest: dict[tuple[str, int], int] = {}
        for place in sorted(self._message_at):
            message = self._message_at[place]
            if place != min(self._places[message]):
                continue  # counted as duplicate
            line = (message.producer, message.partition)
            self._counts.reordered += message.sequence < newest.get(line, -1)
            newest[line] = max(message.sequence, newest.get(line, -1))

    def check_acks(self) -> None:
        """What was acked is there, where its report says,
        and nothing else is in its place.
        """
        claimed: dict[Place, Id] = {}
        for message, reports in self._sent.reports.items():
            places = self._places.get(message)
            if _acked(reports):
                self._counts.lost += places is None
            else:
                self._counts.unacked_but_present += places is not None
            for offset in reports:
                if offset is None or offset < 0:
                    continue
                place = (message.partition, offset)
                is_claimed = claimed.setdefault(place, message) != message
                is_other = self._message_at.get(place, message) != message
                is_elsewhere = places is not None and place not in places
                if is_claimed or is_other or is_elsewhere:
                    self._contradicted.add(place)
        self._counts.two_values = len(self._contradicted)

    def check_lives(self) -> None:
        """In each life of a reader, a partition is read forward,
        and nothing is left out.
        """
        known = self._known()
        lives: dict[tuple[int, int], list[int]] = defaultdict(list)
        for got in self._read.messages:
            lives[got.life, got.partition].append(got.offset)
        before: dict[int, set[int]] = defaultdict(set)
        for (_, partition), offsets in sorted(lives.items()):
            seen = self._check_steps(offsets)
            first, last = min(seen), max(seen)
            passed = {offset for offset in known[partition] if first < offset < last}
            self._counts.skipped += len(passed - seen)
            self._counts.repeated += len(seen & before[partition])
            before[partition] |= seen

    def _known(self) -> dict[int, set[int]]:
        """The offsets of each partition at which a message was read,
        or is by its report.
        """
        known: dict[int, set[int]] = defaultdict(set)
        for partition, offset in self._content:
            known[partition].add(offset)
        for message, reports in self._sent.reports.items():
            known[message.partition].update(offset for offset in reports if offset is not None)
        return known

    def _check_steps(self, offsets: list[int]) -> set[int]:
        """The offsets that were read one after the other,
        each of which should be behind the last one.
        """
        seen: set[int] = set()
        last = -1
        for offset in offsets:
            if offset in seen:
                self._counts.duplicate += 1
            else:
                self._counts.reordered += offset < last
            seen.add(offset)
            last = max(last, offset)
        return seen
