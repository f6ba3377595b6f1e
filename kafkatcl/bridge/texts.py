"""Texts between Python and Tcl, which have their own forms of NUL and
of lone surrogates.

tkinter gives and takes a lone surrogate as its three bytes, each escaped by
surrogateescape, and takes NUL only as Tcl's two bytes C0 80, escaped too.  The sidecar
does the same, so that both bridges refuse the same strings.
"""

from __future__ import annotations


def text_from_tcl(text: str) -> str:
    r"""A string of a bridge in Python's form: ``\udced\udca0\udc80`` becomes the lone
    surrogate ``\ud800``, and ``\udcc0\udc80`` becomes NUL.
    """
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
    """A string in either form, perhaps with words of ours around it,
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
