"""Tcl's script cancellation from any thread: what tkinter leaves out."""

from __future__ import annotations

import ctypes
from typing import Any

from kafkatcl.bridge.inprocess import LIBRARY

_UNWIND = 0x100000  # TCL_CANCEL_UNWIND


class Cancellation:
    """Cancels the scripts of the interpreter ``app`` and of its children.

    Tcl looks for a cancellation between two commands, and when it waits for an event.
    """

    def __init__(self, app: Any) -> None:
        # Tcl's functions are found through the module that is linked with it, so there
        # is no second Tcl.
        library = ctypes.CDLL(LIBRARY)
        self._cancel = library.Tcl_CancelEval
        self._cancel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        self._new_string = library.Tcl_NewStringObj
        self._new_string.argtypes = [ctypes.c_char_p, ctypes.c_int]
        self._new_string.restype = ctypes.c_void_p
        self._interp = app.interpaddr()

    def cancel(self, message: str, *, unwind: bool) -> None:
        """Have it fail with ``message``, which scripts can catch,
        unless it is to ``unwind``; in any thread.
        """
        text = message.encode()
        self._cancel(self._interp, self._new_string(text, len(text)), None, _UNWIND if unwind else 0)
