"""The results as a chart: rates by workload and peer,
and the cost of a message as partitions and messages grow.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from benchmarks.results import Results, Spread

ADVICE = "a chart needs matplotlib: pip install 'kafkatcl[bench]', or leave out --chart"
FORMATS = (".svg", ".png")
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "kafkatcl",
    "font.size": 9,
}  # small, and the same each time


def check(file: Path) -> None:
    """Raise ValueError when ``file`` could not be drawn."""
    if file.suffix not in FORMATS:
        raise ValueError(f'--chart must be a file that ends in {" or ".join(FORMATS)}, got "{file}"')
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError(ADVICE)


def draw(results: Results, file: Path) -> None:
    """Draw ``file``, whose ending says in
    which format.  Raises ValueError as :func:`check` does.
    """
    check(file)
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 15), layout="constrained")
        rates, partitions, messages = figure.subplot_mosaic(
            [["rates", "rates"], ["partitions", "messages"]], height_ratios=[4.5, 1]
        ).values()
        _draw_rates(rates, results)
        _draw_growth(partitions, results, "partitions")
        _draw_growth(messages, results, "messages")
        metadata = {"Date": None} if file.suffix == ".svg" else {}
        figure.savefig(file, metadata=metadata)


def _draw_rates(axes: Any, results: Results) -> None:
    """A bar for each peer in each workload:
    the median, with a line from the least to the most.
    """
    bars = [
        (workload, figure)
        for table in ("rates", "prefetched")
        for workload in results.table(table)
        for figure, unit in results.figures(workload).items()
        if unit == "messages/s"
    ]
    height = 0.8 / len(results.peers)
    for index, peer in enumerate(results.peers):
        spreads = [results.spread(workload, figure, peer) or Spread(0, 0, 0) for workload, figure in bars]
        axes.barh(
            [place + index * height for place in range(len(bars))],
            [spread.median / 1e6 for spread in spreads],
            height,
            xerr=_errors(spreads, 1e-6),
            label=peer,
            error_kw={"linewidth": 0.8},
        )
    labels = [f"{workload.name}, {figure}" for workload, figure in bars]
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(bars))], labels)
    axes.set_ylim(len(bars), -0.4)  # downwards
    axes.set_xlabel("million messages a second, 100 bytes each")
    axes.legend()


def _draw_growth(axes: Any, results: Results, table: str) -> None:
    """A line for each kind of workload: what a message costs the first peer."""
    peer = results.peers[0]
    workloads = [workload for workload in results.table(table) if workload.tells_cost]
    for script in dict.fromkeys(workload.script for workload in workloads):
        figure = "acknowledged" if script == "produce" else "rate"
        points = []
        for workload in workloads:
            spread = results.spread(workload, figure, peer)
            if workload.script == script and spread:
                points.append((getattr(workload, table), 1e6 / spread.median))
        if points:
            axes.plot(*zip(*points), marker="o", label=script)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(table)
    axes.set_ylabel(f"µs a message, {peer}")
    if axes.lines:
        axes.legend()


def _errors(spreads: list[Spread], factor: float) -> list[list[float]]:
    return [
        [(spread.median - spread.minimum) * factor for spread in spreads],
        [(spread.maximum - spread.median) * factor for spread in spreads],
    ]
