"""Words of Tcl commands as values, refused with the texts Tcl itself uses."""

from __future__ import annotations

import functools
import re

from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT
from kafkatcl.librdkafka.offsets import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    OFFSET_STORED,
    OFFSET_TAIL_BASE,
)

_INTEGER = re.compile(
    r"[ \t-\r]*([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|([1-9][0-9]*|0))[ \t-\r]*"
)
_BASES = (16, 2, 8, 8, 10)
_OFFSETS = {
    "beginning": OFFSET_BEGINNING,
    "end": OFFSET_END,
    "stored": OFFSET_STORED,
    "invalid": OFFSET_INVALID,
}
#: The words that say where to start.
START_WORDS = tuple(word for word in _OFFSETS if word != "invalid")


def integer_or_none(text: str) -> int | None:
    """An integer as Tcl reads it (signed, hexadecimal, octal, binary, in blanks),
    or None if it is none.
    """
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    sign, *digits = match.groups()
    # Python refuses to convert thousands of digits; a hundred are too large already.
    value = next(int(found.lstrip("0")[:100] or "0", base) for found, base in zip(digits, _BASES) if found)
    return -value if sign == "-" else value


@functools.lru_cache(maxsize=1024)  # the same few numbers in every call
def parse_integer(text: str) -> int:
    """A 32 bit integer."""
    value = integer_or_none(text)
    if value is None:
        raise Failure(f'expected integer but got "{text}"', ("TCL", "VALUE", "INTEGER"))
    if not -(2**31) <= value < 2**31:
        raise Failure(f'integer value too large to represent: "{text}"', ("TCL", "VALUE", "INTEGER"))
    return value


def parse_count(text: str) -> int:
    """A number of messages."""
    value = parse_integer(text)
    if value < 0:
        raise Failure(f'expected a count of 0 or more but got "{text}"', ("TCL", "VALUE", "NUMBER"))
    return value


def parse_offset(text: str) -> int:
    """An offset: a word, a number, or with a minus so many messages from the end."""
    if text in START_WORDS:
        return _OFFSETS[text]
    value = integer_or_none(text)
    if value is None or not -(2**62) < value < 2**63:
        raise Failure(
            f'bad offsetString "{text}": must be beginning, end, or stored or a wide integer',
            ("TCL", "LOOKUP", "INDEX", "offsetString", text),
        )
    return value if value >= 0 else OFFSET_TAIL_BASE + value


def parse_position(text: str) -> int:
    """An offset that can be committed: that of a message,
    not a word or a place counted from the end.
    """
    value = integer_or_none(text)
    if value is None or not 0 <= value < 2**63:
        raise Failure(f'expected an offset of 0 or more but got "{text}"', ("TCL", "VALUE", "NUMBER"))
    return value


def offset_text(value: int) -> str:
    """An offset as :func:`parse_offset` takes it;
    librdkafka's invalid one is ``invalid``.
    """
    for word, logical in _OFFSETS.items():
        if value == logical:
            return word
    return str(value - OFFSET_TAIL_BASE if value <= OFFSET_TAIL_BASE else value)


def byte_string(text: str, what: str) -> bytes:
    """The bytes of a Tcl byte array, one character each;
    ``what`` names the argument.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        odd = text_from_tcl(text[error.start :])[0]
        more = (
            f"character U+{ord(odd):04X} at position {error.start} of the {what} is no byte: "
            "encode text first, as with encoding convertto utf-8"
        )
        raise kafka_failure(INVALID_ARGUMENT, more) from None
