"""The choice between the line editors, and the settings of the terminal."""

from __future__ import annotations

import contextlib
import os
import termios
from typing import Any

from kafkatcl.engine.shutdown import at_shutdown
from kafkatcl.shell.above import can_move_cursor
from kafkatcl.shell.interrupt import Interrupt
from kafkatcl.shell.readers import PlainReader, Reader
from kafkatcl.shell.signals import SignalWatch

_END_BRACKETED_PASTE = b"\x1b[?2004l"


def terminal_reader(app: Any, watch: SignalWatch, interrupt: Interrupt) -> Reader:
    """The best reader there is for commands typed on a terminal: prompt_toolkit, readline, or none of them.

    A terminal that cannot move its cursor is none for prompt_toolkit.
    """
    if not os.isatty(1):
        return PlainReader(app)
    _restore_at_shutdown()
    if can_move_cursor():
        with contextlib.suppress(ImportError):
            from kafkatcl.shell.toolkit import ToolkitReader  # noqa: PLC0415

            return ToolkitReader(app, watch)
    with contextlib.suppress(ImportError):
        from kafkatcl.shell.lines import ReadlineReader  # noqa: PLC0415

        return ReadlineReader(app, interrupt)
    return PlainReader(app)


def let_ctrl_c_signal() -> None:
    """Have Ctrl-C be a signal, and no other key, on a terminal that gives all of them as characters."""
    with contextlib.suppress(termios.error):  # the terminal has gone away
        settings = termios.tcgetattr(0)
        if not settings[3] & termios.ISIG:
            settings[3] |= termios.ISIG
            for key in (termios.VQUIT, termios.VSUSP):
                settings[6][key] = bytes([os.fpathconf(0, "PC_VDISABLE")])
            termios.tcsetattr(0, termios.TCSANOW, settings)


def _restore_at_shutdown() -> None:
    """Leave the terminal as it is now, even if the end comes from a callback while a command is edited."""
    settings = termios.tcgetattr(0)

    def restore() -> None:
        with contextlib.suppress(OSError, termios.error):
            if termios.tcgetattr(0) != settings:
                os.write(1, _END_BRACKETED_PASTE + b"\r\n")
                termios.tcsetattr(0, termios.TCSADRAIN, settings)

    at_shutdown(restore)
