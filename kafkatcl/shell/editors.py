"""The choice between the line editors."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from kafkatcl.shell.above import can_move_cursor
from kafkatcl.shell.interrupt import Interrupt
from kafkatcl.shell.readers import PlainReader, Reader
from kafkatcl.shell.signals import SignalWatch
from kafkatcl.shell.terminal import restore_at_shutdown


def terminal_reader(app: Any, watch: SignalWatch, interrupt: Interrupt) -> Reader:
    """The best reader that there is for commands typed on a terminal.

    It is that of prompt_toolkit, of readline, or the plain one.

    A terminal that cannot move its cursor is none for prompt_toolkit.
    """
    if not os.isatty(1):
        return PlainReader(app)
    restore_at_shutdown()
    if can_move_cursor():
        with contextlib.suppress(ImportError):
            from kafkatcl.shell.toolkit import ToolkitReader  # noqa: PLC0415

            return ToolkitReader(app, watch)
    with contextlib.suppress(ImportError):
        from kafkatcl.shell.lines import ReadlineReader  # noqa: PLC0415

        return ReadlineReader(app, interrupt)
    return PlainReader(app)
