"""Producer handles."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from typing import Any, Callable, ClassVar

from kafkatcl.engine.errors import with_reason
from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.losses import Losses
from kafkatcl.engine.master import Master
from kafkatcl.engine.own_reports import OwnReports
from kafkatcl.engine.reports import DeliveryReport, MessageReport, delivered
from kafkatcl.engine.shutdown import flush_seconds
from kafkatcl.engine.transactions import Transactions
from kafkatcl.librdkafka.errors import PURGED_IN_QUEUE
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
    #: Called, from any thread, when a producer takes no more messages, after a fatal
    #: error or until the next transaction.
    on_refusing: ClassVar[Callable[[ProducerHandle], None]] = lambda _: None

    #: The messages that are not delivered, and that no callback is told of.
    losses: Losses
    transactions: Transactions
    own_reports: OwnReports

    def __init__(self, master: Master, events: EventQueue) -> None:
        super().__init__(master, events)
        self._is_failed = False
        #: Whether room in a full queue is waited for however long it takes.
        self.is_patient = False
        self._left = 0  # messages that closing waits for
        self._only_errors = False
        self._flushing = threading.Lock()
        #: By topic and error code, how many messages were not delivered, whether that
        #: was told or not.
        self.failures: Counter[tuple[str, int]] = Counter()
        #: Whether delivery reports are told.
        self.reports = "delivery" in master.wanted
        #: The callback id of the master's delivery callback.
        self.report_callback_id = master.callback("delivery")
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
            settings[_ONLY_ERRORS] = self._only_errors = settings[_ONLY_ERRORS] == "true"
        return settings

    def _make(self, settings: dict[str, Any]) -> Producer:
        return Producer(settings)

    def _prepare(self) -> None:
        self.losses = Losses(self.name, self.log.say)
        self.transactions = Transactions(
            self.client, self.native.setting, self.why, lambda: ProducerHandle.on_refusing(self)
        )
        self.own_reports = OwnReports(self)
        if not self.reports:
            self.native.reports.take_failures(self._on_failure, self.own_reports.tell)

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
        is_told = self.transactions.failed(code)
        self.failures[topic, code] += 1
        if self._is_heard():
            reason = self.reason(code)
            self._report(DeliveryReport(payload or b"", partition, topic, key, code=code, reason=reason))
        elif not is_told:
            self.losses.count(topic, code)

    def reason(self, code: int) -> str:
        """What is known of the error of a message besides its code (any thread)."""
        return with_reason(code, "", self.why)

    def report_sent(self, report: MessageReport) -> None:
        """Report a message that has no callback of its own to the delivery callback;
        count a failure as lost if the callback does not get it (any thread).
        """
        if not report.code and self._only_errors:
            return
        if self._is_heard():
            self._report(report)
        elif report.code:
            self.lost(report)

    def note_failure(self, code: int) -> None:
        """Take note of a failed message that has a callback of its own (any thread)."""
        self.transactions.failed(code)

    def lost(self, report: MessageReport) -> None:
        """Count a message as lost, unless a commit tells (any thread)."""
        if not self.transactions.are_configured:
            self.losses.count(report.topic, report.code)

    def output_queue_length(self) -> int:
        """The same as of any handle, with the reports that callbacks of single messages
        have not been told.
        """
        return super().output_queue_length() + self.own_reports.pending()

    def abandon(self) -> None:
        """The interpreter goes, and no callback runs any more (any thread)."""
        self.own_reports.abandon()

    def note_fatal(self) -> None:
        """Take note of a fatal error: no message is accepted any more (any thread)."""
        if not self._is_failed:
            self._is_failed = True
            ProducerHandle.on_refusing(self)

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

    def let_go(self) -> None:
        super().let_go()
        self.transactions.let_go()

    def left(self) -> int:
        """How many messages are neither delivered nor reported as failed.

        :raises Failure: the handle was deleted.
        """
        self.check()
        return len(self.client)

    def flush_for(self, seconds: float) -> int:
        """Deliver for so long at most, what lingers at once (any thread); how many
        messages are left.

        :raises Failure: the handle was deleted.
        """
        with self._flushing:  # a client must not be closed meanwhile
            self.check()
            if len(self.client):
                self._served(self.client.flush, seconds)
            return len(self.client)

    def purge(self, *, queued: bool, in_flight: bool) -> None:
        """Give messages up, which are reported as failed.

        :param queued: those that were not sent yet.
        :param in_flight: those that were, and are not acknowledged.

        :raises Failure: the handle was deleted.
        """
        self.check()
        self.client.purge(in_queue=queued, in_flight=in_flight)

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
        if self.transactions.close(deadline):
            self.log.say("TRANSACTION", "a transaction was under way, and was aborted")
        rest = self._flush(deadline) if self._has_brokers else len(self.client)
        if rest:
            self.losses.ending(self._why_not())
            self.client.purge()
            rest = self._flush(time.monotonic() + _PURGE_SECONDS, purged=True)
        self._left = 0
        rest -= self.own_reports.close()
        if rest > 0:
            self.losses.count("unknown topics", PURGED_IN_QUEUE, rest)
        self.report_losses()  # before what may take its time
        self._release()
        with self._flushing:
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
        return self.reports and self._has_listener() and self.master.reports.is_wanted()

    def _report(self, report: DeliveryReport) -> None:
        if not self.events.post(self, self.report_callback_id, report, self._has_listener):
            self._on_dropped([(self.report_callback_id, report)])

    def _has_listener(self) -> bool:
        return not self.deleted and "delivery" in self.master.wanted

    def _on_dropped(self, notices: list[Event]) -> None:
        for _, report in notices:
            is_failed = isinstance(report, DeliveryReport) and report.code
            if is_failed and not self.transactions.are_configured:  # else the commit has told
                self.losses.count(report.topic, report.code)

    def _on_failure(self, topic: str, code: int) -> None:
        self.failures[topic, code] += 1
        if not self.transactions.failed(code):
            self.losses.count(topic, code)
