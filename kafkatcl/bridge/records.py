"""What the engine tells callbacks, as scripts get it: a list of names and values.

Messages are not among it: an event has their fields as they are.
"""

from __future__ import annotations

from typing import Any, Callable

from kafkatcl.bridge.shapes import error_pairs
from kafkatcl.engine.messages import ErrorItem
from kafkatcl.engine.reports import ClientError, DeliveryReport, LogEntry
from kafkatcl.librdkafka.errors import error_name, error_text


def callback_argument(told: Any) -> Any:
    """What a callback is given: of a record the list, anything else as it is."""
    shape = _SHAPES.get(type(told))
    return shape(told) if shape else told


def _delivery_report(report: DeliveryReport) -> tuple[Any, ...]:
    payload, partition, topic, key, offset, code, reason = report
    with_key = () if key is None else ("key", key)
    if not code:
        shown = "invalid" if offset is None else offset
        return (
            "payload", payload, "partition", partition, "offset", shown, "topic", topic, *with_key,
        )  # fmt: skip
    text = error_text(code)
    return (
        "error", text, "code", error_name(code), "message", f"{text} ({reason})" if reason else text,
        "payload", payload, "partition", partition, "topic", topic, *with_key,
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
}
