"""Texts between Python and Tcl, which write NUL and lone surrogates in other ways.

tkinter gives and takes a lone surrogate as the three bytes of its UTF-8, each escaped
by surrogateescape, and takes NUL only as Tcl's two bytes C0 80, escaped too
(``unicodeFromTclStringAndSize`` and ``AsObj`` in
https://github.com/python/cpython/blob/v3.11.2/Modules/_tkinter.c#L392; newer ones take
NUL itself, too).  The sidecar does the same, so that both bridges refuse the same
strings.
"""

from __future__ import annotations


def text_from_tcl(text: str) -> str:
    r"""Turn a string that came over a bridge into Python's form.

    ``\udced\udca0\udc80`` becomes the lone surrogate ``\ud800``, and ``\udcc0\udc80``
    becomes NUL.  A string with other escaped bytes stays as it is.
    """
    if _is_clean(text):
        return text
    try:
        encoded = text.encode("utf-8", "surrogateescape").replace(b"\xc0\x80", b"\0")
        return encoded.decode("utf-8", "surrogatepass")
    except UnicodeError:
        return text


def text_to_tcl(text: str) -> str:
    """Turn a string of Python into the form that a bridge takes, see the module."""
    if "\0" not in text and _is_clean(text):
        return text
    return escaped(text.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80"))


def escaped(encoded: bytes) -> str:
    """Turn a string in Tcl's own encoding into the form that a bridge gives."""
    return encoded.decode("utf-8", "surrogateescape")


def echoed(text: str) -> str:
    """Turn a string in either form into the form that a bridge takes.

    Words of a script go back to it so, in errors with words of ours around them.
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
