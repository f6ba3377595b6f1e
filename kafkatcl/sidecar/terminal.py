"""Ctrl-C while messages are waited for,
where it would end the interpreter and its terminal with it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kafkatcl.engine.telling import is_watched

_TERMINAL = 2


@contextmanager
def foreground() -> Iterator[None]:
    """Have Ctrl-C come to this process alone meanwhile,
    where the interpreter leads the session of the terminal.

    It would die of it, the terminal would be gone, and with that our words.  Elsewhere,
    under a shell that outlives the interpreter, both get the signal, as everybody who
    works with that terminal.
    """
    if not is_watched() or os.getsid(0) != os.getppid():
        yield
        return
    before = os.getpgrp()
    os.setpgid(0, 0)
    _give_terminal(os.getpgrp())
    try:
        yield
    finally:
        _give_terminal(before)


def _give_terminal(group: int) -> None:
    """Make a process group the one in the foreground, also from the background."""
    handler = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with suppress(OSError):
        os.tcsetpgrp(_TERMINAL, group)
    signal.signal(signal.SIGTTOU, handler)
