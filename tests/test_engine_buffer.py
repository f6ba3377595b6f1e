"""Buffers of fetched messages: taken one by one, in batches, lent to callbacks, given back."""

from __future__ import annotations

import threading
import time

import pytest
from fix_engine import until

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.errors import Failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.messages import EndRow, ErrorRow, MessageRow, Row

END = EndRow("t", 0, 9)
ERROR = ErrorRow("text", "NAME", "details")


def message(number: int, partition: int = 0, topic: str = "t") -> MessageRow:
    return (b"%d" % number, partition, number, -1, topic, ())


class Ledger(BufferOwner):
    """An owner that notes what the script has and what is held."""

    def __init__(self) -> None:
        super().__init__(EventQueue(lambda: None))
        self.held = 0
        self.consumed: list[Row] = []
        self.buffer = MessageBuffer(self)

    def took(self, rows: list[Row]) -> None:
        self.made_room(len(rows))
        self.handed(rows)

    def made_room(self, count: int) -> None:
        self.held -= count

    def handed(self, rows: list[Row]) -> None:
        self.consumed += rows

    def returned(self, rows: list[Row]) -> None:
        self.held += len(rows)
        self.consumed = [row for row in self.consumed if row not in rows]

    def put(self, *rows: Row) -> None:
        with self.lock:
            self.held += len(rows)
            self.buffer.put(list(rows))
            self.lock.notify_all()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


FIVE = [message(number) for number in range(5)]


def test_one_by_one(ledger: Ledger) -> None:
    ledger.put(FIVE[0], END, ERROR)
    assert [ledger.buffer.next(0) for _ in range(4)] == [FIVE[0], END, ERROR, None]
    assert (ledger.held, ledger.consumed) == (0, [FIVE[0], END, ERROR])


@pytest.mark.parametrize("timeout", [0, 80])
def test_nothing_comes(ledger: Ledger, timeout: int) -> None:
    began = time.monotonic()
    assert ledger.buffer.next(timeout) is None
    assert ledger.buffer.batch(3, timeout).rows == []
    assert 2 * timeout / 1000 <= time.monotonic() - began < 1


def test_a_wait_ends_when_something_comes(ledger: Ledger) -> None:
    timer = threading.Timer(0.05, ledger.put, FIVE[:1])
    timer.start()
    assert ledger.buffer.next(-1) == FIVE[0]
    timer.join()


def test_a_batch_waits_for_all_or_for_one(ledger: Ledger) -> None:
    ledger.put(*FIVE[:3])
    began = time.monotonic()
    assert ledger.buffer.batch(5, 10_000, wait_for_all=False).rows == FIVE[:3]
    assert time.monotonic() - began < 1
    ledger.put(*FIVE[:2])
    assert ledger.buffer.batch(5, 80).rows == FIVE[:2]
    assert time.monotonic() - began >= 0.08
    timer = threading.Timer(0.05, ledger.put, FIVE[3:])
    ledger.put(*FIVE[:3])
    timer.start()
    assert ledger.buffer.batch(5, 10_000).rows == FIVE
    timer.join()


def test_a_batch_takes_no_more_than_asked_for(ledger: Ledger) -> None:
    ledger.put(*FIVE)
    assert ledger.buffer.batch(0, 0).rows == []
    assert ledger.buffer.batch(2, 0).rows == FIVE[:2]
    assert (ledger.held, list(ledger.buffer.rows)) == (3, FIVE[2:])


def test_ends_do_not_count_in_batches(ledger: Ledger) -> None:
    ledger.put(END, FIVE[0], END, ERROR, FIVE[1])
    assert ledger.buffer.batch(3, 0).rows == [FIVE[0], ERROR, FIVE[1]]
    assert ledger.held == 0


@pytest.mark.parametrize("rest", range(6))
def test_give_back(ledger: Ledger, rest: int) -> None:
    ledger.put(*FIVE, message(5))
    batch = ledger.buffer.batch(5, 0)
    batch.give_back(rest)
    assert ledger.consumed == FIVE[: 5 - rest]
    assert ledger.held == 1 + rest
    assert [ledger.buffer.next(0) for _ in range(rest + 1)] == [*FIVE[5 - rest :], message(5)]


def test_lent_messages_count_when_they_have_run(ledger: Ledger) -> None:
    ledger.put(*FIVE, END)
    ledger.buffer.listen("token")
    events = ledger.events.take(4)
    assert [token for token, _ in events] == ["token"] * 4
    assert (ledger.consumed, ledger.held) == ([], 2)
    ledger.events.settle({"token": 3})
    assert ledger.consumed == FIVE[:1]
    ledger.events.settle({"token": 1})
    assert ledger.consumed == FIVE[:3]
    assert len(ledger.events.take(4)) == 1  # and those lent before have all run
    assert ledger.consumed == FIVE[:4]
    assert ledger.events.take(4) == []
    assert ledger.consumed == FIVE


def test_reclaimed_messages_do_not_count(ledger: Ledger) -> None:
    ledger.put(*FIVE)
    ledger.buffer.listen("token")
    ledger.events.take(4)
    ledger.events.reclaim("token", 3)
    assert ledger.consumed == FIVE[:1]
    assert ledger.held == 4
    assert [ledger.buffer.next(0) for _ in range(4)] == FIVE[1:]


def test_errors_are_told_to_callbacks_and_ends_are_not(ledger: Ledger) -> None:
    ledger.put(END, ERROR)
    ledger.buffer.listen("token")
    assert ledger.events.take(9) == [("token", ("error", "text", "code", "NAME", "message", "details"))]


def test_drop_forgets_one_partition(ledger: Ledger) -> None:
    kept = [message(0, 1), message(1, 0, "other"), ERROR]
    ledger.put(FIVE[0], kept[0], END, kept[1], FIVE[1], kept[2])
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    assert ledger.held == 3
    assert [ledger.buffer.next(0) for _ in range(3)] == kept


def test_dropped_messages_are_not_given_back(ledger: Ledger) -> None:
    ledger.put(*FIVE)
    ledger.buffer.listen("token")
    ledger.events.take(4)
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    ledger.events.reclaim("token", 3)
    assert not ledger.buffer.rows


def test_closed_buffers(ledger: Ledger) -> None:
    ledger.put(*FIVE)
    batch = ledger.buffer.batch(2, 0)
    ledger.close_queue(ledger.buffer)
    batch.give_back(2)
    assert (ledger.held, list(ledger.buffer.rows)) == (0, [])
    with pytest.raises(Failure, match="it was stopped or deleted"):
        ledger.buffer.next(0)


def test_closing_ends_a_wait(ledger: Ledger) -> None:
    failures: list[str] = []

    def wait() -> None:
        try:
            ledger.buffer.next(-1)
        except Failure as failure:
            failures.append(failure.message)

    waiting = threading.Thread(target=wait)
    waiting.start()
    ledger.close_queue(ledger.buffer)
    waiting.join(5)
    assert until(lambda: len(failures) == 1)
