"""An interpreter of this process that has the package.

How it is given the package, how it hears of events, and how it is closed.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextlib import suppress
from typing import Any

from kafkatcl.bridge import inprocess, sessions
from kafkatcl.bridge.bell import Bell
from kafkatcl.bridge.calls import BRIDGE_CALLS, FAST_PATHS, LIST_CALLS
from kafkatcl.bridge.fronts import Fronts
from kafkatcl.engine.descriptors import room_for, seal
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.poll_thread import rest
from kafkatcl.engine.shutdown import before_shutdown, finish, is_finished
from kafkatcl.pkgindex import index_folder
from kafkatcl.version import TCL_VERSION

#: Tcl waits for files with select(), which takes no descriptor from this one on:
#: FD_SETSIZE in https://man7.org/linux/man-pages/man2/select.2.html
_SELECT_LIMIT = 1024
_LOOK_MS = 10


class Host:
    """An interpreter, and the sessions it and its children have."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._thread = threading.get_ident()
        self._queues: dict[str, EventQueue] = {}  # by session
        #: Of interpreters that are gone and have lost messages, or may yet lose some.
        self._left: list[EventQueue] = []
        self._timer: Any = None
        self._bell: Bell | None = None
        self._fronts = Fronts(app)

    def install(self) -> None:
        """Announce the package; ``package require`` loads the rest."""
        self._app.eval("namespace eval ::kafkatcl::bridge {}")
        inprocess.define_call(self._app, "::kafkatcl::bridge::seal", seal)
        inprocess.define_call(self._app, "::kafkatcl::bridge::rest", lambda wanted: rest(wanted == "1"))
        inprocess.define_call(self._app, "::kafkatcl::bridge::open_session", self.open_session)
        inprocess.define_call(self._app, "::kafkatcl::bridge::close_session", self.close_session)
        self._app.setvar("::kafkatcl::version", TCL_VERSION)
        self._fronts.install()
        for file in ("programs.tcl", "install.tcl"):
            self._app.call("source", "-encoding", "utf-8", os.path.join(inprocess.TCL_LIBRARY, file))
        # The interpreters of new threads, and of programs that a script runs, have no
        # Python: they get a sidecar.
        self._app.setvar("::kafkatcl::programs::index", index_folder())
        self._app.setvar("::kafkatcl::programs::python", sys.executable or "")

    def open_session(self) -> str:
        """Open a session for an interpreter that is to load the package; its name.

        The first session starts the bell and makes the bridge calls.

        :raises Failure: the process has too few descriptors left.
        """
        if self._bell is None:
            self._bell = self._start()
        session = sessions.open_session(self._bell.ring, library=self._fronts.library)
        self._queues[session] = sessions.events(session)
        return session

    def close_session(self, session: str) -> None:
        """Delete what the interpreter of a session, which is gone, has left."""
        queue = self._queues.pop(session, None)
        if queue is None:
            return
        sessions.close_session(session)
        self._left = [left for left in (*self._left, queue) if left.lost or not is_finished(left)]

    def alert(self) -> None:
        """Have the interpreters take their events: the bell has rung."""
        bell = self._bell
        rung = bell.rung() if bell else ()
        if bell and rung:
            try:
                self._app.call("::kafkatcl::interpreters::Ring", tuple(rung))
            except inprocess.NativeError:  # there is no room for nested calls just now
                bell.keep(rung)
                self._timer = inprocess.on_time(self._app, _LOOK_MS, self.alert)

    def acknowledge(self) -> None:
        """Before the end: have messages whose callback has run count as consumed."""
        if threading.get_ident() != self._thread:
            # The end by a signal comes in another thread, and only its own may call
            # Tcl: messages whose callback has run may be told again later.
            return
        if self._queues:
            with suppress(inprocess.NativeError):
                self._app.call("::kafkatcl::interpreters::Settle")

    def finish(self) -> list[str]:
        """Do :meth:`acknowledge` and :meth:`close`, and wait until all is closed.

        :returns: a line for each producer that has lost messages.
        :raises KeyboardInterrupt: Ctrl-C has ended the wait.
        """
        self.acknowledge()
        self.close()
        return [words for queue in self._left for words in finish(queue)]

    def close(self) -> None:
        """Delete the objects of all sessions, and close the bell."""
        if self._timer:
            inprocess.forget_timer(self._timer)
        for session in list(self._queues):
            self.close_session(session)
        if self._bell:
            self._app.deletefilehandler(self._bell.descriptor)
            self._bell.close()
            self._bell = None

    def _start(self) -> Bell:
        for name, function in BRIDGE_CALLS.items():
            inprocess.define_call(self._app, f"::kafkatcl::bridge::{name}", function)
        for name, function in LIST_CALLS.items():
            inprocess.define_list_call(self._app, f"::kafkatcl::bridge::{name}", function)
        for name, function in FAST_PATHS.items():
            inprocess.define_fast_path(self._app, f"::kafkatcl::bridge::{name}", function)
        with room_for("the connection to Tcl's event loop"):
            bell = Bell()
            inprocess.start_events(self._app)
        if bell.descriptor < _SELECT_LIMIT:
            inprocess.on_readable(self._app, bell.descriptor, self.alert)
        else:
            self._look()
        before_shutdown(_Acknowledger(self))
        return bell

    def _look(self) -> None:
        """Look at the bell every 10 ms: Tcl's select() cannot take its descriptor."""
        self.alert()
        self._timer = inprocess.on_time(self._app, _LOOK_MS, self._look)


class _Acknowledger:
    """Has a host acknowledge at the end if it is still there, by a weak reference."""

    def __init__(self, host: Host) -> None:
        self._host = weakref.ref(host)

    def __call__(self) -> None:
        host = self._host()
        if host is not None:
            host.acknowledge()
