"""The queue of events: order, fairness, and that no ring is lost."""

from __future__ import annotations

import random
import threading
import time

import pytest
from fix_engine import column

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.events import NOTICE_LIMIT, Event, EventQueue
from kafkatcl.engine.layouts import PLAIN
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run

END = EndItem("t", 0, 9)
ERROR = ErrorItem("text", "NAME", "details", -1)


def run(first: int, count: int = 1) -> Run:
    """Messages from offset ``first`` on."""
    return Run(
        "t", 0, PLAIN, tuple(field for offset in range(first, first + count) for field in (b"x", offset, -1))
    )


def numbers(events: list[Event]) -> list[tuple[str, int]]:
    """The callback ids of events about messages, and the offsets of these."""
    return [(callback_id, offset) for callback_id, told in events for offset in column(told, "offset")]


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

    def put(self, number: int, *items: Item) -> None:
        with self.owner.lock:
            for item in items:
                self.buffers[number].put(item)
            self.buffers[number].announce()


def test_notices_keep_their_order_and_ring_once() -> None:
    setting = Setting()
    for number in range(5):
        setting.queue.post("owner", "callback", number)
    assert (setting.rings, setting.queue.pending("owner", "callback")) == (1, 5)
    assert setting.queue.take(3) == [("callback", 0), ("callback", 1), ("callback", 2)]
    assert setting.queue.pending("owner", "callback") == 5
    setting.queue.acknowledge({"callback": 2})
    assert setting.queue.pending("owner", "callback") == 4
    assert setting.queue.take(3) == [("callback", 3), ("callback", 4)]
    assert setting.queue.pending("owner", "callback") == 2
    assert setting.rings == 1
    assert setting.queue.take(3) == []
    setting.queue.post("owner", "callback", 5)
    assert setting.rings == 2


def test_what_comes_during_the_last_take_rings_again() -> None:
    setting = Setting()
    setting.queue.post("owner", "callback", 0)
    assert setting.queue.take(9) == [("callback", 0)]
    setting.queue.post("owner", "callback", 1)  # while events are still being run: no ring is needed
    assert setting.rings == 1
    assert setting.queue.take(9) == [("callback", 1)]
    assert setting.queue.take(9) == []


def test_a_busy_buffer_does_not_starve_the_others() -> None:
    setting = Setting(3)
    for number, count in enumerate((1000, 3, 3)):
        setting.put(number, run(0, count))
    first, second = setting.queue.take(10), setting.queue.take(10)
    assert numbers(first) == [("b0", offset) for offset in range(10)]
    assert numbers(second)[:6] == [(f"b{n}", offset) for n in (1, 2) for offset in range(3)]
    assert numbers(second)[6:] == [("b0", offset) for offset in range(10, 14)]


def test_two_busy_buffers_take_turns() -> None:
    setting = Setting(2)
    for number in range(2):
        setting.put(number, *map(run, range(10)), run(10, 10))
    callback_ids = [setting.queue.take(5)[0][0] for _ in range(8)]
    assert callback_ids == ["b0", "b1"] * 4


def test_messages_without_a_callback_are_no_events() -> None:
    setting = Setting(1)
    setting.buffers[0].listen(None)
    setting.put(0, run(0))
    assert (setting.rings, setting.queue.take(9)) == (0, [])
    setting.buffers[0].listen("late")
    assert numbers(setting.queue.take(9)) == [("late", 0)]


def test_forget_drops_what_waits_for_an_owner() -> None:
    setting = Setting(1)
    setting.queue.post("other", "callback", 1)
    setting.queue.post(setting.owner, "callback", 2)
    setting.put(0, run(0))
    setting.queue.forget(setting.owner)
    assert setting.queue.pending(setting.owner, "callback") == 0
    assert setting.queue.take(9) == [("callback", 1)]
    assert setting.queue.take(9) == []


@pytest.mark.parametrize("made", [[run(0, 5)], [*map(run, range(5))], [run(0, 3), run(3, 2)]], ids=len)
def test_requeued_messages_come_again_in_their_place(made: list[Run]) -> None:
    setting = Setting(1)
    setting.put(0, *made)
    assert numbers(setting.queue.take(4)) == [("b0", offset) for offset in range(4)]
    setting.queue.requeue({"b0": 3})  # one ran, three wait
    setting.buffers[0].listen("new")
    assert numbers(setting.queue.take(9)) == [("new", offset) for offset in range(1, 5)]


def test_the_count_is_of_messages_and_not_of_runs() -> None:
    setting = Setting(2)
    setting.queue.post("owner", "callback", "notice")
    setting.put(0, run(0, 3), ERROR, run(3, 3))
    setting.put(1, run(0, 9))
    assert setting.queue.take(6) == [("callback", "notice"), ("b0", run(0, 3)), ("b0", ERROR), ("b0", run(3))]
    assert setting.queue.take(4) == [("b1", run(0, 4))]
    assert setting.queue.take(4) == [("b0", run(4, 2)), ("b1", run(4, 2))]
    assert setting.queue.take(9) == [("b1", run(6, 3))]
    assert setting.queue.take(9) == []


def test_all_that_has_not_run_is_put_back_at_once() -> None:
    setting = Setting(3)
    for number in range(3):
        setting.put(number, run(0, 4))
    assert len(numbers(setting.queue.take(12))) == 12
    setting.queue.requeue({"b0": 2, "b1": 1})  # and those of the third have all run
    assert [buffer.size for buffer in setting.buffers] == [2, 1, 0]
    assert sorted(numbers(setting.queue.take(12))) == [("b0", 2), ("b0", 3), ("b1", 3)]
    assert setting.queue.take(12) == []


def test_requeued_notices_come_again_in_their_place() -> None:
    setting = Setting(1)
    for number in range(5):
        setting.queue.post("owner", ("even", "odd")[number % 2], number)
    setting.put(0, run(0))
    assert [told for _, told in setting.queue.take(4)] == [0, 1, 2, 3]
    setting.queue.requeue({"even": 1, "odd": 1})
    assert [setting.queue.pending("owner", callback_id) for callback_id in ("even", "odd")] == [2, 1]
    assert setting.queue.take(9) == [("even", 2), ("odd", 3), ("even", 4), ("b0", run(0))]
    setting.queue.acknowledge({})
    assert [setting.queue.pending("owner", callback_id) for callback_id in ("even", "odd")] == [0, 0]


def test_what_was_put_back_can_be_forgotten() -> None:
    setting = Setting(1)
    setting.queue.post(setting.owner, "callback", 1)
    setting.queue.post("other", "callback", 2)
    setting.put(0, run(0, 3))
    setting.queue.take(9)
    setting.queue.requeue({"callback": 2, "b0": 3})
    setting.queue.forget(setting.owner)
    assert setting.queue.pending(setting.owner, "callback") == 0
    assert setting.queue.take(9) == [("callback", 2)]


def test_ends_are_not_told_and_lose_no_ring() -> None:
    setting = Setting(1)
    setting.put(0, END, END, END, run(0))
    assert (setting.rings, setting.queue.take(2)) == (1, [])  # nothing of these, but there is more
    assert setting.rings == 2
    assert numbers(setting.queue.take(2)) == [("b0", 0)]
    assert setting.queue.take(2) == []
    setting.put(0, END)
    assert (setting.rings, setting.queue.take(2)) == (3, [])
    setting.put(0, run(1))
    assert setting.rings == 4


def test_full_holds_reports_back() -> None:
    setting = Setting()
    for _ in range(NOTICE_LIMIT - 1):
        setting.queue.post("owner", "callback", 0)
    assert not setting.queue.full()
    setting.queue.post("owner", "callback", 0)
    assert setting.queue.full()
    setting.queue.take(1)
    assert not setting.queue.full()


def test_wait() -> None:
    setting = Setting()
    began = time.monotonic()
    assert not setting.queue.wait(50)
    assert 0.05 <= time.monotonic() - began < 1
    assert not setting.queue.wait(0)
    timer = threading.Timer(0.05, setting.queue.post, ("owner", "callback", 1))
    timer.start()
    assert setting.queue.wait(-1)
    assert setting.queue.wait(0)
    timer.join()


@pytest.mark.parametrize("seed", range(5))
def test_no_ring_is_lost(seed: int) -> None:
    """Threads post while one takes only after a ring, until a take gives nothing:
    all must come, in order.
    """
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
            if who >= len(buffers):
                queue.post(None, f"n{who}", run(number))
            elif number % 4 in (0, 1):  # one message, then three that came together
                with owner.lock:
                    buffers[who].put(run(number, (1, 3)[number % 4]))
                    buffers[who].announce()
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
            for callback_id, number in numbers(events):
                seen.setdefault(callback_id, []).append(number)
    for thread in threads:
        thread.join()
    assert seen == {callback_id: list(range(each)) for callback_id in ("b0", "b1", "n2", "n3")}


# -- what nobody takes -----------------------------------------------------------------


def test_the_latest_takes_the_place_of_earlier_ones() -> None:
    setting = Setting()
    for number in range(5):
        setting.queue.post("owner", "other", number)
        setting.queue.post_latest("owner", "callback", number)
    assert setting.queue.take(100) == [("other", 0), ("callback", 4), *(("other", n) for n in range(1, 5))]
    setting.queue.post_latest("owner", "callback", 5)
    assert setting.queue.take(100) == [("callback", 5)]


def test_what_comes_unbidden_is_bounded_and_the_rest_is_counted() -> None:
    setting = Setting()
    for number in range(1500):
        setting.queue.post_unbidden("owner", "callback", number, lambda count: f"{count} left out")
        setting.queue.post_unbidden("another", "callback", number, lambda count: f"{count} left out too")
    first = setting.queue.take(1999)
    last = setting.queue.take(1999)
    assert [told for _, told in first + last[:1]] == [n for n in range(1000) for _ in range(2)]
    assert [told for _, told in last[1:]] == []
    assert [told for _, told in setting.queue.take(10)] == ["500 left out", "500 left out too"]
    assert setting.queue.take(10) == []


def test_what_is_left_out_goes_with_its_owner() -> None:
    setting = Setting()
    for number in range(1500):
        setting.queue.post_unbidden("owner", "callback", number, lambda count: f"{count} left out")
    setting.queue.post_latest("owner", "callback", "latest")
    setting.queue.forget("owner")
    assert setting.queue.take(2000) == []


# -- what is recalled ------------------------------------------------------------------


def recalling(setting: Setting, seconds: float = 10) -> threading.Thread:
    """A thread that takes partition 0 away from buffer 0, as Kafka's do."""

    def take_away() -> None:
        with setting.owner.lock:
            setting.buffers[0].recall(seconds)
            setting.buffers[0].drop("t", 0)

    thread = threading.Thread(target=take_away)
    thread.start()
    return thread


def await_recall(setting: Setting) -> list[str]:
    deadline = time.monotonic() + 10
    while not (callback_ids := setting.queue.recalled()):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return callback_ids


def test_who_takes_partitions_away_waits_until_nothing_of_them_is_told() -> None:
    setting = Setting(1)
    setting.put(0, run(0, 5), Run("t", 1, PLAIN, (b"y", 0, -1)))
    assert len(setting.queue.take(10)) == 2
    thread = recalling(setting)
    assert await_recall(setting) == ["b0"]
    assert thread.is_alive()
    setting.queue.answer_recall("b0", 4)  # two of the five were told, and the one of partition 1 was not
    thread.join(10)
    assert [told.partition for _, told in setting.queue.take(10)] == [1]


@pytest.mark.parametrize("how", ["take", "acknowledge", "requeue"])
def test_who_asks_for_more_has_told_all(how: str) -> None:
    setting = Setting(1)
    setting.put(0, run(0, 5))
    setting.queue.take(10)
    thread = recalling(setting)
    while not setting.queue._recalls._recalls:
        time.sleep(0.001)
    if how == "take":
        assert setting.queue.take(10) == []
    elif how == "acknowledge":
        setting.queue.acknowledge({"b0": 0})
    else:
        setting.queue.requeue({"b0": 3})
    thread.join(10)
    assert not thread.is_alive()
    assert setting.buffers[0].size == 0


def test_what_is_given_back_too_late_is_forgotten() -> None:
    setting = Setting(1)
    setting.put(0, run(0, 5))
    setting.queue.take(10)
    recalling(setting, 0.0).join(10)
    setting.put(0, run(7, 1))
    assert await_recall(setting) == ["b0"]
    setting.queue.answer_recall("b0", 4)
    assert numbers(setting.queue.take(10)) == [("b0", 7)]


def test_what_was_read_ahead_is_recalled_too() -> None:
    setting = Setting(1)
    buffer = setting.buffers[0]
    buffer.listen(None)
    setting.put(0, run(0, 5))
    while buffer.size:
        buffer.read_ahead(0)
    thread = recalling(setting)
    assert await_recall(setting) == [""]
    thread.join(10)
    buffer.requeue(2)
    assert buffer.size == 0
