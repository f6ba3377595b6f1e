"""What was measured, and what follows from it:
spreads, and ratios of what was measured in the same round.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import OURS, Figure
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Run:
    """One process: its figures by name, or the ``error`` that it ended with."""

    workload: str
    peer: str
    round: int
    figures: dict[str, Figure] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Spread:
    """Where the figures of several rounds lie."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """The spread of ``values``; None where there are none."""
        return cls(min(values), statistics.median(values), max(values)) if values else None


@dataclass(frozen=True)
class Results:
    """All runs, of which machine and programs (``facts``), and of which ``peers``."""

    facts: dict[str, Any]
    peers: list[str]
    workloads: list[Workload]
    runs: list[Run]

    @property
    def ours(self) -> list[str]:
        """The peers that are held to others."""
        return [peer for peer in self.peers if peer in OURS]

    def rivals(self, peer: str) -> list[str]:
        """Whom one of ours is held to: all others,
        but the other one of ours only if that comes first.
        """
        before = self.peers[: self.peers.index(peer)]
        return [other for other in self.peers if other not in OURS or other in before]

    def table(self, name: str) -> list[Workload]:
        """The workloads of one table."""
        return [workload for workload in self.workloads if workload.table == name]

    def figures(self, workload: Workload) -> dict[str, str]:
        """The units of a workload's figures by their names, in their order."""
        runs = (run for run in self.runs if run.workload == workload.name)
        return {name: figure.unit for run in runs for name, figure in run.figures.items()}

    def values(self, workload: Workload, figure: str, peer: str) -> dict[int, float]:
        """What was measured, by round."""
        return {
            run.round: run.figures[figure].value
            for run in self.runs
            if (run.workload, run.peer) == (workload.name, peer) and figure in run.figures
        }

    def spread(self, workload: Workload, figure: str, peer: str) -> Spread | None:
        return Spread.of(list(self.values(workload, figure, peer).values()))

    def ratio(self, workload: Workload, figure: str, peer: str, rival: str) -> Spread | None:
        """The figures of ``peer`` by those of ``rival`` in the same rounds."""
        return pairwise(self.values(workload, figure, peer), self.values(workload, figure, rival))

    def costs(self, workload: Workload, figure: str, peer: str) -> dict[int, float]:
        """What a message took, in microseconds and by round, for a rate;
        other figures as they are.
        """
        values = self.values(workload, figure, peer)
        if self.figures(workload).get(figure) != "messages/s":
            return values
        return {number: 1e6 / rate for number, rate in values.items()}

    def failures(self) -> list[Run]:
        return [run for run in self.runs if run.error is not None]

    def failed(self, workload: Workload, peer: str) -> int:
        """How many of its processes failed."""
        return sum((run.workload, run.peer) == (workload.name, peer) for run in self.failures())

    def write(self, file: Path) -> None:
        """Write all of it as JSON, with a summary for those who do not want
        to compute it.
        """
        file.write_text(json.dumps({**asdict(self), "summary": self._summary()}, indent=1) + "\n")

    def _summary(self) -> list[dict[str, Any]]:
        return [
            {
                "workload": workload.name,
                "figure": figure,
                "unit": unit,
                "spread": {peer: _plain(self.spread(workload, figure, peer)) for peer in self.peers},
                "ratio": {
                    f"{peer} / {rival}": _plain(self.ratio(workload, figure, peer, rival))
                    for peer in self.ours
                    for rival in self.rivals(peer)
                },
            }
            for workload in self.workloads
            for figure, unit in self.figures(workload).items()
        ]


def read(file: Path) -> Results:
    """Results that were written before."""
    stored = json.loads(file.read_text())
    runs = [
        Run(**{**run, "figures": {name: Figure(**figure) for name, figure in run["figures"].items()}})
        for run in stored["runs"]
    ]
    return Results(
        stored["facts"], stored["peers"], [Workload(**workload) for workload in stored["workloads"]], runs
    )


def pairwise(values: dict[int, float], others: dict[int, float]) -> Spread | None:
    """The spread of the ratios of those pairs that there are."""
    return Spread.of([value / others[key] for key, value in values.items() if others.get(key)])


def digits(value: float) -> str:
    """``value`` with three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _plain(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else asdict(spread)
