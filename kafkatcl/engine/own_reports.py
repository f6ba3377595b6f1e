"""Reports of messages that were sent with more than a payload and a key.

librdkafka gives back a number that we choose, an odd one, see
``librdkafka/reporting.py``; what the message was sent with stays here until then.  A
report goes to the callback that its message was sent with, or to the master's delivery
callback.

A message with a callback of its own is reported to it exactly once: also when it is
purged, or its handle deleted.  Only when the interpreter goes nobody can be told; a
message that failed counts as lost then.
"""

from __future__ import annotations

import itertools
import threading
from typing import NamedTuple, Protocol

from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.reports import MessageReport, OwnReport
from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.errors import PURGED_IN_FLIGHT
from kafkatcl.librdkafka.offsets import OFFSET_INVALID
from kafkatcl.librdkafka.reporting import Delivery
from kafkatcl.librdkafka.sending import Headers

#: The callback id of reports that say themselves which command gets them.
CALLBACK_ID = "own"


class Sent(NamedTuple):
    """What is kept of a message until its report comes.

    ``prefix`` is the command that gets the report; empty for the master's callback.
    """

    topic: str
    prefix: str
    timestamp: int
    headers: Headers
    tag: str | None

    def report(self, delivery: Delivery, reason: str) -> MessageReport:
        """The report of the outcome; ``reason`` is what is known of an error."""
        return MessageReport(
            delivery.payload or b"",
            delivery.partition,
            self.topic,
            delivery.key,
            None if delivery.offset == OFFSET_INVALID else delivery.offset,
            code=delivery.code,
            reason=reason,
            headers=self.headers,
            tombstone=delivery.payload is None,
            timestamp=self.timestamp,
            tag=self.tag,
            latency=delivery.latency,
            status=delivery.status,
        )

    def failed(self, code: int, partition: int, payload: bytes | None, key: bytes | None) -> Delivery:
        """The outcome of a message that librdkafka never had, or does not tell of."""
        return Delivery(code, self.topic, partition, OFFSET_INVALID, payload, key, 0, "not")


class Producer(Protocol):
    """A producer handle, as far as reports concern it."""

    events: EventQueue
    native: NativeClient
    reports: bool

    def reason(self, code: int) -> str:
        """What is known of an error besides its code."""

    def note_failure(self, code: int) -> None:
        """Take note of a message that failed, whoever is told."""

    def report_sent(self, report: MessageReport) -> None:
        """Tell the master's delivery callback, if it is to be told; else count a
        failure as lost.
        """

    def lost(self, report: MessageReport) -> None:
        """Count a message as lost."""


class OwnReports:
    """The messages of one producer that are known by numbers (any thread)."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._lock = threading.Lock()
        self._numbers = itertools.count(1, 2)
        self._sent: dict[int, Sent] = {}
        self._is_heard = True
        self._is_hooked = False

    def pending(self) -> int:
        """How many reports callbacks of their own have not been told yet."""
        return self._producer.events.pending(self, CALLBACK_ID)

    def add(self, sent: Sent) -> int:
        """Keep what a message is sent with; the number that it is to be sent with.

        A client whose messages are mostly not reported reports all of them while there
        is one that is.
        """
        with self._lock:
            if not self._sent:
                self._hear(True)
            number = next(self._numbers)
            self._sent[number] = sent
        return number

    def take(self, number: int) -> Sent | None:
        """Give back what was kept of a message whose report has come, or that was
        refused; None for one that :meth:`close` has reported.
        """
        with self._lock:
            sent = self._sent.pop(number, None)
            if not self._sent:
                self._hear(False)
        return sent

    def tell(self, number: int, delivery: Delivery) -> None:
        """The report of a message has come (whatever thread polls)."""
        sent = self.take(number)
        if sent is not None:
            self.report(sent, delivery)

    def report(self, sent: Sent, delivery: Delivery) -> None:
        """Have the callback of a message told of its outcome."""
        if delivery.code:
            self._producer.note_failure(delivery.code)
        report = sent.report(delivery, self._producer.reason(delivery.code) if delivery.code else "")
        if not sent.prefix:
            self._producer.report_sent(report)
        elif not self._producer.events.post(
            self, CALLBACK_ID, OwnReport(sent.prefix, report), lambda: self._is_heard
        ):
            self._dropped(report)

    def close(self) -> int:
        """The client is closed: have what was never reported told as failed.

        :returns: how many these are.
        """
        with self._lock:
            left = list(self._sent.values())
            self._sent.clear()
        for sent in left:
            outcome = sent.failed(PURGED_IN_FLIGHT, -1, b"", None)
            self.report(sent, outcome._replace(status="possibly"))
        return len(left)

    def abandon(self) -> None:
        """The interpreter goes, and no callback runs any more."""
        self._is_heard = False
        for _, told in self._producer.events.forget(self):
            self._dropped(told.report)

    def _dropped(self, report: MessageReport) -> None:
        if report.code:
            self._producer.lost(report)

    def _hear(self, wanted: bool) -> None:
        reports = self._producer.native.reports
        if not self._producer.reports:
            reports.want_all(wanted)
        elif not self._is_hooked:
            self._is_hooked = True
            reports.take_own(self.tell)
