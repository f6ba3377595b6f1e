"""Delivery reports in the form that callbacks get."""

from __future__ import annotations

from typing import Any

from kafkatcl.librdkafka.errors import error_name, error_text
from kafkatcl.librdkafka.offsets import OFFSET_INVALID


class FailedReport(tuple[Any, ...]):
    """The report of a message that was not delivered."""

    topic: str
    number: int  # of the error


def delivered(message: Any) -> tuple[Any, ...]:
    """The report of a ``confluent_kafka.Message`` that was delivered."""
    offset = message.offset()
    return (
        "payload", message.value() or b"", "partition", message.partition(),
        "offset", "invalid" if offset is None or offset == OFFSET_INVALID else offset,
        "topic", message.topic(), *_keyed(message.key()),
    )  # fmt: skip


def failed(
    code: int, topic: str, partition: int, payload: bytes | None, key: bytes | None, *, more: str = ""
) -> FailedReport:
    """The report of a message that failed with an error code; ``more`` is known of the reason."""
    text = error_text(code)
    report = FailedReport((
        "error", text, "code", error_name(code), "message", f"{text} ({more})" if more else text,
        "payload", payload or b"", "partition", partition, "topic", topic, *_keyed(key),
    ))  # fmt: skip
    report.topic, report.number = topic, code
    return report


def _keyed(key: bytes | None) -> tuple[Any, ...]:
    return () if key is None else ("key", key)
