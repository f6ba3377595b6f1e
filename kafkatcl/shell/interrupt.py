"""Ctrl-C while a command of the prompt runs: the first unwinds the command, a second one ends the process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import FrameType
from typing import Any

from kafkatcl.bridge.answers import guarded
from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.engine.errors import Failure
from kafkatcl.shell.exiting import leaving

READABLE = 1 << 1  #: TCL_READABLE


class Interrupt:
    """Interrupts the command that runs inside :meth:`command`.

    Two things can be interrupted: Tcl's event loop, which is woken by a pipe so that Python's handler gets to run,
    and the blocking calls of the engine.  A command that does neither goes on until the second Ctrl-C.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._running = False
        self._asked = False
        reader, self._writer = os.pipe()
        os.set_blocking(reader, False)  # Tcl may report an event that nothing has come for
        app.createfilehandler(reader, READABLE, guarded(lambda *_: os.read(reader, 1)))

    @contextlib.contextmanager
    def command(self) -> Iterator[None]:
        """What runs inside can be interrupted."""
        self._asked, self._running = False, True
        try:
            yield
        finally:
            self._running = False
            if self._asked:
                self._settle()

    def absorb(self) -> bool:
        """Whether the process survives this SIGINT; called in the thread that watches signals."""
        if leaving():
            return False
        if not self._running:
            return True
        if self._asked:
            return False
        self._asked = True
        os.write(self._writer, b"!")
        return True

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of SIGINT: unwind the command, and end the wait of a blocking call."""
        if not self._running or leaving():
            return
        with contextlib.suppress(NativeError):  # the cancellation reaches its own command already
            self._app.call("::kafkatcl::shell::Cancel")
        if _inside_engine(frame):
            raise Failure("interrupted")

    def _settle(self) -> None:
        with contextlib.suppress(NativeError):  # takes the cancellation, if the command ended before it did
            self._app.call("list")
        self._app.call("::kafkatcl::shell::Resume")


def _inside_engine(frame: FrameType | None) -> bool:
    """Whether an exception raised at ``frame`` reaches the guard of a command; outside it would cross into Tcl."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("kafkatcl.engine."):
            return True
        if module.startswith("kafkatcl."):
            return False
        frame = frame.f_back
    return False
