"""Bridge calls for subscribers."""

from __future__ import annotations

from typing import Any, Callable

from kafkatcl.bridge.arguments import offset_text, parse_integer, parse_offset, parse_position
from kafkatcl.bridge.calls.registry import bridge_call
from kafkatcl.bridge.sessions import find
from kafkatcl.bridge.shapes import item_shape
from kafkatcl.engine.messages import EndItem
from kafkatcl.engine.subscriber import Subscriber, TopicPartitionOffset
from kafkatcl.librdkafka.offsets import OFFSET_INVALID


@bridge_call
def subscriber_subscribe(subscriber: str, *words: str) -> None:
    find(subscriber, Subscriber).subscribe(_positions(words))


@bridge_call
def subscriber_subscription(subscriber: str) -> tuple[Any, ...]:
    return tuple(_shown(position) for position in find(subscriber, Subscriber).subscription())


@bridge_call
def subscriber_unsubscribe(subscriber: str) -> None:
    find(subscriber, Subscriber).unsubscribe()


@bridge_call
def subscriber_assign(subscriber: str, *words: str) -> None:
    find(subscriber, Subscriber).assign(_positions(words))


@bridge_call
def subscriber_assignment(subscriber: str) -> tuple[Any, ...]:
    return tuple(_shown(position) for position in find(subscriber, Subscriber).assignment())


@bridge_call
def subscriber_pause(subscriber: str, *words: str) -> None:
    find(subscriber, Subscriber).pause(_positions(words))


@bridge_call
def subscriber_resume(subscriber: str, *words: str) -> None:
    find(subscriber, Subscriber).resume(_positions(words))


@bridge_call
def subscriber_paused(subscriber: str) -> tuple[Any, ...]:
    return tuple(_shown(found._replace(offset=0)) for found in find(subscriber, Subscriber).paused())


@bridge_call
def subscriber_commit(subscriber: str, wait: str, *words: str) -> None:
    find(subscriber, Subscriber).commit(_positions(words, parse_position), wait=wait == "1")


@bridge_call
def subscriber_positions(subscriber: str, *words: str) -> tuple[Any, ...]:
    found = find(subscriber, Subscriber).read_positions(_positions(words))
    return tuple(_shown(position) for position in found)


@bridge_call
def subscriber_committed(subscriber: str, timeout_ms: str, *words: str) -> tuple[Any, ...]:
    found = find(subscriber, Subscriber).committed(_positions(words), parse_integer(timeout_ms))
    return tuple(_shown(position) for position in found)


@bridge_call
def subscriber_watermarks(
    subscriber: str, timeout_ms: str, cached: str, topic: str, partition: str
) -> tuple[int, int]:
    timeout, number = parse_integer(timeout_ms), parse_integer(partition)
    return find(subscriber, Subscriber).watermarks(topic, number, timeout, cached=cached == "1")


@bridge_call
def subscriber_listen(subscriber: str, wanted: str) -> None:
    find(subscriber, Subscriber).messages.listen(subscriber if wanted == "1" else None)


@bridge_call
def subscriber_consume(subscriber: str, timeout_ms: str) -> tuple[Any, ...] | None:
    """Messages or an error; None for nothing and for the end of a partition."""
    timeout = parse_integer(timeout_ms)
    item = find(subscriber, Subscriber).messages.read_ahead(timeout)
    return None if item is None or isinstance(item, EndItem) else item_shape(item)


def _positions(
    words: tuple[str, ...], parse: Callable[[str], int] = parse_offset
) -> list[TopicPartitionOffset]:
    """Positions from the words topic, partition and offset of each;
    empty ones are left to the default.
    """
    positions = []
    for topic, partition, where in zip(words[::3], words[1::3], words[2::3]):
        number = parse_integer(partition) if partition else 0
        positions.append(TopicPartitionOffset(topic, number, parse(where) if where else OFFSET_INVALID))
    return positions


def _shown(position: TopicPartitionOffset) -> tuple[Any, ...]:
    """A position as subscribers return it: without the offset if that is 0, and then
    without the partition if that is 0.
    """
    if position.offset != 0:
        return (position.topic, position.partition, offset_text(position.offset))
    return (position.topic, position.partition) if position.partition != 0 else (position.topic,)
