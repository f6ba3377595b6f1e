"""Producer handles and their topics."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Callable, ClassVar

from kafkatcl.engine.errors import kafka_failure, with_reason
from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.handle import Handle, Topic
from kafkatcl.engine.losses import Losses
from kafkatcl.engine.master import Master
from kafkatcl.engine.reports import DeliveryReport, delivered
from kafkatcl.engine.shutdown import flush_seconds
from kafkatcl.engine.topic import SharedTopic
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.batches import OutgoingBatch
from kafkatcl.librdkafka.errors import (
    FATAL,
    PURGED_IN_QUEUE,
    QUEUE_FULL,
    TOPIC_EXCEPTION,
    TOPIC_FORBIDDEN,
    UNKNOWN_PARTITION,
    UNKNOWN_TOPIC,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from kafkatcl.librdkafka.producing import Send, produce_batch, sender
from kafkatcl.librdkafka.wrapper import KafkaException, Producer

_ONLY_ERRORS = "delivery.report.only.error"
#: What a cluster says of topics that cannot be produced to.
_TOPIC_ERRORS = frozenset((UNKNOWN_TOPIC, UNKNOWN_TOPIC_OR_PARTITION, TOPIC_EXCEPTION, TOPIC_FORBIDDEN))
#: The partitions that a message may name; -1 leaves the choice to the partitioner.
_UNASSIGNED, _LAST_PARTITION = -1, 2**31 - 1
#: How long each of the polls that flush takes at most.
_FLUSH_SLICE_SECONDS = 0.1
#: How long what is purged may take to be reported.
_PURGE_SECONDS = 0.5

#: How long to wait for a report before looking whether there is room, and where only
#: failures are reported.
_WAIT_SECONDS, _UNREPORTED_WAIT_SECONDS = 0.02, 0.002
#: How long after a topic was made its metadata may be expected to be on the way.
_EARLY_SECONDS = 0.25
#: More than librdkafka adds to payload and key, lengths and times, before it compares
#: their bytes with message.max.bytes.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_proto.h#L529-L537
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_msg.c#L243-L245
_FRAMING_BYTES = 100


class ProducerHandle(Handle):
    """A handle whose topics produce.

    Reports are served by whoever polls the client: mostly the poll thread, but also the
    thread that waits for room in a full queue, and the one that closes the handle.
    """

    consumes = False
    #: Whether :meth:`queued` is to be told of messages, so that :meth:`room` can
    #: answer.
    notes_nbytes = False
    #: Called, from any thread, when a producer has had a fatal error and takes no more
    #: messages.
    on_fatal: ClassVar[Callable[[ProducerHandle], None]] = lambda _: None

    #: The messages that are not delivered, and that no callback is told of.
    losses: Losses

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        self._is_failed = False
        self._left = 0  # messages that closing waits for
        #: Whether delivery reports are told.
        self.reports = "delivery" in master.wanted
        self._report_callback_id = master.callback("delivery")
        self._max_block_ms = master.max_block_ms
        words = iter(master.conf.dump())
        limits = dict(zip(words, words))
        self._max_messages = int(limits["queue.buffering.max.messages"])
        self._max_bytes = int(limits["queue.buffering.max.kbytes"]) << 10
        self._max_message_bytes = int(limits["message.max.bytes"])
        self._max_message_nbytes = 0  # bytes of the largest message since the queue was empty

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        if self.reports:
            settings["on_delivery"] = self._on_delivery
        # The one property that the wrapper looks at itself, and wants as a bool:
        # https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.c#L2650-L2662
        if _ONLY_ERRORS in settings:
            settings[_ONLY_ERRORS] = settings[_ONLY_ERRORS] == "true"
        return settings

    def _make(self, settings: dict[str, Any]) -> Producer:
        return Producer(settings)

    def _prepare(self) -> None:
        self.losses = Losses(self.name, self.log.say)
        if not self.reports:
            self.native.report_failures(self.losses.count)

    def _poll(self) -> bool:
        if not self.events.full():
            self.client.poll(0)
        self.losses.log()
        return False

    def report_failure(
        self, code: int, topic: str, partition: int, payload: bytes | None, key: bytes | None
    ) -> None:
        """Report a failed message to the delivery callback; count it as lost if the
        callback does not get this report (any thread).

        :param code: librdkafka's number of the error.
        """
        if self._is_heard():
            reason = with_reason(code, "", self.why)
            self._report(DeliveryReport(payload or b"", partition, topic, key, code=code, reason=reason))
        else:
            self.losses.count(topic, code)

    def note_fatal(self) -> None:
        """Take note of a fatal error: no message is accepted any more (any thread)."""
        if not self._is_failed:
            self._is_failed = True
            ProducerHandle.on_fatal(self)

    def queued(self, nbytes: int) -> None:
        """Take note of the bytes of a message (payload and key)."""
        self._max_message_nbytes = max(self._max_message_nbytes, nbytes)

    def room(self, nbytes: int) -> int:
        """How many messages of up to ``nbytes`` bytes (payload
        and key) are certain to find room in the queue.

        librdkafka counts the bytes that are queued, but no call tells them (statistics
        do, now and then).  So each message that waits is taken to be as large as the
        largest since the queue was empty.  librdkafka counts payloads only, without
        keys, so there may be more room than this says:
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_msg.c#L252-L258

        :returns: 0 after a fatal error, and where messages of this size may be refused
            as too large.
        """
        if self._is_failed or nbytes > self._max_message_bytes - _FRAMING_BYTES:
            return 0
        waiting = len(self.client)
        if waiting == 0:
            self._max_message_nbytes = 0
        room = (self._max_bytes - waiting * max(self._max_message_nbytes, nbytes)) // nbytes
        if self._max_messages:  # 0: no limit
            room = min(room, self._max_messages - waiting)
        return max(room, 0)

    def block_until(self) -> float:
        """When a call that begins now stops waiting for room in a full queue,
        by ``time.monotonic``.
        """
        return time.monotonic() + self._max_block_ms / 1000

    def serve_until(self, deadline: float) -> bool:
        """Poll for a moment, as messages that are delivered make room in the queue.

        :param deadline: by ``time.monotonic``.
        :returns: False when ``deadline`` has come, without a poll.
        """
        left = min(deadline - time.monotonic(), _WAIT_SECONDS if self.reports else _UNREPORTED_WAIT_SECONDS)
        if left <= 0:
            return False
        if self.events.full():  # the script must take some reports first
            time.sleep(left)
        else:
            self._served(self.client.poll, left)
        return True

    def undelivered(self) -> int:
        """How many messages closing waits for (any thread)."""
        return self._left

    def report_losses(self) -> None:
        """Say on stderr what was lost, if that was not said yet (any thread)."""
        if self._left:  # closing does not come to its end
            self.losses.count("unknown topics", PURGED_IN_QUEUE, self._left)
        if words := self.losses.report():
            self.events.lost.append(words)

    def _finish(self, deadline: float) -> None:
        """Deliver what is queued until ``deadline``, count the rest as lost, and close
        the client (closing thread).

        The rest is purged, so that librdkafka reports each message; what is not
        reported within half a second is counted without a topic.
        """
        rest = self._flush(deadline) if self._has_brokers else len(self.client)
        if rest:
            self.losses.ending(self._why_not())
            self.client.purge()
            rest = self._flush(time.monotonic() + _PURGE_SECONDS, purged=True)
        self._left = 0
        if rest:
            self.losses.count("unknown topics", PURGED_IN_QUEUE, rest)
        self.report_losses()  # before what may take its time
        self._release()
        self.client.close()

    def _flush(self, deadline: float, *, purged: bool = False) -> int:
        """Wait for messages to be delivered (closing thread).

        :param deadline: by ``time.monotonic``.
        :param purged: the messages were purged, and only their reports are waited for,
            even where somebody gave the wait for messages up.
        :returns: how many are left.  To count them later would be wrong: librdkafka
            counts errors that wait to be told as well.
        """
        # Short polls, never one long flush: the wrapper ends a flush half-way to raise
        # a fatal error.
        # https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.c#L2197-L2223
        while (count := len(self.client)) and (left := deadline - time.monotonic()) > 0:
            self._left = count
            if self.gave_up_at and not purged:
                return count
            self._served(self.client.flush, min(left, _FLUSH_SLICE_SECONDS))
        return count

    def _why_not(self) -> str:
        """Why messages are still there, in words for the report of losses."""
        if not self._has_brokers:
            return "no brokers are known"
        if self.gave_up_at:
            return "still queued when interrupted"
        return "; ".join(filter(None, (f"still queued after {flush_seconds():g} s", self.why())))

    def _served(self, serve: Callable[[float], Any], seconds: float) -> None:
        try:
            serve(seconds)
        except KafkaException as error:
            self._on_error(error.args[0])
        except SystemError as error:  # a fatal error while a report was told
            if isinstance(error.__cause__, KafkaException):
                self._on_error(error.__cause__.args[0])

    def _on_error(self, error: Any) -> None:
        if error.fatal():
            self.note_fatal()
        super()._on_error(error)

    def _on_delivery(self, error: Any, message: Any) -> None:
        if error is not None:
            self.report_failure(
                error.code(), message.topic(), message.partition(), message.value(), message.key()
            )
        elif self._is_heard():
            self._report(delivered(message))

    def _is_heard(self) -> bool:
        """Whether the delivery callback is to be told the report that has just come;
        the question counts the report (see ``ReportSampling``).
        """
        return (
            self.reports
            and not self.deleted
            and "delivery" in self.master.wanted
            and self.master.reports.is_wanted()
        )

    def _report(self, report: DeliveryReport) -> None:
        self.events.post(self, self._report_callback_id, report)
        if "delivery" not in self.master.wanted:
            # The callback went before the report was there to be dropped.
            self.silence("delivery")

    def _on_dropped(self, notices: list[Event]) -> None:
        for _, report in notices:
            if isinstance(report, DeliveryReport) and report.code:
                self.losses.count(report.topic, report.code)


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
        self._early_until = 0.0

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
            raise self._failure(code)

    def produce_batch(self, partition: int, batches: Sequence[OutgoingBatch]) -> None:
        """Queue messages in their order; one that is refused does not hold up the
        others.  Waits up to ``max.block.ms`` for room, for all of them together.

        :param partition: -1 leaves the choice to the partitioner.
        :raises Failure: some were not queued; the first error and their number.
            Nothing after a full queue was tried.
        """
        self._check(partition)
        refused = self._queue_all(partition, batches, self.handle.block_until())
        if refused:
            more = f"{len(refused)} of {sum(map(len, batches))} messages were not queued"
            raise self._failure(refused[0][0], more)

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
        if code and self._is_reported(code, is_first):
            self.handle.report_failure(code, self.topic.name, partition, payload, key)
            return 0
        return code

    def _is_reported(self, code: int, is_first: bool) -> bool:
        """Whether the failure of a message that librdkafka refused is reported, and not
        raised; ``is_first``: of the first message of a topic, or of its batch.
        """
        if code == UNKNOWN_PARTITION:
            return (is_first or self.handle.reports) and self._is_early()
        return code in _TOPIC_ERRORS and self._is_early()

    def _failure(self, code: int, more: str = "") -> Failure:
        return kafka_failure(code, with_reason(code, more, self.handle.why))

    def _is_early(self) -> bool:
        return not self.handle.knows_metadata() and time.monotonic() < self._early_until

    def _open(self) -> Send:
        if not self.topic.is_open and not self.handle.knows_metadata():
            self._early_until = time.monotonic() + _EARLY_SECONDS
        self.topic.open(self.handle.native)
        if self.handle.reports:
            self.send = _reported(self.handle.client, self.topic.name)
        else:
            self.send = sender(self.topic.pointer(self.handle.native))
        return self.send

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
        for batch in batches:
            if self.handle.notes_nbytes:
                self.handle.queued(max(batch.lengths, default=0) + max(batch.key_lengths, default=0))
            rest = batch
            while rest:
                codes = self._queue_some(partition, rest)
                is_full = QUEUE_FULL in codes
                tried = codes.index(QUEUE_FULL) if is_full else len(codes) or len(rest)
                for code, at in ((code, at) for at, code in enumerate(codes[:tried]) if code):
                    if self._is_reported(code, is_first):
                        self.handle.report_failure(code, self.topic.name, partition, *rest.message(at))
                    else:
                        refused.append((code, done + at))
                done += tried
                if is_full and not self.handle.serve_until(deadline):
                    return refused + [(QUEUE_FULL, at) for at in range(done, total)]
                rest = rest.behind(tried)
        return refused

    def _queue_some(self, partition: int, batch: OutgoingBatch) -> list[int]:
        """Queue messages until the queue is full; only the first message where the
        topic was not open before.

        :returns: the code (0: queued) of each that was tried, or nothing if all are
            queued.
        """
        if self.send and not self.handle.reports:
            return produce_batch(self.topic.pointer(self.handle.native), partition, batch)
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
