"""A shell that makes calls for us, at the other end of a pipe (see driver.tcl)."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fix_tcl import environment_of

#: What a shell runs, in this order; children source it too.
_PARTS = ("driver.tcl", "callbacks.tcl", "scenes.tcl")
_BEGIN_SECONDS = 60.0
_END_SECONDS = 60.0


def program(end: str) -> str:
    """The text of a script that makes calls, as ``end`` says."""
    folder = Path(__file__).parent
    parts = [folder.joinpath(part).read_text(encoding="utf-8") for part in _PARTS]
    return "\n".join([*parts, f"if {{![info exists ::fuzz::isChild]}} {{\n{end}\n}}\n"])


class Answer(NamedTuple):
    """How a call ended: the code, errorCode and result of ``catch``,
    faults that were seen, a value wrongly named.
    """

    code: int
    errorcode: str
    message: str
    faults: str
    unnamed: str


class Stopped(Exception):
    """The shell does not answer any more: it ``died`` or it ``hung``."""

    def __init__(self, how: str, detail: str) -> None:
        super().__init__(f"{how}: {detail}")
        self.how = how
        self.detail = detail


class Shell:
    """A running shell; a context, at whose end nothing of it is left."""

    def __init__(self, command: Sequence[str], bootstrap: Sequence[str], more: str = "") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        folder = Path(self._folder.name)
        script = folder / "fuzz.tcl"
        script.write_text(program(f"{more}\n::fuzz::Serve"), encoding="utf-8")
        self._log = folder / "stderr"
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env={**os.environ, **environment_of(command), **_environment(bootstrap)},
                start_new_session=True,
            )
        self._held = b""
        self._is_ready = False

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        self._folder.cleanup()

    def call(self, call: str, seconds: float) -> Answer:
        """Have a call made.

        :raises Stopped: there is no answer within so many seconds.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(call.encode("ascii") + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._died() from None
        line = self._line(seconds if self._is_ready else seconds + _BEGIN_SECONDS)
        self._is_ready = True
        fields = [bytes.fromhex(field).decode("utf-8", "replace") for field in line.decode().split(".")]
        return Answer(int(fields[0]), *fields[1:])

    def end(self) -> int:
        """Have the shell end by itself; its status.

        :raises Stopped: it does not.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            raise Stopped("hung", f"it did not end within {_END_SECONDS:.0f} s") from None

    def errors(self) -> bytes:
        """What it has written to standard error so far."""
        return self._log.read_bytes()

    def _line(self, seconds: float) -> bytes:
        """The next answer; whatever else is written
        to standard output is passed over.
        """
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        end = time.monotonic() + seconds
        while True:
            begin = self._held.find(b"\n\x01")
            if begin >= 0 and (last := self._held.find(b"\n", begin + 2)) >= 0:
                line, self._held = self._held[begin + 2 : last], self._held[last:]
                return line
            left = end - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise Stopped("hung", f"no answer within {seconds:.0f} s")
            more = os.read(descriptor, 1 << 16)
            if not more:
                raise self._died()
            self._held += more

    def _died(self) -> Stopped:
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return Stopped("hung", "its output is closed, and it does not end")
        return Stopped("died", f"status {status}: {self.errors()[-2000:].decode(errors='replace')}")


def _environment(bootstrap: Sequence[str]) -> Mapping[str, str]:
    return {
        "KAFKATCL_TEST_BROKERS": " ".join(bootstrap),
        "KAFKATCL_FLUSH_TIMEOUT_MS": "2000",
        "LC_ALL": "C.UTF-8",
    }
