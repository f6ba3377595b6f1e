"""How positions cross the bridge, and the bridge calls that steer what is read.

Where a call takes ``*words`` they are *positions*, three words for each: topic,
partition and offset.  An empty partition is 0; an empty offset leaves the choice to the
call.  Positions that a call returns are tuples (topic, partition, offset), the offset
as :func:`offset_text` writes it.  An offset of 0 is left out, and then a partition 0,
too: (topic, partition), (topic,).

A ``reader`` is the object id of a topic to consume from, or of a subscriber.  Where it
is a topic, the topics of its positions are not looked at.
"""

from __future__ import annotations

from typing import Any, Callable

from kafkatcl.bridge.arguments import offset_text, parse_integer, parse_offset, parse_position
from kafkatcl.bridge.calls.registry import bridge_call
from kafkatcl.bridge.sessions import find, forget, objects
from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.engine.consumer import ConsumerHandle
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.control import ControlledHandle
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.positions import OffsetAndMetadata, TopicPartitionOffset
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT
from kafkatcl.librdkafka.offsets import OFFSET_INVALID


@bridge_call
def reader_pause(reader: str, *words: str) -> None:
    """Have nothing of these partitions read until :func:`reader_resume`.

    :param words: positions, whose offsets do not count.
    :raises Failure: a partition is not read; then none is paused.
    """
    handle, topic = _read_by(reader)
    handle.pause(positions_of(words, topic=topic))


@bridge_call
def reader_resume(reader: str, *words: str) -> None:
    """Go on with partitions that were paused.

    :param words: positions, whose offsets do not count.
    :raises Failure: a partition is not read; then none is resumed.
    """
    handle, topic = _read_by(reader)
    handle.resume(positions_of(words, topic=topic))


@bridge_call
def reader_seek(reader: str, *words: str) -> None:
    """Read partitions from elsewhere on; nothing is waited for.

    :param words: positions, whose offsets are numbers, see :func:`reader_resolve`.
    :raises Failure: a partition is not read; then none is moved.
    """
    handle, topic = _read_by(reader)
    handle.seek(positions_of(words, parse_position, topic=topic))


@bridge_call
def reader_resolve(reader: str, timeout_ms: str, to_seek: str, *words: str) -> tuple[str | int, ...]:
    """Find out which offsets are meant by times (waits).

    :param to_seek: ``1`` for what ``beginning``, ``end``, ``stored`` and ``-N`` mean,
        too, in partitions that are read.
    :returns: the same words, with numbers in the place of such offsets.
    :raises Failure: an offset is none; there is no such partition; no answer came in
        time; nothing is stored, and ``auto.offset.reset`` does not say where to begin.
    """
    handle, topic = _read_by(reader)
    timeout = parse_integer(timeout_ms)
    wanted = positions_of(words, topic=topic)
    found = handle.resolve(wanted, timeout, to_seek=to_seek == "1")
    offsets = ("" if place.offset == OFFSET_INVALID else offset_text(place.offset) for place in found)
    return tuple(
        word
        for name, number, offset in zip(words[::3], words[1::3], offsets)
        for word in (name, number, offset)
    )


@bridge_call
def topic_paused(topic: str) -> tuple[int, ...]:
    """The partitions of a topic that the script has paused, sorted."""
    found = find(topic, ConsumerTopic)
    return tuple(place.partition for place in found.handle.paused() if place.topic == found.topic.name)


@bridge_call
def topic_position(topic: str, partition: str) -> str:
    """The next offset to read of a started partition; ``invalid`` where none was read.

    :raises Failure: the partition was not started.
    """
    number = parse_integer(partition)
    return offset_text(find(topic, ConsumerTopic).position(number))


@bridge_call
def handle_assignment(handle: str) -> tuple[Any, ...]:
    """The positions that a consumer reads, with the offsets that it began with.

    :raises Failure: the handle is a producer.
    """
    found = find(handle, Handle)
    if not isinstance(found, ConsumerHandle):
        found.check()
        raise kafka_failure(INVALID_ARGUMENT, "a producer reads no partitions")
    return tuple(position_shape(position) for position in sorted(found.assignment()))


@bridge_call
def batch_cut(batch: str, reader: str, rest: str) -> int:
    """End a batch early, as :func:`batch_end` does, if it is of a reader's handle.

    :returns: 1 if it was ended; 0 if it is of another one.
    """
    found = objects.get(batch)
    if found is None or not found.buffer.belongs_to(_read_by(reader)[0]):
        return 0
    forget(batch).end(int(rest))
    return 1


def positions_of(
    words: tuple[str, ...], parse: Callable[[str], int] = parse_offset, *, topic: str | None = None
) -> list[TopicPartitionOffset]:
    """Read positions from their words.

    :param parse: reads an offset that is not empty; an empty one is ``OFFSET_INVALID``.
    :param topic: takes the place of the topics; partitions must be given then.
    """
    positions = []
    for name, partition, where in zip(words[::3], words[1::3], words[2::3]):
        number = parse_integer(partition) if partition or topic is not None else 0
        offset = parse(where) if where else OFFSET_INVALID
        positions.append(TopicPartitionOffset(name if topic is None else topic, number, offset))
    return positions


def commits_of(words: tuple[str, ...]) -> list[OffsetAndMetadata]:
    """Read positions to commit, which have metadata as a fourth word each."""
    flat = [word for at in range(0, len(words), 4) for word in words[at : at + 3]]
    positions = positions_of(tuple(flat), parse_position)
    return [
        OffsetAndMetadata(position, text_from_tcl(metadata))
        for position, metadata in zip(positions, words[3::4])
    ]


def position_shape(position: TopicPartitionOffset) -> tuple[Any, ...]:
    """Write a position as scripts get it.

    The offset is left out if it is 0, and then the partition too if that is 0.
    """
    if position.offset != 0:
        return (position.topic, position.partition, offset_text(position.offset))
    return (position.topic, position.partition) if position.partition != 0 else (position.topic,)


def _read_by(reader: str) -> tuple[ControlledHandle, str | None]:
    """The handle of a reader, and its topic, if it is one."""
    found = find(reader, object)
    if isinstance(found, ConsumerTopic):
        return found.handle, found.topic.name
    return find(reader, Subscriber), None
