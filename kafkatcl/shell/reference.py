"""The arguments of commands, found in a fresh interpreter.

The interpreter has the commands of Tcl and of the package, and none of the script.

A command of Tcl is called with a subcommand that it does not know: it checks that word
first, does nothing else, and its error lists the valid ones.  Those of the package are
in its table.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kafkatcl
from kafkatcl.bridge.inprocess import NativeError, new_application

_UNKNOWN = "\x01"
#: Words of questions that stand for any other.
_ANY = ("{}", "x", "0", "stdin", "integer")
_LISTED = re.compile(r"(?:must|should) be (?:one of )?(.*)$", re.DOTALL)
_SEPARATORS = re.compile(r",? or |, ")

#: Commands that can be asked for their next word: `?` stands in the place of this, with
#: enough words behind it.
_CHOICES = """
after ?; interp ?; trace ?; package ?; zlib ?; update ?; interp limit {} ?; namespace ensemble ?; string is ? x
trace add ?; trace info ?; trace remove ?; dict filter {} ?; binary encode ?; binary decode ?; zlib push ? x
fileevent stdin ?; chan event stdin ?; seek stdin 0 ?; chan seek stdin 0 ?; package prefer ?; open x ?
fconfigure stdin -buffering ?; fconfigure stdin -translation ?; chan configure stdin -buffering ?
chan configure stdin -translation ?; return -code ?
"""
#: The same for options.
_OPTIONS = """
lsort -? x; lsearch -? x x; regexp -? x x; regsub -? x x x; switch -? x x; glob -?; subst -? x; exec -?; socket -?
fconfigure stdin -?; chan configure stdin -?; source -? x x; file copy -? x x; file delete -? x; file rename -? x x
clock format 0 -? x; clock scan 0 -? x; clock add 0 -? x; string match -? x x; string map -? x x
string compare -? x x; string equal -? x x; string is integer -? x; array names x -? x; interp create -? -- x
interp invokehidden {} -? x; interp cancel -?; unload -? x
"""

#: What usages call the objects of a kind, where that is not the name of the kind.
_CALLED = {"kafka": "kafka::kafka", "producer_topic": "topic", "consumer_topic": "topic"}


def called(kind: str) -> str:
    """The word that stands for an object of a kind in usages."""
    return _CALLED.get(kind, kind)


#: The kind whose rows are procedures, the easy way.
_PROCEDURES = "easy"


def table_interpreter() -> Any:
    """A fresh interpreter that has the package's table of subcommands, and no more."""
    app = new_application()
    for file in ("core", "table", "commands"):
        app.evalfile(str(Path(kafkatcl.__file__).with_name("tcl") / f"{file}.tcl"))
    return app


class Reference:
    """A fresh interpreter to ask; it is made when it is needed first."""

    @functools.cached_property
    def _app(self) -> Any:
        return table_interpreter()

    # -- Tcl's own ---------------------------------------------------------------------

    def choices(self, words: Sequence[str]) -> list[str]:
        """What a command of Tcl may have as its next word; nothing where unknown."""
        return self._ask(_CHOICES, words, exact=True)

    def options(self, words: Sequence[str]) -> list[str]:
        """The options of a command of Tcl."""
        return self._ask(_OPTIONS, words, exact=False)

    def is_own(self, command: str) -> bool:
        """Whether Tcl itself has a command of this name."""
        return bool(self._app.call("info", "commands", command.lstrip(":")))

    def _ask(self, questions: str, words: Sequence[str], *, exact: bool) -> list[str]:
        for question in re.split(r"[;\n]+", questions.strip()):
            asked = question.split()
            place = next(index for index, word in enumerate(asked) if "?" in word)
            known = [word for word in asked[:place] if word not in _ANY]
            given = [word for word, like in zip(words, asked) if like in known]
            if given == known and (len(words) == place if exact else len(words) >= place):
                return self._listed([word.replace("?", _UNKNOWN) for word in asked])
        return []

    def _listed(self, words: Sequence[str]) -> list[str]:
        try:
            self._app.call(*("" if word == "{}" else word for word in words))
        except NativeError as error:
            found = _LISTED.search(str(error))
            return [word for word in _SEPARATORS.split(found[1]) if " " not in word] if found else []
        return []

    # -- the package's: its table of subcommands ---------------------------------------

    def kinds(self) -> dict[str, list[str]]:
        """The kinds of objects, as the package calls them, and their subcommands."""
        kinds = self._list("set", "::kafkatcl::order")
        return {kind: self.subcommands(kind) for kind in kinds if kind != _PROCEDURES}

    def subcommands(self, kind: str) -> list[str]:
        """The subcommands of a kind of objects."""
        return self._list("set", f"::kafkatcl::kinds({kind})")

    def procedures(self) -> list[str]:
        """The procedures ``kafka::...`` that scripts call."""
        return self.subcommands(_PROCEDURES)

    def topics(self) -> set[str]:
        """What can be asked about by ``help``, apart from properties."""
        kinds = self.kinds()
        return {called(kind) for kind in kinds}.union(self.procedures(), *kinds.values())

    def usages(self, kind: str, subcommand: str) -> list[str]:
        """How a subcommand is used, a line for each suboption and each other usage.

        The name of the object, which stands in front of each, is left out.
        """
        rows = self._list("::kafkatcl::WithSuboptions", kind, subcommand)
        usages = [f"{row} {self._tell('::kafkatcl::UsageOf', kind, row)}".strip() for row in rows]
        also = self._field(kind, subcommand, "also")
        return [*usages, also] if also else usages

    def about(self, kind: str, subcommand: str) -> str:
        """What a subcommand is for, in a sentence."""
        return self._field(kind, subcommand, "about")

    def suboptions(self, kind: str, subcommand: str) -> list[str]:
        """The words of which a subcommand takes one first, if it is one that does."""
        return self._list("::kafkatcl::ChoicesOf", kind, subcommand)

    def usage(self, procedure: str) -> str:
        """How a procedure ``kafka::...`` is used."""
        return self._tell("::kafkatcl::Shown", _PROCEDURES, procedure).strip()

    def _field(self, kind: str, subcommand: str, field: str) -> str:
        return self._tell("::kafkatcl::Field", kind, subcommand, field)

    def _tell(self, *words: str) -> str:
        return _text(self._app.call(*words))

    def _list(self, *words: str) -> list[str]:
        return [_text(word) for word in self._app.splitlist(self._app.call(*words))]


def _text(value: Any) -> str:
    """A value of tkinter as text; a list of words comes as a tuple."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
