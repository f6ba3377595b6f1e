"""Texts between Python and Tcl, which have their own forms of NUL and
of lone surrogates.

tkinter gives a lone surrogate as its three bytes, each escaped, and takes it in the
same form; NUL it takes only as the two bytes that Tcl has for it, escaped too.  The
sidecar does the same, so that what is refused is refused everywhere.
"""

from __future__ import annotations


def text_from_tcl(text: str) -> str:
    """A string as a bridge gives or takes it, in Python's form."""
    if _is_clean(text):
        return text
    try:
        encoded = text.encode("utf-8", "surrogateescape").replace(b"\xc0\x80", b"\0")
        return encoded.decode("utf-8", "surrogatepass")
    except UnicodeError:
        return text


def text_to_tcl(text: str) -> str:
    """A string in the form that a bridge takes."""
    if "\0" not in text and _is_clean(text):
        return text
    return escaped(text.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80"))


def escaped(encoded: bytes) -> str:
    """What Tcl encodes as these bytes, in the form that a bridge gives it."""
    return encoded.decode("utf-8", "surrogateescape")


def echoed(text: str) -> str:
    """A string in either form, perhaps among words of ours,
    in the form that a bridge takes.
    """
    return text_to_tcl(text_from_tcl(text))


def _is_clean(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
