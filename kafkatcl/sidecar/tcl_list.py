"""Text as an element of a Tcl list."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r'[ \t\n\r\v\f{}\[\]"\\$;]')
_SPECIAL_BUT_BRACES = re.compile(r'[ \t\n\r\v\f\[\]"\\$;]')
_BRACED = re.compile(r'[ \t\n\r\v\f\[$;\\]|^[{"]')
#: Braces, and backslashes with what they escape.
_STRUCTURE = re.compile(r"[{}]|\\.?", re.DOTALL)
#: Words of these characters alone, each of one at least, stand in a list as they are.
_ALL_PLAIN = re.compile(r"[\w.:/+-]+(?: [\w.:/+-]+)*")
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}


def quoted(text: str, *, leads: bool = False) -> str:
    """Write ``text`` as one element of a Tcl list, as Tcl itself writes it.

    Scripts may compare the text of lists.  The forms are those of ``TclScanElement`` in
    https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclUtil.c#L1014.

    :param leads: whether the list begins with this element, which a ``#`` in front
        would make a comment.
    """
    is_comment = leads and text.startswith("#")
    if not is_comment and not _SPECIAL.search(text):
        return text or "{}"
    balanced = _is_balanced(text)
    if balanced and (is_comment or _BRACED.search(text)):
        return f"{{{text}}}"
    escaped = (_SPECIAL_BUT_BRACES if balanced else _SPECIAL).sub(_escaped, text)
    return "\\" + escaped if is_comment else escaped


def listed(words: Sequence[str | bytes | int]) -> str:
    """Write words as a Tcl list; bytes are characters up to U+00FF."""
    texts = [word.decode("latin-1") if type(word) is bytes else str(word) for word in words]
    if _ALL_PLAIN.fullmatch(line := " ".join(texts)) and line.count(" ") + 1 == len(texts):
        return line  # none needs to be looked at for itself
    return " ".join([quoted(text, leads=not place) for place, text in enumerate(texts)])


def _escaped(found: re.Match[str]) -> str:
    return _NAMED.get(found[0], "\\" + found[0])


def _is_balanced(text: str) -> bool:
    """Whether ``text`` can stand in braces."""
    depth = 0
    for found in _STRUCTURE.findall(text):
        if found in ("\\", "\\\n"):  # at the end, or in front of a line: braces do not keep them
            return False
        depth += {"{": 1, "}": -1}.get(found, 0)
        if depth < 0:
            return False
    return depth == 0
