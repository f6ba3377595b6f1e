"""Flow control: what the script has paused,
and what is paused as there is enough of it.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from kafkatcl.engine.flow import HELD_BYTES, HELD_LIMIT, FlowControl, Reason

A, B = ("t", 0), ("t", 1)


class FakeClient:
    """Remembers what is paused."""

    def __init__(self) -> None:
        self.paused: set[tuple[str, int]] = set()

    def pause(self, partitions: list[Any]) -> None:
        self.paused |= {(p.topic, p.partition) for p in partitions}

    def resume(self, partitions: list[Any]) -> None:
        self.paused -= {(p.topic, p.partition) for p in partitions}

    def assignment(self) -> list[Any]:
        from confluent_kafka import TopicPartition  # noqa: PLC0415

        return [TopicPartition(*A), TopicPartition(*B)]


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def flow(client: FakeClient) -> FlowControl:
    return FlowControl(lambda: client)


@pytest.mark.parametrize(("first", "second"), [*permutations(Reason, 2)])
def test_a_partition_goes_on_when_no_reason_is_left(
    flow: FlowControl, client: FakeClient, first: Reason, second: Reason
) -> None:
    flow.pause([A], first)
    flow.pause([A, B], second)
    assert client.paused == {A, B}
    flow.resume([A, B], first)
    assert client.paused == {A, B}
    flow.resume([A, B], second)
    assert client.paused == set()


def test_room_again_resumes_nothing_that_the_script_has_paused(flow: FlowControl, client: FakeClient) -> None:
    flow.pause([A], Reason.SCRIPT)
    flow.pause([A, B], Reason.FULL)
    assert client.paused == {A, B}
    flow.resume([A, B], Reason.FULL)
    assert client.paused == {A}
    assert flow.paused(Reason.SCRIPT) == [A]


def test_what_is_read_anew_begins_unpaused(flow: FlowControl, client: FakeClient) -> None:
    flow.pause([A], Reason.SCRIPT)
    flow.forget([A])
    assert client.paused == set()
    assert flow.paused(Reason.SCRIPT) == []
    flow.pause([A], Reason.FULL)
    assert client.paused == {A}


def test_a_busy_script_has_its_partitions_paused_in_the_end(flow: FlowControl, client: FakeClient) -> None:
    flow.throttle()
    polls = 0
    while not client.paused:
        assert flow.poll_is_due(0)
        polls += 1
        assert polls < 100
    assert polls > 10
    assert client.paused == {A, B}
    assert not flow.poll_is_due(3600)


@pytest.mark.parametrize(("count", "nbytes"), [(HELD_LIMIT, 0), (0, HELD_BYTES)])
def test_it_is_full_at_a_number_of_messages_or_bytes(flow: FlowControl, count: int, nbytes: int) -> None:
    flow.account(count, nbytes)
    assert flow.is_full()
    flow.account(-(count // 8), -(nbytes // 8))
    assert not flow.is_full()
    assert not flow.has_room_again()
    flow.account(-(count // 4), -(nbytes // 4))
    assert flow.has_room_again()
