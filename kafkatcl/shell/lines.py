"""Line editing by readline, where prompt_toolkit is not installed; tkinter serves Tcl's events meanwhile."""

from __future__ import annotations

import contextlib
import io
import os
import readline
import select
import sys
import termios
from collections.abc import Iterator
from typing import Any

from kafkatcl.bridge.eventsource import around_waits
from kafkatcl.engine.shutdown import at_shutdown
from kafkatcl.shell.interrupt import Interrupt
from kafkatcl.shell.prompts import Prompts
from kafkatcl.shell.script import tell
from kafkatcl.shell.terminal import history_file

_CTRL_C = "\x03"
_NO_KEY = bytes([os.fpathconf(0, "PC_VDISABLE")])


class ReadlineReader:
    """Reads single lines."""

    def __init__(self, app: Any, interrupt: Interrupt) -> None:
        self._app = app
        self._interrupt = interrupt
        self._prompts = Prompts(app)
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        readline.set_auto_history(False)
        # While tkinter serves events, a signal would wait for the next key: so Ctrl-C is a key, that puts itself
        # at the end of the line and enters it.
        readline.parse_and_bind(r'"\C-c": "\C-e\C-v\C-c\C-m"')
        _keep_history()

    def read(self, *, continued: bool) -> str:
        """See :class:`kafkatcl.shell.readers.Reader`."""
        prompt = self._prompts.text(continued=continued)
        try:
            with _ctrl_c_as_key(self._interrupt):
                line = input(prompt)
        except EOFError:
            tell(self._app, "stdout", "")
            raise
        if line.endswith(_CTRL_C):
            raise KeyboardInterrupt
        if line:
            readline.add_history(line)
        return line


@contextlib.contextmanager
def _ctrl_c_as_key(interrupt: Interrupt) -> Iterator[None]:
    """Have Ctrl-C be a key, but while an event is served a signal, as nobody reads keys then."""
    before = termios.tcgetattr(0)
    key = before[6][termios.VINTR]

    def waits() -> None:
        interrupt.end()
        _set_ctrl_c(_NO_KEY)

    def serves() -> None:
        if not select.select([0], [], [], 0)[0]:
            _set_ctrl_c(key)
            interrupt.begin_event()

    _set_ctrl_c(_NO_KEY)
    try:
        with around_waits(waits, serves):
            yield
    finally:
        interrupt.end()
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _set_ctrl_c(key: bytes) -> None:
    """Set the key that makes a signal."""
    with contextlib.suppress(termios.error):  # the terminal is gone
        settings = termios.tcgetattr(0)
        settings[6][termios.VINTR] = key
        termios.tcsetattr(0, termios.TCSANOW, settings)


def _keep_history() -> None:
    path = history_file("readline-history")
    if path is None:
        return

    def write() -> None:
        with contextlib.suppress(OSError):
            readline.write_history_file(path)

    with contextlib.suppress(OSError):  # libedit's complaint about an empty file
        readline.read_history_file(path)
    at_shutdown(write)
