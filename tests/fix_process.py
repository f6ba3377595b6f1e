"""Servers for the tests that cannot outlive the test run, however it ends.

A server runs under a guard (this file run as a program), in a session of its own, so
that Ctrl-C in the terminal is the tests' alone. The guard holds the reading end of a
pipe from the test process: when that process stops the server, or is killed, the pipe
closes and the guard ends the server with its children and removes its folder.  A server
whose data goes with it needs no time to end well.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

GRACE = 10.0  # seconds a server has to end after SIGTERM, unless it is given others
SECONDS_TO_REMOVE = 20  # for a folder that may have ten thousands of files
REMOVING = 60  # seconds that it may take to remove its folder: a Kafka's has ten thousands of files

running: set[int] = set()  # process ids of the guards, which outlive single tests by intention


class Server:
    """``command`` under guard, with its output in ``folder``/log;
    the folder goes when the server does.

    It has ``grace`` seconds to end after SIGTERM.
    """

    def __init__(self, command: Sequence[str], folder: Path, grace: float = GRACE) -> None:
        self._name = " ".join(command)
        self._folder = folder
        self._grace = grace
        self._log = folder / "log"
        with self._log.open("wb") as output:
            self._guard = subprocess.Popen(
                [sys.executable, __file__, str(folder), str(grace), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        running.add(self._guard.pid)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return when ``ready()`` is true; RuntimeError with the log's tail
        when it ends or takes longer.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            status = self._guard.poll()
            if status is not None:
                raise RuntimeError(f"{self._name} ended with status {status}:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._name} was not ready after {seconds} s:\n{self._tail()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the server and all its children and remove its folder;
        a second call does nothing.
        """
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(timeout=GRACE + REMOVING)
        shutil.rmtree(self._folder, ignore_errors=True)
        running.discard(self._guard.pid)

    def _tail(self, lines: int = 40) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


def guard(folder: str, command: Sequence[str], grace: float) -> int:
    """Run ``command`` until it ends, or our standard input does:
    then ``folder`` goes too.  Its status.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    abandoned = threading.Event()

    def end_at_eof() -> None:
        while os.read(0, 1024):
            pass
        abandoned.set()
        _signal_group(child, signal.SIGTERM)
        time.sleep(grace)
        _signal_group(child, signal.SIGKILL)

    threading.Thread(target=end_at_eof, daemon=True).start()
    status = child.wait()
    _signal_group(child, signal.SIGKILL)  # what it left behind
    if abandoned.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return status


def _signal_group(leader: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, number)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1], sys.argv[3:], float(sys.argv[2])))
