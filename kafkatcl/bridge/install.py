"""The package in an interpreter of this process, for whoever has made it."""

from __future__ import annotations

import weakref
from typing import Any

from kafkatcl.bridge import inprocess, sessions
from kafkatcl.bridge.host import Host

#: By the ``id()`` of the interpreter; the host keeps it, so no two hosts have the same.
#: Tcl is not asked for the host: a script may have deleted all commands of ours.
_hosts: weakref.WeakValueDictionary[int, Host] = weakref.WeakValueDictionary()


def install(interp: Any) -> None:
    """Make ``package require kafka`` work in an interpreter and in its later children.

    The environment variables TCLLIBPATH and KAFKATCL_PYTHON tell a tclsh that is run,
    and the interpreters of new threads (package Thread), where to find it.  A second
    call for an interpreter does nothing.  What the program leaves open is flushed and
    closed when it ends.

    :param interp: a ``tkinter.Tcl()``, a ``tkinter.Tk()``, or any widget.  Call this in
        the interpreter's thread.
    """
    app = inprocess.application(interp)
    if not app.call("info", "commands", "::kafkatcl::load"):
        _hosts[id(app)] = host = Host(app)
        host.install()


def kafka_object(interp: Any, name: str) -> Any:
    """The engine's object behind a kafka command of an interpreter.

    :raises LookupError: there is no kafka command of this name.
    """
    app = inprocess.application(interp)
    full = app.call("namespace", "which", "-command", name)
    if full and app.call("namespace", "exists", "::kafkatcl"):
        found = app.splitlist(app.call("array", "get", "::kafkatcl::commandOf"))
        for object_id, command in zip(found[::2], found[1::2]):
            if str(command) == str(full):
                return sessions.find(str(object_id), object)
    raise LookupError(f"there is no kafka command {name!r}")


def uninstall(interp: Any) -> list[str]:
    """Close what the package has open in an interpreter that is about to go.

    Its kafka commands no longer work.  What was produced is delivered first, within the
    bound for the end of a program.

    :returns: a line for each producer with messages that were not delivered and whose
        failure no callback got: how many, of which topics, and why.
    :raises KeyboardInterrupt: Ctrl-C has ended the wait.
    """
    host = _hosts.get(id(inprocess.application(interp)))
    return [] if host is None else host.finish()
