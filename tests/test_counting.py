"""The counting harness finds what it is for:
each anomaly, forged, and nothing where nothing is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from counting.checker import check
from counting.histories import Got, Read, Sent, read_got, read_sent
from counting.message import Id, identity, payload
from counting.trial import Plan, Progress, run
from fix_cluster import Cluster

SIZE = 100
PRODUCERS = ("a", "b")
PARTITIONS = 2
EACH = 5  # messages of a producer in a partition


# -- messages --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 30, 31, 200, 1000])
def test_a_payload_says_which_message_it_is(size: int) -> None:
    for sequence in (0, 1, 255, 256, 1_000_000):
        given = Id("r1", "p1", 3, sequence)
        made = payload(given, size)
        assert identity(made) == given
        assert len(made) == max(size, len(str(given)) + 10)


def test_whatever_bit_is_flipped_is_noticed() -> None:
    whole = payload(Id("r", "p", 0, 7), 60)
    for position in range(len(whole)):
        for bit in range(8):
            broken = bytearray(whole)
            broken[position] ^= 1 << bit
            assert identity(bytes(broken)) is None, (position, bit)


@pytest.mark.parametrize("broken", [b"", b"stray", payload(Id("r", "p", 0, 7), 60)[:-1]])
def test_what_is_no_message_is_none(broken: bytes) -> None:
    assert identity(broken) is None


# -- forged histories ------------------------------------------------------------------


class History:
    """What was sent and read where all went well; tests forge it."""

    def __init__(self) -> None:
        self.sent = Sent()
        self.read = Read()
        for sequence in range(EACH):
            for place, producer in enumerate(PRODUCERS):
                for partition in range(PARTITIONS):
                    message = Id("r", producer, partition, sequence)
                    offset = sequence * len(PRODUCERS) + place
                    self.sent.reports[message] = [offset]
                    self.read.messages.append(Got(1, partition, offset, payload(message, SIZE)))

    def got(self, partition: int, offset: int) -> int:
        """Where in what was read a message is."""
        return next(
            number
            for number, got in enumerate(self.read.messages)
            if (got.partition, got.offset) == (partition, offset)
        )

    def change(self, partition: int, offset: int, **fields: object) -> None:
        number = self.got(partition, offset)
        self.read.messages[number] = self.read.messages[number]._replace(**fields)  # type: ignore[arg-type]

    def swap(self, partition: int, one: int, other: int) -> None:
        """Have two messages in each other's place of the log, reports and all."""
        first, second = self.got(partition, one), self.got(partition, other)
        messages = self.read.messages
        payloads = messages[first].payload, messages[second].payload
        self.change(partition, one, payload=payloads[1])
        self.change(partition, other, payload=payloads[0])
        for offset, found in zip((other, one), payloads):
            message = identity(found)
            assert message
            self.sent.reports[message] = [offset]


ANY = Id("r", "a", 0, 2)
PLACE = (0, 4)  # partition and offset of that
LAST = (0, 2 * EACH - 1)


def lost_at_the_end(history: History) -> None:
    del history.read.messages[history.got(*LAST)]


def lost_in_the_midst(history: History) -> None:
    del history.read.messages[history.got(*PLACE)]


def lost_with_all_of_its_partition(history: History) -> None:
    history.read.messages = [got for got in history.read.messages if got.partition != 0]


def lost_though_kafka_did_not_tell_its_offset(history: History) -> None:
    history.sent.reports[ANY] = [-1]
    del history.read.messages[history.got(*PLACE)]


def duplicate_in_the_log(history: History) -> None:
    history.read.messages.append(Got(1, 0, 2 * EACH, payload(ANY, SIZE)))


def duplicate_for_the_callback(history: History) -> None:
    number = history.got(*PLACE)
    history.read.messages.insert(number, history.read.messages[number])


def reordered_in_the_log(history: History) -> None:
    history.swap(0, 2, 4)  # sequences 1 and 2 of producer a


def reordered_for_the_callback(history: History) -> None:
    first, second = history.got(0, 4), history.got(0, 5)
    messages = history.read.messages
    messages[first], messages[second] = messages[second], messages[first]


def two_values_in_one_place(history: History) -> None:
    extra = Id("r", "a", 0, EACH)
    history.sent.reports[extra] = [-1]
    history.read.messages.append(Got(2, *PLACE, payload(extra, SIZE)))


def two_values_by_reports(history: History) -> None:
    extra = Id("r", "a", 0, EACH)
    history.sent.reports[extra] = [PLACE[1]]
    history.read.messages.append(Got(1, 0, 2 * EACH, payload(extra, SIZE)))


def two_values_by_reports_of_what_is_lost(history: History) -> None:
    lost_at_the_end(history)
    history.sent.reports[Id("r", "c", 0, 0)] = [LAST[1]]


def overwritten(history: History) -> None:
    other = Id("r", "c", 0, 0)
    history.sent.reports[other] = [-1]
    history.change(*PLACE, payload=payload(other, SIZE))


def in_another_place_than_reported(history: History) -> None:
    history.sent.reports[ANY] = [77]


def corrupt(history: History) -> None:
    broken = bytearray(payload(ANY, SIZE))
    broken[-1] ^= 1
    history.sent.reports[ANY] = [None]
    history.change(*PLACE, payload=bytes(broken))


def in_another_partition(history: History) -> None:
    history.read.messages.append(Got(1, 1, 2 * EACH, payload(ANY, SIZE)))


def of_another_run(history: History) -> None:
    history.read.messages.append(Got(1, 0, 2 * EACH, payload(ANY._replace(run="other"), SIZE)))


def never_sent(history: History) -> None:
    history.read.messages.append(Got(1, 0, 2 * EACH, payload(ANY._replace(sequence=99), SIZE)))


def skipped_by_one_life_and_read_by_another(history: History) -> None:
    again = [got._replace(life=2) for got in history.read.messages]
    del again[history.got(*PLACE)]
    history.read.messages += again


def unreported(history: History) -> None:
    history.sent.reports[ANY] = []
    del history.read.messages[history.got(*PLACE)]


def reported_twice(history: History) -> None:
    history.sent.reports[ANY] *= 2


def reported_as_failed_too(history: History) -> None:
    history.sent.reports[ANY].append(None)


def reported_and_never_sent(history: History) -> None:
    history.sent.unasked += 1


FORGED: dict[Callable[[History], None], dict[str, int]] = {
    lost_at_the_end: {"lost": 1},
    lost_in_the_midst: {"lost": 1, "skipped": 1},
    lost_with_all_of_its_partition: {"lost": 2 * EACH},
    lost_though_kafka_did_not_tell_its_offset: {"lost": 1},
    duplicate_in_the_log: {"duplicate": 1},
    duplicate_for_the_callback: {"duplicate": 1},
    reordered_in_the_log: {"reordered": 1},
    reordered_for_the_callback: {"reordered": 1},
    two_values_in_one_place: {"two_values": 1},
    two_values_by_reports: {"two_values": 1},
    two_values_by_reports_of_what_is_lost: {"lost": 2, "two_values": 1},
    overwritten: {"lost": 1, "two_values": 1},
    in_another_place_than_reported: {"two_values": 1},
    corrupt: {"corrupt": 1},
    in_another_partition: {"corrupt": 1},
    of_another_run: {"corrupt": 1},
    never_sent: {"corrupt": 1},
    skipped_by_one_life_and_read_by_another: {"skipped": 1},
    unreported: {"unreported": 1},
    reported_twice: {"doubly_reported": 1},
    reported_as_failed_too: {"doubly_reported": 1},
    reported_and_never_sent: {"doubly_reported": 1},
}


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_it_finds(forge: Callable[[History], None]) -> None:
    history = History()
    forge(history)
    assert check(history.sent, history.read).anomalies() == FORGED[forge]


def test_each_anomaly_is_forged() -> None:
    """Another count that must be 0 needs a history of its own."""
    found = {name for anomalies in FORGED.values() for name in anomalies}
    everything = check(Sent(), Read())
    for name in vars(everything):
        setattr(everything, name, 1)
    assert everything.anomalies().keys() == found


def test_what_is_allowed_is_no_anomaly() -> None:
    history = History()
    duplicate_in_the_log(history)
    reported_twice(history)
    assert check(history.sent, history.read).anomalies(allowed=["duplicate"]) == {"doubly_reported": 1}


# -- histories in which nothing is wrong -----------------------------------------------


def test_nothing_is_wrong_where_all_went_well() -> None:
    history = History()
    total = len(PRODUCERS) * PARTITIONS * EACH
    before = copy.deepcopy(history.__dict__)
    counts = check(history.sent, history.read)
    assert (counts.sent, counts.acked, counts.failed, counts.repeated) == (total, total, 0, 0)
    assert counts.anomalies() == {}
    assert history.__dict__ == before
    assert str(counts).startswith(f"sent {total}, acked {total}, failed 0, lost 0, duplicate 0, ")


def test_nothing_is_wrong_where_nothing_was_sent() -> None:
    assert check(Sent(), Read()).anomalies() == {}


def test_a_message_that_failed_may_be_there_or_not() -> None:
    history = History()
    history.sent.reports[ANY] = [None]
    counts = check(history.sent, history.read)
    assert (counts.anomalies(), counts.failed, counts.unacked_but_present) == ({}, 1, 1)
    del history.read.messages[history.got(*PLACE)]
    counts = check(history.sent, history.read)
    assert (counts.anomalies(), counts.failed, counts.unacked_but_present) == ({}, 1, 0)


def test_a_reader_that_was_killed_may_read_again() -> None:
    history = History()
    kept = history.read.messages[:12]
    history.read.messages = kept + [got._replace(life=2) for got in History().read.messages[8:]]
    counts = check(history.sent, history.read)
    assert (counts.anomalies(), counts.repeated) == ({}, 4)


def test_readers_may_share_the_partitions() -> None:
    history = History()
    history.read.messages = [got._replace(life=1 + got.partition) for got in history.read.messages]
    counts = check(history.sent, history.read)
    assert (counts.anomalies(), counts.repeated) == ({}, 0)


def test_places_of_the_log_may_hold_no_message() -> None:
    """As those of transactions do, for which Kafka keeps a place."""
    history = History()
    shifted = {
        message: [2 * (offset or 0) for offset in found] for message, found in history.sent.reports.items()
    }
    history.sent.reports = {message: list(offsets) for message, offsets in shifted.items()}
    history.read.messages = [got._replace(offset=2 * got.offset) for got in history.read.messages]
    assert check(history.sent, history.read).anomalies() == {}


# -- files -----------------------------------------------------------------------------


def test_files_are_read_but_for_half_a_line_at_the_end(tmp_path: Path) -> None:
    sent, read = tmp_path / "sent", tmp_path / "read"
    sent.write_text(
        "intent 0 0\nintent 0 1\nintent 1 0\nack 0 0 5\nfail 0 1 _MSG_TIMED_OUT\nack 9 9 9\nack 1 0 1"
    )
    read.write_text("begin\ngot 0 5 61ff\ngot 0 6\nbegin\nerror _TRANSPORT\ngot 1 7 6")
    found = read_sent("r", {"p": sent})
    assert found == Sent({Id("r", "p", 0, 0): [5], Id("r", "p", 0, 1): [None], Id("r", "p", 1, 0): []}, 1)
    assert read_got([read]) == Read([Got(1, 0, 5, b"a\xff"), Got(1, 0, 6, b"")], 1)


def test_each_reader_has_lives_of_its_own(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        file.write_text("begin\ngot 0 1 61\n")
    assert [got.life for got in read_got(files).messages] == [1, 2]


# -- trials ----------------------------------------------------------------------------

PLAN = Plan(messages=400, rate=0, partitions=4)


def test_a_trial_counts_each_message_of_both_shells(embedded_cluster: Cluster, tmp_path: Path) -> None:
    outcome = run(embedded_cluster, tmp_path, PLAN)
    assert outcome.wrong() == [], outcome
    assert set(outcome.counts) == {"kafkatclsh", "tclsh"}
    for reader, counts in outcome.counts.items():
        assert (counts.sent, counts.acked, counts.errors) == (800, 800, 0)
        got = read_got([tmp_path / f"read-{reader}"]).messages
        messages = [(identity(each.payload), each.payload) for each in got]
        assert all(message and each == payload(message, PLAN.size) for message, each in messages)


def test_a_trial_finds_what_should_not_be_there(embedded_cluster: Cluster, tmp_path: Path) -> None:
    def happens(progress: Progress) -> None:
        progress.await_acked(progress.total)
        producer = Producer({"bootstrap.servers": embedded_cluster.bootstrap_servers})
        producer.produce(progress.topic, b"stray", partition=0)
        producer.produce(progress.topic, payload(Id(progress.run, "in_tclsh", 1, 7), PLAN.size), partition=1)
        assert producer.flush(20) == 0

    outcome = run(embedded_cluster, tmp_path, PLAN, happens)
    assert [counts.anomalies() for counts in outcome.counts.values()] == [{"corrupt": 1, "duplicate": 1}] * 2
    assert outcome.wrong(["corrupt", "duplicate"]) == []


def test_a_trial_tells_of_a_producer_that_ends_too_early(embedded_cluster: Cluster, tmp_path: Path) -> None:
    plan = Plan(["kafkatclsh"], 50, rate=0, partitions=4, properties={"acks": "many"})
    outcome = run(embedded_cluster, tmp_path, plan)
    assert len(outcome.wrong()) == 1
    assert "acks" in outcome.wrong()[0]
