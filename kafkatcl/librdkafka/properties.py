"""librdkafka's own table of its properties: their names, which of them mean the same, and what they allow."""

from __future__ import annotations

import ctypes
import functools
import re

from kafkatcl.librdkafka.library import function

_show = function("rd_kafka_conf_properties_show", None, [ctypes.c_void_p])
_RANGE = 2
_DESCRIPTION = 5
_COLUMNS = 6
_LIMITS = re.compile(r"(-?\d+) \.\. (-?\d+)")
_ALIAS = re.compile("Alias for `([a-z._]+)`")


def allowed(name: str) -> tuple[str, ...]:
    """The words that the property of this name allows, or none if it is no enumeration."""
    return _enumerations().get(name, ())


def limits(name: str) -> tuple[str, str] | None:
    """The least and the greatest number that the property of this name allows; None if it is no number."""
    return _limits().get(name)


def names(*, of_topics: bool) -> frozenset[str]:
    """The names of all properties of clients, or of topics."""
    return _names()[of_topics]


def canonical(name: str) -> str:
    """The name that librdkafka itself has for a property, which may have others."""
    return _aliases().get(name, name)


@functools.cache
def _enumerations() -> dict[str, tuple[str, ...]]:
    ranges = {row[0]: row[_RANGE].split(",") for row in _rows()}
    return {name: tuple(map(str.strip, words)) for name, words in ranges.items() if len(words) > 1}


@functools.cache
def _limits() -> dict[str, tuple[str, str]]:
    found = ((row[0], _LIMITS.fullmatch(row[_RANGE])) for row in _rows())
    return {name: (match[1], match[2]) for name, match in found if match}


@functools.cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """Those of clients and those of topics, which the library shows in two tables."""
    found: tuple[set[str], set[str]] = (set(), set())
    table = -1
    for row in _rows():
        if row[0] == "Property":
            table += 1
        elif not row[0].startswith("---"):
            found[table].add(row[0])
    return frozenset(found[0]), frozenset(found[1])


@functools.cache
def _aliases() -> dict[str, str]:
    found = ((row[0], _ALIAS.search(row[_DESCRIPTION])) for row in _rows())
    return {name: match[1] for name, match in found if match}


@functools.cache
def _rows() -> list[list[str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in _table().splitlines()]
    return [row for row in rows if len(row) >= _COLUMNS]


def _table() -> str:
    """CONFIGURATION.md as the library writes it; nothing where the C library cannot write to memory."""
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
