"""Topics to produce to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Callable

from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.errors import kafka_failure, with_reason
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.shared_topic import SharedTopic
from kafkatcl.engine.topic import Topic
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.batches import OutgoingBatch
from kafkatcl.librdkafka.errors import (
    FATAL,
    NOT_STARTED,
    QUEUE_FULL,
    TOPIC_EXCEPTION,
    TOPIC_FORBIDDEN,
    UNKNOWN_PARTITION,
    UNKNOWN_TOPIC,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from kafkatcl.librdkafka.producing import Send, produce_batch, sender
from kafkatcl.librdkafka.sending import MessageSender, OutgoingMessage
from kafkatcl.librdkafka.wrapper import KafkaException, Producer
from kafkatcl.native.topics import NativeTopic

#: What a cluster says of topics that cannot be produced to.
_TOPIC_ERRORS = frozenset((UNKNOWN_TOPIC, UNKNOWN_TOPIC_OR_PARTITION, TOPIC_EXCEPTION, TOPIC_FORBIDDEN))


#: The partitions that a message may name; -1 leaves the choice to the partitioner.
_UNASSIGNED, _LAST_PARTITION = -1, 2**31 - 1


#: How long after a topic was made its metadata may be expected to be on the way.
_EARLY_SECONDS = 0.25


def not_queued(refused: int, total: int) -> str:
    """The words that say how many messages were not queued."""
    return f"{refused} of {total} messages were not queued"


class ProducerTopic(Topic):
    """A topic to produce to.

    Where the queue of the producer is full, both ways to produce wait up to
    ``max.block.ms`` for room.
    """

    handle: ProducerHandle

    def __init__(self, handle: ProducerHandle, topic: SharedTopic) -> None:
        super().__init__(handle, topic)
        #: Queues a message; there from the first one on, and to be used until the
        #: handle is deleted.
        self.send: Send | None = None
        #: The same where what a script gives needs no conversion, else None.
        self.fast_send: Send | None = None
        self._encoding: Encoding | None = None
        #: Queues a message with headers where nobody wants its report; there once one
        #: was sent.
        self.send_message: Callable[[OutgoingMessage], int] | None = None
        self._message_sender: MessageSender | None = None
        self._early_until = 0.0
        self._command: NativeTopic | None = None

    @property
    def encoding(self) -> Encoding | None:
        """That of payloads and keys as scripts give them; None: they are bytes."""
        return self._encoding

    @encoding.setter
    def encoding(self, encoding: Encoding | None) -> None:
        self._encoding = encoding
        self._choose_path()

    def lead(self, command: NativeTopic) -> None:
        """Have a command in C queue messages, where that is right."""
        self._command = command
        self.topic.commands.add(command)
        self._choose_path()

    def produce(self, partition: int, payload: bytes, key: bytes | None = None) -> None:
        """Queue one message; waits up to ``max.block.ms`` for room.

        :param partition: -1 leaves the choice to the partitioner.
        :raises Failure: it was not queued.
        """
        self._check(partition)
        if self.handle.notes_nbytes:
            self.handle.queued(len(payload) + len(key or b""))
        code = self._queue(partition, payload, key)
        if code == QUEUE_FULL:
            deadline = self.handle.block_until()
            while code == QUEUE_FULL and self.handle.serve_until(deadline):
                code = self._queue(partition, payload, key)
        if code:
            raise self.failure(code)

    def produce_batch(self, partition: int, batches: Sequence[OutgoingBatch]) -> None:
        """Queue messages in their order; one that is refused does not hold up the
        others.  Waits up to ``max.block.ms`` for room, for all of them together.

        :param partition: -1 leaves the choice to the partitioner.
        :raises Failure: some were not queued; the first error and their number.
            Nothing after a full queue was tried.
        """
        refused = self.queue_all(partition, batches)
        if refused:
            raise self.failure(refused[0][0], not_queued(len(refused), sum(map(len, batches))))

    def queue_all(self, partition: int, batches: Sequence[OutgoingBatch]) -> list[tuple[int, int]]:
        """Do :meth:`produce_batch` without raising the error of a message.

        :returns: the error and the place, counted through all batches, of each message
            that was not queued.
        :raises Failure: there can be no such partition, or the handle was deleted.
        """
        self._check(partition)
        return self._queue_all(partition, batches, self.handle.block_until())

    def produce_granted(self, partition: int, batch: OutgoingBatch) -> None:
        """Queue messages that the script takes for queued, without any wait;
        one that is refused is reported as one that failed.
        """
        for code, at in self._queue_all(partition, [batch], 0.0):
            self.handle.report_failure(code, self.topic.name, partition, *batch.message(at))
            if code == FATAL:
                self.handle.note_fatal()

    def delete(self) -> None:
        """End this object's use of the topic; what was queued is still delivered."""
        if self._command:
            self.topic.commands.discard(self._command)
            self._command.release()
        self.handle.close_topic(self.topic)

    def _check(self, partition: int) -> None:
        self.handle.check()
        if not _UNASSIGNED <= partition <= _LAST_PARTITION:
            raise kafka_failure(UNKNOWN_PARTITION)

    def _queue(self, partition: int, payload: bytes, key: bytes | None) -> int:
        """Queue a message; the first one of a topic makes the client ask
        for the topic's metadata.

        A partition or a topic that cannot be is told by a delivery report as long as
        the metadata is not there.  Metadata may arrive before the first message is
        produced, and then librdkafka refuses it at once; the failure is reported by a
        delivery report in both cases.
        """
        is_first = self.send is None
        send = self.send or self._open()
        code = send(partition, payload, key)
        if code and self.is_reported(code, is_first):
            self.handle.report_failure(code, self.topic.name, partition, payload, key)
            return 0
        return code

    def is_reported(self, code: int, is_first: bool) -> bool:
        """Whether the failure of a message that librdkafka refused is reported, and not
        raised; ``is_first``: of the first message of a topic, or of its batch.
        """
        if code == UNKNOWN_PARTITION:
            return (is_first or self.handle.reports) and self._is_early()
        return code in _TOPIC_ERRORS and self._is_early()

    def failure(self, code: int, more: str = "") -> Failure:
        """The failure of a message that was not queued, with what else is known."""
        if code == NOT_STARTED and self.handle.transactions.are_configured:
            return self.handle.transactions.refusal(more)
        return kafka_failure(code, with_reason(code, more, self.handle.why))

    def _is_early(self) -> bool:
        return not self.handle.knows_metadata() and time.monotonic() < self._early_until

    def open(self) -> bool:
        """Open the topic for messages, unless it is open; whether it was not."""
        is_first = self.send is None
        if is_first:
            self._open()
        return is_first

    def message_sender(self) -> MessageSender:
        """What queues messages with all that they may have, once the topic is open."""
        if self._message_sender is None:
            self._message_sender = self.handle.native.message_sender(self._pointer())
            if not self.handle.reports:
                self.send_message = self._message_sender.send
        return self._message_sender

    def partition_count(self, timeout_ms: int) -> int:
        """How many partitions the cluster says the topic has (waits); 0 if it says
        nothing in time, or has an error instead.
        """
        return self.handle.native.partition_count(self._pointer(), timeout_ms)

    def _pointer(self) -> Any:
        return self.topic.pointer(self.handle.native)

    def _open(self) -> Send:
        if not self.topic.is_open and not self.handle.knows_metadata():
            self._early_until = time.monotonic() + _EARLY_SECONDS
        self.topic.open(self.handle.native)
        if self.handle.reports:
            self.send = _reported(self.handle.client, self.topic.name)
        else:
            self.send = sender(self._pointer())
        self._choose_path()
        return self.send

    def _choose_path(self) -> None:
        """Have what a script gives go the shortest way that is right."""
        self.fast_send = None if self._encoding else self.send
        if self._command:
            if self.fast_send and not (self.handle.reports or self.handle.deleted):
                self.handle.native.lend_topic(self._command, self._pointer())
            else:
                self._command.close()

    def _queue_all(
        self, partition: int, batches: Sequence[OutgoingBatch], deadline: float
    ) -> list[tuple[int, int]]:
        """Queue messages, waiting for room.

        :param deadline: when to stop to wait, by ``time.monotonic``.
        :returns: the error and the place, counted through all batches, of each message
            that was neither queued nor reported.
        """
        refused: list[tuple[int, int]] = []
        is_first = self.send is None
        total = sum(map(len, batches))
        done = 0
        before = self.tried()
        for batch in batches:
            if self.handle.notes_nbytes:
                self.handle.queued(max(batch.lengths, default=0) + max(batch.key_lengths, default=0))
            rest = batch
            while rest:
                codes, before = before[: len(rest)], before[len(rest) :]
                codes = codes or self._queue_some(partition, rest)
                is_full = QUEUE_FULL in codes
                if is_full:  # so that of what was tried behind it nothing was queued
                    before = []
                tried = codes.index(QUEUE_FULL) if is_full else len(codes) or len(rest)
                for code, at in ((code, at) for at, code in enumerate(codes[:tried]) if code):
                    if self.is_reported(code, is_first):
                        self.handle.report_failure(code, self.topic.name, partition, *rest.message(at))
                    else:
                        refused.append((code, done + at))
                done += tried
                if is_full and not self.handle.serve_until(deadline):
                    return refused + [(QUEUE_FULL, at) for at in range(done, total)]
                rest = rest.behind(tried)
        return refused

    def tried(self) -> list[int]:
        """The codes of those first messages of a call that the command in C has tried
        before: one of them is an error.
        """
        return self._command.codes() if self._command else []

    def _queue_some(self, partition: int, batch: OutgoingBatch) -> list[int]:
        """Queue messages until the queue is full; only the first message where the
        topic was not open before.

        :returns: the code (0: queued) of each that was tried, or nothing if all are
            queued.
        """
        if self.send and not self.handle.reports:
            return produce_batch(self._pointer(), partition, batch)
        codes: list[int] = []
        for payload, key in batch.messages() if self.send else islice(batch.messages(), 1):
            codes.append(self._queue(partition, payload, key))
            if codes[-1] == QUEUE_FULL:
                break
        return codes


def _reported(client: Producer, topic: str) -> Send:
    """What queues messages whose delivery reports are told."""

    def send(partition: int, payload: bytes, key: bytes | None) -> int:
        try:
            client.produce(topic, payload, key, partition)
        except BufferError:
            return QUEUE_FULL
        except KafkaException as error:
            return int(error.args[0].code())
        return 0

    return send
