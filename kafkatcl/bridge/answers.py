"""How a function becomes a command that never raises: what Tcl gets is an answer.

A Python exception must never cross into Tcl: tkinter leaves the result of the command
empty, so that the script's ``catch`` sees no message, and keeps the exception, which
some later ``mainloop()`` raises (``PythonCmd_Error`` and ``mainloop`` in
https://github.com/python/cpython/blob/v3.11.2/Modules/_tkinter.c#L2198).  So a guarded
function answers with a tuple that a Tcl procedure turns into a result or a true Tcl
error.

==========================  ==========================================
the function                the tuple
==========================  ==========================================
returns None                ``()``
returns a value             ``(0, value)``
raises ``Failure`` or else  ``(1, message, errorcode words)``
==========================  ==========================================

A failure has a fourth element, the text that errorInfo begins with; most have an empty
one.  An exception that is no Failure is a fault of ours; nothing of its text is told
(see ``engine/faults.py``).
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from kafkatcl.bridge.texts import echoed
from kafkatcl.engine.faults import fault
from kafkatcl.errors import Failure

Function = Callable[..., Any]

#: Tcl's own words: ``TclInterpReady`` in
#: https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclBasic.c#L3926
_TOO_DEEP = (1, "too many nested evaluations (infinite loop?)", ("TCL", "LIMIT", "STACK"))


def guarded(function: Function) -> Function:
    """Wrap ``function`` so that it answers with a tuple and never raises."""

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
        except BaseException as error:  # none may cross into Tcl
            name = getattr(function, "__name__", "a primitive")
            return (1, echoed(fault(name, error)), ("KAFKA", "INTERNAL", name))
        return () if value is None else (0, value)

    return guard
