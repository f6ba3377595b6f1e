"""Bridge calls for walks: the way of a ``foreach`` or a channel through messages.

Where a call takes ``until`` it is where the walk ends: ``end``, at the ends of the
partitions as they are when the walk begins, or get assigned; ``@MS``, at the messages
of a time in ms since 1970; empty: nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafkatcl.bridge.arguments import integer_or_none, parse_count, parse_integer, parse_offset
from kafkatcl.bridge.calls.registry import bridge_call, one_way
from kafkatcl.bridge.sessions import find, forget, objects, register
from kafkatcl.bridge.shapes import item_shape
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.lookup import LOOKUP_MS
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.resetting import RESET
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.engine.walks import Walk
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import CONFLICT

if TYPE_CHECKING:
    from kafkatcl.engine.goals import Goal, Partitions

#: The words by which ``auto.offset.reset`` has a partition begin at its end.
_ENDS = ("largest", "latest", "end")


@bridge_call
def walk_subscriber(subscriber: str, until: str) -> str:
    """Begin a walk through the messages of a subscriber; its object id.

    :raises Failure: ``until`` is none; the cluster does not tell the ends.
    """
    found = find(subscriber, Subscriber)
    settings = {**found.master.conf.settings, **found.topic_conf.settings}

    def partitions() -> list[TopicPartitionOffset] | None:
        return found.assignment() or ([] if found.subscription() else None)

    goal = _goal(until, found, partitions, resets_to_end=settings.get(RESET) in _ENDS)
    found.check()
    if goal:
        goal.look_up()
    return register(subscriber, "w", lambda _: Walk(found, found.messages, partitions, goal))


@bridge_call
def walk_topic(topic: str, partition: str, start_offset: str, until: str) -> str:
    """Start a partition, and begin a walk through its messages; its object id.

    :param start_offset: as :func:`start` takes it.
    :raises Failure: as :func:`start` and :func:`walk_subscriber`; the partition is
        being fetched already.
    """
    number, offset = parse_integer(partition), parse_offset(start_offset)
    found = find(topic, ConsumerTopic)
    found.handle.check()
    handle, name = found.handle, found.topic.name
    if (name, number) in handle.routes:
        raise kafka_failure(CONFLICT, f"partition {number} of topic '{name}' is being read already")
    [(_, _, offset)] = handle.resolve([TopicPartitionOffset(name, number, offset)], LOOKUP_MS)

    def stop() -> None:
        if not handle.deleted and found.reading(number) is buffer:
            found.stop(number)

    def partitions() -> list[TopicPartitionOffset]:
        return [TopicPartitionOffset(name, number, offset)]

    resets_to_end = found.topic.conf.get(RESET) in _ENDS
    goal = _goal(until, handle, partitions, resets_to_end=resets_to_end)
    if goal:
        goal.look_up()
    found.start(number, offset)
    buffer = handle.routes[name, number].buffer
    return register(topic, "w", lambda _: Walk(handle, buffer, partitions, goal, stop))


@bridge_call
def walk_take(walk: str, max_count: str, timeout_ms: str) -> tuple[Any, ...] | None:
    """Take the next messages; those taken before count as consumed.

    :returns: how many messages and errors there are, and the items in the form of
        :func:`item_shape`; nothing at all at the end of the walk.
    :raises Failure: what is read was stopped or deleted.
    """
    items = find(walk, Walk).take(parse_count(max_count), parse_integer(timeout_ms))
    return None if items is None else (sum(item.size for item in items), *map(item_shape, items))


@one_way
def walk_acknowledge(walk: str, waiting: str) -> None:
    """Acknowledge what was taken, except the last ``waiting`` messages and errors."""
    found = objects.get(walk)
    if isinstance(found, Walk):
        found.acknowledge(int(waiting))


@bridge_call
def walk_requeue(walk: str, waiting: str, keep: str) -> None:
    """Acknowledge what was taken, and put back the last ``waiting`` of it.

    :param keep: ``1`` if the script is at the first of these: it stays taken.
    """
    found = objects.get(walk)
    if isinstance(found, Walk):
        found.requeue(int(waiting), keep=keep == "1")


@bridge_call
def walk_end(walk: str, waiting: str) -> None:
    """End a walk: acknowledge, and put back the last ``waiting`` of what was taken."""
    found = forget(walk)
    if isinstance(found, Walk):
        found.end(int(waiting))


@bridge_call
def walk_lag(walk: str) -> int:
    """How many offsets are left to be read, see :meth:`Walk.lag`."""
    return find(walk, Walk).lag()


def _goal(until: str, handle: ConsumingHandle, partitions: Partitions, *, resets_to_end: bool) -> Goal | None:
    """The goal that a word names; None for an empty one.

    :raises Failure: it is neither ``end`` nor ``@`` and a time.
    """
    if not until:
        return None
    time_ms = integer_or_none(until[1:]) if until.startswith("@") else None
    if until != "end" and (time_ms is None or not 0 <= time_ms < 2**63):
        raise Failure(
            f'bad -until "{until}": must be end or @MS, a time in ms since 1970',
            ("TCL", "LOOKUP", "INDEX", "until", until),
        )
    from kafkatcl.engine.goals import Goal  # noqa: PLC0415 - few walks have one

    return Goal(handle, partitions, resets_to_end=resets_to_end, time_ms=time_ms)
