"""The command line of ``kafkatclsh``: options of our own, then those of ``tclsh``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HELP = """\
usage: kafkatclsh [--embedded] [-encoding NAME] [SCRIPT [ARGUMENT ...]]
       kafkatclsh --help | --version

A tclsh that has the package kafka. Without SCRIPT it reads commands from standard input; on a terminal with
line editing, history and a prompt at which callbacks go on (Ctrl-C interrupts a command, twice ends, Ctrl-D leaves).

  --embedded  give the process a Kafka of its own, in memory, whatever brokers the script names
              (the same as KAFKATCL_EMBEDDED=1 in the environment)
  --help      show this text
  --version   show the versions of kafkatcl and Tcl

Options count only before SCRIPT; all that follows it is the script's.
"""


_OURS = ("--embedded", "--help", "--version")
_SLIPS = {"-h": "--help", "-V": "--version", **{option[1:]: option for option in _OURS}}


class UnknownOptionError(ValueError):
    """A word that looks like an option of ours and is none."""


class Options(NamedTuple):
    """What the command line asks for.

    ``script`` is None when commands come from standard input.
    """

    action: str = "run"  # or "help", "version"
    embedded: bool = False
    encoding: str | None = None
    script: str | None = None
    arguments: tuple[str, ...] = ()


def parse(words: Sequence[str]) -> Options:
    """Read the words after the program's name.

    Behind our options, they are read as ``tclsh`` does: ``Tcl_MainEx`` in
    https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclMain.c#L319

    :raises UnknownOptionError: the first of them begins with two dashes and is none of
        ours, or has one of two.
    """
    embedded = False
    while words and words[0] in _OURS:
        if words[0] != "--embedded":
            return Options(action=words[0][2:])
        embedded = True
        words = words[1:]
    if words and (words[0] in _SLIPS or (words[0].startswith("--") and words[0] != "--")):
        raise UnknownOptionError(_unknown(words[0]))
    if len(words) > 2 and words[0] == "-encoding" and not words[2].startswith("-"):
        return Options(embedded=embedded, encoding=words[1], script=words[2], arguments=tuple(words[3:]))
    if words and not words[0].startswith("-"):
        return Options(embedded=embedded, script=words[0], arguments=tuple(words[1:]))
    return Options(embedded=embedded, arguments=tuple(words))


def _unknown(word: str) -> str:
    import difflib  # noqa: PLC0415 - it takes its time, and only a slip needs it

    close = [_SLIPS[word]] if word in _SLIPS else difflib.get_close_matches(word, _OURS, 1)
    hint = (
        f"did you mean {close[0]}?" if close else "see kafkatclsh --help; a script's options come behind it"
    )
    return f"unknown option {word}: {hint}"
