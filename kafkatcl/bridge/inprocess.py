"""Tcl in this process: the only module that imports tkinter.

Every function given to the interpreter is guarded (see ``answers.py``).
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any, Callable

from kafkatcl.bridge.answers import Function, guarded

try:
    import _tkinter
    import tkinter
except ImportError:
    raise ImportError(
        f"{sys.executable} has no tkinter: install python3-tk (Debian, Ubuntu), python3-tkinter (Fedora) or python-tk "
        "(Homebrew); a stock tclsh needs none, see `kafkatcl install-tcl`",
        name="tkinter",
    ) from None

#: The Tcl sources of the package.
TCL_LIBRARY = Path(__file__).parent.parent / "tcl"

NativeError = tkinter.TclError
#: The file of the module that is linked with Tcl; None where it is part of Python
#: itself.
LIBRARY: str | None = getattr(_tkinter, "__file__", None)

_numbers = itertools.count(1)
_NO_EVENTS = 1 << 7  # a kind of events that Tcl does not have; to name none would mean all

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


class _Interpreter(tkinter.Tk):
    def readprofile(self, baseName: str, className: str) -> None:  # noqa: N803
        """Run none of the files in the home directory that tkinter would:
        neither tclsh nor wish does.
        """


def new_interp(*, tk: bool = False) -> tkinter.Misc:
    """A Tcl interpreter of our own; with ``tk`` one that has a main window too."""
    return _Interpreter(useTk=tk)


def application(interp: Any) -> Any:
    """The interpreter behind ``interp``:
    a ``tkinter.Tcl()``, a ``Tk()``, any widget, or itself.
    """
    return getattr(interp, "tk", interp)


def define_call(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a Tcl command that answers with a tuple (see ``answers.py``)."""
    application(interp).createcommand(name, guarded(function))


def define_fast_path(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a Tcl command that answers with the value of ``function``,
    which never raises: without a guard.
    """
    application(interp).createcommand(name, function)


def define_list_call(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a bridge call whose last argument is a Tcl list of lists,
    given to ``function`` as typed tuples.

    A str is the string the script sees; numbers and byte arrays are values whose string
    may be another.
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
    """The elements of a list; none if the type of the value is not known to be one."""
    if type(value) is tuple:
        return value
    return tuple(app.splitlist(value)) if type(value) is str else ()


def define_command(interp: Any, name: str, function: Function) -> None:
    """Make ``name`` a Tcl command like any other:
    its result is the value, a failure is a Tcl error.

    Once the command is deleted, by ``rename name {}`` or otherwise, ``function`` is let
    go.
    """
    app = application(interp)
    hidden = f"::kafkatcl::python{next(_numbers)}"
    app.eval((TCL_LIBRARY / "answers.tcl").read_text(encoding="utf-8"))
    app.eval(_FORGET)
    define_call(app, hidden, function)
    app.call("proc", name, "args", f"tailcall ::kafkatcl::Unwrap [{hidden} {{*}}$args]")
    app.call("trace", "add", "command", name, "delete", f"::kafkatcl::Forget {hidden}")


def start_events(interp: Any) -> None:
    """Have Tcl set up its notifier now, which runs no timer, file, or idle callback.

    Tcl would do so at its first wait, and would end the process if there were no
    descriptor below 1024 left then.
    """
    application(interp).dooneevent(_tkinter.DONT_WAIT | _NO_EVENTS)


def on_readable(interp: Any, descriptor: int, function: Callable[[], None]) -> None:
    """Have ``function`` called as an event whenever there is something
    to read from ``descriptor``.
    """
    answer = guarded(function)
    application(interp).createfilehandler(
        descriptor, tkinter.READABLE, lambda _file, _mask: answer() and None
    )


def on_time(interp: Any, ms: int, function: Callable[[], None]) -> Any:
    """Have ``function`` called as an event after ``ms``: by a timer that no script
    sees, for :func:`forget_timer`.
    """
    answer = guarded(function)
    return application(interp).createtimerhandler(ms, lambda: answer() and None)


def forget_timer(timer: Any) -> None:
    """Have the function of a timer not called; nothing happens when it was already."""
    timer.deletetimerhandler()
