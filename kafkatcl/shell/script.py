"""Run a script from a file as ``tclsh`` does."""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.shell.exiting import leave, leaving


def run_script(app: Any, encoding: str | None) -> int:
    """Run the script that ``argv0`` names; the exit status.

    An error is told on standard error.

    :param encoding: Tcl's name for the encoding of the file; None: the system's.
    """
    app.call("unset", "-nocomplain", "::errorInfo")
    path = str(app.getvar("argv0"))
    try:
        if encoding is None:
            app.evalfile(path)
        else:
            app.call("source", "-encoding", encoding, path)
    except NativeError as error:
        if leaving():
            # a signal ends the process; the script fails, as the channels that it
            # waited for are closed
            leave(1)
        tell(app, "stderr", _error_info(app, sourced=encoding is not None) or str(error))
        return 1
    return 0


def tell(app: Any, channel: str, text: str) -> None:
    """Write a line to a Tcl channel; a line that cannot be written is dropped."""
    try:
        app.call("chan", "puts", channel, text)
    except NativeError:
        return


def _error_info(app: Any, *, sourced: bool) -> str:
    """``errorInfo`` without our own call of ``source``; empty if nothing has failed.

    :param sourced: whether there was such a call.
    """
    if not app.getboolean(app.call("info", "exists", "::errorInfo")):
        return ""
    info = str(app.call("set", "::errorInfo"))
    if sourced:
        return info[: info.rfind("\n    ", 0, info.rfind('\n"source -encoding '))]
    return info
