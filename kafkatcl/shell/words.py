"""The words of a command that is still being typed, as Tcl will see them.

The rules are those of https://www.tcl-lang.org/man/tcl8.6/TclCmd/Tcl.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BLANK = re.compile(r"(?:[ \t\r]|\\\n[ \t]*)*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
#: What has a meaning of its own in a bare word, and in one in quotes.
_SPECIAL = {"": re.compile(r'[\s\\"$\[\]{};]'), '"': re.compile(r'[\\"$\[]')}


@dataclass(frozen=True)
class Typed:
    """The word at the end of a text.

    ``start`` is where its content begins in the text, ``raw`` that content as it was
    typed, and ``before`` are the words in front of it in its command.

    ``quote`` is what the word began with: ``"``, ``{`` or nothing.
    """

    start: int
    raw: str
    quote: str = ""
    before: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        """What has been typed of the word, without quoting."""
        return self.raw if self.quote == "{" else _ESCAPED.sub(r"\1", self.raw)

    def written(self, word: str) -> str:
        """``word`` as it has to be written in the place of this one.

        What closes its quotes is left out.
        """
        special = _SPECIAL.get(self.quote)
        if special is None:
            return word
        written = special.sub(_escape, word)
        return "\\" + written if not self.quote and written.startswith("#") and not self.before else written


def typed(text: str) -> list[Typed]:
    """The word that ``text`` ends in, or begins there.

    Where the word is in several commands, the innermost comes first.

    There is more than one in a script in braces, which may be a word of data just as
    well: in ``if 1 {pu`` the words ``pu`` and ``{pu``.  In a comment there is none.
    """
    scanner = _Scanner(text)
    scanner.script(0, "")
    return scanner.found


def _escape(found: re.Match[str]) -> str:
    return {"\n": r"\n", "\t": r"\t"}.get(found.group(), "\\" + found.group())


def plain(raw: str) -> str:
    """A finished word without braces, quotes and backslashes; substitutions stay."""
    if raw[:1] == "{" and raw[-1:] == "}":
        return raw[1:-1]
    if raw[:1] == '"' and raw[-1:] == '"' and len(raw) > 1:
        raw = raw[1:-1]
    return _ESCAPED.sub(r"\1", raw)


class _Scanner:
    """Goes through a script.

    Each method takes the index to begin at, and gives the one behind what it went
    through, None at the end of the text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.found: list[Typed] = []

    def script(self, at: int, closer: str) -> int | None:
        """The commands up to ``closer``."""
        words: list[str] = []
        while True:
            at = self._blanks(at)
            if at == len(self._text):
                self._find(at, "", words)
                return None
            character = self._text[at]
            if character == closer:
                return at + 1
            if character in ";\n":
                words = []
                at += 1
            elif character == "#" and not words:
                line_end = self._text.find("\n", at)
                if line_end < 0:
                    return None
                at = line_end
            else:
                after = self._word(at, closer, words)
                if after is None:
                    return None
                words.append(plain(self._text[at:after]))
                at = after

    def _word(self, at: int, closer: str, words: list[str]) -> int | None:
        if self._text.startswith("{*}", at) and self._text[at + 3 : at + 4].strip():
            at += 3
        if self._text[at] == "{":
            return self._braced(at, words)
        if self._text[at] == '"':
            return self._until('"', at + 1, '"', words)
        return self._until(" \t\r\n;" + closer, at, "", words)

    def _braced(self, at: int, words: list[str]) -> int | None:
        depth = 0
        for place in _braces(self._text, at):
            depth += 1 if self._text[place] == "{" else -1
            if depth == 0:
                return place + 1
        self.script(at + 1, "}")
        self._find(at + 1, "{", words)
        return None

    def _until(self, ends: str, at: int, quote: str, words: list[str]) -> int | None:
        begin = at
        while at < len(self._text):
            character = self._text[at]
            if character in ends:
                return at + len(quote)
            if character == "[":
                after = self.script(at + 1, "]")
                if after is None:
                    return None
                at = after
            elif self._text.startswith("${", at):
                at = self._text.find("}", at) + 1 or len(self._text)
            else:
                at += 2 if character == "\\" else 1
        self._find(begin, quote, words)
        return None

    def _blanks(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def _find(self, start: int, quote: str, words: list[str]) -> None:
        self.found.append(Typed(start, self._text[start:], quote, tuple(words)))


def _braces(text: str, at: int) -> Iterator[int]:
    """Where the braces are that count."""
    for found in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, at):
        if len(found.group()) == 1:
            yield found.start()
