"""Who is measured: programs that run a workload in a process of their own and print its figures."""

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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workloads import Workload

HERE = Path(__file__).parent
TCL_SCRIPT = HERE / "workloads.tcl"
KAFKATCL = [sys.executable, "-m", "kafkatcl.shell"]
OURS = "kafkatcl"


class PeerError(Exception):
    """A process that did not do its workload; the message says how it ended."""


@dataclass(frozen=True)
class Figure:
    """What was measured of a workload."""

    value: float
    unit: str


@dataclass(frozen=True)
class Peer:
    """A program under test: the ``command`` before the arguments, and the workloads it has (None: all).

    One that does not have all has none of those that are prefetched.
    """

    name: str
    command: Sequence[str]
    scripts: frozenset[str] | None = None

    def runs(self, workload: Workload) -> bool:
        return self.scripts is None or (workload.script in self.scripts and not workload.prefetched)

    def about(self, seconds: float) -> dict[str, str]:
        """The versions of what it is made of; PeerError when it does not run."""
        versions: dict[str, str] = json.loads(_output([*self.command, "about"], seconds))
        return versions

    def measure(self, workload: Workload, bootstrap: str, topic: str, seconds: float) -> dict[str, Figure]:
        """The figures of one process, which has so many ``seconds``; PeerError when it fails."""
        start = time.perf_counter()
        output = _output([*self.command, *workload.arguments(bootstrap, topic)], seconds)
        if workload.script == "startup":
            return {"process": Figure((time.perf_counter() - start) * 1000, "ms")}
        figures = map(json.loads, output.splitlines())
        return {figure["name"]: Figure(figure["value"], figure["unit"]) for figure in figures}


def tcl_peer(name: str, command: str) -> Peer:
    """A Tcl interpreter with package kafka: ``command`` as one would type it before a script."""
    return Peer(name, [*shlex.split(command), str(TCL_SCRIPT)])


def usual_peers() -> list[Peer]:
    """Those that need not be named: KafkaTcl, confluent-kafka without it, and kcat where it is installed."""
    ours = Peer(OURS, [*KAFKATCL, str(TCL_SCRIPT)])
    bare = Peer("bare", [sys.executable, str(HERE / "bare.py")])
    kcat = Peer("kcat", [sys.executable, str(HERE / "kcat.py")], frozenset({"produce", "consume"}))
    return [ours, bare, kcat] if shutil.which("kcat") else [ours, bare]


def _output(command: Sequence[str], seconds: float) -> str:
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, start_new_session=True
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
