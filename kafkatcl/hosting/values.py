"""Values between Python and Tcl, where every value is a string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.bridge.texts import text_from_tcl, text_to_tcl
from kafkatcl.hosting.errors import TclError
from kafkatcl.hosting.message import Message

#: What a Tcl value can be taken as.
KINDS = (str, bytes, int, float, bool, list, tuple, dict, Message)


def to_tcl(value: Any) -> Any:
    """Turn ``value`` into something that tkinter passes to Tcl unharmed.

    None becomes an empty string, bytes a byte array, a mapping a dict, other
    collections lists (nested too), numbers numbers (True is 1), and anything else its
    ``str()``.
    """
    if value is None:
        return ""
    if isinstance(value, (int, float, bytes)):
        return value
    if isinstance(value, str):
        return text_to_tcl(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, Mapping):
        return tuple(to_tcl(part) for item in value.items() for part in item)
    if isinstance(value, (Sequence, Set)):
        return tuple(to_tcl(element) for element in value)
    return text_to_tcl(str(value))


def from_tcl(interp: Any, text: str, kind: type, element: type = str) -> Any:
    """Turn the text of a Tcl value into a Python value.

    :param interp: an Interp or a tkinter object.
    :param kind: one of :data:`KINDS`.
    :param element: the kind of the elements of a list, and of the values of a dict,
        whose keys are str.
    :raises TclError: the value is no ``kind``, with Tcl's own message; for bytes with
        that of Tcl 9, as 8.6 takes the low byte of any character.
    :raises TypeError: there is no such kind.
    """
    if kind is str:
        return text
    if kind is bytes:
        return _bytes(text)
    if kind in _SCALARS:
        return _scalar(interp, text, kind)
    if kind in (list, tuple):
        return kind(from_tcl(interp, part, element) for part in _elements(interp, text))
    if kind is dict:
        return {name: from_tcl(interp, part, element) for name, part in _dict(interp, text).items()}
    if kind is Message:
        return _message(interp, text)
    names = ", ".join(known.__name__ for known in KINDS)
    raise TypeError(f"a Tcl value cannot become {kind!r}: choose one of {names}")


# Python type: tkinter's reader, Tcl's word for the type, and the end of its errorCode.
_SCALARS = {
    int: ("getint", "integer", "INTEGER"),
    float: ("getdouble", "floating-point number", "NUMBER"),
    bool: ("getboolean", "boolean value", "BOOLEAN"),
}


def _scalar(interp: Any, text: str, kind: type) -> Any:
    reader, noun, code = _SCALARS[kind]
    try:
        return getattr(interp.tk, reader)(text)
    except (NativeError, ValueError):  # tkinter raises ValueError for NUL and surrogates
        raise TclError(f'expected {noun} but got "{text}"', ("TCL", "VALUE", code)) from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        odd = text[error.start]
        raise TclError(
            f"expected byte sequence but character {error.start} was '{odd}' (U+{ord(odd):06X})",
            ("TCL", "VALUE", "BYTES"),
        ) from None


def _elements(interp: Any, text: str) -> list[str]:
    try:
        elements = interp.tk.call("lrange", to_tcl(text), 0, "end")
    except NativeError as error:
        raise TclError(str(error), ("TCL", "VALUE", "LIST")) from None
    return [text_from_tcl(element) for element in elements]


def _dict(interp: Any, text: str) -> dict[str, str]:
    elements = _elements(interp, text)
    if len(elements) % 2:
        raise TclError("missing value to go with key", ("TCL", "VALUE", "DICTIONARY"))
    return dict(zip(elements[::2], elements[1::2]))


_FIELDS = {
    "topic": str,
    "partition": int,
    "offset": int,
    "key": bytes,
    "payload": bytes,
    "timestamp": int,
    "error": str,
    "code": str,
    "message": str,
    "tombstone": bool,
    "timestamp_type": str,
    "leader_epoch": int,
    "delivery_count": int,
    "end": bool,
}
_NO_OFFSET = "invalid"


def _message(interp: Any, text: str) -> Message:
    pairs = _dict(interp, text)
    if not {"payload", "error", "end"} & pairs.keys():
        raise TclError(f'expected message but got "{text}"', ("TCL", "VALUE", "MESSAGE"))
    if pairs.get("offset") == _NO_OFFSET:
        del pairs["offset"]
    found = {name: from_tcl(interp, pairs[name], kind) for name, kind in _FIELDS.items() if name in pairs}
    return Message(**found, headers=_headers(interp, pairs))


def _headers(interp: Any, pairs: Mapping[str, str]) -> tuple[tuple[str, bytes | None], ...]:
    words = _elements(interp, pairs.get("headers", ""))
    nulls = set(from_tcl(interp, pairs.get("null_headers", ""), list, int))
    return tuple(
        (name, None if place in nulls else _bytes(value))
        for place, (name, value) in enumerate(zip(words[::2], words[1::2]))
    )
