"""Read commands, run them, and tell results, as ``tclsh`` does without a script."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import Any, Callable, Optional

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.readers import Reader, is_interactive
from kafkatcl.shell.script import tell

Answer = Callable[[str], Optional[str]]
Running = Callable[[], contextlib.AbstractContextManager[None]]


def read_commands(app: Any, reader: Reader, running: Running, answer: Answer = lambda _: None) -> None:
    """Run the file that ``tcl_rcFileName`` names, then commands until their end.

    :param reader: gives the commands.
    :param running: makes a context in which each command runs.
    :param answer: answers a command that is a question; it is not run then.
    """
    _attempt(app, running, functools.partial(_run_rc_file, app))
    while True:
        try:
            command = reader.read()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        with contextlib.suppress(NativeError):  # a script may do without history
            app.call("history", "add", command)
        told = answer(command) if is_interactive(app) else None
        result = told or _attempt(app, running, functools.partial(_evaluate, app, command))
        if result and is_interactive(app):
            tell(app, "stdout", result)


def _attempt(app: Any, running: Running, run: Callable[[], str]) -> str:
    """The result of ``run``; nothing if it fails, which is told."""
    try:
        with running():
            return run()
    except NativeError as error:
        tell(app, "stderr", str(error) + _hint(app, str(error)))
        return ""


def _hint(app: Any, message: str) -> str:
    """What may help besides an error of the package.

    errorInfo has this too, but is not shown at a prompt.
    """
    hint = "::kafkatcl::failures::Hint"
    with contextlib.suppress(NativeError):
        if is_interactive(app) and app.call("info", "commands", hint):
            found = app.call(hint, message, app.getvar("::errorCode"))
            return found if isinstance(found, str) else ""  # none may come as an empty tuple
    return ""


def _run_rc_file(app: Any) -> str:
    path = os.path.expanduser(str(app.getvar("tcl_rcFileName")))
    return str(app.evalfile(path)) if os.access(path, os.R_OK) else ""


def _evaluate(app: Any, command: str) -> str:
    try:
        return str(app.eval(command))
    # eval() of tkinter takes no NUL, and no lone surrogate in its escaped form; in the
    # arguments of call() both pass.
    except ValueError:
        return str(app.call("eval", command))
