"""The stacks of processes that do not go on:
what their signal for it makes them write.
"""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import psutil

STACKS_SIGNAL = signal.SIGUSR2


def ask_for_stacks(pid: int) -> None:
    """Have a process, and those that it has started,
    write the stacks of their threads, if they know how to.
    """
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            if catches(each.pid, STACKS_SIGNAL):
                each.send_signal(STACKS_SIGNAL)


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal, which would end it otherwise."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = int(next(line for line in lines if line.startswith("SigCgt:")).split()[1], 16)
    return bool(caught >> (number - 1) & 1)
