"""Interpreters with the classes of tkinter in front."""

from __future__ import annotations

import tkinter


class _Interpreter(tkinter.Tk):
    """A tkinter interpreter that runs no files of the user."""

    def readprofile(self, baseName: str, className: str) -> None:  # noqa: N803
        """Run none of the files in the home directory that tkinter would run.

        Neither tclsh nor wish does so; see
        https://github.com/python/cpython/blob/v3.11.2/Lib/tkinter/__init__.py#L2374
        """


def new_interp(*, tk: bool = False) -> tkinter.Misc:
    """Make a Tcl interpreter of our own; with ``tk`` it has a main window too.

    :raises NativeError: there is no display for the window.
    """
    return _Interpreter(useTk=tk)
