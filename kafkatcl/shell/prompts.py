"""The prompts ``tcl_prompt1`` and ``tcl_prompt2``: scripts that write a prompt.

The errors and defaults are those of ``Prompt`` in
https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclMain.c#L889
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.script import tell

_VARIABLES = ("::tcl_prompt1", "::tcl_prompt2")


class Prompts:
    """The prompts of an interpreter: the first, and that for later lines."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def write(self, *, continued: bool) -> None:
        """Write the prompt to standard output as ``tclsh`` does.

        Nothing is written where nobody could answer: standard input is closed.
        """
        if not self._app.call("chan", "names", "stdin"):
            return
        told = self._run(continued)
        with contextlib.suppress(NativeError):  # a script may have closed standard output
            if not told and not continued:
                self._app.call("chan", "puts", "-nonewline", "stdout", "% ")
            self._app.call("chan", "flush", "stdout")

    def text(self, *, continued: bool) -> str:
        """The prompt as text, for a line editor that writes it itself."""
        written = self._written(continued) if self._exists(continued) else None
        return ("> " if continued else "% ") if written is None else written

    def _written(self, continued: bool) -> str | None:
        """What the script of a prompt writes.

        :returns: None if the script fails, or no temporary file can be had.
        """
        import tempfile  # noqa: PLC0415 - it takes its time, and few prompts are scripts

        # Caught at file descriptor 1, as commands that the script runs write there too.
        with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:
            self._app.call("chan", "flush", "stdout")
            stdout = os.dup(1)
            os.dup2(file.fileno(), 1)
            try:
                ran = self._run(continued)
                self._app.call("chan", "flush", "stdout")
            finally:
                os.dup2(stdout, 1)
                os.close(stdout)
            file.seek(0)
            return file.read().decode(errors="replace") if ran else None
        return None

    def _run(self, continued: bool) -> bool:
        """Run the script that writes the prompt; False if there is none or it fails."""
        if not self._exists(continued):
            return False
        try:
            self._app.eval(self._app.call("set", _VARIABLES[continued]))
        except NativeError as error:
            self._app.call("append", "::errorInfo", "\n    (script that generates prompt)")
            tell(self._app, "stderr", str(error))
            return False
        return True

    def _exists(self, continued: bool) -> bool:
        return bool(self._app.getboolean(self._app.call("info", "exists", _VARIABLES[continued])))
