"""What both line editors share: the choice between them, the history's files, and the terminal's settings."""

from __future__ import annotations

import contextlib
import os
import termios
from pathlib import Path
from typing import Any

from kafkatcl.engine.shutdown import at_shutdown
from kafkatcl.shell.interrupt import Interrupt
from kafkatcl.shell.readers import PlainReader, Reader
from kafkatcl.shell.signals import SignalWatch

_END_BRACKETED_PASTE = b"\x1b[?2004l"


def terminal_reader(app: Any, watch: SignalWatch, interrupt: Interrupt) -> Reader:
    """The best reader there is for commands typed on a terminal: prompt_toolkit, readline, or none of them."""
    if not os.isatty(1):
        return PlainReader(app)
    _restore_at_shutdown()
    with contextlib.suppress(ImportError):
        from kafkatcl.shell.toolkit import ToolkitReader  # noqa: PLC0415

        return ToolkitReader(app, watch)
    with contextlib.suppress(ImportError):
        from kafkatcl.shell.lines import ReadlineReader  # noqa: PLC0415

        return ReadlineReader(app, interrupt)
    return PlainReader(app)


def history_file(name: str) -> Path | None:
    """The file ``name`` for a history, readable by its owner only; None if it cannot be written."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = Path(state, "kafkatcl", name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError:
        return None
    return path


def let_ctrl_c_signal() -> None:
    """Have Ctrl-C be a signal, and no other key, on a terminal that gives all of them as characters."""
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
