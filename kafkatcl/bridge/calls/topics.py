"""Bridge calls for topics, and for producing to them."""

from __future__ import annotations

from itertools import islice

from kafkatcl.bridge.arguments import byte_string, parse_integer
from kafkatcl.bridge.calls.registry import Rows, bridge_call, configured, fast_path, list_call
from kafkatcl.bridge.sessions import find, objects, register
from kafkatcl.engine.consumer import ConsumerHandle, ConsumerTopic
from kafkatcl.engine.handle import Handle, Topic
from kafkatcl.engine.process import in_loading_process
from kafkatcl.engine.producer import ProducerHandle, ProducerTopic
from kafkatcl.librdkafka.batches import batches_of

#: The words of partitions, as scripts write them.
_PARTITIONS = {str(number): number for number in range(-1, 1024)}


@bridge_call
def topic_create(handle: str, name: str) -> tuple[str, str]:
    """The object id of a topic object, and its kind, by the kind of its handle."""
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


@bridge_call
def topic_handle(topic: str) -> str:
    """The object id of the handle of a topic."""
    return find(topic, Topic).handle.object_id


@bridge_call
def topic_config(topic: str, *settings: str) -> tuple[str, ...] | None:
    shared = find(topic, Topic).topic
    return configured(shared.conf.dump, shared.configure, settings)


@bridge_call
def topic_name(topic: str) -> str:
    found = find(topic, Topic)
    found.handle.check()
    return found.topic.name


@bridge_call
def topic_partitions(topic: str) -> int:
    return find(topic, Topic).partitions()


@bridge_call
def topic_consistent_partition(topic: str, key: str) -> int:
    key_bytes = byte_string(key, "key")
    return find(topic, Topic).consistent_partition(key_bytes)


@bridge_call
def topic_queue_length(topic: str) -> int:
    return find(topic, Topic).handle.output_queue_length()


@bridge_call
def produce(topic: str, partition: str, payload: str, key: str | None = None) -> None:
    number = parse_integer(partition)
    payload_bytes = byte_string(payload, "payload")
    key_bytes = None if key is None else byte_string(key, "key")
    find(topic, ProducerTopic).produce(number, payload_bytes, key_bytes)


@fast_path
def try_produce(topic: str, partition: str, payload: str, key: str | None = None) -> int:
    """:func:`produce` where nothing is unusual:
    1, or 0 if that has to be called. Every step counts here.
    """
    try:
        found = objects[topic]
        if found.handle.deleted or not in_loading_process[0]:
            return 0
        key_bytes = None if key is None else key.encode("latin-1")
        return 0 if found.send(_PARTITIONS[partition], payload.encode("latin-1"), key_bytes) else 1
    except BaseException:  # ``produce`` finds the error
        return 0


@bridge_call
def produce_batch(topic: str, partition: str, *words: str) -> None:
    """Each message is ``1 payload`` or ``2 payload key``;
    none is sent before all were looked at.
    """
    number = parse_integer(partition)
    rest = iter(words)
    rows = [tuple(islice(rest, int(size))) for size in rest]
    try:
        batches = batches_of(rows)
    except UnicodeEncodeError:
        for row in rows:
            for text, what in zip(row, ("payload", "key")):
                byte_string(text, what)
        raise
    find(topic, ProducerTopic).produce_batch(number, batches)


@list_call
def produce_rows(topic: str, partition: str, rows: Rows) -> int:
    """The same with a list of lists; 0 if the string of an element is not certain:
    then send it as words.
    """
    number = parse_integer(partition)
    producer = find(topic, ProducerTopic)
    if set(map(type, rows)) != {tuple}:
        return 0
    try:
        batches = batches_of(rows)
    except (TypeError, ValueError):
        return 0
    producer.produce_batch(number, batches)
    return 1
