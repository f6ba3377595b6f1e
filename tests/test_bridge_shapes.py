"""What Tcl gets of what was fetched."""

from __future__ import annotations

from fix_buffer import END, ERROR, run

from kafkatcl.bridge.shapes import item_shape, message_layouts


def test_messages_come_with_the_name_of_their_layout() -> None:
    assert item_shape(run(3, key=b"k")) == ("messages", "t", 0, "keyed", (b"03", 3, -1, b"k"))
    assert item_shape(run(3, partition=2)) == ("messages", "t", 2, "plain", (b"03", 3, -1))


def test_an_error_is_what_a_callback_gets() -> None:
    assert item_shape(ERROR) == ("error", ("error", "text", "code", "NAME", "message", "details"))
    assert item_shape(END) == ("end",)


def test_tcl_is_told_what_messages_hold() -> None:
    assert message_layouts() == (
        ("payload", "partition", "offset", "timestamp", "topic", "key", "delivery_count"),
        (
            "plain",
            ("payload", "offset", "timestamp"),
            "keyed",
            ("payload", "offset", "timestamp", "key"),
            "mixed",
            ("payload", "offset", "timestamp", "present", "key", "delivery_count"),
        ),
    )
