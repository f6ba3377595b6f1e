"""Tcl errors as Python exceptions, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.engine.hints import listed
from kafkatcl.errors import Failure


class UndeliveredWarning(RuntimeWarning):
    """Messages that an interpreter had produced were not delivered."""


class TclError(NativeError):
    """An error of a Tcl script; a Python command raises it to fail with a Tcl error.

    Code that catches ``tkinter.TclError`` catches this one, too.

    :param message: the result.
    :param errorcode: the words of errorCode.
    :param errorinfo: the text of errorInfo; empty: Tcl makes it.
    :param code: Tcl's completion code: 1, or another for a script that ended by
        ``break`` and the like.
    """

    def __init__(
        self, message: str, errorcode: Iterable[str] = ("NONE",), errorinfo: str = "", code: int = 1
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errorcode = (errorcode,) if isinstance(errorcode, str) else tuple(map(str, errorcode))
        self.errorinfo = errorinfo
        self.code = code


class CommandFailure(Failure):
    """A failure of a Python command, with the text that errorInfo is to begin with."""

    def __init__(self, message: str, errorcode: tuple[str, ...], errorinfo: str) -> None:
        super().__init__(message, errorcode)
        self.errorinfo = errorinfo


def wrong_arguments(usage: str) -> TclError:
    """The error for a wrong number of words, in Tcl's form."""
    return TclError(f'wrong # args: should be "{usage}"', ("TCL", "WRONGARGS"))


def bad_option(word: str, known: Sequence[str]) -> TclError:
    """The error for a word that is none of ``known``, in Tcl's form.

    See https://www.tcl-lang.org/man/tcl8.6/TclLib/GetIndex.htm
    """
    return TclError(
        f'bad option "{word}": must be {listed(known)}', ("TCL", "LOOKUP", "INDEX", "option", word)
    )
