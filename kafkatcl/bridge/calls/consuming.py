"""Bridge calls for consuming from topics and queues:
messages come in the form of :func:`item_shape`.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import parse_count, parse_integer, parse_offset
from kafkatcl.bridge.calls.registry import bridge_call, flat, one_way
from kafkatcl.bridge.sessions import find, forget, register
from kafkatcl.bridge.shapes import item_shape
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.consumer import ConsumerTopic, Queue
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.librdkafka.errors import TIMED_OUT


@bridge_call
def start(topic: str, partition: str, start_offset: str, callback_id: str) -> tuple[Any, ...]:
    """``callback_id`` names the callback, an empty one none;
    the partitions no longer fetched as before.
    """
    number, where = parse_integer(partition), parse_offset(start_offset)
    return flat(find(topic, ConsumerTopic).start(number, where, callback_id or None))


@bridge_call
def start_queue(topic: str, partition: str, start_offset: str, queue: str) -> tuple[Any, ...]:
    number, where = parse_integer(partition), parse_offset(start_offset)
    return flat(find(topic, ConsumerTopic).start_queue(number, where, find(queue, Queue)))


@bridge_call
def check_start(partition: str, start_offset: str) -> None:
    """Only check the arguments of :func:`start_queue`, which come before its queue."""
    parse_integer(partition)
    parse_offset(start_offset)


@bridge_call
def stop(topic: str, partition: str) -> tuple[Any, ...]:
    return flat(find(topic, ConsumerTopic).stop(parse_integer(partition)))


@bridge_call
def consume(topic: str, partition: str, timeout_ms: str) -> tuple[Any, ...]:
    number, timeout = parse_integer(partition), parse_integer(timeout_ms)
    return _next(find(topic, ConsumerTopic).buffer(number, timeout), timeout)


@bridge_call
def consume_batch(topic: str, partition: str, timeout_ms: str, max_count: str, wait: str) -> tuple[Any, ...]:
    number, timeout, limit = parse_integer(partition), parse_integer(timeout_ms), parse_count(max_count)
    return _several(topic, find(topic, ConsumerTopic).buffer(number, timeout), limit, timeout, wait)


@bridge_call
def queue_create(handle: str) -> str:
    owner = find(handle, Handle)
    if isinstance(owner, BufferOwner):
        owner.check()
        return register(handle, "q", lambda _: Queue(owner))
    return register(handle, "q", lambda _: Queue(BufferOwner(owner.events)))


@bridge_call
def queue_listen(queue: str, wanted: str) -> None:
    found = find(queue, Queue)
    found.listen(queue if wanted == "1" else None)


@bridge_call
def queue_consume(queue: str, timeout_ms: str) -> tuple[Any, ...]:
    timeout = parse_integer(timeout_ms)
    return _next(find(queue, Queue), timeout)


@bridge_call
def queue_consume_batch(queue: str, timeout_ms: str, max_count: str, wait: str) -> tuple[Any, ...]:
    timeout, limit = parse_integer(timeout_ms), parse_count(max_count)
    return _several(queue, find(queue, Queue), limit, timeout, wait)


@one_way
def batch_end(batch: str, rest: str) -> None:
    """The script is through with a batch, but for the last ``rest`` messages,
    which are put back.
    """
    forget(batch).end(int(rest))


@one_way
def read_acknowledge(source: str, partition: str, waiting: str) -> None:
    """What was read ahead has been used, but for the last ``waiting`` messages."""
    buffer = _read_from(source, partition)
    if buffer:
        buffer.acknowledge(int(waiting))


@bridge_call
def read_requeue(source: str, partition: str, waiting: str) -> None:
    """The same, and those are put back."""
    buffer = _read_from(source, partition)
    if buffer:
        buffer.requeue(int(waiting))


def _read_from(source: str, partition: str) -> MessageBuffer | None:
    """The buffer of a topic's partition, of a queue, or of a subscriber,
    if it is still there.
    """
    found = find(source, object)
    if isinstance(found, ConsumerTopic):
        return found.reading(parse_integer(partition))
    return found.messages if isinstance(found, Subscriber) else found  # type: ignore[return-value]


def _next(buffer: MessageBuffer, timeout_ms: int) -> tuple[Any, ...]:
    item = buffer.read_ahead(timeout_ms)
    if item is None:
        raise kafka_failure(TIMED_OUT, buffer.why_empty())
    return item_shape(item)


def _several(source: str, buffer: MessageBuffer, limit: int, timeout_ms: int, wait: str) -> tuple[Any, ...]:
    """The batch's object id for :func:`batch_end`, the number of its messages,
    and its items.
    """
    batch = buffer.batch(limit, timeout_ms, wait_for_all=wait == "1")
    return (register(source, "b", lambda _: batch), batch.size, *map(item_shape, batch.items))
