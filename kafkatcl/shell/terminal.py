"""The settings of the terminal."""

from __future__ import annotations

import contextlib
import os
import termios

from kafkatcl.engine.shutdown import at_shutdown

_END_BRACKETED_PASTE = b"\x1b[?2004l"


def let_ctrl_c_signal() -> None:
    """Have Ctrl-C be a signal, and no other key.

    This is for a terminal that gives all keys as characters.
    """
    with contextlib.suppress(termios.error):  # the terminal has gone away
        settings = termios.tcgetattr(0)
        if not settings[3] & termios.ISIG:
            settings[3] |= termios.ISIG
            for key in (termios.VQUIT, termios.VSUSP):
                settings[6][key] = bytes([os.fpathconf(0, "PC_VDISABLE")])
            termios.tcsetattr(0, termios.TCSANOW, settings)


def restore_at_shutdown() -> None:
    """Have the end of the program restore the terminal as it is now.

    The end may come from a callback, while a command is edited.
    """
    settings = termios.tcgetattr(0)

    def restore() -> None:
        with contextlib.suppress(OSError, termios.error):
            if termios.tcgetattr(0) != settings:
                os.write(1, _END_BRACKETED_PASTE + b"\r\n")
                termios.tcsetattr(0, termios.TCSADRAIN, settings)

    at_shutdown(restore)
