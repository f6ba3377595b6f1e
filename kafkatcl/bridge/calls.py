"""The primitives: what the Tcl surface calls, by name, with plain words in and plain values out.

Both bridges carry these same calls.  A primitive returns None or a value made of str, bytes, int and tuples, or
raises a Failure; the bridge turns that into an answer (see ``inprocess.py``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Callable

from kafkatcl.bridge.arguments import byte_string, count, integer, offset, offset_text
from kafkatcl.bridge.sessions import automatic_name, events, find, forget, register
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer, Stopped
from kafkatcl.engine.consumer import ConsumerHandle, ConsumerTopic, Queue
from kafkatcl.engine.errors import TIMED_OUT, Failure, kafka_failure
from kafkatcl.engine.handle import LOG_LEVELS, Handle
from kafkatcl.engine.master import Master, set_property
from kafkatcl.engine.messages import EndRow, ErrorRow, Row, argument
from kafkatcl.engine.producer import Message, ProducerHandle, ProducerTopic
from kafkatcl.engine.subscriber import OFFSET_INVALID, Position, Subscriber
from kafkatcl.engine.topic import Topic
from kafkatcl.librdkafka.library import version as librdkafka_version

Primitive = Callable[..., Any]
PRIMITIVES: dict[str, Primitive] = {}


def primitive(function: Primitive) -> Primitive:
    """Make ``function`` a primitive under its own name."""
    PRIMITIVES[function.__name__] = function
    return function


# -- kafka::kafka and all objects --------------------------------------------------------------------------


@primitive
def version() -> str:
    return librdkafka_version()


@primitive
def auto_name(prefix: str) -> str:
    return automatic_name(prefix)


@primitive
def delete(identifier: str) -> tuple[Any, ...]:
    """Delete an object of any kind; the partitions that are no longer fetched, three words each."""
    found = forget(identifier)
    stopped = found.delete() if hasattr(found, "delete") else None
    return _flat(stopped or [])


# -- masters -----------------------------------------------------------------------------------------------


@primitive
def master_create() -> str:
    return register("m", Master)


@primitive
def master_config(master: str, *settings: str) -> tuple[str, ...] | None:
    return _config(find(master, Master).conf.dump, find(master, Master).configure, settings)


@primitive
def master_topic_config(master: str, *settings: str) -> tuple[str, ...] | None:
    conf = find(master, Master).topic_conf
    return _config(conf.dump, lambda name, value: set_property(conf, name, value), settings)


@primitive
def master_add_brokers(master: str, *brokers: str) -> None:
    find(master, Master).add_brokers(list(brokers))


@primitive
def master_partitioner(master: str, partitioner: str) -> None:
    find(master, Master).partitioner = partitioner


@primitive
def master_logger(master: str, logger: str) -> None:
    find(master, Master).logger = logger


@primitive
def master_callback(master: str, kind: str, wanted: str) -> str:
    """Say whether there is a callback of a kind (``1`` or ``0``); its token."""
    found = find(master, Master)
    if wanted == "1":
        found.wanted.add(kind)
    else:
        found.wanted.discard(kind)
    return found.callback(kind)


@primitive
def master_every(master: str, interval: str | None = None) -> int | None:
    reports = find(master, Master).reports
    if interval is None:
        return reports.every
    reports.every = integer(interval)
    return None


@primitive
def master_sample(master: str) -> None:
    find(master, Master).reports.sample()


# -- handles -----------------------------------------------------------------------------------------------

_KINDS: dict[str, type[Handle]] = {
    "producer": ProducerHandle,
    "consumer": ConsumerHandle,
    "subscriber": Subscriber,
}


@primitive
def handle_create(session: str, master: str, kind: str) -> str:
    made_by = find(master, Master)

    def make(identifier: str) -> Handle:
        handle = _KINDS[kind](made_by, events(session))
        handle.identifier = identifier
        return handle

    return register("h", make)


@primitive
def handle_name(handle: str) -> str:
    return find(handle, Handle).name


@primitive
def handle_config(handle: str, *settings: str) -> tuple[str, ...] | None:
    conf = find(handle, Handle).topic_conf
    return _config(conf.dump, lambda name, value: set_property(conf, name, value), settings)


@primitive
def handle_partitioner(handle: str, partitioner: str) -> None:
    find(handle, Handle).partitioner = partitioner


@primitive
def handle_log_level(handle: str, level: str) -> None:
    if level not in LOG_LEVELS:
        names = f"{', '.join(LOG_LEVELS[:-1])}, or {LOG_LEVELS[-1]}"
        raise Failure(
            f'bad logLevel "{level}": must be {names}', ("TCL", "LOOKUP", "INDEX", "logLevel", level)
        )
    find(handle, Handle).set_log_level(level)


@primitive
def handle_add_brokers(handle: str, *brokers: str) -> None:
    find(handle, Handle).add_brokers(list(brokers))


@primitive
def handle_queue_length(handle: str) -> int:
    return find(handle, Handle).output_queue_length()


@primitive
def handle_topics(handle: str) -> tuple[str, ...]:
    return find(handle, Handle).metadata().topics()


@primitive
def handle_brokers(handle: str) -> tuple[str, ...]:
    return find(handle, Handle).metadata().brokers()


@primitive
def handle_partitions(handle: str, topic: str) -> int:
    return find(handle, Handle).metadata().partitions(topic)


@primitive
def handle_refresh(handle: str) -> None:
    find(handle, Handle).metadata(refresh=True)


@primitive
def handle_listing(handle: str) -> str:
    return find(handle, Handle).metadata(refresh=True).text()


@primitive
def handle_error(handle: str, code: str, reason: str) -> None:
    find(handle, Handle).tell_error(integer(code), reason)


# -- topics ------------------------------------------------------------------------------------------------


@primitive
def topic_create(handle: str, name: str) -> tuple[str, str]:
    """The identifier of a topic object, and its kind, by the kind of its handle."""
    found = find(handle, Handle)
    if isinstance(found, ProducerHandle):
        producer = found
        return register("t", lambda _: ProducerTopic(producer, producer.open_topic(name))), "producer_topic"
    consumer = find(handle, ConsumerHandle)
    return register("t", lambda _: ConsumerTopic(consumer, consumer.open_topic(name))), "consumer_topic"


@primitive
def topic_handle(topic: str) -> str:
    """The identifier of the handle of a topic."""
    return find(topic, Topic).handle.identifier


@primitive
def topic_config(topic: str, *settings: str) -> tuple[str, ...] | None:
    shared = find(topic, Topic).topic
    return _config(shared.conf.dump, shared.configure, settings)


@primitive
def topic_name(topic: str) -> str:
    found = find(topic, Topic)
    found.handle.check()
    return found.topic.name


@primitive
def topic_partitions(topic: str) -> int:
    found = find(topic, Topic)
    return found.handle.metadata(refresh=True).partitions(found.topic.name)


@primitive
def topic_consistent_partition(topic: str, key: str) -> int:
    """The partition of the consistent partitioner, CRC-32 modulo partitions; -1 if there are none."""
    key_bytes = byte_string(key, "key")
    partitions = topic_partitions(topic)
    return zlib.crc32(key_bytes) % partitions if partitions else -1


@primitive
def topic_queue_length(topic: str) -> int:
    return find(topic, Topic).handle.output_queue_length()


@primitive
def produce(topic: str, partition: str, payload: str, key: str | None = None) -> None:
    number = integer(partition)
    payload_bytes = byte_string(payload, "payload")
    key_bytes = None if key is None else byte_string(key, "key")
    find(topic, ProducerTopic).produce(number, payload_bytes, key_bytes)


@primitive
def produce_batch(topic: str, partition: str, *words: str) -> None:
    """Each message is ``1 payload`` or ``2 payload key``; none is sent before all were looked at."""
    number = integer(partition)
    messages = list(_messages(words))
    find(topic, ProducerTopic).produce_batch(number, messages)


@primitive
def start(topic: str, partition: str, start_offset: str, token: str) -> tuple[Any, ...]:
    """``token`` names the callback, an empty one none; the partitions no longer fetched as before."""
    number, where = integer(partition), offset(start_offset)
    return _flat(find(topic, ConsumerTopic).start(number, where, token or None))


@primitive
def start_queue(topic: str, partition: str, start_offset: str, queue: str) -> tuple[Any, ...]:
    number, where = integer(partition), offset(start_offset)
    return _flat(find(topic, ConsumerTopic).start_queue(number, where, find(queue, Queue)))


@primitive
def check_integer(text: str) -> None:
    """Only check an argument, where others that Tcl must look at come before the call."""
    integer(text)


@primitive
def check_start(partition: str, start_offset: str) -> None:
    """Only check the arguments of :func:`start_queue`, which come before its queue."""
    integer(partition)
    offset(start_offset)


@primitive
def stop(topic: str, partition: str) -> tuple[Any, ...]:
    return _flat(find(topic, ConsumerTopic).stop(integer(partition)))


# -- consuming ---------------------------------------------------------------------------------------------
#
# One message comes as ("message", payload, partition, offset, timestamp, topic, key pair), an error as
# ("error", text, name, details), the end of a partition as ("end",).  Several come as runs in their order:
# ("messages", flat fields) and ("error", text, name, details).


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


# -- subscribers -------------------------------------------------------------------------------------------


@primitive
def subscriber_subscribe(subscriber: str, *words: str) -> None:
    find(subscriber, Subscriber).subscribe(_positions(words))


@primitive
def subscriber_subscription(subscriber: str) -> tuple[Any, ...]:
    return tuple(_shown(position) for position in find(subscriber, Subscriber).subscription())


@primitive
def subscriber_unsubscribe(subscriber: str) -> None:
    find(subscriber, Subscriber).unsubscribe()


@primitive
def subscriber_assign(subscriber: str, *words: str) -> None:
    find(subscriber, Subscriber).assign(_positions(words))


@primitive
def subscriber_assignment(subscriber: str) -> tuple[Any, ...]:
    return tuple(_shown(position) for position in find(subscriber, Subscriber).assignment())


@primitive
def subscriber_commit(subscriber: str, wait: str, *words: str) -> None:
    find(subscriber, Subscriber).commit(_positions(words), wait=wait == "1")


@primitive
def subscriber_positions(subscriber: str, *words: str) -> tuple[Any, ...]:
    found = find(subscriber, Subscriber).read_positions(_positions(words))
    return tuple(_shown(position) for position in found)


@primitive
def subscriber_committed(subscriber: str, timeout_ms: str, *words: str) -> tuple[Any, ...]:
    found = find(subscriber, Subscriber).committed(_positions(words), integer(timeout_ms))
    return tuple(_shown(position) for position in found)


@primitive
def subscriber_watermarks(
    subscriber: str, timeout_ms: str, cached: str, topic: str, partition: str
) -> tuple[int, int]:
    timeout, number = integer(timeout_ms), integer(partition)
    return find(subscriber, Subscriber).watermarks(topic, number, timeout, cached=cached == "1")


@primitive
def subscriber_listen(subscriber: str, wanted: str) -> None:
    find(subscriber, Subscriber).messages.listen(subscriber if wanted == "1" else None)


@primitive
def subscriber_consume(subscriber: str, timeout_ms: str) -> tuple[Any, ...]:
    """The list a callback would get; empty for nothing and for the end of a partition."""
    timeout = integer(timeout_ms)
    row = find(subscriber, Subscriber).messages.next(timeout)
    return () if row is None or type(row) is EndRow else argument(row)


# -- events ------------------------------------------------------------------------------------------------


@primitive
def events_take(session: str, most: str) -> tuple[Any, ...]:
    """Waiting events as token, argument, token, argument, ...; none means that the bell will ring."""
    return _flat(events(session).take(int(most)))


@primitive
def events_wait(session: str, timeout_ms: str) -> None:
    """Wait until there are events to take, or the time is over."""
    events(session).wait(integer(timeout_ms))


@primitive
def events_settle(session: str, *words: str) -> None:
    """Take what was taken for handed over, but for so many (token, number, ...) that have not run yet."""
    waiting = {token: int(number) for token, number in zip(words[::2], words[1::2])}
    events(session).settle(waiting)


@primitive
def events_reclaim(session: str, token: str, number: str) -> None:
    """Put back the last messages of a callback that is gone."""
    events(session).reclaim(token, int(number))


# -- helpers -----------------------------------------------------------------------------------------------


def _config(
    dump: Callable[[], list[str]], configure: Callable[[str, str], None], settings: tuple[str, ...]
) -> tuple[str, ...] | None:
    if not settings:
        return tuple(dump())
    for name, value in zip(settings[::2], settings[1::2]):
        configure(name, value)
    return None


def _flat(rows: Iterable[Stopped] | Iterable[tuple[str, Any]]) -> tuple[Any, ...]:
    return tuple(field for row in rows for field in row)


def _messages(words: tuple[str, ...]) -> Iterable[Message]:
    rest = iter(words)
    for size in rest:
        payload = byte_string(next(rest), "payload")
        yield payload, byte_string(next(rest), "key") if size == "2" else None


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


def _positions(words: tuple[str, ...]) -> list[Position]:
    """Positions from the words topic, partition and offset of each; empty ones are left to the default."""
    positions = []
    for topic, partition, where in zip(words[::3], words[1::3], words[2::3]):
        number = integer(partition) if partition else 0
        positions.append(Position(topic, number, offset(where) if where else OFFSET_INVALID))
    return positions


def _shown(position: Position) -> tuple[Any, ...]:
    """A position as subscribers tell it: without what is 0 at its end."""
    if position.offset != 0:
        return (position.topic, position.partition, offset_text(position.offset))
    return (position.topic, position.partition) if position.partition != 0 else (position.topic,)
