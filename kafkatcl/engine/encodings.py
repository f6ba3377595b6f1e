"""Encodings: between the bytes of Kafka and the text of scripts.

An encoding has the name and the meaning that it has in Tcl, and is strict both ways:
what cannot be converted, or would not come back as it was, is an error that says where.
So text that was read can always be sent on.

Those that are made by a rule are Python's own; of the others Tcl tells the table (see
``tcl/encodings.tcl``), as its tables are not quite Python's.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Mapping
from typing import Callable, NamedTuple

_NATIVE = "le" if sys.byteorder == "little" else "be"
#: What Python calls the encodings that are made by a rule.
_PYTHON_NAMES = {
    "utf-8": "utf-8",
    "identity": "utf-8",
    "ascii": "ascii",
    "iso8859-1": "latin-1",
    "unicode": f"utf-16-{_NATIVE}",
    **{f"{name}{order}": f"utf-{size}-{order or _NATIVE}"
       for name, size in (("utf-16", 16), ("ucs-2", 16), ("utf-32", 32)) for order in ("", "le", "be")},
    "iso2022": "iso2022_jp_2",
    "iso2022-jp": "iso2022_jp",
    "iso2022-kr": "iso2022_kr",
}  # fmt: skip
#: Stands in a table for bytes that mean nothing, as it does for ``codecs``.
UNDEFINED = "\ufffe"


class Encoding(NamedTuple):
    """An encoding under Tcl's name.

    Its functions raise ``UnicodeError``, whose ``start`` is where the text or the bytes
    are that cannot be converted.
    """

    name: str
    decode: Callable[[bytes], str]
    encode: Callable[[str], bytes]


_known: dict[str, Encoding] = {}


def find(name: str) -> Encoding | None:
    """The encoding that has this name; None if Tcl has to tell its table first."""
    if name not in _known and name in _PYTHON_NAMES:
        _known[name] = _by_rule(name, _PYTHON_NAMES[name])
    return _known.get(name)


def define(name: str, singles: str, doubles: Mapping[int, str]) -> None:
    """Make an encoding of a table.

    :param singles: the character for each of the 256 bytes, or UNDEFINED.
    :param doubles: for each byte that begins a pair the characters of its 256 pairs.
    """
    _known[name] = _by_pairs(name, singles, doubles) if doubles else _by_bytes(name, singles)


def _by_rule(name: str, python_name: str) -> Encoding:
    def decode(data: bytes) -> str:
        text = data.decode(python_name)
        # Of the same text there may be several forms, as in those with escapes.
        if text.isascii() or text.encode(python_name) == data:
            return text
        raise UnicodeDecodeError(name, data, 0, len(data), "it is not in its usual form")

    if python_name in ("utf-8", "latin-1"):  # no other form
        return Encoding(name, lambda data: data.decode(python_name), lambda text: text.encode(python_name))
    return Encoding(name, decode, lambda text: text.encode(python_name))


def _by_bytes(name: str, singles: str) -> Encoding:
    places = codecs.charmap_build(singles)
    return Encoding(
        name,
        lambda data: codecs.charmap_decode(data, "strict", singles)[0],
        lambda text: codecs.charmap_encode(text, "strict", places)[0],
    )


def _by_pairs(name: str, singles: str, doubles: Mapping[int, str]) -> Encoding:
    characters = {bytes((byte,)): character for byte, character in enumerate(singles)}
    for first, row in doubles.items():
        characters |= {bytes((first, second)): character for second, character in enumerate(row)}
    characters = {code: character for code, character in characters.items() if character != UNDEFINED}
    codes = {character: code for code, character in characters.items()}
    codepoint = re.compile(b"[" + b"".join(map(re.escape, map(_byte, doubles))) + b"]?.", re.DOTALL)

    def decode(data: bytes) -> str:
        try:
            return "".join(map(characters.__getitem__, codepoint.findall(data)))
        except KeyError:
            at = next(found.start() for found in codepoint.finditer(data) if found[0] not in characters)
            raise UnicodeDecodeError(name, data, at, at + 1, "no such character") from None

    def encode(text: str) -> bytes:
        try:
            return b"".join(map(codes.__getitem__, text))
        except KeyError:
            at = next(place for place, character in enumerate(text) if character not in codes)
            raise UnicodeEncodeError(name, text, at, at + 1, "no such character") from None

    return Encoding(name, decode, encode)


def _byte(number: int) -> bytes:
    return bytes((number,))
