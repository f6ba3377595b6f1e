"""Sending messages with all that a message may have."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Callable, cast

from kafkatcl.engine.own_reports import Sent
from kafkatcl.engine.producer_topic import ProducerTopic, not_queued
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.batches import OutgoingBatch
from kafkatcl.librdkafka.errors import FATAL, QUEUE_FULL
from kafkatcl.librdkafka.sending import OutgoingMessage, OutgoingMessages

#: How many messages are made ready together.
_TOGETHER = 1000


def send(topic: ProducerTopic, messages: OutgoingMessages, prefix: str = "") -> None:
    """Queue one message; waits up to ``max.block.ms`` for room.

    :param prefix: the command that its report goes to; empty for the master's delivery
        callback.
    :raises Failure: it was not queued, or the handle was deleted.
    """
    topic.handle.check()
    for code, _ in _refused(topic, messages, prefix):
        raise topic.failure(code)


def send_granted(topic: ProducerTopic, message: OutgoingMessage) -> None:
    """Queue a message that the script takes for queued, without any wait; one that is
    refused is reported as one that failed.
    """
    _, payload, key, *_ = message
    topic.handle.queued(len(payload or b"") + len(key or b""))
    send = topic.send_message or _Queue(topic, "").send
    code = send(message)
    if code:
        _Queue(topic, "").report(code, message)
    if code == FATAL:
        topic.handle.note_fatal()


def send_all(topic: ProducerTopic, messages: OutgoingMessages, prefix: str = "") -> list[Failure | None]:
    """Queue messages in their order; one that is refused does not hold up the others.

    Waits up to ``max.block.ms`` for room, for all of them together; behind a message
    that finds none, no other is tried.

    :param prefix: the command that each report goes to; empty for the master's delivery
        callback.
    :returns: nothing if all are queued; else the failure of the first one that was not,
        which says how many were not, and behind it one for each message: its failure,
        or None.
    :raises Failure: the handle was deleted.
    """
    topic.handle.check()
    plain = None if prefix or topic.handle.reports else _plain(messages)
    refused = topic.queue_all(*plain) if plain else list(_refused(topic, messages, prefix))
    if not refused:
        return []
    outcome: list[Failure | None] = [None] * len(messages)
    for code, at in refused:
        outcome[at] = topic.failure(code)
    return [topic.failure(refused[0][0], not_queued(len(refused), len(messages))), *outcome]


def _plain(messages: OutgoingMessages) -> tuple[int, list[OutgoingBatch]] | None:
    """The partition and the batches of messages that need no more than
    ``rd_kafka_produce_batch``; None if some need more.
    """
    partitions = set(messages.partitions) or {-1}
    if messages.headers or messages.timestamps or messages.tags or len(partitions) > 1:
        return None
    if None in messages.payloads:
        return None
    payloads, keys = cast("Sequence[bytes]", messages.payloads), messages.keys
    batches = [
        OutgoingBatch.of_values(payloads[start : start + _TOGETHER], keys[start : start + _TOGETHER])
        for start in range(0, len(messages), _TOGETHER)
    ]
    return partitions.pop(), batches


def _refused(topic: ProducerTopic, messages: OutgoingMessages, prefix: str) -> Iterator[tuple[int, int]]:
    """Queue messages; the error code and the place of each that was not."""
    deadline = topic.handle.block_until()
    if topic.handle.notes_nbytes:
        topic.handle.queued(messages.max_nbytes())
    is_first = topic.open()
    queue = _Queue(topic, prefix)
    before = topic.tried()
    for at, message in enumerate(messages):
        code = before[at] if at < len(before) else queue.send(message)
        while code == QUEUE_FULL and topic.handle.serve_until(deadline):
            code = queue.send(message)
        if code == QUEUE_FULL:
            yield from zip(repeat(code), range(at, len(messages)))
            return
        if code and topic.is_reported(code, bool(prefix) or (is_first and at == 0)):
            queue.report(code, message)
        elif code:
            yield code, at


class _Queue:
    """Queues messages of a topic.

    A message has a number if its report is wanted: by a callback of its own, or by the
    master's.
    """

    def __init__(self, topic: ProducerTopic, prefix: str) -> None:
        self._name = topic.topic.name
        self._handle = topic.handle
        self._own = topic.handle.own_reports
        self._prefix = prefix
        self._send = topic.message_sender().send
        self._is_reported = bool(prefix) or topic.handle.reports
        #: Queues a message; the error code, 0 for none.
        self.send: Callable[[OutgoingMessage], int] = self._send_numbered if self._is_reported else self._send

    def report(self, code: int, message: OutgoingMessage) -> None:
        """Have the report of a message tell that it was refused."""
        if self._is_reported:
            sent = self._sent(message)
            self._own.report(sent, sent.failed(code, *message[:3]))
        else:
            self._handle.report_failure(code, self._name, *message[:3])

    def _send_numbered(self, message: OutgoingMessage) -> int:
        if message[3] == 0:  # so that the report can tell it
            partition, payload, key, _, headers, tag = message
            message = (partition, payload, key, int(time.time() * 1000), headers, tag)
        number = self._own.add(self._sent(message))
        code = self._send(message, number)
        if code:
            self._own.take(number)
        return code

    def _sent(self, message: OutgoingMessage) -> Sent:
        _, _, _, timestamp, headers, tag = message
        return Sent(self._name, self._prefix, timestamp, headers, tag)
