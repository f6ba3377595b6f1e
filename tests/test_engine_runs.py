"""Fetched messages: how they are kept, and what confluent_kafka gives."""

from __future__ import annotations

import random
from typing import Any

import pytest
from confluent_kafka import KafkaError
from fix_buffer import END, ERROR, run, singles

from kafkatcl.engine.layouts import KEYED, MIXED, PLAIN, Layout
from kafkatcl.engine.messages import EndItem, ErrorItem, Run, items

# -- runs ------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "layout"), [(None, PLAIN), (b"", KEYED), (b"key", KEYED)])
def test_a_run_knows_its_size_bytes_and_offsets(key: bytes | None, layout: Layout) -> None:
    made = run(5, 4, partition=3, size=10, key=key)
    assert (made.layout, made.size, made.nbytes) == (layout, 4, 4 * (10 + len(key or b"")))
    assert (made.topic_partition, made.first, made.last) == (("t", 3), 5, 8)
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


# -- what confluent_kafka gives --------------------------------------------------------


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
            "timestamp": (0, 0) if error else (1, 1000 + offset),
            "headers": None,
        }

    def __getattr__(self, name: str) -> Any:
        return lambda: self.fields[name]


def test_messages_in_a_row_are_one_run() -> None:
    assert list(items([])) == []
    assert list(items([Message(7, b"a"), Message(9, b"b")])) == [
        Run("t", 0, PLAIN, (b"a", 7, 1007, b"b", 9, 1009))
    ]
    keyed = [Message(7, b"a", key=b"k"), Message(8, b"b", key=b"")]
    assert list(items(keyed)) == [Run("t", 0, KEYED, (b"a", 7, 1007, b"k", b"b", 8, 1008, b""))]


def mixed(*words: Any, **more: Any) -> tuple[Any, ...]:
    """The fields of a mixed message: what every message has, and the optional ones that
    it has.
    """
    optional = MIXED.columns[len(PLAIN.columns) + 1 :]
    present = sum(1 << place for place, field in enumerate(optional) if field.name in more)
    return (*words, present, *(more.get(field.name, field.type()) for field in optional))


def test_no_payload_is_an_empty_one_and_a_tombstone() -> None:
    assert list(items([Message(0, None), Message(1, b"")])) == [
        Run("t", 0, MIXED, (*mixed(b"", 0, 1000, tombstone=1), *mixed(b"", 1, 1001)))
    ]
    assert list(items([Message(0, None, key=b"k")])) == [
        Run("t", 0, MIXED, mixed(b"", 0, 1000, key=b"k", tombstone=1))
    ]
    assert list(items([Message(0, b""), Message(1)])) == [Run("t", 0, PLAIN, (b"", 0, 1000, b"x", 1, 1001))]


@pytest.mark.parametrize(
    "other",
    [{"partition": 1}, {"topic": "other"}],
    ids=["partition", "topic"],
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


def test_messages_with_and_without_a_key_are_one_run() -> None:
    (found,) = items([Message(0, key=b"k"), Message(1), Message(2, key=b"")])
    assert isinstance(found, Run)
    names = [field.name for field in MIXED.columns]
    assert names[:5] == ["payload", "offset", "timestamp", "present", "key"]
    fields = (*mixed(b"x", 0, 1000, key=b"k"), *mixed(b"x", 1, 1001), *mixed(b"x", 2, 1002, key=b""))
    assert found == Run("t", 0, MIXED, fields)
    assert (found.size, found.nbytes, found.first, found.last) == (3, 4, 0, 2)
    assert found.part(1, 1) == Run("t", 0, MIXED, fields[MIXED.width : 2 * MIXED.width])


def test_each_partition_has_the_layout_that_suits_it() -> None:
    keyed = [Message(number, key=b"k", partition=1) for number in range(2)]
    plain = [Message(number) for number in range(2)]
    assert list(items([*plain, *keyed])) == [*items(plain), *items(keyed)]
    assert [item.layout for item in items([*plain, *keyed]) if isinstance(item, Run)] == [PLAIN, KEYED]


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
        ErrorItem(*told, ("t", 0), offset=0),
        *items(messages[1:3]),
        EndItem("t", 0, 2),
        *items(messages[4:5]),
        ErrorItem(*told, None),
        ErrorItem(*told, ("t", 3), offset=3),
        *items(messages[7:]),
    ]
    assert [(item.size, item.nbytes) for item in (END, ERROR)] == [(1, 0)] * 2


def test_nothing_is_lost_or_moved_by_runs() -> None:
    chance = random.Random(1)
    messages = [
        Message(offset, b"%d" % offset, key=chance.choice((None, b"", b"k")), partition=chance.randrange(2))
        for offset in range(500)
    ]
    found = [item for item in singles(items(messages)) if isinstance(item, Run)]
    assert [(item.fields[0], item.partition, item.first, key(item)) for item in found] == [
        (message.value(), message.partition(), message.offset(), message.key()) for message in messages
    ]


def key(single: Run) -> bytes | None:
    """The key of a message, None if it has none."""
    named = dict(zip((field.name for field in single.layout.columns), single.fields))
    return named.get("key") if named.get("present", 1) else None


def test_where_the_topic_is_known_messages_are_not_asked() -> None:
    messages = [Message(0, topic="unasked"), Message(1, partition=1, topic="unasked")]
    assert [item.topic_partition for item in items(messages, topic="t")] == [("t", 0), ("t", 1)]


def test_fields_are_read_where_they_were_asked_for() -> None:
    messages = [Message(0), Message(1), Message(0, partition=1)]
    for message in messages:
        message.fields["leader_epoch"] = 7
        message.fields["delivery_count"] = None
    every = ("leader_epoch", "delivery_count")
    first, second = items(messages, every, lambda place: every if place == ("t", 1) else ())
    assert isinstance(first, Run)
    assert isinstance(second, Run)
    assert (first.layout, second.fields) == (PLAIN, mixed(b"x", 0, 1000, leader_epoch=7))
    (only, _) = items(messages, every)
    assert isinstance(only, Run)
    assert only.fields == mixed(b"x", 0, 1000, leader_epoch=7) + mixed(b"x", 1, 1001, leader_epoch=7)
