"""What Tab offers behind a command: what that command takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import Callable

from kafkatcl.bridge.arguments import START_WORDS
from kafkatcl.engine.handle import LOG_LEVELS
from kafkatcl.shell import properties
from kafkatcl.shell.asking import Asking
from kafkatcl.shell.files import files
from kafkatcl.shell.offers import Candidate, plain
from kafkatcl.shell.reference import Reference
from kafkatcl.shell.words import Typed

_OF_TOPICS = ("producer_topic", "consumer_topic")
#: Which words of Tcl's commands name something, and what: command, colon, the place of
#: the word, counted from the command on; 0 means all of them.
_TAKES = {
    "variables": (
        "set:1 incr:1 append:1 lappend:1 lset:1 unset:0 global:0 variable:1 vwait:1 parray:1 gets:2 foreach:1 lassign:0"
        " array.names:2 array.get:2 array.set:2 array.exists:2 array.size:2 array.unset:2 info.exists:2 dict.set:2"
        " dict.unset:2 dict.incr:2 dict.append:2 dict.lappend:2 dict.with:2 dict.update:2 upvar:0 regsub:4"
    ),
    "channels": (
        "puts:1 gets:1 read:1 close:1 flush:1 eof:1 seek:1 tell:1 fblocked:1 fconfigure:1 fileevent:1 fcopy:0"
        " chan.puts:2 chan.gets:2 chan.read:2 chan.close:2 chan.flush:2 chan.eof:2 chan.configure:2 chan.event:2"
    ),
    "commands": (
        "rename:1 info.args:2 info.body:2 info.default:2 info.procs:2 info.commands:2 trace.add.command:3"
        " trace.add.execution:3 namespace.origin:2 namespace.which:0 bgerror:1 apply:0 time:1 after.idle:2 proc:1"
    ),
    "namespaces": (
        "namespace.eval:2 namespace.delete:0 namespace.children:2 namespace.exists:2 namespace.parent:2"
        " namespace.inscope:2 namespace.import:0 namespace.path:0"
    ),
    "packages": "package.require:2 package.present:2 package.versions:2 package.forget:0 package.ifneeded:2",
    "encodings": "encoding.convertto:2 encoding.convertfrom:2 encoding.system:2",
}
_AFTER_OPTION = {"-encoding": "encodings", "-command": "commands", "-namespace": "namespaces"}


class Arguments:
    """Knows what commands take, by asking the script's interpreter and a reference."""

    def __init__(self, tcl: Asking, reference: Reference) -> None:
        self._tcl = tcl
        self._reference = reference

    def words(self, word: Typed) -> Iterable[Candidate]:
        """What can stand in the place of ``word``, behind a command."""
        command = self._tcl.resolved(word.before[0])
        words = (command.lstrip(":"), *word.before[1:])
        kind = self._tcl.kind(command)
        if kind:
            return self._of_kafka(kind, words, word.text)
        if words[0] == "help" and not self._tcl.is_command("help"):
            return [*plain(self._reference.topics()), *properties.names(topics_only=False)]
        if words[0] in self._reference.procedures():
            return self._of_usages([self._reference.usage(words[0])], words, word.text)
        if len(words) == 1 and (subcommands := self._tcl.subcommands(command)):
            return plain(subcommands)
        found = self._of_tcl(words, word.text)
        # Where no command stands in front, the words are a list, perhaps with the name
        # of a file in it.
        return found or (files(word.text) if self._runs(command) else [])

    def _runs(self, command: str) -> bool:
        """Whether a first word is a command or a program; the prompt runs both."""
        return self._tcl.is_command(command) or shutil.which(command) is not None

    # -- Kafka's objects ---------------------------------------------------------------

    def _of_kafka(self, kind: str, words: Sequence[str], begun: str) -> list[Candidate]:
        if len(words) == 1:
            return [
                Candidate(name, "; ".join(self._reference.usages(kind, name)))
                for name in self._reference.subcommands(kind)
            ]
        subcommand = words[1]
        if subcommand == "creator" and kind in _OF_TOPICS:
            return self._of_kafka("handle", words[1:], begun)
        if subcommand in ("config", "topic_config"):
            if len(words) % 2:
                return properties.values(words[-1], begun)
            return properties.names(topics_only=subcommand == "topic_config" or kind in _OF_TOPICS)
        suboptions = self._reference.suboptions(kind, subcommand) if len(words) == 2 else []
        return plain(suboptions) or self._of_usages(
            self._reference.usages(kind, subcommand), words[1:], begun
        )

    def _of_usages(self, usages: Sequence[str], words: Sequence[str], begun: str) -> list[Candidate]:
        """What ``usages`` have in the place behind ``words``.

        :param words: what was typed; its first word stands for the first of each usage.
        :param begun: what was typed of the word to complete.
        """
        if begun.startswith("-"):
            return plain(part.strip("?") for usage in usages for part in usage.split() if part[:2] == "?-")
        place = sum(not given.startswith("-") for given in words)
        found: list[Candidate] = []
        for usage in usages:
            for part in [part for part in usage.split() if not part.startswith("?-")][place:]:
                found += self._named(part.strip("?"))
                if not part.startswith("?"):
                    break
        return found

    def _named(self, part: str) -> list[Candidate]:
        """What the name of an argument in a usage stands for."""
        if part == "queue":
            return plain(self._tcl.objects("queue"))
        if part in ("callback", "command", "function"):
            return self.commands("")
        words: dict[str, Callable[[], Iterable[str]]] = {
            "array": lambda: self._tcl.variables(""),
            "offset": lambda: START_WORDS,
            "level": lambda: LOG_LEVELS,
            "encoding": lambda: ["binary", *self._tcl.ask("encoding", "names")],
            "cmdName": lambda: ("#auto",),
        }
        return plain(words[part]()) if part in words else []

    # -- Tcl's commands ----------------------------------------------------------------

    def commands(self, prefix: str) -> list[Candidate]:
        """Commands, and the namespaces that have more."""
        namespaces = [Candidate(name, is_whole=False) for name in self._tcl.namespaces(prefix)]
        return plain(self._tcl.commands(prefix)) + namespaces

    def _of_tcl(self, words: Sequence[str], begun: str) -> list[Candidate]:
        if words[-1] in _AFTER_OPTION:
            return self._all(_AFTER_OPTION[words[-1]], begun)
        if self._tcl.is_of_tcl(words[0]) and self._reference.is_own(words[0]):
            asked = self._reference.options if begun.startswith("-") else self._reference.choices
            found = asked(words)
            if found:
                return plain(found)
        for what, takes in _TAKES.items():
            for each in takes.split():
                name, _, place = each.partition(":")
                parts = name.split(".")
                if list(words[: len(parts)]) == parts and int(place) in (0, len(words)):
                    return self._all(what, begun)
        return []

    def _all(self, what: str, begun: str) -> list[Candidate]:
        """Everything of a sort that begins like this."""
        if what == "commands":
            return self.commands(begun)
        if what == "variables":
            return self.variables(begun)
        words = {
            "namespaces": lambda: [name[:-2] for name in self._tcl.namespaces(begun)],
            "channels": lambda: self._tcl.ask("chan", "names"),
            "packages": lambda: self._tcl.ask("package", "names"),
            "encodings": lambda: self._tcl.ask("encoding", "names"),
        }
        return plain(words[what]())

    def variables(self, begun: str) -> list[Candidate]:
        """Variables; elements of arrays where a parenthesis was typed."""
        array, parenthesis, element = begun.partition("(")
        if parenthesis:
            return plain(f"{array}({name})" for name in self._tcl.elements(array, element))
        found = []
        for name in self._tcl.variables(begun):
            is_array = self._tcl.is_array(name)
            found.append(Candidate(name + "(" * is_array, is_whole=not is_array))
        return found
