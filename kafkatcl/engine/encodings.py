"""Encodings: between the bytes of Kafka and the text of scripts.

An encoding has the name and the meaning that it has in Tcl, and is strict both ways:
what cannot be converted, or would not come back as it was, is an error that says where.
So text that was read can always be sent on.

Those that are made by a rule are Python's own.  So are some by table, where Tcl 8.6 has
a character in the place of bytes that mean nothing, and Tcl 9 has Python's table.  Of
all others Tcl tells its own (see ``tcl/forms.tcl``).
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Mapping
from typing import Callable, NamedTuple

_NATIVE = "le" if sys.byteorder == "little" else "be"
#: By table, under the names that they have in both.
_TABLES = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("cp864", "cp869", "cp874", "cp932", "cp949", "cp950", "koi8-u", "shiftjis", "tis-620"),
    *(f"iso8859-{number}" for number in range(2, 17) if number != 12),
)
#: What Python calls its own.
_PYTHON_NAMES = {
    **{name: name for name in _TABLES},
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
    def encode(text: str) -> bytes:
        return text.encode(python_name)

    def decode(data: bytes) -> str:
        return data.decode(python_name)

    def decode_usual(data: bytes) -> str:
        text = decode(data)
        again = encode(text)
        if again != data:
            at = next((at for at, pair in enumerate(zip(again, data)) if pair[0] != pair[1]), len(again))
            raise UnicodeDecodeError(name, data, at, at + 1, "it is not in its usual form")
        return text

    # Of some characters a table has several, and escapes need not be where they are.
    has_forms = name in _TABLES or name.startswith("iso2022")
    return Encoding(name, decode_usual if has_forms else decode, encode)


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
