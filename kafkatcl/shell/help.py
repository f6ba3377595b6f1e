"""The word ``help`` at the prompt, as long as a script has no command of that name."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from typing import Any

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.asking import Asking
from kafkatcl.shell.properties import properties
from kafkatcl.shell.reference import Reference, called

_COLUMNS = 79
_FIRST = ("kafka", "master")  # what all others are made by
_MORE = """\
help NAME tells how a subcommand, a procedure, an object, or a property is
used.  Tab completes, Up and Ctrl-R find earlier commands, Ctrl-C interrupts,
Ctrl-D leaves."""


class Help:
    """Answers ``help`` and ``help NAME``."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._tcl = Asking(app)
        self._reference = Reference()

    def answer(self, words: list[str]) -> str | None:
        """The answer to ``help WORDS``; None if the script has a command ``help``."""
        if self._is_known():
            return None
        # Topics of both kinds have subcommands in common.
        lines = list(dict.fromkeys(self._about(words[-1], words[:-1]) if words else self._all()))
        return "\n".join(lines) or f'there is no help for "{words[-1]}": "help" alone lists what there is'

    def _is_known(self) -> bool:
        if self._tcl.is_command("help"):
            return True
        with self._tcl.unnoticed(), contextlib.suppress(NativeError):
            return bool(self._app.getboolean(self._app.call("::auto_load", "help")))
        return False

    def _all(self) -> Iterator[str]:
        """All that there is, by what it is a part of."""
        parts: dict[str, list[str]] = {}
        kinds = self._reference.kinds()
        for kind in sorted(kinds, key=lambda kind: (kind not in _FIRST, kind)):
            names = parts.setdefault(called(kind), [])
            names += [name for name in kinds[kind] if name not in names]
        width = max(map(len, parts)) + 2
        for name, names in [*parts.items(), ("procedures", self._reference.procedures())]:
            head = name.ljust(width)
            yield textwrap.fill(" ".join(names), _COLUMNS, initial_indent=head, subsequent_indent=" " * width)
        yield _MORE

    def _about(self, name: str, of: list[str]) -> Iterator[str]:
        """How a name is used.

        :param of: the kind of objects that was named in front of it, or nothing.
        """
        for kind, subcommands in self._reference.kinds().items():
            if name in (kind, called(kind)) and not of:
                yield from self._rows(kind, subcommands, called(kind))
            elif name in subcommands and of in ([], [called(kind)]):
                yield from self._rows(kind, [name], called(kind))
        if name in self._reference.procedures():
            yield from (self._reference.usage(name), f"    {self._reference.about('easy', name)}")
        if kind := self._tcl.kind(name):
            yield from self._rows(kind, self._reference.subcommands(kind), name)
        for each in properties():
            if each.name == name:
                allowed = f"{each.range or 'text'}{f', default {each.default}' if each.default else ''}"
                yield textwrap.fill(f"{name}: {allowed}", _COLUMNS)
                yield textwrap.fill(each.description, _COLUMNS)

    def _rows(self, kind: str, subcommands: list[str], name: str) -> Iterator[str]:
        for subcommand in subcommands:
            yield from (f"{name} {usage}" for usage in self._reference.usages(kind, subcommand))
            yield f"    {self._reference.about(kind, subcommand)}"
