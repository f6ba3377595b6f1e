"""Primitives for consuming from topics and queues.

One message comes as ("message", payload, partition, offset, timestamp, topic, key pair), an error as
("error", text, name, details), the end of a partition as ("end",).  Several come as runs in their order:
("messages", flat fields) and ("error", text, name, details).
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import count, integer, offset
from kafkatcl.bridge.calls.registry import flat, primitive
from kafkatcl.bridge.sessions import find, forget, register
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.consumer import ConsumerTopic, Queue
from kafkatcl.engine.errors import TIMED_OUT, kafka_failure
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.messages import ErrorRow, Row


@primitive
def start(topic: str, partition: str, start_offset: str, token: str) -> tuple[Any, ...]:
    """``token`` names the callback, an empty one none; the partitions no longer fetched as before."""
    number, where = integer(partition), offset(start_offset)
    return flat(find(topic, ConsumerTopic).start(number, where, token or None))


@primitive
def start_queue(topic: str, partition: str, start_offset: str, queue: str) -> tuple[Any, ...]:
    number, where = integer(partition), offset(start_offset)
    return flat(find(topic, ConsumerTopic).start_queue(number, where, find(queue, Queue)))


@primitive
def check_start(partition: str, start_offset: str) -> None:
    """Only check the arguments of :func:`start_queue`, which come before its queue."""
    integer(partition)
    offset(start_offset)


@primitive
def stop(topic: str, partition: str) -> tuple[Any, ...]:
    return flat(find(topic, ConsumerTopic).stop(integer(partition)))


@primitive
def consume(topic: str, partition: str, timeout_ms: str) -> tuple[Any, ...]:
    number, timeout = integer(partition), integer(timeout_ms)
    return _one(find(topic, ConsumerTopic).buffer(number).next(timeout))


@primitive
def consume_batch(topic: str, partition: str, timeout_ms: str, most: str, wait: str) -> tuple[Any, ...]:
    number, timeout, limit = integer(partition), integer(timeout_ms), count(most)
    return _several(find(topic, ConsumerTopic).buffer(number), limit, timeout, wait)


@primitive
def queue_create(handle: str) -> str:
    owner = find(handle, Handle)
    if isinstance(owner, BufferOwner):
        owner.check()
        return register("q", lambda _: Queue(owner))
    return register("q", lambda _: Queue(BufferOwner(owner.events)))


@primitive
def queue_listen(queue: str, wanted: str) -> None:
    found = find(queue, Queue)
    found.listen(queue if wanted == "1" else None)


@primitive
def queue_consume(queue: str, timeout_ms: str) -> tuple[Any, ...]:
    timeout = integer(timeout_ms)
    return _one(find(queue, Queue).next(timeout))


@primitive
def queue_consume_batch(queue: str, timeout_ms: str, most: str, wait: str) -> tuple[Any, ...]:
    timeout, limit = integer(timeout_ms), count(most)
    return _several(find(queue, Queue), limit, timeout, wait)


@primitive
def batch_end(batch: str, rest: str) -> None:
    """The script is done with a batch, but for the last ``rest`` messages, which are put back."""
    forget(batch).give_back(int(rest))


def _one(row: Row | None) -> tuple[Any, ...]:
    if row is None:
        raise kafka_failure(TIMED_OUT)
    if type(row) is tuple:
        return ("message", *row)
    return ("error", *row) if isinstance(row, ErrorRow) else ("end",)


def _several(buffer: MessageBuffer, limit: int, timeout_ms: int, wait: str) -> tuple[Any, ...]:
    """The batch's identifier for :func:`batch_end`, the number of its messages, and its runs."""
    batch = buffer.batch(limit, timeout_ms, wait_for_all=wait == "1")
    runs: list[Any] = []
    fields: list[Any] = []
    for row in batch.rows:
        if type(row) is tuple:
            fields += row
            continue
        if fields:
            runs.append(("messages", tuple(fields)))
            fields = []
        runs.append(("error", *row))
    if fields:
        runs.append(("messages", tuple(fields)))
    return (register("b", lambda _: batch), len(batch.rows), *runs)
