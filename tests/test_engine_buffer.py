"""Buffers of fetched messages: read one by one, ahead, in batches, handed out,
put back.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from fix_buffer import END, ERROR, FIVE, MIB, Ledger, run, singles
from fix_engine import until

from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.messages import ErrorItem, Item
from kafkatcl.errors import Failure

# -- buffers: one by one, in batches ---------------------------------------------------


# The same five messages as they may have been fetched.
layouts = pytest.mark.parametrize(
    "five",
    [FIVE, [run(0, 5)], [run(0, 2), run(2, 3)], [run(0, 4), run(4)]],
    ids=["1+1+1+1+1", "5", "2+3", "4+1"],
)


def test_one_by_one(ledger: Ledger) -> None:
    ledger.put(FIVE[0], END, ERROR, run(1, 2))
    told = [FIVE[0], END, ERROR, FIVE[1], FIVE[2]]
    assert [ledger.buffer.next(0) for _ in range(6)] == [*told, None]
    assert (ledger.held, ledger.held_bytes, ledger.consumed) == (0, 0, told)


@pytest.mark.parametrize("timeout", [0, 80])
def test_nothing_comes(ledger: Ledger, timeout: int) -> None:
    began = time.monotonic()
    assert ledger.buffer.next(timeout) is None
    assert ledger.buffer.read_ahead(timeout) is None
    assert ledger.buffer.batch(3, timeout).items == []
    assert 3 * timeout / 1000 <= time.monotonic() - began < 1


@pytest.mark.parametrize("read", [MessageBuffer.next, MessageBuffer.read_ahead])
def test_a_wait_ends_when_something_comes(ledger: Ledger, read: Any) -> None:
    timer = threading.Timer(0.05, ledger.put, FIVE[:1])
    timer.start()
    assert read(ledger.buffer, -1) == FIVE[0]
    timer.join()


def test_a_batch_waits_for_all_or_for_one(ledger: Ledger) -> None:
    ledger.put(run(0, 3))
    began = time.monotonic()
    assert singles(ledger.buffer.batch(5, 10_000, wait_for_all=False).items) == FIVE[:3]
    assert time.monotonic() - began < 1
    ledger.put(run(0, 2))
    assert singles(ledger.buffer.batch(5, 80).items) == FIVE[:2]
    assert time.monotonic() - began >= 0.08
    timer = threading.Timer(0.05, ledger.put, FIVE[3:])
    ledger.put(run(0, 3))
    timer.start()
    assert singles(ledger.buffer.batch(5, 10_000).items) == FIVE
    timer.join()


def test_a_batch_without_all_waits_for_the_first(ledger: Ledger) -> None:
    timer = threading.Timer(0.05, ledger.put, [run(0, 2)])
    timer.start()
    assert singles(ledger.buffer.batch(5, 10_000, wait_for_all=False).items) == FIVE[:2]
    timer.join()


@layouts
def test_a_batch_takes_no_more_than_asked_for(ledger: Ledger, five: list[Item]) -> None:
    ledger.put(*five)
    assert ledger.buffer.batch(0, 0).items == []
    batch = ledger.buffer.batch(3, 0)
    assert (batch.size, singles(batch.items)) == (3, FIVE[:3])
    assert (ledger.held, ledger.held_bytes) == (2, 4)
    assert ledger.drain() == FIVE[3:]


def test_ends_do_not_count_in_batches(ledger: Ledger) -> None:
    ledger.put(END, FIVE[0], END, ERROR, run(1, 3))
    batch = ledger.buffer.batch(3, 0)
    assert (batch.size, batch.items) == (3, [FIVE[0], ERROR, FIVE[1]])
    assert ledger.held == 2


@layouts
@pytest.mark.parametrize("rest", range(6))
def test_a_batch_counts_what_was_run_and_puts_back_the_rest(
    ledger: Ledger, rest: int, five: list[Item]
) -> None:
    ledger.put(*five, run(5))
    batch = ledger.buffer.batch(5, 0)
    assert (ledger.consumed, ledger.held) == ([], 1)
    batch.end(rest)
    assert ledger.consumed == FIVE[: 5 - rest]
    assert ledger.put_back == FIVE[5 - rest :]
    assert (ledger.held, ledger.held_bytes) == (1 + rest, 2 * (1 + rest))
    assert ledger.drain() == [*FIVE[5 - rest :], run(5)]


def test_a_batch_puts_back_into_the_middle_of_a_run(ledger: Ledger) -> None:
    ledger.put(run(0, 5))
    ledger.buffer.batch(3, 0).end(2)
    assert (ledger.held, ledger.held_bytes) == (4, 8)
    assert ledger.drain() == FIVE[1:]


def test_errors_count_in_what_is_put_back(ledger: Ledger) -> None:
    ledger.put(run(0, 2), ERROR, run(2, 2))
    ledger.buffer.batch(5, 0).end(3)
    assert ledger.consumed == FIVE[:2]
    assert ledger.drain() == [ERROR, *FIVE[2:4]]


def test_an_interrupted_wait_leaves_counts_right(ledger: Ledger) -> None:
    ledger.put(run(0, 3))
    closing = threading.Timer(0.05, ledger.close_queue, [ledger.buffer])
    closing.start()
    with pytest.raises(Failure, match="it was stopped or deleted"):
        ledger.buffer.batch(5, 10_000)
    closing.join()
    assert ledger.consumed == []
    assert ledger.counted()


# -- buffers: reading ahead ------------------------------------------------------------


def test_a_hasty_reader_gets_more_and_more_at_once(ledger: Ledger) -> None:
    ledger.put(run(0, 2000))
    found = [ledger.ahead() for _ in range(9)]
    assert [item.size for item in found] == [1, 4, 16, 64, 256, 500, 500, 500, 159]
    assert singles(found) == singles([run(0, 2000)])
    assert ledger.held == 0


def test_only_the_first_of_those_counts_at_once(ledger: Ledger) -> None:
    ledger.put(run(0, 10))
    for sizes in ((1, 1), (5, 2), (10, 6)):
        ledger.ahead()
        assert (10 - ledger.held, len(ledger.consumed)) == sizes
    assert ledger.buffer.read_ahead(0) is None  # whoever reads on has used those before
    assert ledger.consumed == singles([run(0, 10)])


def test_what_was_read_ahead_counts_when_it_is_used(ledger: Ledger) -> None:
    ledger.put(run(0, 5))
    ledger.ahead(), ledger.ahead()
    for waiting, count in ((3, 2), (1, 4), (1, 4), (2, 4), (0, 5), (0, 5)):
        ledger.buffer.acknowledge(waiting)
        assert ledger.consumed == FIVE[:count]
    assert ledger.put_back == []


@pytest.mark.parametrize("waiting", range(4))
def test_what_was_not_used_goes_back_and_the_reader_begins_anew(ledger: Ledger, waiting: int) -> None:
    ledger.put(run(0, 30))
    ledger.ahead(), ledger.ahead()
    ledger.buffer.requeue(waiting)
    used = 5 - waiting
    assert ledger.consumed == singles([run(0, used)])
    assert ledger.put_back == singles([run(used, waiting)])
    assert (ledger.held, ledger.held_bytes) == (30 - used, 2 * (30 - used))
    assert ledger.ahead() == run(used)
    ledger.drain()
    assert ledger.consumed == singles([run(0, 30)])


def test_reading_ahead_stays_with_what_is_next(ledger: Ledger) -> None:
    ledger.put(run(0), run(1, 2), run(0, 3, partition=1), END, run(3, key=b"k"), ERROR, run(4))
    found = [ledger.buffer.read_ahead(0) for _ in range(8)]
    assert found == [
        run(0), run(1, 2), run(0, 3, partition=1), END, run(3, key=b"k"), ERROR, run(4), None,
    ]  # fmt: skip
    assert ledger.consumed == singles(found)


@pytest.mark.parametrize("key", [None, bytes(100 << 10)])
def test_a_reader_gets_no_more_than_a_mebibyte_ahead(ledger: Ledger, key: bytes | None) -> None:
    size = (300 << 10) - len(key or b"")  # of which three fit
    ledger.put(run(0, 9, size=size, key=key), run(9, 2, size=2 * MIB))
    found = [ledger.ahead() for _ in range(6)]
    assert [item.size for item in found] == [1, 3, 3, 2, 1, 1]
    assert [item.first for item in found] == [0, 1, 4, 7, 9, 10]
    assert (ledger.held, ledger.held_bytes) == (0, 0)


def followed(ledger: Ledger, count: int) -> list[int]:
    """Sizes of a batch that was used and of what was read ahead, which is used, too."""
    batch = ledger.buffer.batch(count, 0, reads_ahead=True)
    batch.end(0)
    ledger.buffer.acknowledge(0)
    return [batch.size, batch.ahead.size if batch.ahead else 0]


@pytest.mark.parametrize(
    ("count", "ahead"),
    [
        (1, [0, 3, 15, 63, 255, 499]),
        (7, [0, 21, 105, 441, 497, 497]),
        (100, [0, 300, 500, 500]),
        (101, [0] * 6),
    ],
)
def test_small_batches_have_whole_ones_read_ahead(ledger: Ledger, count: int, ahead: list[int]) -> None:
    ledger.put(run(0, 5000))
    assert [followed(ledger, count) for _ in ahead] == [[count, size] for size in ahead]
    assert ledger.consumed == singles([run(0, len(ahead) * count + sum(ahead))])


def test_batches_are_read_ahead_of_one_partition_and_if_there_is_a_whole_one(ledger: Ledger) -> None:
    ledger.put(run(0, 2), run(2, 7), run(0, 2, partition=1), ERROR, run(2, 4, partition=1))
    assert [followed(ledger, 2) for _ in range(4)] == [[2, 0], [2, 4], [2, 0], [2, 4]]
    ledger.buffer.requeue(0)
    ledger.put(run(0, 9, size=300 << 10))  # of which three are within the limit
    assert [followed(ledger, 2) for _ in range(3)] == [[2, 0], [2, 2], [2, 0]]


def test_what_was_read_ahead_becomes_a_batch(ledger: Ledger) -> None:
    ledger.put(run(0, 20))
    followed(ledger, 2)
    ledger.buffer.batch(2, 0, reads_ahead=True).end(0)
    batch = ledger.buffer.batch_ahead(4, 2)  # 4 and 5 are used, 6 and 7 not yet
    assert ledger.consumed == singles([run(0, 6)])
    assert ledger.next() == run(8)
    batch.end(1)
    assert ledger.drain() == singles([run(7), run(9, 11)])
    assert ledger.counted()


def test_with_a_callback_nothing_is_read_ahead(ledger: Ledger) -> None:
    ledger.put(run(0, 5))
    ledger.buffer.listen("callback")
    assert [ledger.ahead() for _ in range(3)] == FIVE[:3]
    assert (ledger.consumed, ledger.held) == (FIVE[:3], 2)
    ledger.buffer.acknowledge(0)
    assert ledger.consumed == FIVE[:3]
    assert [followed(ledger, 1) for _ in range(2)] == [[1, 0]] * 2
    ledger.put(run(5, 5))
    ledger.buffer.listen(None)
    assert ledger.ahead().size == 1  # it was not hasty before


# -- buffers: callbacks ----------------------------------------------------------------


@layouts
def test_messages_in_flight_count_when_they_have_run(ledger: Ledger, five: list[Item]) -> None:
    ledger.put(*five, END)
    ledger.buffer.listen("callback")
    events = ledger.events.take(4)
    assert {callback_id for callback_id, _ in events} == {"callback"}
    assert singles(item for _, item in events) == FIVE[:4]
    assert (ledger.consumed, ledger.held) == ([], 2)
    ledger.events.acknowledge({"callback": 3})
    assert ledger.consumed == FIVE[:1]
    ledger.events.acknowledge({"callback": 1})
    assert ledger.consumed == FIVE[:3]
    assert [item for _, item in ledger.events.take(4)] == FIVE[4:]  # and those handed out before have all run
    assert ledger.consumed == FIVE[:4]
    assert ledger.events.take(4) == []
    assert ledger.consumed == FIVE
    assert ledger.counted()


@layouts
def test_requeued_messages_do_not_count(ledger: Ledger, five: list[Item]) -> None:
    ledger.put(*five)
    ledger.buffer.listen("callback")
    ledger.events.take(4)
    ledger.events.requeue({"callback": 3})
    assert (ledger.consumed, ledger.put_back) == (FIVE[:1], FIVE[1:4])
    assert (ledger.held, ledger.held_bytes) == (4, 8)
    assert ledger.drain() == FIVE[1:]


def test_errors_are_told_to_callbacks_and_ends_are_not(ledger: Ledger) -> None:
    ledger.put(END, ERROR)
    ledger.buffer.listen("callback")
    assert ledger.events.take(9) == [("callback", ERROR)]
    assert ledger.held == 0


def test_no_more_than_a_mebibyte_is_handed_out_at_once(ledger: Ledger) -> None:
    ledger.put(run(0, 6, size=MIB // 4), run(6, size=3 * MIB), run(7))
    ledger.buffer.listen("callback")
    found = [singles(item for _, item in ledger.buffer.hand_out(100)) for _ in range(5)]
    assert found[0] == singles([run(0, 4, size=MIB // 4)])
    assert singles(item for part in found for item in part)[-2:] == [run(6, size=3 * MIB), run(7)]
    assert found[-1] == []
    assert ledger.counted()


# -- buffers: forgetting ---------------------------------------------------------------


def test_drop_forgets_one_partition(ledger: Ledger) -> None:
    kept: list[Item] = [run(0, 1, 1), run(1, 2, topic="other"), ERROR]
    about = ErrorItem("text", "NAME", "about the partition", -1, ("t", 0))
    ledger.put(run(0, 3), kept[0], END, kept[1], run(3, 2), about, kept[2])
    assert ledger.next() == FIVE[0]  # a run that is used in part goes as well
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    assert (ledger.held, ledger.held_bytes) == (4, 6)
    assert ledger.buffer.topic_partitions() == {("t", 1), ("other", 0), None}
    assert ledger.drain() == singles(kept)


def test_drop_keeps_the_place_in_the_run_of_another_partition(ledger: Ledger) -> None:
    ledger.put(run(0, 5), run(0, 5, partition=1))
    assert ledger.next() == FIVE[0]
    with ledger.lock:
        ledger.buffer.drop("t", 1)
    assert (ledger.held, ledger.held_bytes) == (4, 8)
    assert ledger.drain() == FIVE[1:]


def test_dropped_messages_are_not_put_back(ledger: Ledger) -> None:
    ledger.put(run(0, 5))
    ledger.buffer.listen("callback")
    ledger.events.take(4)
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    ledger.events.requeue({"callback": 3})
    assert (ledger.buffer.size, ledger.held, ledger.consumed) == (0, 0, [])


def test_what_was_read_ahead_of_a_dropped_partition_is_not_put_back(ledger: Ledger) -> None:
    ledger.put(run(0, 10), run(0, 2, partition=1))
    ledger.ahead(), ledger.ahead()
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    ledger.buffer.requeue(3)
    assert ledger.consumed == FIVE[:2]
    assert ledger.drain() == singles([run(0, 2, partition=1)])


def test_closed_buffers(ledger: Ledger) -> None:
    ledger.put(run(0, 5))
    batch = ledger.buffer.batch(2, 0)
    ledger.close_queue(ledger.buffer)
    batch.end(2)
    assert (ledger.held, ledger.held_bytes, ledger.buffer.size) == (0, 0, 0)
    for read in (ledger.buffer.next, ledger.buffer.read_ahead):
        with pytest.raises(Failure, match="it was stopped or deleted"):
            read(0)


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


def test_who_fetches_is_told_of_a_callback(ledger: Ledger) -> None:
    """What a reader has left to librdkafka is to be fetched, and is not signalled."""
    ledger.buffer.listen(None)
    assert ledger.watches == 0
    ledger.buffer.listen("q1")
    assert ledger.watches == 1
