"""What Python's module readline leaves out: taking the line off the screen, and drawing it again."""

from __future__ import annotations

import contextlib
import ctypes
import os
import readline

_NEEDED = ("rl_clear_visible_line", "rl_on_new_line", "rl_redisplay")


class Redisplay:
    """Draws the line that readline edits; where the library is another one, which cannot, a new one begins."""

    def __init__(self) -> None:
        # The functions of the library are found through the module that is linked with it.
        self._library = ctypes.CDLL(getattr(readline, "__file__", None))
        self._can = all(hasattr(self._library, name) for name in _NEEDED)

    def hide(self) -> None:
        """See :class:`kafkatcl.shell.screen.Editor`."""
        if self._can:
            self._library.rl_clear_visible_line()
            self._library.rl_on_new_line()
            ctypes.CDLL(None).fflush(None)
        else:
            with contextlib.suppress(OSError):
                os.write(1, b"\n")

    def show(self) -> None:
        """See :class:`kafkatcl.shell.screen.Editor`."""
        if self._can:
            self._library.rl_redisplay()
