"""Fetched messages: how they are kept, and buffers of them: read one by one, ahead, in batches, lent, put back."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from confluent_kafka import KafkaError
from fix_engine import until

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.errors import Failure
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run, items

MIB = 1 << 20
END = EndItem("t", 0, 9)
ERROR = ErrorItem("text", "NAME", "details", -1)


def run(
    first: int,
    count: int = 1,
    partition: int = 0,
    *,
    topic: str = "t",
    size: int = 2,
    key: bytes | None = None,
) -> Run:
    """Messages from offset ``first`` on, with payloads of ``size`` bytes, all with the same key or without."""
    fields: list[Any] = []
    for offset in range(first, first + count):
        fields += [b"%0*d" % (size, offset), offset, -1]
        if key is not None:
            fields.append(key)
    return Run(topic, partition, 3 if key is None else 4, tuple(fields))


def singles(found: Iterable[Item | None]) -> list[Item]:
    """The same, each message as a run of its own."""
    return [
        single
        for item in found
        if item is not None
        for single in ([item.part(at, 1) for at in range(item.size)] if isinstance(item, Run) else [item])
    ]


# -- runs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "width"), [(None, 3), (b"", 4), (b"key", 4)])
def test_a_run_knows_its_size_bytes_and_offsets(key: bytes | None, width: int) -> None:
    made = run(5, 4, partition=3, size=10, key=key)
    assert (made.width, made.size, made.bytes) == (width, 4, 4 * (10 + len(key or b"")))
    assert (made.origin, made.first, made.last) == (("t", 3), 5, 8)
    assert (run(7, key=key).first, run(7, key=key).last) == (7, 7)


@pytest.mark.parametrize("key", [None, b"key"])
def test_parts_of_a_run(key: bytes | None) -> None:
    made = run(0, 6, partition=2, key=key)
    assert made.part(0, 6) == made
    assert made.part(2, 3) == run(2, 3, partition=2, key=key)
    assert made.part(5, 9) == run(5, partition=2, key=key)
    assert made.part(6, 1).size == 0


@pytest.mark.parametrize("key", [None, b"1234"])
def test_how_many_messages_fit(key: bytes | None) -> None:
    each = 10 + len(key or b"")
    made = run(0, 5, size=10, key=key)
    for most in range(6 * each):
        assert made.within(most) == min(5, max(1, most // each)), most


# -- what confluent_kafka gives ----------------------------------------------------------------------------


class Message:
    """A message as ``confluent_kafka`` gives it."""

    def __init__(
        self,
        offset: int,
        payload: bytes | None = b"x",
        *,
        key: bytes | None = None,
        partition: int = 0,
        topic: str | None = "t",
        error: KafkaError | None = None,
    ) -> None:
        self.fields = {
            "offset": offset,
            "value": payload,
            "key": key,
            "partition": partition,
            "topic": topic,
            "error": error,
            "timestamp": (1, 1000 + offset),
        }

    def __getattr__(self, name: str) -> Any:
        return lambda: self.fields[name]


def test_messages_in_a_row_are_one_run() -> None:
    assert list(items([])) == []
    assert list(items([Message(7, b"a"), Message(9, b"b")])) == [
        Run("t", 0, 3, (b"a", 7, 1007, b"b", 9, 1009))
    ]
    keyed = [Message(7, b"a", key=b"k"), Message(8, b"b", key=b"")]
    assert list(items(keyed)) == [Run("t", 0, 4, (b"a", 7, 1007, b"k", b"b", 8, 1008, b""))]


def test_no_payload_is_an_empty_one() -> None:
    assert list(items([Message(0, None), Message(1, b"")])) == [Run("t", 0, 3, (b"", 0, 1000, b"", 1, 1001))]
    assert list(items([Message(0, None, key=b"k")])) == [Run("t", 0, 4, (b"", 0, 1000, b"k"))]


@pytest.mark.parametrize(
    "other",
    [{"partition": 1}, {"topic": "other"}, {"key": b"k"}, {"key": b""}],
    ids=["partition", "topic", "key", "empty key"],
)
@pytest.mark.parametrize("other_first", [False, True])
def test_a_run_ends_where_something_differs(other: dict[str, Any], other_first: bool) -> None:
    plain, different = {}, other
    if other_first:
        plain, different = different, plain
    messages = [Message(0, **plain), Message(1, **plain), Message(2, **different), Message(3, **plain)]
    assert [(item.first, item.size) for item in items(messages) if isinstance(item, Run)] == [
        (0, 2),
        (2, 1),
        (3, 1),
    ]
    assert list(items(messages)) == [*items(messages[:2]), *items(messages[2:3]), *items(messages[3:])]


def test_errors_and_ends_stand_where_they_came() -> None:
    end, refused = KafkaError(KafkaError._PARTITION_EOF), KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "why")
    messages = [
        Message(0, error=refused),
        Message(0),
        Message(1),
        Message(2, error=end),
        Message(2),
        Message(3, error=refused, topic=None),
        Message(3, error=refused, partition=3),
        Message(3),
    ]
    told = ("Broker: Unknown topic or partition", "RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART", "why", 3)
    assert list(items(messages)) == [
        ErrorItem(*told, ("t", 0)),
        *items(messages[1:3]),
        EndItem("t", 0, 2),
        *items(messages[4:5]),
        ErrorItem(*told, None),
        ErrorItem(*told, ("t", 3)),
        *items(messages[7:]),
    ]
    assert [(item.size, item.bytes) for item in (END, ERROR)] == [(1, 0)] * 2


def test_nothing_is_lost_or_moved_by_runs() -> None:
    chance = random.Random(1)
    messages = [
        Message(offset, b"%d" % offset, key=chance.choice((None, b"", b"k")), partition=chance.randrange(2))
        for offset in range(500)
    ]
    found = singles(items(messages))
    assert [(item.fields[0], item.partition, item.fields[3:]) for item in found if isinstance(item, Run)] == [
        (message.value(), message.partition(), () if message.key() is None else (message.key(),))
        for message in messages
    ]


# -- buffers: one by one, in batches ------------------------------------------------------------------------


class Ledger(BufferOwner):
    """An owner that notes what the script has, what it did not get to, and what is held."""

    def __init__(self) -> None:
        super().__init__(EventQueue(lambda: None))
        self.held = self.held_bytes = 0
        self.consumed: list[Item] = []
        self.put_back: list[Item] = []
        self.buffer = MessageBuffer(self)

    def made_room(self, count: int, size: int) -> None:
        self.held -= count
        self.held_bytes -= size

    def handed(self, items: Iterable[Item]) -> None:
        self.consumed += singles(items)

    def returned(self, items: Iterable[Item]) -> None:
        self.put_back += singles(items)

    def put(self, *found: Item) -> None:
        with self.lock:
            for item in found:
                self.buffer.put(item)
            self.buffer.announce()
            self.lock.notify_all()

    def drain(self) -> list[Item]:
        """What is left in the buffer, taken one by one."""
        return [self.next() for _ in range(self.buffer.size)]

    def next(self) -> Item:
        item = self.buffer.next(0)
        assert item is not None
        return item

    def ahead(self) -> Run:
        item = self.buffer.read_ahead(0)
        assert isinstance(item, Run)
        return item

    def counted(self) -> bool:
        """Whether the owner's count is the buffer's."""
        return (self.held, self.held_bytes) == (self.buffer.size, self.buffer.bytes)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


FIVE = singles([run(0, 5)])

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


# -- buffers: reading ahead ----------------------------------------------------------------------------------


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
        ledger.buffer.settle(waiting)
        assert ledger.consumed == FIVE[:count]
    assert ledger.put_back == []


@pytest.mark.parametrize("waiting", range(4))
def test_what_was_not_used_goes_back_and_the_reader_begins_anew(ledger: Ledger, waiting: int) -> None:
    ledger.put(run(0, 30))
    ledger.ahead(), ledger.ahead()
    ledger.buffer.reclaim(waiting)
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


def test_with_a_callback_nothing_is_read_ahead(ledger: Ledger) -> None:
    ledger.put(run(0, 5))
    ledger.buffer.listen("token")
    assert [ledger.ahead() for _ in range(3)] == FIVE[:3]
    assert (ledger.consumed, ledger.held) == (FIVE[:3], 2)
    ledger.buffer.settle(0)
    assert ledger.consumed == FIVE[:3]
    ledger.buffer.listen(None)
    assert ledger.ahead().size == 1  # it was not hasty before


# -- buffers: callbacks --------------------------------------------------------------------------------------


@layouts
def test_lent_messages_count_when_they_have_run(ledger: Ledger, five: list[Item]) -> None:
    ledger.put(*five, END)
    ledger.buffer.listen("token")
    events = ledger.events.take(4)
    assert {token for token, _ in events} == {"token"}
    assert singles(item for _, item in events) == FIVE[:4]
    assert (ledger.consumed, ledger.held) == ([], 2)
    ledger.events.settle({"token": 3})
    assert ledger.consumed == FIVE[:1]
    ledger.events.settle({"token": 1})
    assert ledger.consumed == FIVE[:3]
    assert [item for _, item in ledger.events.take(4)] == FIVE[4:]  # and those lent before have all run
    assert ledger.consumed == FIVE[:4]
    assert ledger.events.take(4) == []
    assert ledger.consumed == FIVE
    assert ledger.counted()


@layouts
def test_reclaimed_messages_do_not_count(ledger: Ledger, five: list[Item]) -> None:
    ledger.put(*five)
    ledger.buffer.listen("token")
    ledger.events.take(4)
    ledger.events.reclaim({"token": 3})
    assert (ledger.consumed, ledger.put_back) == (FIVE[:1], FIVE[1:4])
    assert (ledger.held, ledger.held_bytes) == (4, 8)
    assert ledger.drain() == FIVE[1:]


def test_errors_are_told_to_callbacks_and_ends_are_not(ledger: Ledger) -> None:
    ledger.put(END, ERROR)
    ledger.buffer.listen("token")
    assert ledger.events.take(9) == [("token", ERROR)]
    assert ERROR.pairs() == ("error", "text", "code", "NAME", "message", "details")
    assert ledger.held == 0


def test_no_more_than_a_mebibyte_is_lent_at_once(ledger: Ledger) -> None:
    ledger.put(run(0, 6, size=MIB // 4), run(6, size=3 * MIB), run(7))
    ledger.buffer.listen("token")
    found = [singles(item for _, item in ledger.buffer.lend(100)) for _ in range(5)]
    assert found[0] == singles([run(0, 4, size=MIB // 4)])
    assert singles(item for part in found for item in part)[-2:] == [run(6, size=3 * MIB), run(7)]
    assert found[-1] == []
    assert ledger.counted()


# -- buffers: forgetting -------------------------------------------------------------------------------------


def test_drop_forgets_one_partition(ledger: Ledger) -> None:
    kept: list[Item] = [run(0, 1, 1), run(1, 2, topic="other"), ERROR]
    about = ErrorItem("text", "NAME", "about the partition", -1, ("t", 0))
    ledger.put(run(0, 3), kept[0], END, kept[1], run(3, 2), about, kept[2])
    assert ledger.next() == FIVE[0]  # a run that is used in part goes as well
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    assert (ledger.held, ledger.held_bytes) == (4, 6)
    assert ledger.buffer.origins() == {("t", 1), ("other", 0), None}
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
    ledger.buffer.listen("token")
    ledger.events.take(4)
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    ledger.events.reclaim({"token": 3})
    assert (ledger.buffer.size, ledger.held, ledger.consumed) == (0, 0, [])


def test_what_was_read_ahead_of_a_dropped_partition_is_not_put_back(ledger: Ledger) -> None:
    ledger.put(run(0, 10), run(0, 2, partition=1))
    ledger.ahead(), ledger.ahead()
    with ledger.lock:
        ledger.buffer.drop("t", 0)
    ledger.buffer.reclaim(3)
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


# -- buffers: anything, in any order -------------------------------------------------------------------------


class Model:
    """A buffer as plain lists, each message by itself."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.ledger = Ledger()
        self.kept: list[Item] = []
        self.lent: list[Item | None] = []  # None: dropped meanwhile, but who has it does not know
        self.consumed: list[Item] = []
        self.offset = 0

    def put(self) -> None:
        chance, partition = self.chance, self.chance.randrange(3)
        count = chance.choice((1, 1, 2, 5, 30))
        key = chance.choice((None, b"", b"key"))
        made = run(self.offset, count, partition, size=chance.randrange(20), key=key)
        item: Item = chance.choice(
            (
                made,
                made,
                made,
                ERROR,
                ErrorItem("e", "E", "e", 1, ("t", partition)),
                EndItem("t", partition, 0),
            )
        )
        self.offset += count
        self.ledger.put(item)
        self.kept += singles([item])

    def next(self) -> None:
        expected = self.kept[0] if self.kept else None
        assert self.ledger.buffer.next(0) == expected
        self.consumed += singles([expected])
        del self.kept[:1]

    def batch(self) -> None:
        got: list[Item] = []
        count = self.chance.randrange(12)
        while self.kept and len(got) < count:
            item = self.kept.pop(0)
            if not isinstance(item, EndItem):
                got.append(item)
        batch = self.ledger.buffer.batch(count, 0)
        assert singles(batch.items) == got
        if self.chance.random() < 0.3:
            self.put()
        run_through = self.chance.randint(0, len(got))
        batch.end(len(got) - run_through)
        self.consumed += got[:run_through]
        self.kept[:0] = got[run_through:]

    def lend(self) -> None:
        if self.lent:
            return
        count = self.chance.randint(1, 12)
        self.ledger.buffer.listen("token")
        found = singles(item for _, item in self.ledger.buffer.lend(count))
        self.ledger.buffer.listen(None)
        taken, self.kept = self.kept[:count], self.kept[count:]
        assert found == [item for item in taken if not isinstance(item, EndItem)]
        self.lent = [*found]

    def read_ahead(self) -> None:
        found = singles([self.ledger.buffer.read_ahead(0)])
        assert bool(found) == bool(self.kept)
        assert found == self.kept[: len(found)]
        self._settle(0)
        self.consumed += found[:1]
        self.lent = [*found[1:]]
        del self.kept[: len(found)]

    def settle(self) -> None:
        waiting = self.chance.randint(0, len(self.lent))
        self.ledger.buffer.settle(waiting)
        self._settle(waiting)

    def reclaim(self) -> None:
        waiting = self.chance.randint(0, len(self.lent))
        self.ledger.buffer.reclaim(waiting)
        self._settle(waiting)
        self.kept, self.lent = [*(item for item in self.lent if item), *self.kept], []

    def _settle(self, waiting: int) -> None:
        used = len(self.lent) - waiting
        self.consumed += filter(None, self.lent[:used])
        self.lent = self.lent[used:]

    def drop(self) -> None:
        partition = self.chance.randrange(3)
        with self.ledger.lock:
            self.ledger.buffer.drop("t", partition)
        self.kept = [item for item in self.kept if item.origin != ("t", partition)]
        self.lent = [None if item and item.origin == ("t", partition) else item for item in self.lent]

    def clear(self) -> None:
        with self.ledger.lock:
            self.ledger.buffer.clear()
        self.kept = []
        self.lent = [None] * len(self.lent)

    def check(self) -> None:
        buffer = self.ledger.buffer
        assert (buffer.size, buffer.bytes) == (len(self.kept), sum(item.bytes for item in self.kept))
        assert buffer.origins() == {item.origin for item in self.kept}
        assert self.ledger.counted()
        assert self.ledger.consumed == self.consumed


WEIGHTS = {"put": 8, "next": 3, "batch": 3, "lend": 2, "read_ahead": 4, "settle": 2, "reclaim": 1, "drop": 1}


@pytest.mark.parametrize("seed", range(10))
def test_a_buffer_is_a_list_whatever_happens(seed: int) -> None:
    model = Model(random.Random(seed))
    done = []
    for step in model.chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=600):
        done.append(step)
        if model.chance.random() < 0.005:
            model.clear()
        getattr(model, step)()
        try:
            model.check()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, after {done[-5:]} in step {len(done)}") from error
    assert len(model.consumed) > 200
    left = model.kept
    assert model.ledger.drain() == left
    with model.ledger.lock:
        model.ledger.buffer.close()
    assert (model.ledger.held, model.ledger.held_bytes) == (0, 0)


def test_what_is_lent_is_within_a_mebibyte(ledger: Ledger) -> None:
    ledger.put(run(0, 9, size=300 << 10))
    ledger.buffer.listen("token")
    assert sum(item.bytes for _, item in ledger.buffer.lend(100)) <= MIB


def test_an_interrupted_batch_loses_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    ledger.put(run(0, 3))
    monkeypatch.setattr(ledger, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ledger.buffer.batch(5, 10_000)
    assert ledger.buffer.size == 3
