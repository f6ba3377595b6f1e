"""What Tcl gets of what was fetched."""

from __future__ import annotations

from fix_buffer import END, ERROR, run

from kafkatcl.bridge.shapes import item_shape, message_layouts
from kafkatcl.engine import encodings
from kafkatcl.engine.forms import converted
from kafkatcl.engine.layouts import PLAIN
from kafkatcl.engine.messages import Run


def test_messages_come_with_the_name_of_their_layout() -> None:
    assert item_shape(run(3, key=b"k")) == ("messages", "t", 0, "keyed", (b"03", 3, -1, b"k"))
    assert item_shape(run(3, partition=2)) == ("messages", "t", 2, "plain", (b"03", 3, -1))


def test_an_error_is_what_a_callback_gets() -> None:
    assert item_shape(ERROR) == ("error", ("error", "text", "code", "NAME", "message", "details"))
    assert item_shape(END) == ("end", ("end", 1, "topic", "t", "partition", 0, "offset", 9))


def test_a_message_that_is_no_text_is_told_with_its_place() -> None:
    form = encodings.find("utf-8")
    assert form is not None
    text, failed = converted(Run("t", 1, PLAIN, (b"\xc3\xa9", 5, -1, b"a\xff", 6, -1)), form)
    assert item_shape(text) == ("messages", "t", 1, "plain", ("\xe9", 5, -1))
    assert failed is not None
    assert item_shape(failed) == (
        "error",
        (
            "error",
            "Local: Value deserialization error",
            "code",
            "RD_KAFKA_RESP_ERR__VALUE_DESERIALIZATION",
            "message",
            "the payload of the message at offset 6 of partition 1 of topic 't' is no utf-8 at byte 1: "
            "encoding binary reads it as it is",
            *("topic", "t", "partition", 1, "offset", 6),
        ),
    )


def test_texts_cross_in_the_form_that_bridges_take() -> None:
    form = encodings.find("utf-8")
    assert form is not None
    text, _ = converted(Run("t", 1, PLAIN, (b"a\0", 5, -1)), form)
    assert item_shape(text) == ("messages", "t", 1, "plain", ("a\udcc0\udc80", 5, -1))


def test_tcl_is_told_what_messages_hold() -> None:
    required = ("payload", "offset", "timestamp")
    optional = (
        "key",
        "headers",
        "null_headers",
        "tombstone",
        "timestamp_type",
        "leader_epoch",
        "delivery_count",
    )
    assert message_layouts() == (
        ("payload", "partition", "offset", "timestamp", "topic", *optional),
        (
            *("plain", required),
            *("keyed", (*required, "key")),
            *("headed", (*required, "headers")),
            *("keyed_headed", (*required, "key", "headers")),
            *("mixed", (*required, "present", *optional)),
        ),
    )
