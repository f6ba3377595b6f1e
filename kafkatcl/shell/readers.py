"""Where the commands of ``kafkatclsh`` come from when it runs no script file."""

from __future__ import annotations

import os
from typing import Any, Callable, Protocol

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.prompts import Prompts


class Reader(Protocol):
    """A source of commands."""

    def read(self) -> str:
        """The next command, without a last newline; it may have many lines.

        Raises EOFError at the end and KeyboardInterrupt when Ctrl-C takes the command
        back.
        """


class PlainReader:
    """Tcl's own standard input, which commands can read from too.

    There is a prompt if ``tcl_interactive`` is set.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._prompts = Prompts(app)
        self._terminal = os.isatty(0)

    def read(self) -> str:
        """See :class:`Reader`."""
        return whole_command(self._app, self._line)

    def _line(self, begun: str) -> str:
        if is_interactive(self._app):
            self._prompts.write(continued=bool(begun))
        try:
            if self._terminal:
                self._app.call("::kafkatcl::shell::AwaitInput")
            line = self._app.splitlist(self._app.call("::kafkatcl::shell::GetLine"))
        except NativeError:  # closed
            raise EOFError from None
        if not line:
            raise EOFError
        return str(line[0])


def whole_command(app: Any, line: Callable[[str], str]) -> str:
    """Read one complete command.

    :param line: gets the lines so far, and returns the next one.
    """
    command = line("")
    while not is_complete(app, command):
        command += "\n" + line(command + "\n")
    return command


def is_interactive(app: Any) -> bool:
    """Whether ``tcl_interactive`` says that results are told and prompts written."""
    try:
        return bool(app.getboolean(app.call("set", "::tcl_interactive")))
    except NativeError:
        return False


def is_complete(app: Any, command: str) -> bool:
    """Whether ``command`` could be run: no brace, bracket or quote is open."""
    return bool(app.getboolean(app.call("info", "complete", command + "\n")))
