"""What Tab offers, for both line editors: the words that can stand where the cursor is.

The script's interpreter lists its commands and variables; a :class:`Reference` knows
the arguments of commands, so that no command of the script runs.
"""

from __future__ import annotations

import re
from typing import Any

from kafkatcl.shell.arguments import Arguments
from kafkatcl.shell.asking import Asking
from kafkatcl.shell.offers import Candidate, Offer, offer
from kafkatcl.shell.reference import Reference
from kafkatcl.shell.words import Typed, typed

#: A text of more characters is data that was pasted.
_MAX_CHARACTERS = 50_000
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[^}]*)|(?P<name>(?:\w|::)*(?:\([^()\s]*)?))$")
_INDENT = "    "


class Completer:
    """Completes commands of the interpreter ``app``."""

    def __init__(self, app: Any) -> None:
        self._tcl = Asking(app)
        self._arguments = Arguments(self._tcl, Reference())

    def offer(self, text: str) -> Offer:
        """What can stand at the end of ``text``; nothing where finding out fails.

        Asking changes nothing in the interpreter.
        """
        nothing = Offer(len(text))
        if len(text) > _MAX_CHARACTERS:
            return nothing
        if "\n" in text and not text[text.rindex("\n") :].strip():
            return Offer(len(text), (_INDENT,), (Candidate(_INDENT),))
        try:
            with self._tcl.unnoticed():
                return next((found for found in map(self._offer, typed(text)) if found.texts), nothing)
        except (
            Exception
        ):  # a trace of the script's fails, or a name is no text: that is no matter of who types
            return nothing

    def _offer(self, word: Typed) -> Offer:
        variable = _VARIABLE.search(word.raw) if word.quote != "{" else None
        if variable is not None:
            return self._variable(word, variable)
        if word.before:
            return offer(word, self._arguments.words(word))
        return offer(word, [*self._arguments.commands(word.text), Candidate("help")])

    def _variable(self, word: Typed, found: re.Match[str]) -> Offer:
        """The variables that the reference at the end of a word may mean.

        The offer begins behind the dollar sign of the reference.
        """
        group = "name" if found["braced"] is None else "braced"
        begun = Typed(word.start + found.start(group), found[group])
        candidates = sorted(self._arguments.variables(begun.raw), key=lambda each: each.word)
        end = "}" if group == "braced" else ""
        texts = tuple(each.word + end * each.is_whole for each in candidates)
        return Offer(begun.start, texts, tuple(candidates))
