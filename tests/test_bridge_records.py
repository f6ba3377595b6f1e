"""What callbacks get of records: lists of names and values, in a known order."""

from __future__ import annotations

from typing import Any

import pytest

from kafkatcl.bridge.records import callback_argument
from kafkatcl.engine.messages import ErrorItem
from kafkatcl.engine.reports import ClientError, DeliveryReport, LogEntry

TIMED_OUT = -185
NAME, TEXT = "RD_KAFKA_RESP_ERR__TIMED_OUT", "Local: Timed out"
LEFT_OUT = "were left out: they came faster than they were told"
FAILED = ("error", TEXT, "code", NAME, "message")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (
            DeliveryReport(b"p", 3, "t", offset=0),
            ("payload", b"p", "partition", 3, "offset", 0, "topic", "t"),
        ),
        (
            DeliveryReport(b"", 3, "t", b"", offset=7),
            ("payload", b"", "partition", 3, "offset", 7, "topic", "t", "key", b""),
        ),
        (
            DeliveryReport(b"p", 3, "t"),
            ("payload", b"p", "partition", 3, "offset", "invalid", "topic", "t"),
        ),
        (
            DeliveryReport(b"p", -1, "t", b"k", code=TIMED_OUT),
            (*FAILED, TEXT, "payload", b"p", "partition", -1, "topic", "t", "key", b"k"),
        ),
        (
            DeliveryReport(b"p", -1, "t", code=TIMED_OUT, reason="why"),
            (*FAILED, f"{TEXT} (why)", "payload", b"p", "partition", -1, "topic", "t"),
        ),
        (
            ClientError(TIMED_OUT, "why"),
            ("err", TIMED_OUT, "reason", "why", "error", TEXT, "code", NAME, "message", "why"),
        ),
        (LogEntry.left_out(3), ("level", 4, "facility", "LOG", "message", f"3 further log lines {LEFT_OUT}")),
        (LogEntry(3, "FAIL", "why"), ("level", 3, "facility", "FAIL", "message", "why")),
        (ErrorItem("text", "NAME", "why", -1), ("error", "text", "code", "NAME", "message", "why")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_record_is_a_list_of_names_and_values(record: Any, words: tuple[Any, ...]) -> None:
    argument = callback_argument(record)
    assert argument == words
    assert type(argument) is tuple


@pytest.mark.parametrize("value", ["{}", (0, "answer"), ()])
def test_what_is_no_record_is_told_as_it_is(value: Any) -> None:
    assert callback_argument(value) is value


def test_errors_that_were_left_out_are_one_error() -> None:
    words = callback_argument(ClientError.left_out(3))
    assert words[:4] == ("err", -196, "reason", f"3 further errors {LEFT_OUT}")
