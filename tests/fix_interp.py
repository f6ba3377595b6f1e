"""pytest plugin: interpreters that a test must leave clean,
and a display for their windows.
"""

from __future__ import annotations

import _tkinter
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from kafkatcl.interp import Interp

ALL_BYTES = bytes(range(256))


@pytest.fixture
def interp() -> Iterator[Interp]:
    """An interpreter that a test must leave clean:
    nothing raised in it comes out of a later event loop.
    """
    with Interp() as interp:
        yield interp
        assert_clean(interp)


def assert_clean(interp: Interp) -> None:
    interp.tk.call("after", 0, "set ::ran_on 1")
    interp.tk.dooneevent(_tkinter.DONT_WAIT)
    interp.command("::leave_mainloop")(interp.tk.quit)
    interp.tk.call("after", 0, "::leave_mainloop")
    interp.tk.mainloop(-1)


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """The environment for a display server of its own,
    or without a display where there is no such program.
    """
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    if not shutil.which("Xvfb"):
        yield environment
        return
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield {**environment, "DISPLAY": f":{server.stdout.readline().strip()}"}
        finally:
            server.terminate()
