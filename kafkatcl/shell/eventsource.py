"""Before and after Tcl waits for events: what tkinter leaves out."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Callable

from kafkatcl.bridge.inprocess import LIBRARY

_PROCEDURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)


@contextlib.contextmanager
def around_waits(before: Callable[[], None], after: Callable[[], None]) -> Iterator[None]:
    """While the block runs, have ``before`` and ``after`` called around Tcl's waits.

    Tcl waits when it has served all events.  Neither function may raise, or call Tcl.
    Both are the procedures of an event source:
    https://www.tcl-lang.org/man/tcl8.6/TclLib/Notifier.htm
    """
    library = ctypes.CDLL(LIBRARY)
    procedures = _PROCEDURE(lambda *_: before()), _PROCEDURE(lambda *_: after())
    library.Tcl_CreateEventSource(*procedures, None)
    try:
        yield
    finally:
        library.Tcl_DeleteEventSource(*procedures, None)
