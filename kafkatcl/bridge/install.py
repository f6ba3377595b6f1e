"""The package in an interpreter: primitives become its commands, and events reach its event loop."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from kafkatcl import TCL_VERSION
from kafkatcl.bridge import inprocess, sessions
from kafkatcl.bridge.calls import LIST_PRIMITIVES, PRIMITIVES, QUICK
from kafkatcl.engine.descriptors import room_for, seal
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.pump import rest
from kafkatcl.engine.shutdown import before_shutdown, finish, is_finished
from kafkatcl.tclpath import index_folder

TCL_LIBRARY = Path(__file__).parent.parent / "tcl"

#: Tcl waits for files with select(), which takes no descriptors from this one on.
_SELECT_LIMIT = 1024
_LOOK_MS = 10


def install(interp: Any) -> None:
    """Make ``package require kafka`` work in an interpreter, and in the children it makes from now on.

    The environment variables TCLLIBPATH and KAFKATCL_PYTHON tell a tclsh that is run, and the interpreters of new
    threads (package Thread), where to find it.
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


def uninstall(interp: Any) -> list[str]:
    """Close what the package has open in an interpreter that is about to go; its commands no longer work.

    What was produced is delivered first, within the bound for the end of a program.  Give what was not delivered, and
    told to no callback: how many messages of each producer, of which topics, and why.
    """
    host = _hosts.get(id(inprocess.application(interp)))
    return [] if host is None else host.finish()


#: By the identity of their interpreters, which they keep; the script may have deleted all commands of ours.
_hosts: weakref.WeakValueDictionary[int, Host] = weakref.WeakValueDictionary()


class Host:
    """An interpreter of this process, and the sessions it and its children have."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._thread = threading.get_ident()
        self._paths: dict[str, str] = {}  # session -> path of its interpreter
        self._queues: list[EventQueue] = []
        self._timer: Any = None
        self._bell: _Bell | None = None

    def install(self) -> None:
        """Announce the package; nothing is loaded before it is required."""
        _hosts[id(self._app)] = self
        self._app.eval("namespace eval ::kafkatcl::bridge {}")
        inprocess.define_primitive(self._app, "::kafkatcl::bridge::seal", seal)
        inprocess.define_primitive(self._app, "::kafkatcl::bridge::rest", lambda wanted: rest(wanted == "1"))
        for name in ("open_session", "close_session"):
            inprocess.define_primitive(self._app, f"::kafkatcl::bridge::{name}", getattr(self, name))
        self._app.setvar("::kafkatcl::version", TCL_VERSION)
        for file in ("programs.tcl", "install.tcl"):
            self._app.call("source", "-encoding", "utf-8", str(TCL_LIBRARY / file))
        # Nobody installs it in the interpreters of new threads and of programs that are run: they get a sidecar.
        self._app.setvar("::kafkatcl::programs::index", str(index_folder()))
        self._app.setvar("::kafkatcl::programs::python", sys.executable or "")

    def open_session(self, path: str) -> str:
        """The session for the interpreter of this path, which is about to load the package."""
        if self._bell is None:
            self._bell = self._start()
        session = sessions.open_session(self._bell.ring)
        self._paths[session] = path
        # Of interpreters that are gone nothing is left to tell, but for what they have lost.
        self._queues = [queue for queue in self._queues if queue.lost or not is_finished(queue)]
        self._queues.append(sessions.events(session))
        return session

    def close_session(self, session: str) -> None:
        """The interpreter of this session is gone: delete what it has left."""
        if self._paths.pop(session, None) is not None:
            sessions.close_session(session)

    def answer(self) -> None:
        """The bell has rung: let the interpreters tell what waits for them."""
        bell = self._bell
        if bell is None:
            return
        for session in bell.rung():
            try:
                self._app.call("::kafkatcl::loop::Alert", session, "events::Ring")
            except inprocess.NativeError:  # there is no room for nested calls just now
                bell.keep(session)
                self._timer = inprocess.on_time(self._app, _LOOK_MS, self.answer)

    def settle(self) -> None:
        """Before the end: what callbacks have got counts as handed over."""
        if threading.get_ident() != self._thread:
            return  # the end of a signal: only its own thread may call Tcl, so messages may be told again later
        for session in self._paths:
            with suppress(inprocess.NativeError):
                self._app.call(f"::kafkatcl::sessions::{session}", "Settle")

    def finish(self) -> list[str]:
        """:meth:`close`, and wait until that is done; what was lost, a line for each producer."""
        self.settle()
        self.close()
        return [words for queue in self._queues for words in finish(queue)]

    def close(self) -> None:
        """Delete the objects of all sessions, and close the bell."""
        if self._timer:
            inprocess.forget_timer(self._timer)
        for session in list(self._paths):
            self.close_session(session)
        if self._bell:
            self._app.deletefilehandler(self._bell.descriptor)
            self._bell.close()
            self._bell = None

    def _start(self) -> _Bell:
        for name, function in PRIMITIVES.items():
            inprocess.define_primitive(self._app, f"::kafkatcl::bridge::{name}", function)
        for name, function in LIST_PRIMITIVES.items():
            inprocess.define_list_primitive(self._app, f"::kafkatcl::bridge::{name}", function)
        for name, function in QUICK.items():
            inprocess.define_quick(self._app, f"::kafkatcl::bridge::{name}", function)
        with room_for("the connection to Tcl's event loop"):
            bell = _Bell()
            inprocess.start_events(self._app)
        if bell.descriptor < _SELECT_LIMIT:
            inprocess.on_readable(self._app, bell.descriptor, self.answer)
        else:
            self._look()
        before_shutdown(_Settler(self))
        return bell

    def _look(self) -> None:
        """Look after the bell now and then: of such a descriptor Tcl's event loop would die."""
        self.answer()
        self._timer = inprocess.on_time(self._app, _LOOK_MS, self._look)


class _Bell:
    """A pipe that Kafka's threads write to and the interpreter's event loop reads.

    That is all they do with the interpreter: they hold nothing of it.
    """

    def __init__(self) -> None:
        self.descriptor, self._writing = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writing, False)
        self._lock = threading.Lock()
        self._open = True
        self._rung: set[str] = set()

    def ring(self, session: str) -> None:
        """Say that a session has events (any thread)."""
        with self._lock:
            if self._open:
                self._rung.add(session)
                with suppress(BlockingIOError):  # the pipe is full of rings already
                    os.write(self._writing, b"1")

    def keep(self, session: str) -> None:
        """Have a session among the next that are :meth:`rung`."""
        with self._lock:
            self._rung.add(session)

    def rung(self) -> set[str]:
        """The sessions the bell has rung for since the last call."""
        with self._lock:
            with suppress(BlockingIOError):
                os.read(self.descriptor, 4096)
            rung, self._rung = self._rung, set()
        return rung

    def close(self) -> None:
        """Close the pipe; whoever rings is not heard any more."""
        with self._lock:
            self._open = False
            os.close(self.descriptor)
            os.close(self._writing)


class _Settler:
    """Settles what a host lent to callbacks, if it is still there at the end; it does not keep it."""

    def __init__(self, host: Host) -> None:
        self._host = weakref.ref(host)

    def __call__(self) -> None:
        host = self._host()
        if host is not None:
            host.settle()
