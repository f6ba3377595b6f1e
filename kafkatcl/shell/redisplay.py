"""Taking readline's line off the screen, and drawing it again.

Python's module readline leaves this out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import readline

from kafkatcl.shell.above import can_move_cursor

_NEEDED = ("rl_clear_visible_line", "rl_on_new_line", "rl_redisplay")


class Redisplay:
    """Draws the line that readline edits.

    On a terminal that cannot erase it, it is left there and drawn again on a new one.
    Another library under the name of readline draws it with the next key.
    """

    def __init__(self) -> None:
        # The module that is linked with the library leads to its functions.
        self._library = ctypes.CDLL(getattr(readline, "__file__", None))
        self._can = all(hasattr(self._library, name) for name in _NEEDED)
        self._is_hidden = False

    def hide(self) -> None:
        """See :class:`kafkatcl.shell.screen.Editor`."""
        if self._can and can_move_cursor():
            self._library.rl_clear_visible_line()
            ctypes.CDLL(None).fflush(None)
        elif not self._is_hidden:
            with contextlib.suppress(OSError):
                os.write(1, b"\n")
        if self._can:
            self._library.rl_on_new_line()
        self._is_hidden = True

    def show(self) -> None:
        """See :class:`kafkatcl.shell.screen.Editor`."""
        self._is_hidden = False
        if self._can:
            self._library.rl_redisplay()
