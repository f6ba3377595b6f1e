"""Buffers whose messages are wanted as text: what is no text is told, and stays."""

from __future__ import annotations

from typing import Any

import pytest
from fix_buffer import END, Ledger, run, singles

from kafkatcl.engine import encodings
from kafkatcl.engine.forms import UnconvertedItem
from kafkatcl.engine.layouts import HEADED, PLAIN
from kafkatcl.engine.messages import Item, Run, items

ODD = Run("t", 0, PLAIN, (b"\xff", 2, -1))
GOOD = [run(0), run(1)]
BEHIND = [run(3), run(0, partition=1)]


@pytest.fixture
def text(ledger: Ledger) -> Ledger:
    """A buffer with text, a message that is none, and more behind it."""
    ledger.buffer.form.encoding = encodings.find("utf-8")
    first, second = GOOD
    ledger.put(Run("t", 0, PLAIN, (*first.fields, *second.fields, *ODD.fields)), *BEHIND)
    return ledger


def consumed(ledger: Ledger) -> list[Item]:
    """The messages that count as consumed."""
    return [item for item in ledger.consumed if isinstance(item, Run)]


def told(events: list[tuple[str, Any]]) -> list[Any]:
    """What a callback gets, as its payloads; an error as its offset."""
    return [
        item.offset if isinstance(item, UnconvertedItem) else item.fields[0]
        for item in singles(item for _, item in events)
        if isinstance(item, (Run, UnconvertedItem))
    ]


def test_a_callback_is_told_once(text: Ledger) -> None:
    text.buffer.listen("callback")
    assert told(text.events.take(9)) == ["00", "01", 2]
    assert text.events.take(9) == []
    assert (consumed(text), text.buffer.more()) == (GOOD, False)
    text.buffer.form.encoding = None
    text.buffer.reform()
    assert told(text.events.take(9)) == [b"\xff", b"03", b"00"]
    assert text.events.take(9) == []
    assert consumed(text) == [*GOOD, ODD, *BEHIND]
    assert text.counted()


def test_what_is_requeued_is_told_again(text: Ledger) -> None:
    text.buffer.listen("callback")
    text.events.take(9)
    text.events.requeue({"callback": 2})
    assert (consumed(text), text.put_back) == (GOOD[:1], GOOD[1:])
    assert told(text.events.take(9)) == ["01", 2]
    assert text.counted()


@pytest.mark.parametrize("forget", ["drop", "park"])
def test_the_others_are_told_when_it_is_not_wanted_any_more(text: Ledger, forget: str) -> None:
    text.buffer.listen("callback")
    text.events.take(9)
    assert text.events.take(9) == []
    with text.lock:
        text.buffer.drop("t", 0) if forget == "drop" else text.buffer.park(("t", 0))
    assert told(text.events.take(9)) == ["00"]


def test_readers_are_told_each_time(text: Ledger) -> None:
    assert [text.ahead().fields[0] for _ in range(2)] == ["00", "01"]
    for _ in range(2):
        assert isinstance(text.buffer.read_ahead(0), UnconvertedItem)
        assert isinstance(text.buffer.next(0), UnconvertedItem)
    assert consumed(text) == GOOD
    text.buffer.form.encoding = None
    assert text.drain() == [ODD, *BEHIND]


def test_a_batch_ends_with_it(text: Ledger) -> None:
    batch = text.buffer.batch(9, 0)
    assert told([("", item) for item in batch.items]) == ["00", "01", 2]
    assert batch.size == 3
    batch.end(2)
    assert (consumed(text), text.put_back) == (GOOD[:1], GOOD[1:])
    batch = text.buffer.batch(9, 0)
    batch.end(0)
    assert consumed(text) == GOOD
    assert text.buffer.batch(9, 0).size == 1
    assert text.counted()


def test_a_batch_has_ends_where_they_are_wanted(ledger: Ledger) -> None:
    found: list[list[Item]] = []
    for names in ({"end"}, set()):
        ledger.buffer.form.names = frozenset(names)
        ledger.put(END, run(0), END)
        found.append(ledger.buffer.batch(9, 0).items)
    assert found == [[END, run(0), END], [run(0)]]


class Headed:
    """A message of confluent-kafka with headers."""

    def __init__(self, size: int) -> None:
        self.fields = {
            "value": b"x",
            "offset": 0,
            "timestamp": (1, 5),
            "key": None,
            "topic": "t",
            "partition": 0,
            "headers": [("name", bytes(size))],
        }

    def __getattr__(self, name: str) -> Any:
        return lambda: self.fields[name]


def test_large_headers_count_and_small_ones_do_not() -> None:
    (small,) = items([Headed(10)])
    (large,) = items([Headed(10), Headed(1000)])
    assert isinstance(small, Run)
    assert isinstance(large, Run)
    assert (small.layout, large.layout.name) == (HEADED, "headed")
    assert (small.nbytes, large.nbytes, large.part(1, 1).nbytes) == (1, 1020, 1005)
