"""Bridge calls for topics, and for producing to them."""

from __future__ import annotations

from itertools import islice

from kafkatcl.bridge.arguments import PARTITIONS, byte_string, parse_integer, payload_bytes
from kafkatcl.bridge.calls.registry import Rows, bridge_call, configured, fast_path, list_call
from kafkatcl.bridge.sessions import find, objects, register
from kafkatcl.engine.consumer import ConsumerHandle
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.process import in_loading_process
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.topic import Topic
from kafkatcl.librdkafka.batches import batches_of


@bridge_call
def topic_create(handle: str, name: str) -> tuple[str, str]:
    """Make a topic object of a handle.

    :param name: the name of the topic in Kafka.
    :returns: its object id, and its kind: ``producer_topic`` or ``consumer_topic``.
    :raises Failure: no topic can have this name.
    """
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
    """The object id of the handle that made a topic."""
    return find(topic, Topic).handle.object_id


@bridge_call
def topic_config(topic: str, *settings: str) -> tuple[str, ...] | None:
    """Show or set properties of a topic; all topic objects of its name share them.

    :returns: without settings all properties, see :func:`configured`; else nothing.
    :raises Failure: a property is unknown, or refuses its value; the topic is in use,
        so that librdkafka would not look at it any more.
    """
    shared = find(topic, Topic).topic
    return configured(shared.conf.dump, shared.configure, settings)


@bridge_call
def topic_name(topic: str) -> str:
    """The name of a topic in Kafka."""
    found = find(topic, Topic)
    found.handle.check()
    return found.topic.name


@bridge_call
def topic_partitions(topic: str) -> int:
    """The number of partitions that the topic has now.

    :raises Failure: there is no such topic, or no broker answers.
    """
    return find(topic, Topic).partitions()


@bridge_call
def topic_consistent_partition(topic: str, key: str) -> int:
    """The partition that the partitioner ``consistent`` chooses for a key.

    :returns: -1 where the topic has no partitions.
    :raises Failure: ``key`` has a character that is no byte, or not in the topic's
        encoding; there is no such topic, or no broker answers.
    """
    found = find(topic, Topic)
    return found.consistent_partition(payload_bytes(key, "key", found.encoding))


@bridge_call
def topic_partition_for(topic: str, key: str) -> int:
    """The partition that the topic's own partitioner chooses for a key.

    :returns: -1 where no key decides it, or the topic has no partitions.
    :raises Failure: ``key`` has a character that is no byte, or not in the topic's
        encoding; there is no such topic, or no broker answers.
    """
    found = find(topic, Topic)
    return found.partition_for(payload_bytes(key, "key", found.encoding))


@bridge_call
def topic_queue_length(topic: str) -> int:
    """What :func:`handle_queue_length` says of the topic's handle."""
    return find(topic, Topic).handle.output_queue_length()


@bridge_call
def produce(topic: str, partition: str, payload: str, key: str | None = None) -> None:
    """Queue one message; a full queue is waited for, up to ``max.block.ms``.

    :param partition: -1 has the partitioner choose.
    :param key: None for a message without one; an empty key is another thing.
    :raises Failure: a character of ``payload`` or ``key`` is no byte; librdkafka
        refuses the message: ``_UNKNOWN_PARTITION``, ``MSG_SIZE_TOO_LARGE``,
        ``_QUEUE_FULL``, ``_FATAL`` and others.
    """
    number = parse_integer(partition)
    producer = find(topic, ProducerTopic)
    value = payload_bytes(payload, "payload", producer.encoding)
    key_bytes = None if key is None else payload_bytes(key, "key", producer.encoding)
    producer.produce(number, value, key_bytes)


@fast_path
def try_produce(topic: str, partition: str, payload: str, key: str | None = None) -> int:
    """Queue one message where nothing is unusual; else do nothing.

    Every step counts here: a script makes this call for each message.  ``partition``
    must be written in the plain decimal form of a number up to 1023, the topic must
    have sent a message before, and the queue have room.

    :returns: 1 if the message was queued; 0 if :func:`produce` is to be called, which
        finds out what is wrong.
    """
    try:
        found = objects[topic]
        if found.handle.deleted or not in_loading_process[0]:
            return 0
        key_bytes = None if key is None else key.encode("latin-1")
        return 0 if found.fast_send(PARTITIONS[partition], payload.encode("latin-1"), key_bytes) else 1
    except BaseException:  # ``produce`` finds the error
        return 0


@bridge_call
def produce_batch(topic: str, partition: str, *words: str) -> None:
    """Queue messages in their order, after all words were looked at.

    A full queue is waited for, up to ``max.block.ms``.

    :param words: for each message ``1 payload`` or ``2 payload key``, one after the
        other.
    :raises Failure: a character is no byte, and nothing is queued; or librdkafka
        refuses some messages: after a full queue all, else those with an error of their
        own, and the others are queued.  The failure is the first error, and says how
        many messages were refused.
    """
    number = parse_integer(partition)
    producer = find(topic, ProducerTopic)
    rest = iter(words)
    rows = [tuple(islice(rest, int(size))) for size in rest]
    try:
        batches = batches_of(_byte_rows(rows, producer.encoding))
    except UnicodeEncodeError:
        for row in rows:
            for text, what in zip(row, ("payload", "key")):
                byte_string(text, what)
        raise
    producer.produce_batch(number, batches)


@list_call
def produce_rows(topic: str, partition: str, rows: Rows) -> int:
    """Queue messages that come as a list of lists; see :func:`produce_batch`.

    :param rows: for each message (payload,) or (payload, key).
    :returns: 0 if nothing was queued, since an element's string is not certain, a row
        has no such form, or the topic has an encoding: :func:`produce_batch` is to be
        called then.
    :raises Failure: librdkafka refuses some messages.
    """
    number = parse_integer(partition)
    producer = find(topic, ProducerTopic)
    if producer.encoding is not None or set(map(type, rows)) != {tuple}:
        return 0
    try:
        batches = batches_of(rows)
    except (TypeError, ValueError):
        return 0
    producer.produce_batch(number, batches)
    return 1


def _byte_rows(rows: list[tuple[str, ...]], encoding: Encoding | None) -> list[tuple[str, ...]]:
    """The rows of a batch with one character for each byte.

    :raises Failure: a character is not in the encoding.
    """
    if encoding is None:
        return rows
    names = ("payload", "key")
    return [
        tuple(payload_bytes(text, what, encoding).decode("latin-1") for text, what in zip(row, names))
        for row in rows
    ]
