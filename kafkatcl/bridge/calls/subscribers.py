"""Bridge calls for subscribers.

Where a call takes ``*words`` they are *positions*, three words for each: topic,
partition and offset.  An empty partition is 0; an empty offset leaves the choice to the
call.  Positions that a call returns are tuples (topic, partition, offset), the offset
as :func:`offset_text` writes it.  An offset of 0 is left out, and then a partition 0,
too: (topic, partition), (topic,).

Errors of Kafka have their bare text here, without ``kafka error:`` in front of it.
"""

from __future__ import annotations

from typing import Any, Callable

from kafkatcl.bridge.arguments import offset_text, parse_integer, parse_offset, parse_position
from kafkatcl.bridge.calls.registry import bridge_call
from kafkatcl.bridge.sessions import find
from kafkatcl.bridge.shapes import item_shape
from kafkatcl.engine.subscriber import Subscriber, TopicPartitionOffset
from kafkatcl.librdkafka.offsets import OFFSET_INVALID


@bridge_call
def subscriber_subscribe(subscriber: str, *words: str) -> None:
    """Join the group for these topics; nothing is waited for.

    :param words: positions, of which only the topics count; a topic that begins with
        ``^`` is a pattern.
    :raises Failure: there is no topic; a name or a pattern cannot be; librdkafka
        refuses them.
    """
    find(subscriber, Subscriber).subscribe(_positions(words))


@bridge_call
def subscriber_subscription(subscriber: str) -> tuple[Any, ...]:
    """The positions that were given to :func:`subscriber_subscribe`, sorted."""
    return tuple(_shown(position) for position in find(subscriber, Subscriber).subscription())


@bridge_call
def subscriber_unsubscribe(subscriber: str) -> None:
    """Leave the group, and read nothing any more."""
    find(subscriber, Subscriber).unsubscribe()


@bridge_call
def subscriber_assign(subscriber: str, *words: str) -> None:
    """Read exactly these partitions, whatever the group says; none reads nothing.

    :param words: positions; an empty offset means the committed one.
    :raises Failure: a topic's name or an offset cannot be; librdkafka refuses them.
    """
    find(subscriber, Subscriber).assign(_positions(words))


@bridge_call
def subscriber_assignment(subscriber: str) -> tuple[Any, ...]:
    """The positions that the subscriber reads, as group or script assigned them."""
    return tuple(_shown(position) for position in find(subscriber, Subscriber).assignment())


@bridge_call
def subscriber_pause(subscriber: str, *words: str) -> None:
    """Have nothing of these partitions read until :func:`subscriber_resume`.

    :param words: positions, whose offsets do not count.
    :raises Failure: a partition is not assigned; then none is paused.
    """
    find(subscriber, Subscriber).pause(_positions(words))


@bridge_call
def subscriber_resume(subscriber: str, *words: str) -> None:
    """Go on with partitions that were paused.

    :param words: positions, whose offsets do not count.
    :raises Failure: a partition is not assigned; then none is resumed.
    """
    find(subscriber, Subscriber).resume(_positions(words))


@bridge_call
def subscriber_paused(subscriber: str) -> tuple[Any, ...]:
    """The partitions that the script has paused: sorted positions, no offsets."""
    return tuple(_shown(found._replace(offset=0)) for found in find(subscriber, Subscriber).paused())


@bridge_call
def subscriber_commit(subscriber: str, wait: str, *words: str) -> None:
    """Commit offsets.

    :param wait: ``1`` waits for the broker, as long as it takes.
    :param words: positions, each with the offset of the next message to read, a number;
        none: commit those of all that was consumed.
    :raises Failure: an offset is no number; with ``wait`` also: there is nothing to
        commit, or the broker refuses.
    """
    find(subscriber, Subscriber).commit(_positions(words, parse_position), wait=wait == "1")


@bridge_call
def subscriber_positions(subscriber: str, *words: str) -> tuple[Any, ...]:
    """The next offset to read of each partition, as positions.

    :param words: positions, whose offsets do not count.
    :returns: the offset is ``invalid`` where nothing was read yet.
    """
    found = find(subscriber, Subscriber).read_positions(_positions(words))
    return tuple(_shown(position) for position in found)


@bridge_call
def subscriber_committed(subscriber: str, timeout_ms: str, *words: str) -> tuple[Any, ...]:
    """The offset that the group has committed for each partition, as positions.

    :param words: positions, whose offsets do not count.
    :returns: the offset is ``invalid`` where none was committed.
    :raises Failure: no answer came in time; the broker refuses.
    """
    found = find(subscriber, Subscriber).committed(_positions(words), parse_integer(timeout_ms))
    return tuple(_shown(position) for position in found)


@bridge_call
def subscriber_watermarks(
    subscriber: str, timeout_ms: str, cached: str, topic: str, partition: str
) -> tuple[int, int]:
    """The low and the high watermark of a partition.

    :param cached: ``1`` asks nobody: the watermarks are those of the last fetch, -1001
        where there was none.
    :returns: the offset of the oldest message, and that of the next one to be written.
    :raises Failure: there is no such partition; no answer came in time.
    """
    timeout, number = parse_integer(timeout_ms), parse_integer(partition)
    return find(subscriber, Subscriber).watermarks(topic, number, timeout, cached=cached == "1")


@bridge_call
def subscriber_listen(subscriber: str, wanted: str) -> None:
    """Give messages to a callback, or keep them for readers again.

    The callback id is the object id of the subscriber.
    """
    find(subscriber, Subscriber).messages.listen(subscriber if wanted == "1" else None)


@bridge_call
def subscriber_consume(subscriber: str, timeout_ms: str) -> tuple[Any, ...] | None:
    """Read the next message, and some that follow it.

    Only the first counts as consumed now; the others do when :func:`read_acknowledge`
    says so.

    :returns: one item, in the form of :func:`item_shape`; None where nothing came in
        time, and for the end of a partition that nobody asked for.
    """
    timeout = parse_integer(timeout_ms)
    messages = find(subscriber, Subscriber).messages
    item = messages.read_ahead(timeout)
    return None if item is None or messages.is_unasked(item) else item_shape(item)


def _positions(
    words: tuple[str, ...], parse: Callable[[str], int] = parse_offset
) -> list[TopicPartitionOffset]:
    """Read positions from their words.

    :param parse: reads an offset that is not empty; an empty one is ``OFFSET_INVALID``.
    """
    positions = []
    for topic, partition, where in zip(words[::3], words[1::3], words[2::3]):
        number = parse_integer(partition) if partition else 0
        positions.append(TopicPartitionOffset(topic, number, parse(where) if where else OFFSET_INVALID))
    return positions


def _shown(position: TopicPartitionOffset) -> tuple[Any, ...]:
    """Write a position as subscribers return it.

    The offset is left out if it is 0, and then the partition too if that is 0.
    """
    if position.offset != 0:
        return (position.topic, position.partition, offset_text(position.offset))
    return (position.topic, position.partition) if position.partition != 0 else (position.topic,)
