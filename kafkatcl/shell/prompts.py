"""The prompts ``tcl_prompt1`` and ``tcl_prompt2``: scripts that write a prompt to standard output."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Any

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.script import tell


class Prompts:
    """The prompts of an interpreter: the first one, and that for the ``continued`` lines of a command."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def write(self, *, continued: bool) -> None:
        """Write the prompt to standard output as ``tclsh`` does: if there is one, and somebody could answer."""
        if not self._app.call("chan", "names", "stdin"):
            return
        told = self._run(continued)
        with contextlib.suppress(NativeError):  # a script may have closed standard output
            if not told and not continued:
                self._app.call("chan", "puts", "-nonewline", "stdout", "% ")
            self._app.call("chan", "flush", "stdout")

    def text(self, *, continued: bool) -> str:
        """The prompt as text, for a line editor that writes it itself."""
        # Caught at file descriptor 1, as commands that the script runs write there too.
        with tempfile.TemporaryFile() as file:
            self._app.call("chan", "flush", "stdout")
            stdout = os.dup(1)
            os.dup2(file.fileno(), 1)
            try:
                ran = self._run(continued)
                self._app.call("chan", "flush", "stdout")
            finally:
                os.dup2(stdout, 1)
                os.close(stdout)
            if ran:
                file.seek(0)
                return file.read().decode(errors="replace")
        return "> " if continued else "% "

    def _run(self, continued: bool) -> bool:
        """Run the script that writes the prompt; false if there is none, or it failed."""
        variable = "::tcl_prompt2" if continued else "::tcl_prompt1"
        if not self._app.getboolean(self._app.call("info", "exists", variable)):
            return False
        try:
            self._app.eval(self._app.call("set", variable))
        except NativeError as error:
            self._app.call("append", "::errorInfo", "\n    (script that generates prompt)")
            tell(self._app, "stderr", str(error))
            return False
        return True
