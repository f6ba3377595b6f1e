"""The arguments of callbacks about a client:
errors, log lines, and delivery reports.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from kafkatcl.engine.values import Value
from kafkatcl.librdkafka.errors import FAILED
from kafkatcl.librdkafka.offsets import OFFSET_INVALID
from kafkatcl.librdkafka.sending import NO_HEADERS, Headers

_WARNING = 4
_TOO_FAST = "they came faster than they were told"


class ClientError(NamedTuple):
    """An error of a client: Kafka's code, and what happened in words."""

    code: int
    reason: str

    @classmethod
    def left_out(cls, count: int) -> ClientError:
        """What stands for so many errors that came while too many waited to be told."""
        return cls(FAILED, f"{count} further errors were left out: {_TOO_FAST}")


class LogEntry(NamedTuple):
    """A line of a log; ``level`` is one of syslog, 0 (emergency) to 7 (debug)."""

    level: int
    facility: str
    message: str

    @classmethod
    def left_out(cls, count: int) -> LogEntry:
        """What stands for so many lines that came while too many waited to be told."""
        return cls(_WARNING, "LOG", f"{count} further log lines were left out: {_TOO_FAST}")


class DeliveryReport(Value):
    """The outcome of a produced message: an offset, or the ``code`` of its failure.

    A message without a payload has an empty one.  ``offset`` is None where the broker
    told none; ``code`` is 0 where there is no error.  Of an error, ``reason`` says what
    is known besides its code.

    It is no named tuple, as one is made for each message, and that takes twice as long
    to make.
    """

    def __init__(
        self,
        payload: bytes,
        partition: int,
        topic: str,
        key: bytes | None = None,
        offset: int | None = None,
        *,
        code: int = 0,
        reason: str = "",
    ) -> None:
        self.payload, self.partition, self.topic, self.key = payload, partition, topic, key
        self.offset, self.code, self.reason = offset, code, reason


class MessageReport(DeliveryReport):
    """The report of a message that was sent with more than a payload and a key: what it
    was sent with, and what became of it.

    ``payload`` is empty in a ``tombstone``.  ``headers`` and ``tag`` are as in
    ``OutgoingMessages``; ``timestamp`` is in ms since 1970, ``latency`` in
    microseconds.
    """

    def __init__(
        self,
        payload: bytes,
        partition: int,
        topic: str,
        key: bytes | None = None,
        offset: int | None = None,
        *,
        code: int = 0,
        reason: str = "",
        headers: Headers = NO_HEADERS,
        tombstone: bool = False,
        timestamp: int = 0,
        tag: str | None = None,
        latency: int = 0,
        status: str = "not",
    ) -> None:
        super().__init__(payload, partition, topic, key, offset, code=code, reason=reason)
        self.headers, self.tombstone, self.timestamp, self.tag = headers, tombstone, timestamp, tag
        self.latency, self.status = latency, status


class OwnReport(NamedTuple):
    """A report for the command ``prefix`` that its message was sent with."""

    prefix: str
    report: MessageReport


def delivered(message: Any) -> DeliveryReport:
    """The report of a ``confluent_kafka.Message`` that was delivered."""
    offset = message.offset()
    return DeliveryReport(
        message.value() or b"",
        message.partition(),
        message.topic(),
        message.key(),
        None if offset == OFFSET_INVALID else offset,
    )


class ReportSampling:
    """Which reports reach the callback:
    the first, then each Nth, and any asked for as a sample.

    Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interval = 1
        self._left = 0  # reports until the next one that is told, that one included
        self._sample = False

    @property
    def interval(self) -> int:
        """The interval in force; 0 lets none through, a negative one all."""
        return self._interval

    def set_interval(self, interval: int) -> None:
        """Let each ``interval``-th report through from now on; 0: none, negative: all.

        The first report ever is told whatever positive interval is set before it; once
        counting has begun, it begins anew.
        """
        with self._lock:
            self._interval = interval
            if self._left > 0:
                self._left = interval

    def sample(self) -> None:
        """Have the next report told, whatever the interval; it does not count."""
        self._sample = True

    def is_wanted(self) -> bool:
        """Whether the report that has just come is told; each call counts a report."""
        with self._lock:
            if self._sample:
                self._sample = False
                return True
            if self._interval <= 0:
                return self._interval < 0
            self._left -= 1
            if self._left > 0:
                return False
            self._left = self._interval
            return True
