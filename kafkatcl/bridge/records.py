"""What the engine tells callbacks, as scripts get it: a list of names and values.

Messages do not come through here: an event has their fields as they are.
"""

from __future__ import annotations

from typing import Any, Callable

from kafkatcl.bridge.shapes import end_pairs, error_pairs
from kafkatcl.engine.forms import UnconvertedItem
from kafkatcl.engine.messages import EndItem, ErrorItem
from kafkatcl.engine.reports import ClientError, DeliveryReport, LogEntry
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
    ClientError: _client_error,
    LogEntry: _log_entry,
    ErrorItem: error_pairs,
    UnconvertedItem: error_pairs,
    EndItem: end_pairs,
}
