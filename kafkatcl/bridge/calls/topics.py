"""Primitives for topics, and for producing to them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from kafkatcl.bridge.arguments import byte_string, integer
from kafkatcl.bridge.calls.registry import configured, primitive
from kafkatcl.bridge.sessions import find, register
from kafkatcl.engine.consumer import ConsumerHandle, ConsumerTopic
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.producer import Message, ProducerHandle, ProducerTopic
from kafkatcl.engine.topic import Topic


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


@primitive
def produce_batch(topic: str, partition: str, *words: str) -> None:
    """Each message is ``1 payload`` or ``2 payload key``; none is sent before all were looked at."""
    number = integer(partition)
    messages = list(_messages(words))
    find(topic, ProducerTopic).produce_batch(number, messages)


def _messages(words: tuple[str, ...]) -> Iterable[Message]:
    rest = iter(words)
    for size in rest:
        payload = byte_string(next(rest), "payload")
        yield payload, byte_string(next(rest), "key") if size == "2" else None
