"""Bridge calls for consuming from topics and queues.

Messages come in the form of :func:`item_shape`; where one is read, the end of a
partition that nobody asked for is ("end", ()).

Calls that end the fetching of partitions return *stopped partitions*, a flat tuple of
three elements for each: the callback id (empty: it had no callback), topic, partition.

Where ``wait`` is ``1``, a batch is waited for until it is full; else it has what is
there once its first message is.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import parse_count, parse_integer, parse_offset
from kafkatcl.bridge.calls.registry import bridge_call, flat, one_way
from kafkatcl.bridge.sessions import find, forget, register
from kafkatcl.bridge.shapes import Messages, item_shape
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.messages import Run
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.librdkafka.errors import TIMED_OUT


@bridge_call
def start(topic: str, partition: str, start_offset: str, callback_id: str) -> tuple[Any, ...]:
    """Fetch a partition; if it was started already, go on at the new offset.

    :param start_offset: ``beginning``, ``end``, ``stored``, an offset, or ``-N`` for
        the last N messages.
    :param callback_id: the callback for its messages; empty: they are read by
        :func:`consume` and :func:`consume_batch`.
    :returns: stopped partitions: this one, if it was started before.
    :raises Failure: the partition is negative; ``start_offset`` is no offset; it is
        ``stored`` and the master names no group; librdkafka refuses the partition.
    """
    number, where = parse_integer(partition), parse_offset(start_offset)
    return flat(find(topic, ConsumerTopic).start(number, where, callback_id or None))


@bridge_call
def start_queue(topic: str, partition: str, start_offset: str, queue: str) -> tuple[Any, ...]:
    """Fetch a partition into a queue; the rest is as in :func:`start`.

    :returns: stopped partitions: this one, if it was started before.
    :raises Failure: as :func:`start`; the queue was deleted, or is another handle's.
    """
    number, where = parse_integer(partition), parse_offset(start_offset)
    return flat(find(topic, ConsumerTopic).start_queue(number, where, find(queue, Queue)))


@bridge_call
def check_start(partition: str, start_offset: str) -> None:
    """Check only the arguments that :func:`start_queue` has in front of its queue.

    A script that gives a wrong offset and no queue is told of the offset first.

    :raises Failure: ``start_offset`` is no offset.
    """
    parse_integer(partition)
    parse_offset(start_offset)


@bridge_call
def stop(topic: str, partition: str) -> tuple[Any, ...]:
    """Stop fetching a partition, and forget what was fetched and not read.

    :returns: stopped partitions: this one, or none.
    :raises Failure: it was not started, and the cluster does not have it or does not
        answer.
    """
    return flat(find(topic, ConsumerTopic).stop(parse_integer(partition)))


@bridge_call
def consume(topic: str, partition: str, timeout_ms: str) -> tuple[Any, ...]:
    """Read the next message of a started partition, and some that follow it.

    Only the first counts as consumed now; the others do when :func:`read_acknowledge`
    says so.

    :returns: one item, in the form of :func:`item_shape`.
    :raises Failure: no message came in time (``_TIMED_OUT``); the cluster does not have
        the partition; it was not started, or feeds a queue, and ``timeout_ms`` is
        negative, so that the wait would never end; it was stopped during the wait.
    """
    number, timeout = parse_integer(partition), parse_integer(timeout_ms)
    return _next(find(topic, ConsumerTopic).buffer(number, timeout), timeout)


@bridge_call
def consume_batch(topic: str, partition: str, timeout_ms: str, max_count: str, wait: str) -> tuple[Any, ...]:
    """Read messages of a started partition.

    They count as consumed when :func:`batch_end` says so.

    :returns: the object id of the batch, how many messages and errors it has, and its
        items.  A batch that came to nothing in time is empty, which is no error.  The
        last item of a small batch may have messages of further ones, under the head
        ``ahead``: they are read ahead, as those behind the first of :func:`consume`.
        For an object id of ``stored`` those of this batch are among them, as well.
    :raises Failure: as :func:`consume`, but for the time; ``max_count`` is negative.
    """
    number, timeout, limit = parse_integer(partition), parse_integer(timeout_ms), parse_count(max_count)
    return _several(topic, find(topic, ConsumerTopic).buffer(number, timeout), limit, timeout, wait)


@bridge_call
def queue_create(handle: str) -> str:
    """Make a queue, which partitions of ``handle`` can feed; its object id.

    Nothing can feed the queue of a producer.
    """
    owner = find(handle, Handle)
    if isinstance(owner, BufferOwner):
        owner.check()
        return register(handle, "q", lambda _: Queue(owner))
    return register(handle, "q", lambda _: Queue(BufferOwner(owner.events)))


@bridge_call
def queue_listen(queue: str, wanted: str) -> None:
    """Give the messages of a queue to a callback, or keep them for readers again.

    The callback id is the object id of the queue.
    """
    found = find(queue, Queue)
    found.listen(queue if wanted == "1" else None)


@bridge_call
def queue_consume(queue: str, timeout_ms: str) -> tuple[Any, ...]:
    """Read the next message of a queue; the rest is as in :func:`consume`.

    :returns: one item, in the form of :func:`item_shape`.
    :raises Failure: no message came in time (``_TIMED_OUT``).
    """
    timeout = parse_integer(timeout_ms)
    return _next(find(queue, Queue), timeout)


@bridge_call
def queue_consume_batch(queue: str, timeout_ms: str, max_count: str, wait: str) -> tuple[Any, ...]:
    """Read messages of a queue.

    :returns: as :func:`consume_batch`.
    :raises Failure: ``max_count`` is negative.
    """
    timeout, limit = parse_integer(timeout_ms), parse_count(max_count)
    return _several(queue, find(queue, Queue), limit, timeout, wait)


@bridge_call
def subscriber_consume_batch(subscriber: str, timeout_ms: str, max_count: str, wait: str) -> tuple[Any, ...]:
    """Read messages of a subscriber.

    :returns: as :func:`consume_batch`.
    :raises Failure: ``max_count`` is negative.
    """
    timeout, limit = parse_integer(timeout_ms), parse_count(max_count)
    return _several(subscriber, find(subscriber, Subscriber).messages, limit, timeout, wait)


@one_way
def batch_end(batch: str, rest: str, code: str) -> None:
    """End a batch: put its last ``rest`` messages back; the others count as consumed.

    Every batch must be ended once, and only once.

    :param code: of Tcl's ``catch``: how the code has ended that was run for each.

    :param batch: the object id that :func:`consume_batch` or
        :func:`queue_consume_batch` gave.
    """
    forget(batch).end(int(rest), has_failed=code == "1")


@one_way
def read_acknowledge(source: str, partition: str, waiting: str) -> None:
    """Acknowledge what was read ahead, except the last ``waiting`` messages.

    :param source: the object id of a topic, a queue, or a subscriber; one that is gone
        does nothing.
    :param partition: of the topic; the partitions of others are not looked at.
    """
    buffer = _read_from(source, partition)
    if buffer:
        buffer.acknowledge(int(waiting))


@bridge_call
def read_requeue(source: str, partition: str, waiting: str) -> None:
    """Acknowledge what was read ahead, and put back the last ``waiting`` messages.

    The arguments are those of :func:`read_acknowledge`.
    """
    buffer = _read_from(source, partition)
    if buffer:
        buffer.requeue(int(waiting))


@bridge_call
def read_batch(source: str, partition: str, waiting: str, count: str) -> str:
    """Make a batch of messages that were read ahead, as its code is still being run.

    :param waiting: how many messages are not used yet, with those of the batch.
    :param count: how many of those the batch has; the others are put back.
    :returns: the object id of the batch for :func:`batch_end`; empty where there is
        nothing to end.  The other arguments are those of :func:`read_acknowledge`.
    """
    buffer = _read_from(source, partition)
    if not buffer:
        return ""
    batch = buffer.batch_ahead(int(waiting), int(count))
    return register(source, "b", lambda _: batch)


def _read_from(source: str, partition: str) -> MessageBuffer | None:
    """Find the buffer of a topic's partition, of a queue, or of a subscriber.

    :returns: None if the object was deleted, or the partition is not fetched any more.
    """
    found = find(source, object)
    if isinstance(found, ConsumerTopic):
        return found.reading(parse_integer(partition))
    return found.messages if isinstance(found, Subscriber) else found  # type: ignore[return-value]


def _next(buffer: MessageBuffer, timeout_ms: int) -> tuple[Any, ...]:
    item = buffer.read_ahead(timeout_ms)
    if item is None:
        raise kafka_failure(TIMED_OUT, buffer.why_empty())
    return ("end", ()) if buffer.is_unasked(item) else item_shape(item, packs=True)


def _several(source: str, buffer: MessageBuffer, limit: int, timeout_ms: int, wait: str) -> tuple[Any, ...]:
    """Read a batch.

    :returns: the object id of the batch for :func:`batch_end`, the number of its
        messages, and its items.  Or ``stored``, that number, and messages that are read
        ahead, the first batch of which is this one: there is nothing to end then.
    """
    waits = wait == "1"
    batch = buffer.batch(limit, timeout_ms, wait_for_all=waits, reads_ahead=waits)
    ahead = (Messages.of("ahead", batch.ahead, packs=True),) if isinstance(batch.ahead, Run) else ()
    if ahead and not batch.items:
        return ("stored", limit, *ahead)
    return (register(source, "b", lambda _: batch), batch.size, *map(item_shape, batch.items), *ahead)
