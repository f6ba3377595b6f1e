"""Waits in the event loop of an interpreter that serve Ctrl-C and keep a time limit."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Callable

from kafkatcl.hosting.values import to_tcl

#: Python runs the handlers of signals between two of its instructions, and Tcl waits
#: for events in C: a timer gives Python a chance this often, in ms.
#: https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers
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
    Stop
}
# Have no further callback of kafka run in the present event.
proc ::kafkatcl::host::Stop {} {
    namespace eval ::kafkatcl::waits {
        variable stop 1
    }
}
"""


@contextlib.contextmanager
def ticking(interp: Any) -> Iterator[None]:
    """While the block waits for events: have one come every 200 ms at least."""
    timer = f"::kafkatcl::host::timer{next(_numbers)}"
    interp.tk.eval(_SUPPORT)
    interp.tk.call("::kafkatcl::host::Tick", timer, _TICK_MS)
    try:
        yield
    finally:
        interp.tk.call("after", "cancel", interp.tk.call("set", timer))
        interp.tk.call("unset", timer)


def stop_callbacks(interp: Any) -> None:
    """Have the present event end soon: no further callback of kafka runs in it."""
    interp.tk.eval(_SUPPORT)
    interp.tk.call("::kafkatcl::host::Stop")


def wait_for_variable(interp: Any, name: str, seconds: float | None, stopped: Callable[[], bool]) -> bool:
    """Handle events until the global variable ``name`` is written or unset.

    :param seconds: how long at most; None: no limit.
    :param stopped: says that the wait is to end; asked after each event.
    :returns: whether the variable was written or unset.
    """
    state = f"::kafkatcl::host::waiting{next(_numbers)}"
    trace = (to_tcl(name), ("write", "unset"), ("::kafkatcl::host::Written", state))
    interp.tk.eval(_SUPPORT)
    interp.tk.call("trace", "add", "variable", *trace)
    interp.tk.call("set", state, "")
    limit = "" if seconds is None else interp.tk.call("after", int(seconds * 1000), ("set", state, "late"))
    try:
        with ticking(interp):
            while not interp.tk.call("set", state) and not stopped():
                interp.tk.dooneevent(0)
        return str(interp.tk.call("set", state)) == "written"
    finally:
        interp.tk.call("after", "cancel", limit)
        interp.tk.call("trace", "remove", "variable", *trace)
        interp.tk.call("unset", state)
