"""Bridge calls for subscribers.

Where a call takes ``*words`` they are positions, see ``places.py``.

Errors of Kafka have their bare text here, without ``kafka error:`` in front of it.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import parse_integer, parse_moment
from kafkatcl.bridge.calls.places import commits_of, position_shape, positions_of
from kafkatcl.bridge.calls.registry import bridge_call
from kafkatcl.bridge.sessions import find
from kafkatcl.bridge.shapes import item_shape
from kafkatcl.bridge.texts import text_to_tcl
from kafkatcl.engine.subscriber import Subscriber


@bridge_call
def subscriber_subscribe(subscriber: str, *words: str) -> None:
    """Join the group for these topics; nothing is waited for.

    :param words: positions, of which only the topics count; a topic that begins with
        ``^`` is a pattern.
    :raises Failure: there is no topic; a name or a pattern cannot be; librdkafka
        refuses them.
    """
    find(subscriber, Subscriber).subscribe(positions_of(words))


@bridge_call
def subscriber_subscription(subscriber: str) -> tuple[Any, ...]:
    """The positions that were given to :func:`subscriber_subscribe`, sorted."""
    return tuple(position_shape(position) for position in find(subscriber, Subscriber).subscription())


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
    find(subscriber, Subscriber).assign(positions_of(words))


@bridge_call
def subscriber_assignment(subscriber: str) -> tuple[Any, ...]:
    """The positions that the subscriber reads, as group or script assigned them."""
    return tuple(position_shape(position) for position in find(subscriber, Subscriber).assignment())


@bridge_call
def subscriber_paused(subscriber: str) -> tuple[Any, ...]:
    """The partitions that the script has paused: sorted positions, no offsets."""
    return tuple(position_shape(found._replace(offset=0)) for found in find(subscriber, Subscriber).paused())


@bridge_call
def subscriber_commit(subscriber: str, wait: str, *words: str) -> None:
    """Commit offsets.

    :param wait: ``1`` waits for the broker, as long as it takes.
    :param words: four for each position: topic, partition, the offset of the next
        message to read (a number, or ``@MS``, which is asked for), and metadata; none:
        commit those of all that was consumed.
    :raises Failure: an offset is no number; metadata cannot be; with ``wait`` also:
        there is nothing to commit, or the broker refuses.
    """
    find(subscriber, Subscriber).commit(commits_of(words), wait=wait == "1")


@bridge_call
def subscriber_store(subscriber: str, *words: str) -> None:
    """Store offsets, to be committed later, where the script stores them itself.

    :param words: as in :func:`subscriber_commit`.
    :raises Failure: offsets are stored by themselves; a partition is not read; an
        offset is no number; metadata cannot be.
    """
    find(subscriber, Subscriber).store(commits_of(words))


@bridge_call
def subscriber_positions(subscriber: str, *words: str) -> tuple[Any, ...]:
    """The next offset to read of each partition, as positions.

    :param words: positions, whose offsets do not count.
    :returns: the offset is ``invalid`` where nothing was read yet.
    """
    found = find(subscriber, Subscriber).read_positions(positions_of(words))
    return tuple(position_shape(position) for position in found)


@bridge_call
def subscriber_committed(subscriber: str, timeout_ms: str, *words: str) -> tuple[Any, ...]:
    """The offset that the group has committed for each partition, as positions.

    :param words: positions, whose offsets do not count.
    :returns: the offset is ``invalid`` where none was committed; metadata, where there
        is any, is a fourth element.
    :raises Failure: no answer came in time; the broker refuses.
    """
    found = find(subscriber, Subscriber).committed(positions_of(words), parse_integer(timeout_ms))
    return tuple(
        (*position, text_to_tcl(metadata)) if metadata else position_shape(position)
        for position, metadata in found
    )


@bridge_call
def subscriber_offsets_for_times(subscriber: str, timeout_ms: str, *words: str) -> tuple[Any, ...]:
    """The offset of the first message at or after a time of each partition.

    :param words: three for each partition: topic, partition, and ms since the epoch.
    :returns: positions, whose offset is ``end`` where no message is so new.
    :raises Failure: a time is none; there is no such partition; no answer came in time.
    """
    timeout, times = parse_integer(timeout_ms), positions_of(words, parse_moment)
    found = find(subscriber, Subscriber).offsets_for_times(times, timeout)
    return tuple(position_shape(position) for position in found)


@bridge_call
def subscriber_lag(subscriber: str, timeout_ms: str) -> tuple[Any, ...]:
    """How far each partition that is read is behind, as (topic, partition, lag).

    :raises Failure: no answer came in time.
    """
    found = find(subscriber, Subscriber).lag(parse_integer(timeout_ms))
    return tuple((*topic_partition, lag) for topic_partition, lag in found.items())


@bridge_call
def subscriber_member_id(subscriber: str) -> str:
    """What the group calls this member; empty where it is none."""
    return find(subscriber, Subscriber).member_id()


@bridge_call
def subscriber_incremental_assign(subscriber: str, *words: str) -> None:
    """Read these partitions besides those that are read.

    :param words: positions; an empty offset means the committed one.
    :raises Failure: a partition is read already; a topic's name or an offset cannot be;
        the group assigns all partitions anew at each rebalance.
    """
    find(subscriber, Subscriber).incremental_assign(positions_of(words))


@bridge_call
def subscriber_incremental_unassign(subscriber: str, *words: str) -> None:
    """Read these partitions no more.

    :param words: positions, whose offsets do not count.
    :raises Failure: a partition is not assigned; or as
        :func:`subscriber_incremental_assign`.
    """
    find(subscriber, Subscriber).incremental_unassign(positions_of(words))


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
    return None if item is None or messages.is_unasked(item) else item_shape(item, packs=True)
