"""pytest plugin: run Tcl scripts in a ``kafkatclsh`` of their own."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from fix_cluster import Cluster
from fix_stacks import ask_for_stacks

KAFKATCLSH = (sys.executable, "-m", "kafkatcl.launch")
#: A Tcl shell without Python, and the environment in which it finds the package.
TCLSH = ("tclsh",)
#: The same of Tcl 9, which ``tools/tcl9.sh`` sees to.
TCLSH9 = (str(Path(__file__).parent.parent / ".cache" / "tcl9.0" / "usr" / "bin" / "tclsh"),)
_TCLSH_ENVIRONMENT = {
    "TCLLIBPATH": str(Path(__file__).parent.parent / "pkgIndex"),
    "KAFKATCL_PYTHON": sys.executable,
}


def environment_of(shell: Sequence[str]) -> Mapping[str, str]:
    """What a shell needs in its environment to find the package."""
    return _TCLSH_ENVIRONMENT if shell[0] in (TCLSH[0], TCLSH9[0]) else {}


_SECONDS_FOR_STACKS = 1.0


def shows_fault(output: bytes) -> bool:
    """Whether what a script has written tells of a fault of the package:
    an exception that nobody expected.
    """
    return b"KAFKA INTERNAL" in output or b"Traceback (most recent call last)" in output


@dataclass(frozen=True)
class Finished:
    """How a script ended: its exit status (negative:
    the signal that killed it) and what it wrote.
    """

    status: int
    stdout_bytes: bytes
    stderr_bytes: bytes

    @property
    def stdout(self) -> str:
        return self.stdout_bytes.decode()

    @property
    def stderr(self) -> str:
        return self.stderr_bytes.decode()


class RunTcl(Protocol):
    """Run ``script`` (its text, its bytes,
    or the path of a file) with ``args`` and give how it ended.

    ``brokers`` is what the script finds as a Tcl list in the environment variable
    KAFKATCL_TEST_BROKERS; ``env`` is added to the environment; ``embedded`` gives it an
    embedded broker; ``shell`` is the command that runs it, ``TCLSH`` or another. A
    script whose output shows a fault of the package fails the test, unless it
    ``may_show_faults``. A script that takes more than ``timeout`` seconds is killed
    with all it started, and the test fails; what it wrote to standard error, which is
    shown then, ends with the stacks of its threads and of its sidecar's.
    """

    def __call__(
        self,
        script: str | bytes | Path,
        *args: str,
        brokers: Cluster | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | bytes = b"",
        timeout: float = 60,
        embedded: bool = False,
        shell: Sequence[str] = KAFKATCLSH,
        may_show_faults: bool = False,
    ) -> Finished: ...


@pytest.fixture(params=[KAFKATCLSH, TCLSH], ids=["kafkatclsh", "tclsh"])
def shell(request: pytest.FixtureRequest) -> Sequence[str]:
    """Each of the shells that scripts run in, for ``run_tcl``."""
    command: Sequence[str] = request.param
    if command == TCLSH9 and not Path(TCLSH9[0]).exists():
        pytest.skip("no Tcl 9: tools/setup.sh programs")
    return command


#: Has a test of ``shell`` run in Tcl 9 too.
also_in_tcl9 = pytest.mark.parametrize(
    "shell", [KAFKATCLSH, TCLSH, TCLSH9], ids=["kafkatclsh", "tclsh", "tclsh9"], indirect=True
)


@pytest.fixture
def run_tcl(tmp_path: Path) -> RunTcl:
    """Run Tcl scripts, each in a fresh process that works in ``tmp_path``:
    see :class:`RunTcl`.
    """
    written = 0

    def file_of(script: str | bytes | Path) -> str:
        nonlocal written
        if isinstance(script, Path):
            return str(script)
        written += 1
        file = tmp_path / f"script{written}.tcl"
        file.write_bytes(_bytes(script))
        return str(file)

    def run(
        script: str | bytes | Path,
        *args: str,
        brokers: Cluster | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | bytes = b"",
        timeout: float = 60,
        embedded: bool = False,
        shell: Sequence[str] = KAFKATCLSH,
        may_show_faults: bool = False,
    ) -> Finished:
        options: list[str] = []
        environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            **environment_of(shell),
            **(env or {}),
        }
        if embedded and shell in (TCLSH, TCLSH9):
            environment["KAFKATCL_EMBEDDED"] = "1"
        elif embedded:
            options = ["--embedded"]
        if brokers is not None:
            environment["KAFKATCL_TEST_BROKERS"] = " ".join(brokers.bootstrap)
        command = [*shell, *options, file_of(script), *args]
        done = _run(command, environment, tmp_path, _bytes(stdin), timeout)
        if not may_show_faults and shows_fault(done.stdout_bytes + done.stderr_bytes):
            pytest.fail(
                f"a fault of the package:\n{done.stdout_bytes!r}\n{done.stderr_bytes!r}", pytrace=False
            )
        return done

    return run


@pytest.fixture
def run_everywhere(run_tcl: RunTcl, shell: Sequence[str]) -> RunTcl:
    """``run_tcl`` in each of the shells."""
    return functools.partial(run_tcl, shell=shell)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _run(command: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: bytes, timeout: float) -> Finished:
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=cwd, start_new_session=True
    )
    try:
        stdout, stderr = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        ask_for_stacks(process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_SECONDS_FOR_STACKS)
        _kill(process)
        stdout, stderr = process.communicate()
        pytest.fail(
            f"{' '.join(command)} did not end within {timeout} s\n"
            f"stdout: {stdout.decode(errors='replace')}\nstderr: {stderr.decode(errors='replace')}",
            pytrace=False,
        )
    finally:
        _kill(process)
    return Finished(process.returncode, stdout, stderr)


def _kill(leader: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
