"""librdkafka's own table of its properties:
their names, which of them mean the same, and what they allow.
"""

from __future__ import annotations

import ctypes
import functools
import re
from typing import NamedTuple

from kafkatcl.librdkafka.library import function

_show = function("rd_kafka_conf_properties_show", None, [ctypes.c_void_p])
_RANGE = 2
_DEFAULT = 3
_DESCRIPTION = 5
_COLUMNS = 6
_LIMITS = r"(-?\d+) \.\. (-?\d+)"
_HEADING = "Property"
_TYPE = r"\*Type: (.*?)\*"
_MARKUP = r"<br>|\*\*|`"
_ALIAS = "Alias for `([a-z._]+)`"


class Property(NamedTuple):
    """A property that is set by a text, as librdkafka describes it.

    ``range`` and ``default`` are texts of librdkafka's table, such as ``0 .. 900000``.
    ``is_list`` says that a value may be several words with commas between.
    """

    name: str
    is_topics: bool
    range: str
    default: str
    description: str
    is_list: bool


@functools.cache
def described() -> list[Property]:
    """All properties that are set by a text:
    those of clients, then those of topics, which may have the same names.
    """
    found, sections = [], 0
    for row in _rows():
        sections += row[0] == _HEADING
        kind = re.search(_TYPE, row[_DESCRIPTION])
        if kind is None or kind[1] == "see dedicated API":
            continue
        text = re.sub(_MARKUP, "", row[_DESCRIPTION][: kind.start()]).strip()
        found.append(Property(row[0], sections > 1, row[_RANGE], row[_DEFAULT], text, "CSV" in kind[1]))
    return found


def allowed(name: str) -> tuple[str, ...]:
    """The words that a property allows, or none if it is no enumeration.

    :param name: the name of a property of clients or of topics; where both have one of
        this name, that of topics counts.
    """
    return _enumerations().get(name, ())


def limits(name: str) -> tuple[str, str] | None:
    """The least and the greatest number that a property allows, in digits;
    None if it is no number.
    """
    return _limits().get(name)


def names(*, of_topics: bool) -> frozenset[str]:
    """The names of all properties of clients, or of topics, that are set by a text."""
    return frozenset(found.name for found in described() if found.is_topics == of_topics)


def canonical(name: str) -> str:
    """The name that librdkafka itself has for a property, which may have others."""
    return _aliases().get(name, name)


@functools.cache
def _enumerations() -> dict[str, tuple[str, ...]]:
    ranges = {row[0]: row[_RANGE].split(",") for row in _rows()}
    return {name: tuple(map(str.strip, words)) for name, words in ranges.items() if len(words) > 1}


@functools.cache
def _limits() -> dict[str, tuple[str, str]]:
    found = ((row[0], re.fullmatch(_LIMITS, row[_RANGE])) for row in _rows())
    return {name: (match[1], match[2]) for name, match in found if match}


@functools.cache
def _aliases() -> dict[str, str]:
    found = ((row[0], re.search(_ALIAS, row[_DESCRIPTION])) for row in _rows())
    return {name: match[1] for name, match in found if match}


@functools.cache
def _rows() -> list[list[str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in _table().splitlines()]
    return [row for row in rows if len(row) >= _COLUMNS]


def _table() -> str:
    """The table of properties as the library prints it;
    nothing where the C library cannot write to memory.

    https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md is made of
    the same table.
    """
    libc = ctypes.CDLL(None)
    try:
        open_memory, close = libc.open_memstream, libc.fclose
    except AttributeError:
        return ""
    open_memory.restype = ctypes.c_void_p
    open_memory.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    close.argtypes = libc.free.argtypes = [ctypes.c_void_p]
    text, size = ctypes.c_void_p(), ctypes.c_size_t()
    stream = open_memory(ctypes.byref(text), ctypes.byref(size))
    if not stream:
        return ""
    _show(stream)
    close(stream)
    try:
        return ctypes.string_at(text, size.value).decode(errors="replace")
    finally:
        libc.free(text)
