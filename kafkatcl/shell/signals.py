"""Signals that end the process, also while Tcl runs and Python's handlers wait.

Python runs a handler between two of its instructions, and a script in ``vwait`` or
``while 1 {}`` may never come to one.  But Python's C code writes the number of each
signal to a descriptor at once, and a thread reads it there:
https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from kafkatcl import stacks
from kafkatcl.engine.shutdown import give_up
from kafkatcl.shell.exiting import leave_by_signal, note_signal
from kafkatcl.shell.interrupt import NUDGE, Interrupt

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class SignalWatch:
    """Ends the process on a signal, with status 128 + its number.

    The first signal flushes what is open, the second ends the process at once.

    While messages are waited for, Ctrl-C and any second signal end that wait, and what
    is left is told.  With an ``interrupt``, a SIGINT that interrupts a command does not
    count.
    """

    def __init__(self, interrupt: Interrupt | None = None) -> None:
        self._interrupt = interrupt
        self._lent_to = -1  # who had the descriptor for signals before :meth:`serving`
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._handled = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        self._listen()
        threading.Thread(target=self._watch, name="kafkatcl-signals", daemon=True).start()

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """While the block runs, let asyncio have Python's descriptor for signals.

        Python runs then, and so do its handlers.  ``add_signal_handler`` takes the
        descriptor:
        https://github.com/python/cpython/blob/v3.11.2/Lib/asyncio/unix_events.py#L105
        """
        for number in self._handled:
            if number != signal.SIGINT:
                signal.signal(number, _leave)
        stacks.watched = False
        try:
            yield
        finally:
            self._listen()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """While the block serves Tcl's events, watch signals, though asyncio has them.

        An event may never end.  The signals are passed on to asyncio.
        """
        assert self._interrupt is not None
        self._lent_to = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            with self._interrupt.events():
                yield
        finally:
            signal.set_wakeup_fd(self._lent_to, warn_on_full_buffer=False)
            self._lent_to = -1

    def _listen(self) -> None:
        for number in self._handled:
            signal.signal(number, _nothing)
        if self._interrupt is not None:
            signal.signal(NUDGE, self._interrupt.handle)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        stacks.watched = True

    def _watch(self) -> None:
        ending = False
        while True:
            number = os.read(self._reader, 1)[0]
            self._pass_on(number)
            if number == stacks.SIGNAL:
                stacks.write()
            if number not in ENDING or (number == signal.SIGINT and self._interrupts()):
                continue
            # The end may be under way; it goes on as soon as nothing is waited for.
            note_signal(number)
            if (ending or number == signal.SIGINT) and give_up():
                if ending:
                    continue
            elif ending:
                os._exit(128 + number)
            ending = True
            threading.Thread(target=leave_by_signal, args=(number,), name="kafkatcl-end", daemon=True).start()

    def _pass_on(self, number: int) -> None:
        with contextlib.suppress(OSError):  # nobody, or full: it knows already
            os.write(self._lent_to, bytes([number]))

    def _interrupts(self) -> bool:
        return self._interrupt is not None and self._interrupt.absorb()


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler that makes Python catch the signal; the watching thread acts on it."""


def _leave(number: int, frame: FrameType | None) -> None:
    leave_by_signal(number)
