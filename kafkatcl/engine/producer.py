"""Producer handles."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any, Callable, ClassVar

from kafkatcl.engine.errors import with_reason
from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.losses import Losses
from kafkatcl.engine.master import Master
from kafkatcl.engine.reports import DeliveryReport, delivered
from kafkatcl.engine.shutdown import flush_seconds
from kafkatcl.librdkafka.errors import (
    PURGED_IN_QUEUE,
)
from kafkatcl.librdkafka.wrapper import KafkaException, Producer

_ONLY_ERRORS = "delivery.report.only.error"
#: How long each of the polls that flush takes at most.
_FLUSH_SLICE_SECONDS = 0.1
#: How long what is purged may take to be reported.
_PURGE_SECONDS = 0.5

#: How long to wait for a report before looking whether there is room, and where only
#: failures are reported.
_WAIT_SECONDS, _UNREPORTED_WAIT_SECONDS = 0.02, 0.002
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
        #: Whether room in a full queue is waited for however long it takes.
        self.is_patient = False
        self._left = 0  # messages that closing waits for
        #: By topic and error code, how many messages were not delivered, whether that
        #: was told or not.
        self.failures: Counter[tuple[str, int]] = Counter()
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
            self.native.report_failures(self._on_failure)

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
        self.failures[topic, code] += 1
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
        return math.inf if self.is_patient else time.monotonic() + self._max_block_ms / 1000

    def serve_until(self, deadline: float) -> bool:
        """Poll for a moment, as messages that are delivered make room in the queue.

        :param deadline: by ``time.monotonic``.
        :returns: False when ``deadline`` has come, without a poll.
        """
        left = min(deadline - time.monotonic(), _WAIT_SECONDS if self.reports else _UNREPORTED_WAIT_SECONDS)
        if left <= 0:
            return False
        if self.events.full() and not self.is_patient:  # the script must take some reports first
            time.sleep(left)
        else:
            self._served(self.client.poll, left)
        return True

    def queued_count(self, seconds: float) -> int:
        """Poll for a moment, however many reports wait to be told; how many messages
        are left to be delivered.
        """
        self._served(self.client.poll, seconds)
        return len(self.client)

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

    def _on_failure(self, topic: str, code: int) -> None:
        self.failures[topic, code] += 1
        self.losses.count(topic, code)

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
        return self.reports and self._has_listener() and self.master.reports.is_wanted()

    def _report(self, report: DeliveryReport) -> None:
        if not self.events.post(self, self._report_callback_id, report, self._has_listener):
            self._on_dropped([(self._report_callback_id, report)])

    def _has_listener(self) -> bool:
        return not self.deleted and "delivery" in self.master.wanted

    def _on_dropped(self, notices: list[Event]) -> None:
        for _, report in notices:
            if isinstance(report, DeliveryReport) and report.code:
                self.losses.count(report.topic, report.code)
