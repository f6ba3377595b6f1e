"""A file of Tcl's tests in a shell: what became of each test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SECONDS = 600
_ROOT = Path(__file__).parents[2]
_OUTCOME = re.compile(
    rb"^(?:\+{4} (?P<name>\S+) (?P<outcome>PASSED|SKIPPED)|={4} (?P<failed>\S+) .*FAILED$)", re.MULTILINE
)

Outcomes = dict[str, list[str]]  #: of each test by its name; a few names are those of several tests


class Shell(NamedTuple):
    """A shell to run tests in, and whether these load the package."""

    name: str
    command: tuple[str, ...]
    with_package: bool = False


SHELLS = (
    Shell("tclsh", ("tclsh8.6",)),
    Shell("kafkatclsh", (str(Path(sys.executable).with_name("kafkatclsh")),)),
    Shell("tclsh+kafka", ("tclsh8.6",), with_package=True),
    Shell("kafkatclsh+kafka", (str(Path(sys.executable).with_name("kafkatclsh")),), with_package=True),
)


def run(shell: Shell, file: Path, log: Path) -> Outcomes:
    """Run ``file`` by itself in a new folder; what it writes is kept in ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "TCLLIBPATH": str(_ROOT / "pkgIndex"),
        "KAFKATCL_PYTHON": sys.executable,
    }
    command = [*shell.command, str(file), "-verbose", "body pass skip error"]
    with tempfile.TemporaryDirectory(prefix="tclsuite") as folder, log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-tmpdir", folder],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # some tests leave programs behind
        process.wait()
    return outcomes(log.read_bytes())


def outcomes(output: bytes) -> Outcomes:
    """What tcltest tells of each test."""
    found: Outcomes = defaultdict(list)
    for match in _OUTCOME.finditer(output):
        name = match["name"] or match["failed"]
        found[name.decode()].append((match["outcome"] or b"FAILED").decode())
    return dict(found)


def differences(one: Outcomes, other: Outcomes) -> set[str]:
    """The tests that have not become the same."""
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
