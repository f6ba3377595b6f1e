"""What the script's interpreter has: commands, variables, ensembles, objects.

Asking leaves no trace in the interpreter.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from kafkatcl.bridge.inprocess import NativeError

_CORE = "::kafkatcl::core::"
_PATTERN = re.compile(r"[\\*?\[\]]")
_OURS = "kafkatcl"
_REFERENCE = re.compile(r"\$(?:\{([^}]+)\}|([\w:]+))")


class Asking:
    """Asks the interpreter ``app`` by Tcl's own commands.

    A script may have given the names of Tcl's commands to others; those are not asked.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def ask(self, command: str, *words: str) -> list[str]:
        """The list that a command of Tcl answers with, empty where it fails."""
        with contextlib.suppress(NativeError):
            answer = self._app.call(_CORE + command, *words)
            return [
                str(word) for word in self._app.splitlist(answer if type(answer) is tuple else str(answer))
            ]
        return []

    @contextlib.contextmanager
    def unnoticed(self) -> Iterator[None]:
        """What fails inside leaves ``errorInfo`` and ``errorCode`` as they were."""
        names = ("::errorInfo", "::errorCode")
        before = {
            name: self._app.call(_CORE + "set", name) for name in names if self.holds("info", "exists", name)
        }
        try:
            yield
        finally:
            for name in names:
                if name in before:
                    self._app.call(_CORE + "set", name, before[name])
                else:
                    self._app.call(_CORE + "unset", "-nocomplain", name)

    def holds(self, command: str, *words: str) -> bool:
        """Whether a command of Tcl says that it is so."""
        with contextlib.suppress(NativeError):
            return bool(self._app.getboolean(self._app.call(_CORE + command, *words)))
        return False

    # -- commands ----------------------------------------------------------------------

    def commands(self, prefix: str) -> list[str]:
        """The commands that begin so, those of namespaces by their full names."""
        found = self._below("commands", prefix)
        found += self.ask("array", "names", "::auto_index", _beginning(prefix))
        return [name for name in found if prefix or not name.startswith(("_", "tcl"))]

    def namespaces(self, prefix: str) -> list[str]:
        """The namespaces that begin like this, each with the colons behind it."""
        head = prefix.rpartition("::")[0]
        names = self.ask("namespace", "children", head or "::", _beginning(prefix.rpartition("::")[2]))
        wants_ours = prefix.lstrip(":").startswith(_OURS)
        return [f"{_like(name, prefix)}::" for name in names if wants_ours or name != f"::{_OURS}"]

    def resolved(self, word: str) -> str:
        """The command that a first word names, which may stand in a variable."""
        found = _REFERENCE.fullmatch(word)
        if found:
            with contextlib.suppress(NativeError):
                return str(self._app.call(_CORE + "set", found[1] or found[2]))
        return word

    def is_command(self, name: str) -> bool:
        """Whether there is a command of this name."""
        return bool(self.ask("namespace", "which", "-command", name))

    def is_of_tcl(self, name: str) -> bool:
        """Whether the command of this name is one that was written in C."""
        return self.is_command(name) and not self._below("procs", name)

    def kind(self, command: str) -> str:
        """The kind of Kafka object that a command is, empty if it is none."""
        if self.is_command(command):
            with contextlib.suppress(NativeError):  # the package is not loaded
                return str(self._app.call("::kafkatcl::KindOf", command))
        return ""

    def objects(self, kind: str) -> list[str]:
        """The commands of the Kafka objects of a kind."""
        names = self.ask("array", "get", "::kafkatcl::commandOf")[1::2]
        return [name.lstrip(":") for name in names if self.kind(name) == kind]

    def subcommands(self, command: str) -> list[str]:
        """The subcommands of an ensemble, or the methods of an object of TclOO."""
        if self.holds("namespace", "ensemble", "exists", command):
            settings = self.ask("namespace", "ensemble", "configure", command)
            options = dict(zip(settings[::2], settings[1::2]))
            named = self.ask("list", *self._app.splitlist(options["-subcommands"]))
            mapped = self._app.splitlist(options["-map"])[::2]
            return named or [str(name) for name in mapped] or self._exported(options["-namespace"])
        if self.holds("info", "object", "isa", "object", command):
            return self.ask("info", "object", "methods", command, "-all")
        return []

    def _exported(self, namespace: str) -> list[str]:
        patterns = self.ask("namespace", "eval", namespace, f"{_CORE}namespace export")
        names = [self.ask("info", "commands", f"{namespace}::{pattern}") for pattern in patterns]
        return [name.rpartition("::")[2] for found in names for name in found]

    # -- variables ---------------------------------------------------------------------

    def variables(self, prefix: str) -> list[str]:
        """The variables that begin so, those of namespaces by their full names."""
        return self._below("vars", prefix)

    def is_array(self, variable: str) -> bool:
        """Whether a variable is an array."""
        return self.holds("array", "exists", variable)

    def elements(self, array: str, prefix: str) -> list[str]:
        """The elements of an array that begin like this."""
        return self.ask("array", "names", array, _beginning(prefix))

    def _below(self, what: str, prefix: str) -> list[str]:
        head, colons, tail = prefix.rpartition("::")
        names = self.ask("info", what, f"{head}{colons}{_beginning(tail)}")
        return [_like(name, prefix) for name in names]


def _beginning(prefix: str) -> str:
    """The pattern of what begins like this."""
    return _PATTERN.sub(lambda found: "\\" + found.group(), prefix) + "*"


def _like(name: str, prefix: str) -> str:
    """A full name as it is typed: with leading colons if these were."""
    return f"::{name.lstrip(':')}" if prefix.startswith("::") else name.lstrip(":") or name
