"""The event loop of an interpreter, run from Python, so that Ctrl-C and time limits end a wait."""

from __future__ import annotations

import itertools
from typing import Any, Callable

#: Tcl waits for events deaf to signals: a timer gives Python the chance to handle them, this often in ms.
_TICK_MS = 200

_numbers = itertools.count(1)

_SUPPORT = """
namespace eval ::kafkatcl {}
proc ::kafkatcl::Tick {name ms} {
    set $name [after $ms [list ::kafkatcl::Tick $name $ms]]
}
# The trace on a variable that is waited for.
proc ::kafkatcl::Written {state args} {
    set $state written
}
"""


def run_events(app: Any, done: Callable[[], bool]) -> None:
    """Handle events until ``done()``, which is asked after each event and at least every 200 ms."""
    timer = f"::kafkatcl::timer{next(_numbers)}"
    app.eval(_SUPPORT)
    app.call("::kafkatcl::Tick", timer, _TICK_MS)
    try:
        while not done():
            app.dooneevent(0)
    finally:
        app.call("after", "cancel", app.call("set", timer))
        app.call("unset", timer)


def wait_for_variable(app: Any, name: str, seconds: float | None, stopped: Callable[[], bool]) -> bool:
    """Handle events until the variable ``name`` is written or unset; give whether it was.

    The wait also ends after ``seconds`` (None: no limit) and once ``stopped()``.
    """
    state = f"::kafkatcl::waiting{next(_numbers)}"
    trace = ("add", "variable", name, ("write", "unset"), ("::kafkatcl::Written", state))
    app.eval(_SUPPORT)
    app.call("set", state, "")
    app.call("trace", *trace)
    limit = "" if seconds is None else app.call("after", int(seconds * 1000), ("set", state, "late"))
    try:
        run_events(app, lambda: bool(app.call("set", state)) or stopped())
        return bool(app.call("set", state) == "written")
    finally:
        app.call("after", "cancel", limit)
        app.call("trace", "remove", *trace[1:])
        app.call("unset", state)
