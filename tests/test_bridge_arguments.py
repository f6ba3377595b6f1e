"""Words of Tcl commands as values: read as Tcl reads them, refused with its texts."""

from __future__ import annotations

import tkinter

import pytest

from kafkatcl.bridge.arguments import (
    byte_string,
    integer_or_none,
    offset_text,
    parse_count,
    parse_integer,
    parse_offset,
    parse_position,
)
from kafkatcl.engine.positions import Moment
from kafkatcl.errors import Failure

WORDS = [
    *("0", "1", "-1", "+5", "00", "-0", "7", "007", "010", "08", "-09", "12345678901234567890"),
    *("0x10", "0X1f", "-0x10", "0x", "0xg", "x10", "0b1", "0B11", "0b2", "0b", "0o17", "0O7", "0o8", "0o"),
    *(" 5", "5 ", "\t5\n", "\v5\f", "\r5", "5 6", " ", "", "- 1", "--1", "-", "+", "+-1", "1-"),
    *(
        "1e3",
        "1.5",
        "5.",
        ".5",
        "NaN",
        "Inf",
        "true",
        "abc",
        "5L",
        "1_000",
        "1,000",
        "{5}",
        '"5"',
        "[5]",
        "$x",
    ),
    *(
        "\u00a05",
        "5\u2003",
        "\x1c5",
        "5\x85",
        "\u0663",
        "\uff15",
        "9" * 5000,
        "0" * 5000 + "7",
        "0x" + "f" * 5000,
    ),
]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: ascii(word)[:20])
def test_integers_are_read_as_tcl_reads_them(word: str) -> None:
    tcl = tkinter.Tcl()
    is_one = tcl.getboolean(tcl.call("string", "is", "entier", "-strict", word))
    value = integer_or_none(word)
    assert (value is not None) is is_one
    if value is not None and len(word) < 100:
        assert str(tcl.call("expr", word)) == str(value)


@pytest.mark.parametrize(
    ("word", "value"), [("-2147483648", -(2**31)), ("0x7fffffff", 2**31 - 1), (" 010 ", 8)]
)
def test_integers_have_32_bits(word: str, value: int) -> None:
    assert parse_integer(word) == value


@pytest.mark.parametrize(
    "word", ["2147483648", "-2147483649", "9223372036854775808", "9" * 5000, "-0x80000001"]
)
def test_larger_integers_are_refused(word: str) -> None:
    with pytest.raises(Failure) as failed:
        parse_integer(word)
    assert failed.value.message == f'integer value too large to represent: "{word}"'
    assert failed.value.errorcode == ("TCL", "VALUE", "INTEGER")


@pytest.mark.parametrize("word", ["", "abc", "1.5", "1e3", "5 6", "{", "\x00"])
def test_what_is_no_integer(word: str) -> None:
    with pytest.raises(Failure) as failed:
        parse_integer(word)
    assert failed.value.message == f'expected integer but got "{word}"'
    assert failed.value.errorcode == ("TCL", "VALUE", "INTEGER")


def test_counts() -> None:
    assert (parse_count("0"), parse_count("2147483647")) == (0, 2**31 - 1)
    for word in ("-1", "-2147483648", "x", "2147483648"):
        with pytest.raises(Failure):
            parse_count(word)


@pytest.mark.parametrize(
    ("word", "value", "shown"),
    [
        ("beginning", -2, "beginning"),
        ("end", -1, "end"),
        ("stored", -1000, "stored"),
        ("0", 0, "0"),
        ("42", 42, "42"),
        ("9223372036854775807", 2**63 - 1, "9223372036854775807"),
        ("-1", -2001, "-1"),
        ("-5", -2005, "-5"),
        ("-1000000", -1002000, "-1000000"),
        ("0x10", 16, "16"),
        (" 7 ", 7, "7"),
    ],
)
def test_offsets(word: str, value: int, shown: str) -> None:
    assert parse_offset(word) == value
    assert offset_text(value) == shown


def test_the_invalid_offset_is_shown_and_not_taken() -> None:
    assert offset_text(-1001) == "invalid"
    with pytest.raises(Failure):
        parse_offset("invalid")


@pytest.mark.parametrize(
    "word", ["", "Beginning", "ends", "1.5", "x", "9223372036854775808", "-4611686018427387904"]
)
def test_what_is_no_offset(word: str) -> None:
    with pytest.raises(Failure) as failed:
        parse_offset(word)
    assert failed.value.message == (
        f'bad offsetString "{word}": must be beginning, end, or stored or a wide integer'
    )
    assert failed.value.errorcode == ("TCL", "LOOKUP", "INDEX", "offsetString", word)


def test_byte_strings() -> None:
    every = bytes(range(256))
    assert byte_string(every.decode("latin-1"), "payload") == every
    assert byte_string("", "key") == b""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ab\u0100", "U+0100 at position 2 of the key"),
        ("\u20ac", "U+20AC at position 0 of the key"),
        ("x\ud800", "U+D800 at position 1 of the key"),
        ("\U0001f600", "U+1F600 at position 0 of the key"),
    ],
)
def test_characters_that_are_no_bytes(text: str, told: str) -> None:
    with pytest.raises(Failure) as failed:
        byte_string(text, "key")
    assert told in failed.value.message
    assert failed.value.errorcode[:2] == ("KAFKA", "RD_KAFKA_RESP_ERR__INVALID_ARG")


@pytest.mark.parametrize(("word", "ms"), [("@0", 0), ("@1700000000000", 1_700_000_000_000), ("@0x10", 16)])
def test_a_time_may_stand_for_an_offset(word: str, ms: int) -> None:
    for parse in (parse_offset, parse_position):
        found = parse(word)
        assert (type(found), found) == (Moment, ms)


@pytest.mark.parametrize("word", ["@", "@-1", "@1.5", "@noon", "@@5", "@9223372036854775808", "@end"])
def test_what_is_no_time_is_refused(word: str) -> None:
    for parse in (parse_offset, parse_position):
        with pytest.raises(Failure) as failed:
            parse(word)
        assert failed.value.message == f'expected a time in ms since the epoch but got "{word[1:]}"'
        assert failed.value.errorcode == ("TCL", "VALUE", "NUMBER")
