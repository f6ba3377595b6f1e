"""Buffers of fetched messages: anything, in any order, as a simple model has it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from fix_buffer import ERROR, MIB, Ledger, run, singles

from kafkatcl.engine.messages import EndItem, ErrorItem, Item


class Model:
    """A buffer as plain lists, each message by itself."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.ledger = Ledger()
        self.kept: list[Item] = []
        self.in_flight: list[Item | None] = []  # None: dropped meanwhile, but who has it does not know
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
        batch = self.ledger.buffer.batch(count, 0, reads_ahead=True)
        assert singles(batch.items) == got
        ahead = singles([batch.ahead])
        assert ahead == self.kept[: len(ahead)]
        assert not ahead or (len(got) == count and not self.in_flight and len(ahead) % count == 0)
        self.in_flight += ahead
        del self.kept[: len(ahead)]
        if self.chance.random() < 0.3:
            self.put()
        run_through = self.chance.randint(0, len(got))
        if run_through < len(got):
            self.requeue()  # what is behind the batch goes back first
        batch.end(len(got) - run_through)
        self.consumed += got[:run_through]
        self.kept[:0] = got[run_through:]

    def hand_out(self) -> None:
        if self.in_flight:
            return
        count = self.chance.randint(1, 12)
        self.ledger.buffer.listen("callback")
        found = singles(item for _, item in self.ledger.buffer.hand_out(count))
        self.ledger.buffer.listen(None)
        taken, self.kept = self.kept[:count], self.kept[count:]
        assert found == [item for item in taken if not isinstance(item, EndItem)]
        self.in_flight = [*found]

    def read_ahead(self) -> None:
        found = singles([self.ledger.buffer.read_ahead(0)])
        assert bool(found) == bool(self.kept)
        assert found == self.kept[: len(found)]
        self._acknowledge(0)
        self.consumed += found[:1]
        self.in_flight = [*found[1:]]
        del self.kept[: len(found)]

    def acknowledge(self) -> None:
        waiting = self.chance.randint(0, len(self.in_flight))
        self.ledger.buffer.acknowledge(waiting)
        self._acknowledge(waiting)

    def requeue(self) -> None:
        waiting = self.chance.randint(0, len(self.in_flight))
        self.ledger.buffer.requeue(waiting)
        self._acknowledge(waiting)
        self.kept, self.in_flight = [*(item for item in self.in_flight if item), *self.kept], []

    def batch_ahead(self) -> None:
        waiting = self.chance.randint(0, len(self.in_flight))
        count = self.chance.randint(0, waiting)
        batch = self.ledger.buffer.batch_ahead(waiting, count)
        self._acknowledge(waiting)
        taken = self.in_flight[:count]
        self.kept = [*(item for item in self.in_flight[count:] if item), *self.kept]
        self.in_flight = []
        run_through = self.chance.randint(0, count)
        batch.end(count - run_through)
        self.consumed += filter(None, taken[:run_through])
        self.kept = [*(item for item in taken[run_through:] if item), *self.kept]

    def _acknowledge(self, waiting: int) -> None:
        used = len(self.in_flight) - waiting
        self.consumed += filter(None, self.in_flight[:used])
        self.in_flight = self.in_flight[used:]

    def drop(self) -> None:
        partition = self.chance.randrange(3)
        with self.ledger.lock:
            self.ledger.buffer.drop("t", partition)
        self.kept = [item for item in self.kept if item.topic_partition != ("t", partition)]
        self.in_flight = [
            None if item and item.topic_partition == ("t", partition) else item for item in self.in_flight
        ]

    def clear(self) -> None:
        with self.ledger.lock:
            self.ledger.buffer.clear()
        self.kept = []
        self.in_flight = [None] * len(self.in_flight)

    def check(self) -> None:
        buffer = self.ledger.buffer
        assert (buffer.size, buffer.nbytes) == (len(self.kept), sum(item.nbytes for item in self.kept))
        assert buffer.topic_partitions() == {item.topic_partition for item in self.kept}
        assert self.ledger.counted()
        assert self.ledger.consumed == self.consumed


WEIGHTS = {
    "put": 8,
    "next": 3,
    "batch": 3,
    "hand_out": 2,
    "read_ahead": 4,
    "acknowledge": 2,
    "requeue": 1,
    "batch_ahead": 1,
    "drop": 1,
}


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


def test_what_is_in_flight_is_within_a_mebibyte(ledger: Ledger) -> None:
    ledger.put(run(0, 9, size=300 << 10))
    ledger.buffer.listen("callback")
    assert sum(item.nbytes for _, item in ledger.buffer.hand_out(100)) <= MIB


def test_an_interrupted_batch_loses_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    ledger.put(run(0, 3))
    monkeypatch.setattr(ledger, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ledger.buffer.batch(5, 10_000)
    assert ledger.buffer.size == 3
