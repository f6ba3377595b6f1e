"""Line editing by readline, where prompt_toolkit is not installed.

tkinter serves Tcl's events while Python's ``input`` waits for keys: ``EventHook`` in
https://github.com/python/cpython/blob/v3.11.2/Modules/_tkinter.c#L3167
"""

from __future__ import annotations

import contextlib
import io
import os
import readline
import select
import sys
import termios
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kafkatcl.shell.eventsource import around_waits
from kafkatcl.shell.history import History
from kafkatcl.shell.interrupt import Interrupt
from kafkatcl.shell.offering import offering
from kafkatcl.shell.prompts import Prompts
from kafkatcl.shell.readers import whole_command
from kafkatcl.shell.redisplay import Redisplay
from kafkatcl.shell.screen import Screen
from kafkatcl.shell.script import tell

if TYPE_CHECKING:
    from kafkatcl.shell.offers import Offer

_CTRL_C = "\x03"
_NO_KEY = bytes([os.fpathconf(0, "PC_VDISABLE")])
_SETTINGS = (
    # While tkinter serves events, a signal would wait for the next key
    # (``readline_until_enter_or_signal`` in
    # https://github.com/python/cpython/blob/v3.11.2/Modules/readline.c#L1310).  So
    # Ctrl-C is a key, which puts itself at the end of the line and enters the line.
    r'"\C-c": "\C-e\C-v\C-c\C-m"',
    "bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete",
    "set show-all-if-ambiguous on",
    "set enable-bracketed-paste on",
    # No event would be served during a question whether to list so many.
    "set completion-query-items 0",
    "set page-completions off",
)


class ReadlineReader:
    """Reads commands line by line."""

    def __init__(self, app: Any, interrupt: Interrupt) -> None:
        self._app = app
        self._interrupt = interrupt
        self._prompts = Prompts(app)
        self._screen = Screen(app)
        self._display = Redisplay()
        self._history = History()
        self._offer = offering(app)
        self._begun = ""  # the lines of the command that were entered
        self._found: list[str] = []
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        readline.set_auto_history(False)
        readline.set_completer(self._complete)
        readline.set_completer_delims(' \t\n;[{"$')
        for setting in _SETTINGS:
            readline.parse_and_bind(setting)
        for command in self._history.commands:
            readline.add_history(command)

    def read(self) -> str:
        """See :class:`kafkatcl.shell.readers.Reader`."""
        command = whole_command(self._app, self._line)
        if command.strip():
            readline.add_history(command)
            self._history.add(command)
        return command

    def _line(self, begun: str) -> str:
        self._begun = begun
        prompt = self._prompts.text(continued=bool(begun))
        try:
            with _ctrl_c_as_key(self._interrupt), self._screen.typing(self._display):
                line = input(prompt)
        except EOFError:
            tell(self._app, "stdout", "")
            raise
        except (OSError, termios.error):  # the terminal is gone
            raise EOFError from None
        if line.endswith(_CTRL_C):
            raise KeyboardInterrupt
        return line

    def _complete(self, text: str, state: int) -> str | None:
        if state == 0:
            line = readline.get_line_buffer()[: readline.get_endidx()]
            begin = len(line) - len(text)
            offer = self._offer(self._begun + line)
            self._found = list(_aligned(offer, len(self._begun) + begin, self._begun + line))
        return self._found[state] if state < len(self._found) else None


def _aligned(offer: Offer, begin: int, text: str) -> Iterator[str]:
    """The texts of an offer, as they continue ``text`` from ``begin`` on.

    :param begin: where readline takes the word to begin.
    """
    if offer.start > begin:
        yield from (text[begin : offer.start] + found for found in offer.texts)
        return
    head = text[offer.start : begin]
    yield from (found[len(head) :] for found in offer.texts if found.startswith(head))


@contextlib.contextmanager
def _ctrl_c_as_key(interrupt: Interrupt) -> Iterator[None]:
    """Have Ctrl-C be a key, but a signal while an event is served.

    Nobody reads keys then.
    """
    before = termios.tcgetattr(0)
    key = before[6][termios.VINTR]

    # Tcl calls these two, and tkinter must not enter Tcl from there: leaving Tcl, it
    # forgets the thread state that it must restore later (``LEAVE_TCL`` in
    # https://github.com/python/cpython/blob/v3.11.2/Modules/_tkinter.c#L256).
    def waits() -> None:
        interrupt.end_event()
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
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(0, termios.TCSADRAIN, before)


def _set_ctrl_c(key: bytes) -> None:
    """Set the key that makes a signal."""
    with contextlib.suppress(termios.error):  # the terminal is gone
        settings = termios.tcgetattr(0)
        settings[6][termios.VINTR] = key
        termios.tcsetattr(0, termios.TCSANOW, settings)
