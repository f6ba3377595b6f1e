"""Primitives for topics, and for producing to them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import chain, islice, repeat

from kafkatcl.bridge.arguments import byte_string, integer
from kafkatcl.bridge.calls.registry import Rows, configured, list_primitive, primitive, quick
from kafkatcl.bridge.sessions import find, objects, register
from kafkatcl.engine.consumer import ConsumerHandle, ConsumerTopic
from kafkatcl.engine.handle import Handle, Topic
from kafkatcl.engine.process import mark
from kafkatcl.engine.producer import ProducerHandle, ProducerTopic
from kafkatcl.librdkafka.producing import COPY, Batch, sizes

#: How many messages of a list are handled together, and from how many bytes each on they are handled singly.
_TOGETHER = 1000
_LARGE = 4096


@primitive
def topic_create(handle: str, name: str) -> tuple[str, str]:
    """The identifier of a topic object, and its kind, by the kind of its handle."""
    found = find(handle, Handle)
    if isinstance(found, ProducerHandle):
        producer = found
        return register(
            handle, "t", lambda _: ProducerTopic(producer, producer.open_topic(name))
        ), "producer_topic"
    consumer = find(handle, ConsumerHandle)
    return register(
        handle, "t", lambda _: ConsumerTopic(consumer, consumer.open_topic(name))
    ), "consumer_topic"


@primitive
def topic_handle(topic: str) -> str:
    """The identifier of the handle of a topic."""
    return find(topic, Topic).handle.identifier


@primitive
def topic_config(topic: str, *settings: str) -> tuple[str, ...] | None:
    shared = find(topic, Topic).topic
    return configured(shared.conf.dump, shared.configure, settings)


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


@quick
def produce_quick(topic: str, partition: str, payload: str, key: str | None = None) -> int:
    """:func:`produce` where nothing is unusual: 1, or 0 if that has to be called.  Every step counts here."""
    try:
        found = objects[topic]
        if found.handle.deleted or not mark[0]:
            return 0
        send, number, data = found.raw_send, _PARTITIONS[partition], payload.encode("latin-1")
        if key is None and send:
            return 0 if send(number, COPY, data, sizes[len(data)], None, None, None) else 1
        key_data = None if key is None else key.encode("latin-1")
        return 0 if found.send(number, data, key_data) else 1
    except BaseException:  # the other one tells what it is
        return 0


@primitive
def produce_batch(topic: str, partition: str, *words: str) -> None:
    """Each message is ``1 payload`` or ``2 payload key``; none is sent before all were looked at."""
    number = integer(partition)
    rest = iter(words)
    rows = [tuple(islice(rest, int(size))) for size in rest]
    try:
        batches = _batches(rows)
    except UnicodeEncodeError:
        for row in rows:
            for text, what in zip(row, ("payload", "key")):
                byte_string(text, what)
        raise
    find(topic, ProducerTopic).produce_batch(number, batches)


@list_primitive
def produce_rows(topic: str, partition: str, rows: Rows) -> int:
    """The same with a list of lists; 0 means that not all of it can be told without doubt: send it as words."""
    number = integer(partition)
    producer = find(topic, ProducerTopic)
    if set(map(type, rows)) != {tuple}:
        return 0
    try:
        batches = _batches(rows)
    except (TypeError, ValueError):
        return 0
    producer.produce_batch(number, batches)
    return 1


def _batches(rows: Sequence[tuple[str, ...]]) -> list[Batch]:
    """Messages of a payload and perhaps a key, one character a byte.

    :raises UnicodeEncodeError: a character is no byte.
    :raises TypeError: something is no str.
    :raises ValueError: something is more, or nothing.
    """
    widths = set(map(len, rows))
    if widths - {1, 2}:
        raise ValueError("neither a payload nor a payload and a key")
    texts = list(chain.from_iterable(rows))
    lengths = list(map(len, texts))
    total = sum(lengths)
    if widths == {1}:
        lengths = list(chain.from_iterable(zip(lengths, repeat(-1))))
    elif len(widths) > 1:
        texts = [text for row in rows for text in (*row, "")[:2]]
        lengths = [length for row in rows for length in (len(row[0]), len(row[1]) if len(row) == 2 else -1)]
    # Together they are quicker; large ones are not copied once more for that.
    together = _TOGETHER if total < _LARGE * len(rows) else 1
    width = max(widths, default=1)
    return [
        Batch.of(
            "".join(texts[width * at : width * (at + together)]).encode("latin-1"),
            lengths[2 * at : 2 * (at + together)],
        )
        for at in range(0, len(rows), together)
    ]


_PARTITIONS = {str(number): number for number in range(-1, 1024)}
