"""Waits in the event loop of an interpreter that serve Ctrl-C and keep a time limit."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Callable

from kafkatcl.values import to_tcl

#: Tcl waits for events deaf to signals: a timer gives Python the chance to handle them, this often in ms.
_TICK_MS = 200

_numbers = itertools.count(1)

_SUPPORT = """
namespace eval ::kafkatcl::host {}
proc ::kafkatcl::host::Tick {timer ms} {
    set $timer [after $ms [list ::kafkatcl::host::Tick $timer $ms]]
}
# The trace on a variable that is waited for.
proc ::kafkatcl::host::Written {state args} {
    set $state written
}
"""


@contextlib.contextmanager
def ticking(app: Any) -> Iterator[None]:
    """Around waiting for events: there is one at least every 200 ms."""
    timer = f"::kafkatcl::host::timer{next(_numbers)}"
    app.eval(_SUPPORT)
    app.call("::kafkatcl::host::Tick", timer, _TICK_MS)
    try:
        yield
    finally:
        app.call("after", "cancel", app.call("set", timer))
        app.call("unset", timer)


def wait_for_variable(app: Any, name: str, seconds: float | None, stopped: Callable[[], bool]) -> bool:
    """Handle events until the variable ``name`` is written or unset; give whether it was.

    The wait also ends after ``seconds`` (None: no limit) and once ``stopped()``.
    """
    state = f"::kafkatcl::host::waiting{next(_numbers)}"
    trace = (to_tcl(name), ("write", "unset"), ("::kafkatcl::host::Written", state))
    app.eval(_SUPPORT)
    app.call("trace", "add", "variable", *trace)
    app.call("set", state, "")
    limit = "" if seconds is None else app.call("after", int(seconds * 1000), ("set", state, "late"))
    try:
        with ticking(app):
            while not app.call("set", state) and not stopped():
                app.dooneevent(0)
        return bool(app.call("set", state) == "written")
    finally:
        app.call("after", "cancel", limit)
        app.call("trace", "remove", "variable", *trace)
        app.call("unset", state)
