"""Make an interpreter of tkinter look to scripts like one of ``tclsh``."""

from __future__ import annotations

import os
import sys
from typing import Any

from kafkatcl.bridge.inprocess import define_call, evaluate_file
from kafkatcl.shell.exiting import leave
from kafkatcl.shell.options import Options
from kafkatcl.shell.paths import set_paths

RC_FILE = "~/.kafkatclshrc"


def like_tclsh(app: Any, options: Options) -> None:
    """Give ``app`` the variables, paths and commands that ``tclsh`` has."""
    _restore_locale(app)
    evaluate_file(app, os.path.dirname(__file__), "shell.tcl")
    define_call(app, "::kafkatcl::shell::leave", lambda status: leave(int(status)))
    set_paths(app)
    app.call("set", "::kafkatcl::programs::own", app.getvar("::kafkatcl::shell::executable"))
    _set_variables(app, options)


def is_terminal() -> bool:
    """Whether commands come from somebody who types."""
    return os.isatty(0)


def _set_variables(app: Any, options: Options) -> None:
    name = sys.argv[0] if options.script is None else options.script
    app.call("::kafkatcl::shell::SetArguments", *map(os.fsencode, (name, *options.arguments)))
    app.setvar("tcl_interactive", int(options.script is None and is_terminal()))
    if options.script is None:
        app.call("::kafkatcl::shell::KeepInteractiveBoolean")
    app.setvar("tcl_rcFileName", RC_FILE)
    app.call("unset", "-nocomplain", "_tkinter_skip_tk_init")
    # The search for Tcl's library leaves these behind.
    app.call("unset", "-nocomplain", "errorCode", "errorInfo")


def _restore_locale(app: Any) -> None:
    """Undo what Python does in the C locale: it and its children speak UTF-8 then.

    https://docs.python.org/3/using/cmdline.html#envvar-PYTHONCOERCECLOCALE
    """
    coerced = os.environ.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8")
    plain = os.environ.get("LANG", "C") in ("", "C", "POSIX")
    if sys.flags.utf8_mode and coerced and plain and "PYTHONUTF8" not in os.environ:
        del os.environ["LC_CTYPE"]
        app.call("unset", "-nocomplain", "env(LC_CTYPE)")
        app.call("encoding", "system", "iso8859-1")
