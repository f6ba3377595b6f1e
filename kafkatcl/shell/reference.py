"""What commands take, asked of a fresh interpreter that has Tcl's own and the package's, and no script's.

To be asked, Tcl's commands are called with a word that none of them knows: it comes first in what they look at, so
they do nothing else, and the error lists what they would have taken.  The package's say it in their procedures.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kafkatcl
from kafkatcl.bridge.inprocess import NativeError, application, new_interp

_UNKNOWN = "\x01"
#: Words of questions that stand for any other.
_ANY = ("{}", "x", "0", "stdin", "integer")
_LISTED = re.compile(r"(?:must|should) be (?:one of )?(.*)$", re.DOTALL)
_SEPARATORS = re.compile(r",? or |, ")

#: Commands that can be asked for their next word, with `?` in its place and enough words behind it.
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

_USAGE = re.compile(r'(?:Usage|UsageAsTyped|set usage) "([^"]*)"')
_AS_TYPED = re.compile(r'UsageAsTyped "')
_SUBOPTIONS = re.compile(r"RequireSuboption (?:\$\w+|\[[^\]]*\]) \{([^}]*)\}")
_VARIABLE = re.compile(r"\$(?:what|option)\b")
#: Exported for what the original has, and of use to the package only.
_INTERNAL = {"kafka", "handle_args", "logger"}


#: What usages call the objects of a kind, where that is not the name of the kind.
_CALLED = {"kafka": "kafka::kafka", "producer_topic": "topic", "consumer_topic": "topic"}


def called(kind: str) -> str:
    """The word that stands for an object of a kind in usages."""
    return _CALLED.get(kind, kind)


class Reference:
    """A fresh interpreter to ask; it is made when it is needed first."""

    @functools.cached_property
    def _app(self) -> Any:
        app = application(new_interp())
        app.eval("namespace eval ::kafkatcl::bridge {}")
        app.evalfile(str(Path(kafkatcl.__file__).with_name("tcl") / "kafka.tcl"))
        return app

    # -- Tcl's own ------------------------------------------------------------------------------------------

    def choices(self, words: Sequence[str]) -> list[str]:
        """What a command of Tcl may have as its next word; nothing where it cannot be asked."""
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

    # -- the package's --------------------------------------------------------------------------------------

    def kinds(self) -> dict[str, list[str]]:
        """The kinds of objects, as the package calls them, and their subcommands."""
        names = self._app.splitlist(self._app.call("array", "names", "::kafkatcl::kinds"))
        return {str(name): self.subcommands(str(name)) for name in sorted(names)}

    def subcommands(self, kind: str) -> list[str]:
        """The subcommands of a kind of objects."""
        return list(map(str, self._app.splitlist(self._app.call("set", f"::kafkatcl::kinds({kind})"))))

    def procedures(self) -> list[str]:
        """The procedures ``kafka::...`` that scripts call."""
        names = self._app.eval("namespace eval ::kafka {namespace export}")
        return [f"kafka::{name}" for name in self._app.splitlist(names) if name not in _INTERNAL]

    def topics(self) -> set[str]:
        """What can be asked about by ``help``, apart from properties."""
        kinds = self.kinds()
        return {called(kind) for kind in kinds}.union(self.procedures(), *kinds.values())

    def usages(self, kind: str, subcommand: str) -> list[str]:
        """How a subcommand is used: each line as the error tells it, behind the name of the object."""
        procedure = f"::kafkatcl::{kind}::{subcommand}"
        body = self._body(procedure)
        suboptions = self.suboptions(kind, subcommand)
        typed = f"{subcommand} " if _AS_TYPED.search(body) else ""
        usages = [typed + usage.strip() for usage in _USAGE.findall(body)]
        literal = {usage.split()[1] for usage in usages if len(usage.split()) > 1}
        found = self._taken(procedure)
        for usage in usages:
            if _VARIABLE.search(usage):
                found += [_VARIABLE.sub(name, usage) for name in suboptions if name not in literal]
            else:
                found.append(usage)
        return list(dict.fromkeys(found))

    def suboptions(self, kind: str, subcommand: str) -> list[str]:
        """The words of which a subcommand takes one first, if it is one that does."""
        lists = _SUBOPTIONS.findall(self._body(f"::kafkatcl::{kind}::{subcommand}"))
        return list(dict.fromkeys(word for words in lists for word in words.split()))

    def usage(self, procedure: str) -> str:
        """How a procedure ``kafka::...`` is used."""
        words = [procedure]
        for name in map(str, self._app.splitlist(self._app.call("info", "args", procedure))):
            words += self._taken(f"::{procedure}") if name == "args" else [name]
        return " ".join(words)

    def _body(self, procedure: str) -> str:
        with contextlib.suppress(NativeError):
            return str(self._app.call("info", "body", procedure))
        return ""

    def _taken(self, procedure: str) -> list[str]:
        with contextlib.suppress(NativeError):
            origin = self._app.call("namespace", "origin", procedure)
            return [str(self._app.call("set", f"::kafkatcl::takes({origin})"))]
        return []
