"""Text as an element of a Tcl list."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r'[ \t\n\r\v\f{}\[\]"\\$;]')
_SPECIAL_BUT_BRACES = re.compile(r'[ \t\n\r\v\f\[\]"\\$;]')
_BRACED = re.compile(r'[ \t\n\r\v\f\[$;\\]|^[{"]')
_BRACES = re.compile("[{}]")
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


def _escaped(found: re.Match[str]) -> str:
    return _NAMED.get(found[0], "\\" + found[0])


def _is_balanced(text: str) -> bool:
    """Whether ``text`` can stand in braces."""
    if "\\" not in text:
        return text.count("{") == text.count("}") and _is_nested(text)
    depth, escaped = 0, False
    for character in text:
        if escaped:
            escaped = False
            if character == "\n":
                return False
        elif character == "\\":
            escaped = True
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth < 0:
                return False
    return depth == 0 and not escaped


def _is_nested(text: str) -> bool:
    """Whether no closing brace of ``text`` comes before its opening one."""
    depth = 0
    for brace in _BRACES.findall(text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return True
