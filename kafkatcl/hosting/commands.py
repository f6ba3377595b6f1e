"""Python functions and objects as Tcl commands: what the words of a call mean."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Callable

from kafkatcl.hosting.arguments import Arguments
from kafkatcl.hosting.errors import TclError, bad_option, wrong_arguments
from kafkatcl.hosting.values import KINDS, from_tcl, to_tcl


class FunctionCommand:
    """The command ``name`` that calls the function ``target`` with its words."""

    def __init__(self, interp: Any, name: str, target: Callable[..., Any]) -> None:
        self.name = name
        self.target = target
        self._arguments = Arguments(interp, target)

    def __call__(self, *words: str) -> Any:
        bound = self._arguments.bind(self.name, words)
        return self.target(*bound.args, **bound.kwargs)


class ObjectCommand:
    """The command ``name``: its subcommands are methods and attributes of ``target``.

    Only public ones are, those without a leading underscore.

    A method takes words by position and, for keyword-only parameters and those with a
    default, as ``-name value``; one that returns ``target`` gives the command's name.
    Any other attribute is read with no word, and set with one, which is taken as the
    kind of value that the attribute has.  ``delete`` deletes the command, unless
    ``target`` has a ``delete`` of its own.
    """

    def __init__(self, interp: Any, name: str, target: object) -> None:
        self.name = name
        self.target = target
        self._interp = interp

    def __call__(self, *words: str) -> Any:
        if not words:
            raise wrong_arguments(f"{self.name} subcommand ?args?")
        subcommand, rest = words[0], words[1:]
        names = [name for name in dir(self.target) if not name.startswith("_")]
        if subcommand not in names:
            if subcommand == "delete":
                return self._delete(rest)
            raise bad_option(subcommand, sorted({*names, "delete"}))
        member = getattr(self.target, subcommand)
        if callable(member):
            return self._call(subcommand, member, rest)
        if not rest:
            return member
        return self._set(subcommand, member, rest)

    def _call(self, subcommand: str, method: Callable[..., Any], words: Sequence[str]) -> Any:
        arguments = Arguments(self._interp, method, defaults_are_options=True)
        bound = arguments.bind(f"{self.name} {subcommand}", words)
        result = method(*bound.args, **bound.kwargs)
        return self.name if result is self.target else result

    def _set(self, name: str, value: Any, words: Sequence[str]) -> Any:
        if len(words) > 1:
            raise wrong_arguments(f"{self.name} {name} ?value?")
        declared = inspect.getattr_static(type(self.target), name, None)
        if isinstance(declared, property) and declared.fset is None:
            raise TclError(f'can\'t set "{name}": it is read-only', ("TCL", "WRITE", "READONLY"))
        kind = type(value) if type(value) in KINDS else str
        setattr(self.target, name, from_tcl(self._interp, words[0], kind))
        return getattr(self.target, name)

    def _delete(self, words: Sequence[str]) -> None:
        if words:
            raise wrong_arguments(f"{self.name} delete")
        self._interp.tk.call("rename", to_tcl(self.name), "")
