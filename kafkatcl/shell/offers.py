"""What a completer offers to a line editor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kafkatcl.shell.words import Typed


@dataclass(frozen=True)
class Candidate:
    """A completion: the word, a remark about it, and whether the word is complete."""

    word: str
    about: str = ""
    is_whole: bool = True


@dataclass(frozen=True)
class Offer:
    """What a text can become from ``start`` on.

    ``texts`` are the ``candidates`` in their order, written with quotes as the text
    needs.
    """

    start: int
    texts: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()


def plain(words: Iterable[str]) -> list[Candidate]:
    """Candidates that speak for themselves."""
    return [Candidate(word) for word in words]


def offer(word: Typed, candidates: Iterable[Candidate]) -> Offer:
    """Those of the candidates that begin like ``word``.

    If there is one only, what ends the word is added.
    """
    fitting = {each.word: each for each in candidates if each.word.startswith(word.text)}
    found = tuple(fitting[name] for name in sorted(fitting))
    end = {"": " ", '"': '" ', "{": "} "}[word.quote] if len(found) == 1 and found[0].is_whole else ""
    return Offer(word.start, tuple(word.written(each.word) + end for each in found), found)
