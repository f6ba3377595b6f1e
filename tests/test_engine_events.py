"""The queue of events: order, fairness, and that no ring is lost."""

from __future__ import annotations

import random
import threading
import time

import pytest

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.events import NOTICE_LIMIT, Event, EventQueue
from kafkatcl.engine.messages import MessageRow


def message(number: int, partition: int = 0) -> MessageRow:
    return (b"%d" % number, partition, number, -1, "t", ())


def numbers(events: list[Event]) -> list[tuple[str, int]]:
    """The tokens of events about messages, and the offsets of these."""
    return [(token, argument[5]) for token, argument in events]


class Setting:
    """An event queue that counts its rings, and buffers that feed it."""

    def __init__(self, buffers: int = 0) -> None:
        self.rings = 0
        self.queue = EventQueue(self._ring)
        self.owner = BufferOwner(self.queue)
        self.buffers = [MessageBuffer(self.owner) for _ in range(buffers)]
        for number, buffer in enumerate(self.buffers):
            buffer.listen(f"b{number}")

    def _ring(self) -> None:
        self.rings += 1

    def put(self, number: int, *rows: MessageRow) -> None:
        with self.owner.lock:
            self.buffers[number].put(list(rows))


def test_notices_keep_their_order_and_ring_once() -> None:
    setting = Setting()
    for number in range(5):
        setting.queue.post("owner", "token", number)
    assert (setting.rings, setting.queue.pending("owner", "token")) == (1, 5)
    assert setting.queue.take(3) == [("token", 0), ("token", 1), ("token", 2)]
    assert setting.queue.pending("owner", "token") == 5
    setting.queue.settle({"token": 2})
    assert setting.queue.pending("owner", "token") == 4
    assert setting.queue.take(3) == [("token", 3), ("token", 4)]
    assert setting.queue.pending("owner", "token") == 2
    assert setting.rings == 1
    assert setting.queue.take(3) == []
    setting.queue.post("owner", "token", 5)
    assert setting.rings == 2


def test_what_comes_during_the_last_take_rings_again() -> None:
    setting = Setting()
    setting.queue.post("owner", "token", 0)
    assert setting.queue.take(9) == [("token", 0)]
    setting.queue.post("owner", "token", 1)  # while events are still being run: no ring is needed
    assert setting.rings == 1
    assert setting.queue.take(9) == [("token", 1)]
    assert setting.queue.take(9) == []


def test_a_busy_buffer_does_not_starve_the_others() -> None:
    setting = Setting(3)
    for number, count in enumerate((1000, 3, 3)):
        setting.put(number, *(message(offset) for offset in range(count)))
    first, second = setting.queue.take(10), setting.queue.take(10)
    assert numbers(first) == [("b0", offset) for offset in range(10)]
    assert numbers(second)[:6] == [(f"b{n}", offset) for n in (1, 2) for offset in range(3)]
    assert numbers(second)[6:] == [("b0", offset) for offset in range(10, 14)]


def test_two_busy_buffers_take_turns() -> None:
    setting = Setting(2)
    for number in range(2):
        setting.put(number, *(message(offset) for offset in range(20)))
    tokens = [setting.queue.take(5)[0][0] for _ in range(8)]
    assert tokens == ["b0", "b1"] * 4


def test_messages_without_a_callback_are_no_events() -> None:
    setting = Setting(1)
    setting.buffers[0].listen(None)
    setting.put(0, message(0))
    assert (setting.rings, setting.queue.take(9)) == (0, [])
    setting.buffers[0].listen("late")
    assert numbers(setting.queue.take(9)) == [("late", 0)]


def test_forget_drops_what_waits_for_an_owner() -> None:
    setting = Setting(1)
    setting.queue.post("other", "token", 1)
    setting.queue.post(setting.owner, "token", 2)
    setting.put(0, message(0))
    setting.queue.forget(setting.owner)
    assert setting.queue.pending(setting.owner, "token") == 0
    assert setting.queue.take(9) == [("token", 1)]
    assert setting.queue.take(9) == []


def test_reclaimed_messages_come_again_in_their_place() -> None:
    setting = Setting(1)
    setting.put(0, *map(message, range(5)))
    assert len(setting.queue.take(4)) == 4
    setting.queue.reclaim("b0", 3)  # one ran, three wait
    setting.buffers[0].listen("new")
    assert numbers(setting.queue.take(9)) == [("new", offset) for offset in range(1, 5)]


def test_full_holds_reports_back() -> None:
    setting = Setting()
    for _ in range(NOTICE_LIMIT - 1):
        setting.queue.post("owner", "token", 0)
    assert not setting.queue.full()
    setting.queue.post("owner", "token", 0)
    assert setting.queue.full()
    setting.queue.take(1)
    assert not setting.queue.full()


def test_wait() -> None:
    setting = Setting()
    began = time.monotonic()
    assert not setting.queue.wait(50)
    assert 0.05 <= time.monotonic() - began < 1
    assert not setting.queue.wait(0)
    timer = threading.Timer(0.05, setting.queue.post, ("owner", "token", 1))
    timer.start()
    assert setting.queue.wait(-1)
    assert setting.queue.wait(0)
    timer.join()


@pytest.mark.parametrize("seed", range(5))
def test_no_ring_is_lost(seed: int) -> None:
    """Threads post while one takes only after a ring, until a take gives nothing: all must come, in order."""
    chance = random.Random(seed)
    posters, each = 4, 2000
    bell = threading.Semaphore(0)
    queue = EventQueue(bell.release)
    owner = BufferOwner(queue)
    buffers = [MessageBuffer(owner) for _ in range(2)]
    for number, buffer in enumerate(buffers):
        buffer.listen(f"b{number}")

    def post(who: int, pauses: list[float]) -> None:
        for number in range(each):
            if who < len(buffers):
                with owner.lock:
                    buffers[who].put([message(number)])
            else:
                queue.post(None, f"n{who}", ("", "", "", "", "", number))
            if number % 100 == 0:
                time.sleep(pauses[number // 100])

    threads = [
        threading.Thread(target=post, args=(who, [chance.random() / 300 for _ in range(20)]))
        for who in range(posters)
    ]
    for thread in threads:
        thread.start()
    seen: dict[str, list[int]] = {}
    while sum(map(len, seen.values())) < posters * each:
        assert bell.acquire(timeout=5), f"no ring for what is there after {sum(map(len, seen.values()))}"
        while events := queue.take(chance.choice((1, 7, 500))):
            for token, number in numbers(events):
                seen.setdefault(token, []).append(number)
    for thread in threads:
        thread.join()
    assert seen == {token: list(range(each)) for token in ("b0", "b1", "n2", "n3")}
