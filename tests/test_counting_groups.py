"""Members of a group join and leave while messages come: each partition is one member's
at a time, nothing is lost, and nothing comes twice but after a kill.

First, that the checker finds what it is for: each anomaly, forged.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from counting.group_checker import HARMLESS, Event, GroupCounts, Life, check, payload, read_life
from counting.group_trial import PROTOCOLS, GroupPlan, run
from fix_async import SOAK, scaled
from fix_cluster import Cluster
from fix_tcl import KAFKATCLSH, TCLSH

EACH = 6  # messages of each of two partitions


class History:
    """Two members where all went well:
    the first gives partition 1 to the second, and is killed later.  Tests forge it.
    """

    def __init__(self) -> None:
        self._moment = 0
        self.one: list[Event] = []
        self.two: list[Event] = []
        self.note(self.one, "assigned 0 1", "handled", *got(0, 0, 3), *got(1, 0, 3))
        self.note(self.one, "revoked 1", "committed", "handled", "assigned", "handled")
        self.note(self.two, "assigned 1", "handled", *got(1, 3, 6), "committed")
        self.note(self.one, *got(0, 3, 5))
        self.killed = self._moment + 1
        self._moment += 2
        self.note(self.two, "assigned 0", "handled", *got(0, 3, 6))
        self.note(self.two, "revoked 0 1", "committed", "handled", "left")

    def note(self, events: list[Event], *lines: str) -> None:
        for line in lines:
            self._moment += 1
            what, *words = line.split()
            events.append(Event(self._moment, what, words))

    def replace(self, events: list[Event], old: str, *new: str) -> None:
        """Put lines in the place of the first one that reads so."""
        place = next(n for n, event in enumerate(events) if " ".join([event.what, *event.words]) == old)
        moment = events[place].moment
        events[place : place + 1] = [Event(moment, *_parts(line)) for line in new]

    def counts(self) -> GroupCounts:
        return check([EACH, EACH], [Life(self.one, self.killed), Life(self.two)])


def _parts(line: str) -> tuple[str, list[str]]:
    what, *words = line.split()
    return what, words


def got(partition: int, begin: int, end: int) -> list[str]:
    return [f"got {partition} {offset} {payload(partition, offset)}" for offset in range(begin, end)]


def lost_at_the_end(history: History) -> None:
    history.replace(history.two, got(0, 5, 6)[0])


def lost_at_a_change(history: History) -> None:
    history.replace(history.two, got(1, 3, 4)[0])


def foreign_after_a_revocation(history: History) -> None:
    history.replace(history.one, got(0, 3, 4)[0], got(1, 3, 4)[0], got(0, 3, 4)[0])


def foreign_in_the_callback(history: History) -> None:
    history.replace(history.one, "revoked 1", "revoked 1", got(1, 3, 4)[0])


def foreign_before_an_assignment(history: History) -> None:
    history.replace(history.two, "assigned 1", got(1, 3, 4)[0], "assigned 1")


def shared_for_a_moment(history: History) -> None:
    place = next(n for n, event in enumerate(history.one) if event.words == ["1"]) + 2
    history.one[place] = history.one[place]._replace(moment=history.two[0].moment + 1)


def inconsistent_revocation(history: History) -> None:
    history.replace(history.one, "revoked 1", "revoked 1 2")


def inconsistent_assignment(history: History) -> None:
    history.replace(history.two, "assigned 0", "assigned 0 1")


def inconsistent_end(history: History) -> None:
    history.replace(history.two, "revoked 0 1", "revoked 0")


def repeated_though_committed(history: History) -> None:
    history.replace(history.two, got(1, 3, 4)[0], *got(1, 2, 4))


def reordered_in_a_holding(history: History) -> None:
    [earlier, later] = got(1, 4, 6)
    history.replace(history.two, later)
    history.replace(history.two, earlier, later, earlier)


def corrupt_payload(history: History) -> None:
    history.replace(history.two, got(1, 4, 5)[0], "got 1 4 1-5")


def uncommitted_in_a_revocation(history: History) -> None:
    history.replace(history.one, "committed", "failed no", "committed")


def errors_in_the_place_of_messages(history: History) -> None:
    history.replace(history.one, "committed", "error X", "committed")


FORGERIES: list[Callable[[History], None]] = [
    lost_at_the_end,
    lost_at_a_change,
    foreign_after_a_revocation,
    foreign_in_the_callback,
    foreign_before_an_assignment,
    shared_for_a_moment,
    inconsistent_revocation,
    inconsistent_assignment,
    inconsistent_end,
    repeated_though_committed,
    reordered_in_a_holding,
    corrupt_payload,
    uncommitted_in_a_revocation,
    errors_in_the_place_of_messages,
]


def test_a_history_in_which_all_went_well_has_no_anomaly() -> None:
    counts = History().counts()
    assert counts.anomalies() == {}
    assert (counts.sent, counts.got, counts.repeated_after_kill) == (2 * EACH, 2 * EACH + 2, 2)
    assert (counts.assigned, counts.revoked) == (4, 3)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forgery_is_found(forge: Callable[[History], None]) -> None:
    history = History()
    forge(history)
    found = history.counts().anomalies()
    assert forge.__name__.split("_")[0] in found, found


def test_every_anomaly_is_forged() -> None:
    assert {forge.__name__.split("_")[0] for forge in FORGERIES} == set(vars(GroupCounts())) - HARMLESS


def test_what_a_member_lost_may_be_read_by_another_one_before_it_knows() -> None:
    history = History()
    history.replace(history.one, "revoked 1", "lost 1")
    history.replace(history.one, "committed")
    place = next(n for n, event in enumerate(history.one) if event.what == "lost") + 1
    history.one[place] = history.one[place]._replace(moment=history.two[0].moment + 1)
    history.replace(history.two, got(1, 3, 4)[0], *got(1, 1, 4))
    assert history.counts().anomalies() == {}
    assert history.counts().repeated_after_kill == 4


def test_of_a_killed_member_half_a_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "told").write_text("12 assigned 0 1\n13 handled\n14 got 0 1")
    assert read_life(tmp_path / "told") == [Event(12, "assigned", ["0", "1"]), Event(13, "handled", [])]


# -- the trial -------------------------------------------------------------------------

#: Each protocol in one of the shells; ``make soak`` has all of them in both.
SHORT = [("range", KAFKATCLSH), ("cooperative-sticky", TCLSH), ("consumer", KAFKATCLSH)]
LONG = [(protocol, shell) for protocol in PROTOCOLS for shell in (KAFKATCLSH, TCLSH)]
SEED = 11


@pytest.mark.parametrize(
    ("protocol", "shell"),
    LONG if SOAK else SHORT,
    ids=lambda part: part if isinstance(part, str) else part[-1],
)
def test_each_partition_is_one_members_and_nothing_is_lost(
    kafka_cluster: Cluster, tmp_path: Path, protocol: str, shell: tuple[str, ...]
) -> None:
    plan = GroupPlan(
        protocol,
        messages=scaled(3_000, 50_000),
        changes=scaled(3, 20),
        kills=0.34,
        seed=SEED,
        shell=shell,
    )
    outcome = run(kafka_cluster, tmp_path, plan)
    assert outcome.wrong() == [], f"{plan}\n{outcome}"
    assert outcome.counts.revoked > 0
