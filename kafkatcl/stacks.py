"""What every thread of a process does, written when a signal asks for it.

``faulthandler.register`` would write from within the signal, while another thread may
be running Python and changing the very frames that are read: one signal in some
thousands ended the process (https://docs.python.org/3/library/faulthandler.html says
what a handler may do, the frames of others are no part of it).  So a thread that was
told of the signal writes, with the interpreter's lock, which makes all others stand
still.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

#: The environment variable that names the file to write to, in the place of stderr.
STACKS = "KAFKATCL_STACKS"

#: The signal that asks, which nothing else uses: SIGQUIT ends tclsh at Ctrl-\, and
#: scripts like SIGUSR1.  None on a system without it.
SIGNAL = getattr(signal, "SIGUSR2", None)

#: Whether a thread reads the numbers of signals from Python's descriptor for them, and
#: calls :func:`write`.
watched = False

_file: Any = None


def on_signal() -> None:
    """Have SIGUSR2 write the stacks of all threads to stderr or to a file.

    The environment variable KAFKATCL_STACKS names the file, which is appended to.
    Where the signal has a handler already, or is ignored, all stays as it is.  To be
    called in the main thread.
    """
    global _file  # noqa: PLW0603 - one for the process, as the signal is
    if SIGNAL is None or signal.getsignal(SIGNAL) != signal.SIG_DFL:
        return
    _file = _opened(os.environ.get(STACKS, "")) or sys.__stderr__
    if _file is not None:  # nobody may have opened a stderr for us
        signal.signal(SIGNAL, _write_unwatched)


def watch() -> None:
    """Do :func:`on_signal`, and start a thread that reads the numbers of signals.

    To be called in the main thread of a process that has no such thread.
    """
    global watched  # noqa: PLW0603 - one for the process, as the signal is
    on_signal()
    if _file is None:
        return
    watched = True
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), name="kafkatcl-stacks", daemon=True).start()


def write() -> None:
    """Write the stacks of all threads now."""
    with suppress(OSError, ValueError):  # the file is full, or closed
        faulthandler.dump_traceback(_file)


def _watch(reader: int) -> None:
    while True:
        if os.read(reader, 1)[0] == SIGNAL:
            write()


def _write_unwatched(_signal: int, _frame: FrameType | None) -> None:
    if not watched:
        write()


def _opened(name: str) -> Any:
    if not name:
        return None
    try:
        return open(name, "a", encoding="utf-8")  # for as long as the process lives
    except OSError as error:
        print(f"kafkatcl: {STACKS}: cannot write {name}: {error.strerror}", file=sys.stderr)
        return None
