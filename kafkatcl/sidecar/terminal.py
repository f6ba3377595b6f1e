"""Ctrl-C while messages are waited for: where it would end the terminal, too."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kafkatcl.engine.telling import is_watched

_TERMINAL = 2


@contextmanager
def foreground() -> Iterator[None]:
    """Have Ctrl-C come to this process alone, if the interpreter leads the session.

    This lasts while the block runs.

    A leader would die of the signal; then the terminal, and with it our words, would be
    gone.  Elsewhere, under a shell that outlives the interpreter, both processes get
    the signal, as everybody who works with that terminal.
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
    """Make a process group the one in the foreground, also from the background.

    A process in the background must ignore SIGTTOU for that, which would stop it:
    https://man7.org/linux/man-pages/man3/tcgetpgrp.3.html
    """
    handler = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with suppress(OSError):
        os.tcsetpgrp(_TERMINAL, group)
    signal.signal(signal.SIGTTOU, handler)
