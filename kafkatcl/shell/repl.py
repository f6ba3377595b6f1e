"""Read commands, run them and tell their results, as ``tclsh`` does when it is given no script file."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.readers import Reader, is_complete, is_interactive
from kafkatcl.shell.script import tell


def read_commands(
    app: Any, reader: Reader, running: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    """Run the file that ``tcl_rcFileName`` names, then the commands ``reader`` gives until its end.

    Each of them runs inside ``running()``.
    """
    with running():
        _run_rc_file(app)
    while True:
        try:
            command = _next_command(app, reader)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        with running():
            _run(app, command)


def _run_rc_file(app: Any) -> None:
    path = os.path.expanduser(str(app.getvar("tcl_rcFileName")))
    if os.access(path, os.R_OK):
        try:
            app.evalfile(path)
        except NativeError as error:
            tell(app, "stderr", str(error))


def _next_command(app: Any, reader: Reader) -> str:
    command = reader.read(continued=False)
    while not is_complete(app, command):
        command += "\n" + reader.read(continued=True)
    return command


def _run(app: Any, command: str) -> None:
    with contextlib.suppress(NativeError):  # a script may do without history
        app.call("history", "add", command)
    try:
        result = _evaluate(app, command)
    except NativeError as error:
        tell(app, "stderr", str(error))
        return
    if result and is_interactive(app):
        tell(app, "stdout", result)


def _evaluate(app: Any, command: str) -> str:
    try:
        return str(app.eval(command))
    except ValueError:  # a NUL or half a surrogate pair, which tkinter lets through in arguments only
        return str(app.call("eval", command))
