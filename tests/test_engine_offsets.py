"""How far the script has come in each partition, and what of that is stored."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from fix_buffer import END, ERROR, run

from kafkatcl.engine.offsets import OffsetStore

A, B = ("t", 0), ("t", 1)


class FakeClient:
    """Remembers what is stored, and refuses partitions that were taken away."""

    def __init__(self) -> None:
        self.stored: list[tuple[int, int]] = []
        self.taken_away: set[int] = set()
        self.committed: list[tuple[int, int]] = []

    def store_offsets(self, offsets: list[Any]) -> None:
        for place in offsets:
            if place.partition in self.taken_away:
                raise KafkaException(KafkaError(KafkaError._STATE))
            self.stored.append((place.partition, place.offset))

    def commit(self, offsets: list[Any], *, asynchronous: bool) -> None:
        assert asynchronous
        self.committed += [(place.partition, place.offset) for place in offsets]


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def offsets(client: FakeClient) -> OffsetStore:
    return OffsetStore(lambda: client, stores=True)


def test_a_position_is_behind_what_the_script_has(offsets: OffsetStore, client: FakeClient) -> None:
    assert offsets.position(A) is None
    offsets.advance([run(0, 5), ERROR, END, run(7, partition=1)])
    assert (offsets.position(A), offsets.position(B)) == (5, 8)
    assert sorted(offsets.partitions()) == [A, B]
    offsets.store()
    assert sorted(client.stored) == [(0, 5), (1, 8)]


def test_what_has_not_moved_is_not_stored_again(offsets: OffsetStore, client: FakeClient) -> None:
    offsets.advance([run(0), run(0, partition=1)])
    offsets.store()
    offsets.advance([run(1)])
    offsets.store()
    offsets.store()
    assert sorted(client.stored) == [(0, 1), (0, 2), (1, 1)]


def test_what_the_script_did_not_get_to_is_taken_back(offsets: OffsetStore, client: FakeClient) -> None:
    offsets.advance([run(0, 5)])
    offsets.store()
    offsets.rewind([run(3, 2)])
    assert offsets.position(A) == 3
    offsets.rewind([run(4), END, run(9, partition=1)])  # it has not come so far
    assert (offsets.position(A), offsets.position(B)) == (3, None)
    offsets.store()
    assert client.stored == [(0, 5), (0, 3)]


def test_partitions_that_are_not_read_any_more_are_not_stored(
    offsets: OffsetStore, client: FakeClient
) -> None:
    offsets.advance([run(0), run(0, partition=1)])
    offsets.forget([A, ("other", 0)])
    offsets.store()
    assert (offsets.position(A), client.stored) == (None, [(1, 1)])


def test_a_partition_that_was_taken_away_keeps_no_other_from_being_stored(
    offsets: OffsetStore, client: FakeClient
) -> None:
    client.taken_away = {0}
    offsets.advance([run(0), run(0, partition=1)])
    offsets.store()
    assert client.stored == [(1, 1)]


def test_positions_are_known_where_nothing_is_stored(client: FakeClient) -> None:
    offsets = OffsetStore(lambda: client, stores=False)
    offsets.advance([run(0)])
    offsets.store()
    assert (offsets.position(A), client.stored) == (1, [])


def test_what_is_not_committed_is_known(offsets: OffsetStore) -> None:
    offsets.advance([run(3, 2), run(0, partition=1)])
    offsets.advance([run(5, 2)])
    assert offsets.unsettled() == {A: (3, 7), B: (0, 1)}
    offsets.settle({A: 5, B: 1, ("other", 0): 1})
    assert offsets.unsettled() == {A: (5, 7)}
    offsets.forget([A, B])
    assert offsets.taken_away == {A}
    offsets.settle({A: 7})
    assert offsets.taken_away == set()


@pytest.mark.parametrize(
    ("committed", "offset", "unsettled"),
    [(5, 9, {}), (5, 2, {}), (3, 9, {A: (3, 9)}), (3, 1, {}), (3, 4, {A: (3, 4)}), (3, 3, {})],
)
def test_a_seek_leaves_what_was_not_committed_so(
    committed: int, offset: int, unsettled: dict[tuple[str, int], tuple[int, int]], offsets: OffsetStore
) -> None:
    offsets.advance([run(3, 2)])
    offsets.settle({A: committed})
    offsets.seek(A, offset)
    assert (offsets.position(A), offsets.unsettled()) == (offset, unsettled)


def test_a_seek_moves_the_position_and_what_is_stored(offsets: OffsetStore, client: FakeClient) -> None:
    offsets.advance([run(0, 50), run(0, 50, partition=1)])
    offsets.store()
    offsets.seek(A, 10)
    assert (offsets.position(A), offsets.position(B)) == (10, 50)
    offsets.store()
    assert (client.stored[2:], client.committed) == ([(0, 10)], [])
    assert offsets.sought() == {A: 10}
    offsets.advance([run(10, 5)])
    assert offsets.sought() == {A: 15}
    offsets.committed({A: 15})
    assert offsets.sought() == {}


def test_the_first_position_after_a_seek_is_committed_where_that_is_automatic(
    offsets: OffsetStore, client: FakeClient
) -> None:
    offsets.commits = True
    offsets.advance([run(0, 50)])
    offsets.store()
    offsets.seek(A, 10)
    for number in (10, 11):
        offsets.store()
        offsets.advance([run(number)])
    offsets.store()
    assert (client.stored, client.committed) == ([(0, 50), (0, 10), (0, 11), (0, 12)], [(0, 10)])
    offsets.seek(A, 5)
    offsets.forget([A])
    offsets.store()
    assert (offsets.sought(), client.committed) == ({}, [(0, 10)])


def test_where_nothing_is_stored_a_seek_only_moves_the_position(client: FakeClient) -> None:
    offsets = OffsetStore(lambda: client, stores=False)
    offsets.commits = True
    offsets.seek(A, 10)
    offsets.store()
    assert (offsets.position(A), offsets.sought()) == (10, {})
    assert (client.stored, client.committed) == ([], [])
