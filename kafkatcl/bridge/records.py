"""What the engine tells callbacks, as scripts get it: a list of names and values.

Messages do not come through here: an event has their fields as they are.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Callable

from kafkatcl.bridge.shapes import end_pairs, error_pairs
from kafkatcl.bridge.texts import text_to_tcl
from kafkatcl.engine.forms import UnconvertedItem
from kafkatcl.engine.messages import EndItem, ErrorItem
from kafkatcl.engine.reports import ClientError, DeliveryReport, LogEntry, MessageReport, OwnReport
from kafkatcl.librdkafka.errors import error_name, error_text


def callback_argument(told: Any) -> Any:
    """Turn what the engine tells a callback into the argument that the script gets.

    :returns: for a record of ``engine/reports.py`` or an ErrorItem a flat tuple (name,
        value, name, value, ...); anything else as it is: the text of statistics, or the
        answer to a call in the background.
    """
    shape = _SHAPES.get(type(told))
    return shape(told) if shape else told


def _delivery_report(report: DeliveryReport) -> tuple[Any, ...]:
    if report.code:
        words = _failed_report(report)
    else:
        offset = "invalid" if report.offset is None else report.offset
        words = (
            "payload", report.payload, "partition", report.partition,
            "offset", offset, "topic", report.topic,
        )  # fmt: skip
    return words if report.key is None else (*words, "key", report.key)


def _message_report(report: MessageReport) -> tuple[Any, ...]:
    """What any report has, and behind it what the message was sent with."""
    words = list(_delivery_report(report))
    names, values = report.headers
    if names:
        words += "headers", tuple(chain.from_iterable(map(_header, names, values)))
    nulls = tuple(place for place, value in enumerate(values) if value is None)
    if nulls:
        words += "null_headers", nulls
    if report.tombstone:
        words += "tombstone", 1
    words += "timestamp", report.timestamp
    if report.tag is not None:
        words += "tag", report.tag
    return (*words, "latency", report.latency, "status", report.status)


def _header(name: bytes, value: bytes | None) -> tuple[str, bytes]:
    return text_to_tcl(name[:-1].decode()), value or b""


def _own_report(own: OwnReport) -> tuple[Any, ...]:
    return (own.prefix, _message_report(own.report))


def _failed_report(report: DeliveryReport) -> tuple[Any, ...]:
    text = error_text(report.code)
    message = f"{text} ({report.reason})" if report.reason else text
    return (
        "error", text, "code", error_name(report.code), "message", message,
        "payload", report.payload, "partition", report.partition, "topic", report.topic,
    )  # fmt: skip


def _client_error(error: ClientError) -> tuple[Any, ...]:
    code, reason = error
    # Each of these is there under the name that the original has, too.
    return (
        "err", code, "reason", reason,
        "error", error_text(code), "code", error_name(code), "message", reason,
    )  # fmt: skip


def _log_entry(entry: LogEntry) -> tuple[Any, ...]:
    return ("level", entry.level, "facility", entry.facility, "message", entry.message)


_SHAPES: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    DeliveryReport: _delivery_report,
    MessageReport: _message_report,
    OwnReport: _own_report,
    ClientError: _client_error,
    LogEntry: _log_entry,
    ErrorItem: error_pairs,
    UnconvertedItem: error_pairs,
    EndItem: end_pairs,
}
