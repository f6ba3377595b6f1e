"""``kafkatclsh``: a ``tclsh`` that has the package kafka."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import sys
from typing import Any, NoReturn

import kafkatcl
import kafkatcl.shell.behind
from kafkatcl import stacks
from kafkatcl.bridge.inprocess import NativeError, new_application
from kafkatcl.shell.exiting import leave
from kafkatcl.shell.interpreter import is_terminal, like_tclsh
from kafkatcl.shell.interrupt import Interrupt
from kafkatcl.shell.options import HELP, Options, UnknownOptionError, parse
from kafkatcl.shell.readers import PlainReader
from kafkatcl.shell.repl import read_commands
from kafkatcl.shell.script import run_script, tell
from kafkatcl.shell.signals import SignalWatch


def main() -> NoReturn:
    """Do what the command line says and end the process with the script's status."""
    try:
        options = parse(sys.argv[1:])
    except UnknownOptionError as error:
        print(f"kafkatclsh: {error}", file=sys.stderr)
        leave(2)
    if options.action == "help":
        print(HELP, end="")
        leave(0)
    stacks.on_signal()
    if options.embedded:
        os.environ["KAFKATCL_EMBEDDED"] = "1"
    app = new_application()
    if options.action == "version":
        print(_version(app))
        leave(0)
    kafkatcl.install(app)
    gc.freeze()
    gc.enable()
    like_tclsh(app, options)
    _leave_by_exit(app, _run(app, options))


def _run(app: Any, options: Options) -> int:
    """Run the script, or the commands of standard input; the exit status.

    With Tk, serve its windows then, until all are closed.
    """
    if options.script is None and is_terminal():
        _converse(app)
        return 0
    SignalWatch()
    status = 0
    if options.script is not None:
        status = run_script(app, options.encoding)
    else:
        read_commands(app, PlainReader(app), contextlib.nullcontext)
    if status == 0:
        app.mainloop(0)
    return status


def _converse(app: Any) -> None:
    from kafkatcl.shell.editors import terminal_reader  # noqa: PLC0415 - scripts need none

    interrupt = Interrupt(app)
    reader = terminal_reader(app, SignalWatch(interrupt), interrupt)
    if os.isatty(1):
        tell(app, "stdout", f'{_version(app)}: "help" lists what there is, Ctrl-D leaves')
    read_commands(app, reader, interrupt.command, functools.partial(_answer, app))


def _answer(app: Any, command: str) -> str | None:
    """What to tell instead of running a command that asks for help."""
    if command.split()[:1] != ["help"]:
        return None
    from kafkatcl.shell.help import Help  # noqa: PLC0415 - not before it is needed: it would hold up the prompt

    return Help(app).answer(command.split()[1:])


def _version(app: Any) -> str:
    return f"kafkatclsh {kafkatcl.__version__}, Tcl {app.getvar('tcl_patchLevel')}"


def _leave_by_exit(app: Any, status: int) -> NoReturn:
    """Leave by the command ``exit``, in whose place a script may have put its own.

    Where there is no such command, leave without it.
    """
    for command in ("exit", "::kafkatcl::shell::Exit {}"):
        with contextlib.suppress(NativeError):
            app.eval(f"{command} {status}")
    leave(status)
