"""The words of a Tcl command, fitted to the parameters of a Python function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from inspect import Parameter
from typing import Any, Callable

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.hosting.errors import TclError, bad_option, wrong_arguments
from kafkatcl.hosting.message import Message
from kafkatcl.hosting.values import KINDS, from_tcl

_ANY_WORDS = inspect.Signature([Parameter("args", Parameter.VAR_POSITIONAL)])
_KIND_OF_NAME: dict[str, type] = {
    **{kind.__name__: kind for kind in KINDS},
    "kafkatcl.Message": Message,
    inspect.formatannotation(Message): Message,
}


class Arguments:
    """The parameters of ``function`` as the words of a Tcl command.

    Keyword-only parameters are options, ``-name value``.  With ``defaults_are_options``
    those with a default may be given so too.  Where there are options, a word that
    begins with a dash and is no number names one, and ``--`` ends them.
    """

    def __init__(
        self, interp: Any, function: Callable[..., Any], *, defaults_are_options: bool = False
    ) -> None:
        self._interp = interp
        self._signature = _signature(function)
        self._parameters = self._signature.parameters
        self._kinds = {name: _kinds(parameter.annotation) for name, parameter in self._parameters.items()}
        self._options = [
            p.name
            for p in self._parameters.values()
            if p.kind is p.KEYWORD_ONLY
            or (defaults_are_options and p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty)
        ]
        self._takes_any_option = any(p.kind is p.VAR_KEYWORD for p in self._parameters.values())

    def bind(self, command: str, words: Sequence[str]) -> inspect.BoundArguments:
        """Convert the words of a call to the arguments of the function.

        :param command: the name of the command, for the usage in errors.
        :raises TclError: the number of words is wrong, with the usage; an option is
            unknown or has no value; a word is not of the kind that its parameter asks
            for.
        """
        values, options = self._sorted(words)
        try:
            bound = self._signature.bind(*values, **options)
        except TypeError:
            usage = " ".join([command, *map(self._described, self._parameters.values())])
            raise wrong_arguments(usage) from None
        for name, value in bound.arguments.items():
            bound.arguments[name] = self._converted(self._parameters[name], value)
        return bound

    def _sorted(self, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Part ``words`` into those that go by position and those that go by name."""
        if not (self._options or self._takes_any_option):
            return list(words), {}
        values: list[str] = []
        options: dict[str, str] = {}
        rest = iter(words)
        for word in rest:
            if word == "--":
                values.extend(rest)
            elif self._is_value(word):
                values.append(word)
            elif word[1:] not in self._options and not self._takes_any_option:
                raise bad_option(word, [f"-{name}" for name in self._options])
            else:
                try:
                    options[word[1:]] = next(rest)
                except StopIteration:
                    raise TclError(f'value for "{word}" missing', ("TCL", "ARGUMENT", "MISSING")) from None
        return values, options

    def _is_value(self, word: str) -> bool:
        if not word.startswith("-") or word == "-":
            return True
        return word[1:] not in self._options and _is_number(self._interp, word)

    def _converted(self, parameter: Parameter, value: Any) -> Any:
        kinds = self._kinds[parameter.name]
        if parameter.kind is Parameter.VAR_POSITIONAL:
            return tuple(from_tcl(self._interp, word, *kinds) for word in value)
        if parameter.kind is Parameter.VAR_KEYWORD:
            return {name: from_tcl(self._interp, word, *kinds) for name, word in value.items()}
        return from_tcl(self._interp, value, *kinds)

    def _described(self, parameter: Parameter) -> str:
        if parameter.kind is Parameter.VAR_POSITIONAL:
            return "?arg ...?" if parameter.name == "args" else f"?{parameter.name} ...?"
        if parameter.kind is Parameter.VAR_KEYWORD:
            return "?-option value ...?"
        words = f"-{parameter.name} value" if parameter.name in self._options else parameter.name
        return words if parameter.default is Parameter.empty else f"?{words}?"


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError:  # some functions written in C do not tell
        return _ANY_WORDS


def _kinds(annotation: Any) -> tuple[type, type]:
    """The kind of value that an annotation asks for, and that of its elements.

    ``dict[str, bytes]`` is a dict of bytes.  ``int | None`` and ``Optional[int]`` go by
    type.  The annotation is read as text, since it may name what exists only for type
    checkers.
    """
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"^(typing\.)?Optional\[(.*)\]$", r"\2", text)
    text = re.sub(r"\s*\|\s*None$", "", text)
    found = re.match(r"(?:typing\.)?([\w.]+)(?:\[(.*)\])?$", text)
    if not found:
        return str, str
    elements = re.sub(r",\s*\.\.\.$", "", found[2] or "")
    return _kind_of(found[1]), _kind_of(elements.rpartition(",")[2].strip())


def _kind_of(name: str) -> type:
    return _KIND_OF_NAME.get(name) or _KIND_OF_NAME.get(name.lower(), str)


def _is_number(interp: Any, word: str) -> bool:
    try:
        interp.tk.getdouble(word)
    except (NativeError, ValueError):
        return False
    return True
