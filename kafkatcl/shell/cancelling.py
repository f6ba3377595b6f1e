"""Tcl's script cancellation from any thread: what tkinter leaves out."""

from __future__ import annotations

import ctypes
from typing import Any

from kafkatcl.bridge.inprocess import LIBRARY

#: TCL_CANCEL_UNWIND of tcl.h.
_UNWIND = 0x100000


class Cancellation:
    """Cancels the scripts of the interpreter ``app`` and of its children.

    Tcl looks for a cancellation between two commands, and when it waits for an event:
    https://www.tcl-lang.org/man/tcl8.6/TclLib/Cancel.htm
    """

    def __init__(self, app: Any) -> None:
        # The module that is linked with Tcl leads to its functions: no second Tcl is
        # loaded.
        library = ctypes.CDLL(LIBRARY)
        self._cancel = library.Tcl_CancelEval
        self._cancel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        self._new_string = library.Tcl_NewStringObj
        self._new_string.argtypes = [ctypes.c_char_p, ctypes.c_int]
        self._new_string.restype = ctypes.c_void_p
        self._interp = app.interpaddr()

    def cancel(self, message: str, *, unwind: bool) -> None:
        """Cancel the script that runs: it fails with ``message`` (any thread).

        :param unwind: whether the script is kept from catching the error.
        """
        text = message.encode()
        # Tcl frees the message.
        self._cancel(self._interp, self._new_string(text, len(text)), None, _UNWIND if unwind else 0)
