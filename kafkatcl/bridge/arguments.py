"""Words of Tcl commands as values.

What is refused is refused with Tcl's own texts, with two exceptions.  An integer of
more than 32 bits with its sign is too large, where Tcl 8.6 takes 4294967295, too; and
the error repeats the word and is ``TCL VALUE INTEGER``, not ``ARITH IOVERFLOW``
(``Tcl_GetIntFromObj`` in
https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclObj.c#L2495).
"""

from __future__ import annotations

import functools
import re

from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.positions import Moment
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
#: The words of partitions, as scripts write them.
PARTITIONS = {str(number): number for number in range(-1, 1024)}
#: The words that say where to start.
START_WORDS = tuple(word for word in _OFFSETS if word != "invalid")


def integer_or_none(text: str) -> int | None:
    """Read an integer of any size in Tcl's forms; None for any other text.

    Those are a sign, and hexadecimal, octal (``0o17``, ``017``), binary or decimal
    digits, with white space around them:
    https://www.tcl-lang.org/man/tcl8.6/TclLib/GetInt.htm
    """
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    sign, *digits = match.groups()
    # Python refuses to convert thousands of decimal digits, and a hundred are too many
    # already: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
    value = next(int(found.lstrip("0")[:100] or "0", base) for found, base in zip(digits, _BASES) if found)
    return -value if sign == "-" else value


@functools.lru_cache(maxsize=1024)  # the same few numbers in every call
def parse_integer(text: str) -> int:
    """Read an integer of 32 bits.

    :raises Failure: ``text`` is no integer, or has more bits.
    """
    value = integer_or_none(text)
    if value is None:
        raise Failure(f'expected integer but got "{text}"', ("TCL", "VALUE", "INTEGER"))
    if not -(2**31) <= value < 2**31:
        raise Failure(f'integer value too large to represent: "{text}"', ("TCL", "VALUE", "INTEGER"))
    return value


def parse_count(text: str) -> int:
    """Read a number of messages.

    :raises Failure: ``text`` is no integer of 32 bits, or negative.
    """
    value = parse_integer(text)
    if value < 0:
        raise Failure(f'expected a count of 0 or more but got "{text}"', ("TCL", "VALUE", "NUMBER"))
    return value


def parse_offset(text: str) -> int:
    """Read where to start in a partition.

    :param text: one of ``START_WORDS``; an offset; ``-N`` for N messages before the
        end; or ``@MS`` for a time.
    :returns: the offset as librdkafka takes it: N before the end is ``OFFSET_TAIL_BASE
        - N`` (``RD_KAFKA_OFFSET_TAIL`` in
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3922).
    :raises Failure: ``text`` is none of these.
    """
    if text in START_WORDS:
        return _OFFSETS[text]
    if text.startswith("@"):
        return parse_moment(text[1:])
    value = integer_or_none(text)
    if value is None or not -(2**62) < value < 2**63:
        raise Failure(
            f'bad offsetString "{text}": must be beginning, end, or stored or a wide integer',
            ("TCL", "LOOKUP", "INDEX", "offsetString", text),
        )
    return value if value >= 0 else OFFSET_TAIL_BASE + value


def parse_moment(text: str) -> Moment:
    """Read a time in ms since the epoch.

    :raises Failure: ``text`` is no number from 0 to 2**63 - 1.
    """
    value = integer_or_none(text)
    if value is None or not 0 <= value < 2**63:
        raise Failure(f'expected a time in ms since the epoch but got "{text}"', ("TCL", "VALUE", "NUMBER"))
    return Moment(value)


def parse_position(text: str) -> int:
    """Read an offset that can be committed: a number, or ``@MS`` for a time.

    :raises Failure: ``text`` is no number from 0 to 2**63 - 1, nor a time.
    """
    if text.startswith("@"):
        return parse_moment(text[1:])
    value = integer_or_none(text)
    if value is None or not 0 <= value < 2**63:
        raise Failure(f'expected an offset of 0 or more but got "{text}"', ("TCL", "VALUE", "NUMBER"))
    return value


def offset_text(value: int) -> str:
    """Write an offset as :func:`parse_offset` reads it; ``invalid`` for none."""
    for word, logical in _OFFSETS.items():
        if value == logical:
            return word
    return str(value - OFFSET_TAIL_BASE if value <= OFFSET_TAIL_BASE else value)


def byte_string(text: str, what: str) -> bytes:
    """The bytes of a Tcl byte array, one character for each.

    :param what: the name of the argument, for the error.
    :raises Failure: a character is above U+00FF; the error says which and where.
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


def payload_bytes(text: str, what: str, encoding: Encoding | None) -> bytes:
    """The bytes of a payload or a key that a script has given: those of text in the
    encoding of its topic, or without one of a byte array.

    :param what: the name of the argument, for the error.
    :raises Failure: a character has no bytes; the error says which and where.
    """
    if encoding is None:
        return byte_string(text, what)
    plain = text_from_tcl(text)
    try:
        return encoding.encode(plain)
    except UnicodeEncodeError as error:
        more = (
            f"character U+{ord(plain[error.start]):04X} at position {error.start} of the {what} "
            f"is not in {encoding.name}"
        )
        raise kafka_failure(INVALID_ARGUMENT, more) from None
