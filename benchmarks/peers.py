"""Who is measured: programs that run a workload in a process of their own
and print its figures.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.workloads import Workload

HERE = Path(__file__).resolve().parent
TCL_SCRIPT = HERE / "workloads.tcl"
KCAT_SCRIPTS = frozenset({"produce", "consume"})
PKG_INDEX = HERE.parent / "pkgIndex"
HOSTED, PURE, STOCK, BARE = "kafkatcl", "pure", "tclsh", "bare"
#: Those that run this package: in an interpreter that Python hosts, the same without
#: the native part, and in an interpreter that has a sidecar.
OURS = (HOSTED, PURE, STOCK)
#: The version of the C original, which other Tcl interpreters are asked for: there may
#: be a package of ours where they look, too.
ORIGINAL = "2.4.3"
#: The environment variable with what scripts are to require.
PACKAGE = "BENCHMARK_PACKAGE"


class PeerError(Exception):
    """A process that did not do its workload; the message says how it ended."""


@dataclass(frozen=True)
class Figure:
    """What was measured of a workload."""

    value: float
    unit: str


@dataclass(frozen=True)
class Peer:
    """A program under test: the ``command`` before the arguments,
    and the workloads it has (None: all).

    One that does not have all has none of those that are prefetched; only one that
    ``grows`` has those of growth, and only ours and confluent-kafka those that are new.
    ``environment`` is added to that of this process.
    """

    name: str
    command: Sequence[str]
    scripts: frozenset[str] | None = None
    grows: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    def runs(self, workload: Workload) -> bool:
        if workload.grows and not self.grows:
            return False
        if workload.is_new and self.name not in {*OURS, BARE}:
            return False
        return self.scripts is None or (workload.script in self.scripts and not workload.prefetched)

    def about(self, seconds: float) -> dict[str, str]:
        """The versions of what it is made of; PeerError when it does not run."""
        versions: dict[str, str] = json.loads(self._output(["about"], seconds))
        return versions

    def measure(self, workload: Workload, bootstrap: str, topic: str, seconds: float) -> dict[str, Figure]:
        """The figures of one process, which has so many ``seconds``;
        PeerError when it fails.
        """
        start = time.perf_counter()
        output = self._output(workload.arguments(bootstrap, topic), seconds)
        if workload.script == "startup":
            return {"process": Figure((time.perf_counter() - start) * 1000, "ms")}
        figures = map(json.loads, output.splitlines())
        return {figure["name"]: Figure(figure["value"], figure["unit"]) for figure in figures}

    def _output(self, arguments: Sequence[str], seconds: float) -> str:
        return _output([*self.command, *arguments], {**os.environ, **self.environment}, seconds)


def tcl_peer(name: str, command: str) -> Peer:
    """A Tcl interpreter with a package kafka of its own:
    ``command`` as one would type it before a script.
    """
    environment = {
        "TCLLIBPATH": _without_ours(os.environ.get("TCLLIBPATH", "")),
        PACKAGE: os.environ.get(PACKAGE, f"-exact kafka {ORIGINAL}"),
    }
    return Peer(name, [*shlex.split(command), str(TCL_SCRIPT)], grows=True, environment=environment)


def _without_ours(folders: str) -> str:
    """A TCLLIBPATH in which nobody finds this package by accident."""
    return " ".join(folder for folder in folders.split() if Path(folder.strip('{}"')).resolve() != PKG_INDEX)


def usual_peers() -> list[Peer]:
    """Those that need not be named: KafkaTcl in both interpreters, once without its
    native part, confluent-kafka without it, and kcat.

    Those that are not installed are not among them.
    """
    python = sys.executable
    sidecar = {"TCLLIBPATH": f"{{{PKG_INDEX}}}", "KAFKATCL_PYTHON": python}
    hosted = [python, "-m", "kafkatcl.shell", str(TCL_SCRIPT)]
    return [
        Peer(HOSTED, hosted, grows=True),
        Peer(PURE, hosted, environment={"KAFKATCL_NATIVE": "0"}),
        *([Peer(STOCK, ["tclsh", str(TCL_SCRIPT)], environment=sidecar)] if shutil.which("tclsh") else []),
        Peer(BARE, [python, str(HERE / "bare.py")]),
        *([Peer("kcat", [python, str(HERE / "kcat.py")], KCAT_SCRIPTS)] if shutil.which("kcat") else []),
    ]


def _output(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        raise PeerError(f"{command[0]} cannot be run: {error.strerror}") from None
    try:
        output, complaint = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise PeerError(f"did not end within {seconds:g} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if process.returncode < 0:
        raise PeerError(f"was ended by {signal.Signals(-process.returncode).name}")
    if process.returncode > 0:
        raise PeerError(f"ended with status {process.returncode}: {_reason(complaint)}")
    return output


def _reason(complaint: str) -> str:
    """The line that matters: Tcl says it first, Python last."""
    lines = complaint.strip().splitlines() or ["it did not say why"]
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]
