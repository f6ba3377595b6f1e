"""How a function becomes a command that never raises:
what the Tcl side gets is an answer.

A Python exception must never cross into Tcl: the script's ``catch`` would see an empty
message, and tkinter would raise the exception again from a later ``mainloop()``.  So a
guarded function answers with a tuple that a Tcl procedure turns into a result or a true
Tcl error.

==========================  ==========================================
the function                the tuple
==========================  ==========================================
returns None                ``()``
returns a value             ``(0, value)``
raises ``Failure`` or else  ``(1, message, errorcode words)``
==========================  ==========================================

A failure with an ``errorinfo`` has that as a fourth element: the text errorInfo begins
with.  An exception that is no Failure is a fault of ours; nothing of its text is told
(see ``engine/faults.py``).
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from kafkatcl.bridge.texts import echoed
from kafkatcl.engine.faults import fault
from kafkatcl.errors import Failure

Function = Callable[..., Any]

_TOO_DEEP = (1, "too many nested evaluations (infinite loop?)", ("TCL", "LIMIT", "STACK"))


def guarded(function: Function) -> Function:
    """``function`` as a command that answers with a tuple and never raises."""

    @functools.wraps(function)
    def guard(*args: str) -> tuple[Any, ...]:
        try:
            value = function(*args)
        except Failure as failure:
            code = tuple(map(echoed, failure.errorcode))
            return (1, echoed(failure.message), code, getattr(failure, "errorinfo", ""))
        except RecursionError:  # there may be no room to call anything
            return _TOO_DEEP
        except KeyboardInterrupt:
            return (1, "interrupted", ("KAFKA", "INTERRUPTED"))
        except BaseException as error:  # an exception that crossed into Tcl would poison the interpreter
            name = getattr(function, "__name__", "a primitive")
            return (1, echoed(fault(name, error)), ("KAFKA", "INTERNAL", name))
        return () if value is None else (0, value)

    return guard
