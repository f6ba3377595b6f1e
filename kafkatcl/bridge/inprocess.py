"""Tcl in this process, by the part of tkinter that is written in C.

Every function given to the interpreter is guarded (see ``answers.py``).
"""

from __future__ import annotations

import itertools
import os
import sys
from typing import Any, Callable

from kafkatcl.bridge.answers import Function, guarded

try:
    import _tkinter
except ImportError:
    raise ImportError(
        f"{sys.executable} has no tkinter: install python3-tk (Debian, Ubuntu), python3-tkinter (Fedora) or python-tk "
        "(Homebrew); a stock tclsh needs none, see `kafkatcl install-tcl`",
        name="tkinter",
    ) from None

#: The Tcl sources of the package.
TCL_LIBRARY = os.path.join(os.path.dirname(os.path.dirname(__file__)), "tcl")

NativeError = _tkinter.TclError
#: The file of the module that is linked with Tcl; None where it is part of Python
#: itself.
LIBRARY: str | None = getattr(_tkinter, "__file__", None)

_numbers = itertools.count(1)
#: A kind of events that Tcl does not have; to name none would mean all:
#: https://www.tcl-lang.org/man/tcl8.6/TclLib/DoOneEvent.htm
_NO_EVENTS = 1 << 7

_FORGET = r"""
# The trace on a command that was deleted: what serves it goes too.
proc ::kafkatcl::Forget {command args} {
    rename $command {}
}
"""

_WITH_LIST = r"""
# Call a command with its last argument, a list, in a variable: from there tkinter gets it without making it a string.
proc ::kafkatcl::WithList {command args} {
    set ::kafkatcl::bridge::list [lindex $args end]
    set answer [$command {*}[lrange $args 0 end-1]]
    set ::kafkatcl::bridge::list {}
    return $answer
}
"""


def new_application() -> Any:
    """Make a Tcl interpreter of our own, as ``tkinter.Tcl()`` has one inside: without
    the classes of tkinter, which take their time to import.

    ``Tk.__init__`` in
    https://github.com/python/cpython/blob/v3.11.2/Lib/tkinter/__init__.py#L2265
    """
    return _tkinter.create(None, "", "Tk", False, True, False)


def application(interp: Any) -> Any:
    """The interpreter behind a ``tkinter.Tcl()``, a ``Tk()``, a widget, or itself."""
    return getattr(interp, "tk", interp)


def evaluate_file(interp: Any, folder: str, name: str) -> None:
    """Evaluate a file of ours; unlike ``source``, Tcl is not told which."""
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        application(interp).eval(file.read())


def define_call(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a Tcl command that answers with a tuple (see ``answers.py``).

    ``function`` gets the words of the command as str.
    """
    application(interp).createcommand(name, guarded(function))


def define_fast_path(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a Tcl command that answers with the value of ``function`` itself.

    There is no guard around ``function``, which must never raise.
    """
    application(interp).createcommand(name, function)


def define_list_call(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a bridge call whose last argument is a Tcl list of lists.

    ``function`` gets the list as a tuple of tuples, ``()`` where it is none.  An
    element that is a str is the string that the script sees.  Any other came from a
    typed value of Tcl (int, float, bytes), whose string may be another: ``FromObj`` in
    https://github.com/python/cpython/blob/v3.11.2/Modules/_tkinter.c
    """
    app = application(interp)

    def typed(*args: str) -> Any:
        try:
            rows = _elements(app, app.globalgetvar("::kafkatcl::bridge::list"))
            lists = tuple([row if type(row) is tuple else _elements(app, row) for row in rows])
        except (NativeError, TypeError, ValueError):  # no list of lists, or a NUL in one that is a string
            lists = ()
        return function(*args, lists)

    define_call(app, f"{name}_typed", typed)
    app.eval(_WITH_LIST)
    app.call("proc", name, "args", f"::kafkatcl::WithList {name}_typed {{*}}$args")


def _elements(app: Any, value: Any) -> tuple[Any, ...]:
    """The elements of a list or a dict; none if the value's type is not known to be
    either.
    """
    if type(value) is tuple:
        return value
    if type(value) is str or getattr(value, "typename", "") == "dict":
        return tuple(app.splitlist(value))
    return ()


def define_command(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a Tcl command like any other: a failure is a Tcl error.

    Once the command is deleted, by ``rename name {}`` or otherwise, ``function`` is let
    go.

    :param function: gets the words as str; returns a value that tkinter can pass.
    """
    app = application(interp)
    hidden = f"::kafkatcl::python{next(_numbers)}"
    evaluate_file(app, TCL_LIBRARY, "answers.tcl")
    app.eval(_FORGET)
    define_call(app, hidden, function)
    app.call("proc", name, "args", f"tailcall ::kafkatcl::Unwrap [{hidden} {{*}}$args]")
    app.call("trace", "add", "command", name, "delete", f"::kafkatcl::Forget {hidden}")


def start_events(interp: Any) -> None:
    """Have Tcl set up its notifier now; no timer, file, or idle callback runs.

    Tcl would do so at its first wait, and end the process if the pipe that it makes
    then cannot be had.  A descriptor from 1024 on is no better: select() cannot take
    one (``NotifierThreadProc`` in
    https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixNotfy.c#L1161).
    """
    application(interp).dooneevent(_tkinter.DONT_WAIT | _NO_EVENTS)


def on_readable(interp: Any, descriptor: int, function: Callable[[], None]) -> None:
    """Have ``function`` called as an event whenever a descriptor can be read.

    A Failure of ``function`` is dropped, as nobody gets the answer; any other exception
    is logged as a fault.
    """
    answer = guarded(function)
    application(interp).createfilehandler(
        descriptor, _tkinter.READABLE, lambda _file, _mask: answer() and None
    )


def on_time(interp: Any, ms: int, function: Callable[[], None]) -> Any:
    """Have ``function`` called as an event after ``ms``; no script sees the timer.

    :returns: the timer, for :func:`forget_timer`.
    """
    answer = guarded(function)
    return application(interp).createtimerhandler(ms, lambda: answer() and None)


def forget_timer(timer: Any) -> None:
    """Have the function of a timer not called; one that was called is let be."""
    timer.deletetimerhandler()
