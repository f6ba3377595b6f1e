"""What every thread of a process that does not go on is doing: written when a signal asks for it."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from contextlib import suppress
from typing import Any

#: The environment variable that names the file to write to, in the place of stderr.
STACKS = "KAFKATCL_STACKS"

# It has no meaning yet where nobody gave it one; SIGQUIT ends tclsh at Ctrl-\, and scripts like SIGUSR1.
_SIGNAL = getattr(signal, "SIGUSR2", None)

_file: Any = None  # faulthandler keeps its number only


def on_signal() -> None:
    """Have SIGUSR2 write the stacks of all threads to stderr, or append them to the file that KAFKATCL_STACKS names.

    Where the signal has a handler already, or is ignored, all stays as it is.  To be called in the main thread.
    """
    global _file  # noqa: PLW0603 - one for the process, as the signal is
    if _SIGNAL is None or signal.getsignal(_SIGNAL) != signal.SIG_DFL:
        return
    _file = _opened(os.environ.get(STACKS, "")) or sys.__stderr__
    if _file is not None:  # nobody may have opened a stderr for us
        with suppress(OSError, ValueError):
            faulthandler.register(_SIGNAL, _file)


def _opened(name: str) -> Any:
    if not name:
        return None
    try:
        return open(name, "a", encoding="utf-8")  # for as long as the process lives
    except OSError as error:
        print(f"kafkatcl: {STACKS}: cannot write {name}: {error.strerror}", file=sys.stderr)
        return None
