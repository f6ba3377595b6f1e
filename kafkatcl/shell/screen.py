"""The terminal on which a command is typed: other output appears above the command.

Tcl's standard channels go through a transformation then (``Pass`` of ``shell.tcl``),
which takes the command off the screen before it lets a text pass.  Threads hand their
lines over, to be written in the thread that draws.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from kafkatcl.bridge.inprocess import define_call, forget_timer, on_readable, on_time
from kafkatcl.engine import telling
from kafkatcl.engine.shutdown import before_shutdown
from kafkatcl.shell.above import Above

#: How long the command is off the screen at least: it is not drawn between texts that
#: come one right after the other.
_MS = 10
#: So many bytes of what threads have to say may wait; further lines are written where
#: the cursor is.
_MAX_BYTES = 1 << 20


class Editor(Protocol):
    """What draws the command.  Both can be called at any time between two keys."""

    def hide(self) -> None:
        """Take the command off the screen, and leave the cursor where it began."""

    def show(self) -> None:
        """Draw it again, where the cursor is."""


class Screen:
    """The terminal of the interpreter ``app``."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._above: Above | None = None
        self._editor: Editor | None = None
        self._timer: Any = None
        self._lock = threading.Lock()
        self._waiting = b""  # what threads have to say; guarded by the lock
        reader, self._writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(self._writer, False)
        self._reader = reader
        on_readable(app, reader, self._tell)
        define_call(app, "::kafkatcl::shell::above", self._passes)
        self._channels = [channel for number, channel in ((1, "stdout"), (2, "stderr")) if os.isatty(number)]
        before_shutdown(self._end)

    @contextlib.contextmanager
    def typing(self, editor: Editor) -> Iterator[None]:
        """What is written inside appears above what the ``editor`` draws."""
        self._above = Above(_encoding(self._app))
        self._editor = editor
        self._app.call("::kafkatcl::shell::StartTyping", self._channels)
        if "stderr" in self._channels:
            telling.divert(self._take)
        try:
            yield
        finally:
            self._app.call("::kafkatcl::shell::StopTyping")
            if self._timer is not None:
                forget_timer(self._timer)
            self._end()

    def _end(self) -> None:
        """Say what there is still to say; from now on everybody writes for himself."""
        telling.divert(None)
        with self._lock:
            self._editor = self._timer = None
            lines, self._waiting = self._waiting, b""
        _write(lines)

    def _passes(self, channel: str, data: str) -> bytes:
        """What a channel writes instead of ``data``, whose characters are bytes."""
        written = data.encode("latin-1")
        if self._editor is None or self._above is None:
            return written
        self._editor.hide()
        if self._timer is None:
            self._timer = on_time(self._app, _MS, self._show)
        return self._above.written(written, channel)

    def _show(self) -> None:
        self._timer = None
        if self._editor is not None:
            self._editor.show()

    def _take(self, lines: bytes) -> bool:
        """Have lines told by the thread that draws; in any thread."""
        with self._lock:
            if self._editor is None or len(self._waiting) > _MAX_BYTES:
                return False
            self._waiting += lines
        with contextlib.suppress(BlockingIOError):  # it knows already
            os.write(self._writer, b"!")
        return True

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)
        with self._lock:
            lines, self._waiting = self._waiting, b""
        if lines:
            _write(self._passes("log", lines.decode("latin-1")))


def _encoding(app: Any) -> str:
    """Python's name for the encoding of the terminal."""
    return "utf-8" if str(app.call("encoding", "system")) == "utf-8" else "latin-1"


def _write(lines: bytes) -> None:
    with contextlib.suppress(OSError):  # the terminal is gone
        while lines:
            lines = lines[os.write(2, lines) :]
