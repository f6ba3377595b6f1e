"""Ctrl-C at the prompt: the command that runs is cancelled, whatever it does.

Where that fails, a line says so.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from kafkatcl.bridge.inprocess import NativeError, evaluate_file, on_time
from kafkatcl.engine.telling import say
from kafkatcl.engine.waiting import interruption
from kafkatcl.errors import Failure
from kafkatcl.shell.cancelling import Cancellation
from kafkatcl.shell.exiting import leaving

READABLE = 1 << 1  #: TCL_READABLE
#: The signal that ends a system call in which the main thread waits.  It has no other
#: effect: by default it is ignored
#: (https://man7.org/linux/man-pages/man7/signal.7.html).
NUDGE = signal.SIGURG

_MESSAGE = "interrupted"
#: How long a try lasts.  In the first one a script may catch the cancellation and put
#: things in order; in later ones, of many cancellations each, it is unwound.
_SECONDS = 0.1
_TIMES = 50
#: Seconds until a line says that the command cannot be interrupted, and a further
#: Ctrl-C ends the process.
_PATIENCE_SECONDS = 1.0
_STUCK = "kafkatclsh: this cannot be interrupted; Ctrl-C once more ends kafkatclsh"
_ENDED = "kafkatclsh: ended by Ctrl-C"


class Interrupt:
    """Interrupts what runs inside :meth:`command` or :meth:`events`.

    The thread that watches signals has Tcl cancel it.  ``NUDGE`` ends the wait in a
    system call, and its handler that in a blocking call of the engine.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._cancellation = Cancellation(app)
        self._changed = threading.Condition()
        self._running = False
        self._grace = 0.0  # seconds that what runs has to end by itself
        self._asked = self._cancelled = self._stuck = False  # how far it has come with interrupting it
        self._insisting = threading.Thread()  # interrupts it
        interruption.is_asked = lambda: self._running and self._cancelled
        evaluate_file(app, os.path.dirname(__file__), "interrupts.tcl")

    @contextlib.contextmanager
    def command(self) -> Iterator[None]:
        """While the block runs a command, interrupt it at once on Ctrl-C.

        :raises NativeError: the command was interrupted, even if it has succeeded.
        """
        self._begin(0.0)
        try:
            yield
        except NativeError:
            if not self._cancelled:
                raise
        finally:
            self.end()
        if self._cancelled:
            raise NativeError(_MESSAGE)

    @contextlib.contextmanager
    def events(self) -> Iterator[None]:
        """While the block waits for events, interrupt a handler that goes on."""
        self.begin_event()
        try:
            yield
        finally:
            self.end()

    def begin_event(self) -> None:
        """Say that an event is served from now on until :meth:`end`.

        On Ctrl-C its handler has a tenth of a second to end, and is interrupted then.
        """
        self._begin(_SECONDS)

    def _begin(self, grace: float) -> None:
        with self._changed:
            self._running, self._grace = True, grace
            self._asked = self._cancelled = self._stuck = False

    def end(self) -> None:
        """Say that nothing that may be interrupted runs any more."""
        if self._has_cancelled():
            self._settle()

    def end_event(self) -> None:
        """Do :meth:`end` where Tcl must not be called: an event does the rest."""
        if self._has_cancelled():
            on_time(self._app, 0, self._settle)

    def _has_cancelled(self) -> bool:
        """Have nobody interrupt any more what ran; whether it was cancelled."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        if not self._asked:
            return False
        self._asked = False
        self._insisting.join()
        return self._cancelled

    def absorb(self) -> bool:
        """Take a SIGINT; whether the process survives it.

        Called in the thread that watches signals.
        """
        if leaving():
            return False
        with self._changed:
            if not self._running:
                return True
            if not self._asked:
                self._asked = True
                self._insisting = threading.Thread(
                    target=self._insist, name="kafkatcl-interrupt", daemon=True
                )
                self._insisting.start()
                return True
            if not self._stuck:
                return True
        say(_ENDED)
        return False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of ``NUDGE``: end the wait of a blocking call."""
        if self._running and self._cancelled and not leaving() and _inside_engine(frame):
            raise Failure(_MESSAGE)

    def _insist(self) -> None:
        """Interrupt what runs until it has ended."""
        with self._changed:
            if self._changed.wait_for(lambda: not self._running, self._grace):
                return
            self._cancelled = True
            began = time.monotonic()
            with _end_of_input():
                self._cancel(unwind=False)
                while self._running and time.monotonic() - began < _PATIENCE_SECONDS:
                    self._cancel(unwind=True)
            if self._running:
                self._stuck = True
                say(_STUCK)
            while self._running:
                self._cancel(unwind=True)

    def _cancel(self, *, unwind: bool) -> None:
        """Cancel what runs, and give it a moment to end."""
        signal.pthread_kill(threading.main_thread().ident or 0, NUDGE)
        # A cancellation that comes while an execution trace runs is lost: one of many
        # comes between two traces.
        for _ in range(_TIMES if unwind else 1):
            self._cancellation.cancel(_MESSAGE, unwind=unwind)
            if self._changed.wait_for(lambda: not self._running, _SECONDS / (_TIMES if unwind else 1)):
                return

    def _settle(self) -> None:
        for _ in range(3):  # the last cancellation may have come after the command had ended
            with contextlib.suppress(NativeError):
                self._app.call("list")
        self._app.call("::kafkatcl::shell::Settle")


@contextlib.contextmanager
def _end_of_input() -> Iterator[None]:
    """While the block runs, have standard input be at its end.

    A read that was only interrupted Tcl begins anew (``FileInputProc`` in
    https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixChan.c#L256).
    """
    try:
        kept, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    except OSError:  # closed, or no descriptor is left
        yield
        return
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def _inside_engine(frame: FrameType | None) -> bool:
    """Whether an exception raised at ``frame`` reaches the guard of a command.

    Outside of a guard it would cross into Tcl.
    """
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("kafkatcl.engine."):
            return True
        if module.startswith("kafkatcl."):
            return False
        frame = frame.f_back
    return False
