"""The package in an interpreter: primitives become its commands, and events reach its event loop."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from kafkatcl.bridge import inprocess, sessions
from kafkatcl.bridge.calls import PRIMITIVES
from kafkatcl.engine.shutdown import before_shutdown

TCL_LIBRARY = Path(__file__).parent.parent / "tcl"


def install(interp: Any) -> None:
    """Make ``package require kafka`` work in an interpreter, and in the children it makes from now on.

    A second call for an interpreter does nothing.  What the program leaves open is flushed and closed when it ends.

    :param interp: a ``tkinter.Tcl()``, a ``tkinter.Tk()``, or any widget.  Call it in the interpreter's thread.
    """
    app = inprocess.application(interp)
    if not app.call("info", "commands", "::kafkatcl::load"):
        Host(app).install()


def kafka_object(interp: Any, name: str) -> Any:
    """The engine's object behind a kafka command of an interpreter.

    :raises LookupError: there is no kafka command of this name.
    """
    app = inprocess.application(interp)
    full = app.call("namespace", "which", "-command", name)
    if full and app.call("namespace", "exists", "::kafkatcl"):
        found = app.splitlist(app.call("array", "get", "::kafkatcl::commandOf"))
        for identifier, command in zip(found[::2], found[1::2]):
            if str(command) == str(full):
                return sessions.find(str(identifier), object)
    raise LookupError(f"there is no kafka command {name!r}")


class Host:
    """An interpreter of this process, and the sessions it and its children have.

    Kafka's threads only ever write a byte to a pipe; a file event of the interpreter reads it.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._thread = threading.get_ident()
        self._paths: dict[str, str] = {}  # session -> path of its interpreter
        self._rung: set[str] = set()
        self._reading = -1
        self._writing = -1

    def install(self) -> None:
        """Announce the package; nothing is loaded before it is required."""
        self._app.eval("namespace eval ::kafkatcl::bridge {}")
        inprocess.define_primitive(self._app, "::kafkatcl::bridge::open_session", self.open_session)
        self._app.call("source", "-encoding", "utf-8", str(TCL_LIBRARY / "install.tcl"))

    def open_session(self, path: str) -> str:
        """The session for the interpreter of this path, which is about to load the package."""
        if not self._paths:
            self._start()
        session = sessions.open_session(_Bell(self._rung, self._writing))
        self._paths[session] = path
        return session

    def answer(self) -> None:
        """The bell has rung: let the interpreters tell what waits for them."""
        with suppress(BlockingIOError):
            os.read(self._reading, 4096)
        while self._rung:
            path = self._paths[self._rung.pop()]
            # The interpreter may be gone.
            with suppress(inprocess.NativeError):
                self._app.call("interp", "eval", path, "::kafkatcl::events::Ring")

    def settle(self) -> None:
        """Before the end: what callbacks have got counts as handed over."""
        if threading.get_ident() != self._thread:
            return  # the end of a signal: only its own thread may call Tcl, so messages may be told again later
        for path in self._paths.values():
            with suppress(inprocess.NativeError):
                self._app.call("interp", "eval", path, "::kafkatcl::events::Settle")

    def _start(self) -> None:
        for name, function in PRIMITIVES.items():
            inprocess.define_primitive(self._app, f"::kafkatcl::bridge::{name}", function)
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        inprocess.on_readable(self._app, self._reading, self.answer)
        before_shutdown(_Settler(self))


class _Bell:
    """Rings for one session, from any thread; it holds nothing of the interpreter."""

    def __init__(self, rung: set[str], descriptor: int) -> None:
        self._rung = rung
        self._descriptor = descriptor

    def __call__(self, session: str) -> None:
        self._rung.add(session)
        with suppress(BlockingIOError):  # the pipe is full of rings already
            os.write(self._descriptor, b"1")


class _Settler:
    """Settles what a host lent to callbacks, if it is still there at the end; it does not keep it."""

    def __init__(self, host: Host) -> None:
        self._host = weakref.ref(host)

    def __call__(self) -> None:
        host = self._host()
        if host is not None:
            host.settle()
