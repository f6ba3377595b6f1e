"""pytest plugin: messages as they are fetched,
and a buffer whose owner notes what becomes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.layouts import KEYED, PLAIN
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run

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
    """Messages from offset ``first`` on, with payloads of ``size`` bytes,
    all with the same key or without.
    """
    fields: list[Any] = []
    for offset in range(first, first + count):
        fields += [b"%0*d" % (size, offset), offset, -1]
        if key is not None:
            fields.append(key)
    return Run(topic, partition, PLAIN if key is None else KEYED, tuple(fields))


def singles(found: Iterable[Item | None]) -> list[Item]:
    """The same, each message as a run of its own."""
    return [
        single
        for item in found
        if item is not None
        for single in ([item.part(at, 1) for at in range(item.size)] if isinstance(item, Run) else [item])
    ]


class Ledger(BufferOwner):
    """An owner that notes what the script has, what it did not get to,
    and what is held.
    """

    def __init__(self) -> None:
        super().__init__(EventQueue(lambda: None))
        self.held = self.held_bytes = 0
        self.consumed: list[Item] = []
        self.put_back: list[Item] = []
        self.watches = 0
        self.buffer = MessageBuffer(self)

    def watched(self) -> None:
        self.watches += 1

    def held_changed(self, count: int, size: int) -> None:
        self.held += count
        self.held_bytes += size

    def on_consumed(self, items: Iterable[Item]) -> None:
        self.consumed += singles(items)

    def on_requeued(self, items: Iterable[Item]) -> None:
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
        return (self.held, self.held_bytes) == (self.buffer.size, self.buffer.nbytes)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


FIVE = singles([run(0, 5)])
