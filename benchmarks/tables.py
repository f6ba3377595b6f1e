"""The results as tables in Markdown, which a terminal can show as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import Results, Spread, digits, pairwise
from benchmarks.workloads import Workload

Row = list[str]

MEMORY = ("resident", "peak")
COMPARED = ("rates", "prefetched", "process", "payloads")  # tables with ratios that tell something
COST = "µs a message"
NOTHING = "-"
BEGIN, END = "<!-- figures: written by python -m benchmarks -->", "<!-- end of figures -->"
#: How figures are shown: the unit, and what they are multiplied by.
SHOWN = {"messages/s": ("thousand/s", 1e-3)}


def document(results: Results) -> str:
    """All tables, each under a heading, and what they were measured on."""
    parts = [
        *((f"Ratios of {peer}", _ratios(results, peer)) for peer in results.ours),
        ("Rates, default settings", _figures(results, "rates")),
        ("Rates, prefetched", _figures(results, "prefetched")),
        ("Latency and start-up", _figures(results, "process")),
        ("Larger payloads", _figures(results, "payloads")),
        ("Growth with partitions", _growth(results, "partitions")),
        ("Growth with messages", _growth(results, "messages")),
        ("Memory, default settings", _figures(results, "rates", memory=True)),
        ("Memory, idle", _figures(results, "idle")),
        ("Failed", _failures(results)),
        ("Measured on", _facts(results)),
    ]
    return "\n".join(f"### {title}\n\n{table(rows)}" for title, rows in parts if len(rows) > 1)


def insert(text: str, figures: str) -> str:
    """``text`` with ``figures`` between its two markers.  Raises ValueError
    when it has none.
    """
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"--markdown needs a file with a line {BEGIN} and a line {END} after it")
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"


def check(file: Path) -> None:
    """Raise ValueError when ``file`` has no place for tables."""
    insert(file.read_text(), "")


def write(results: Results, file: Path) -> None:
    """Put the tables between the markers of ``file``.  Raises ValueError
    when it has none.
    """
    file.write_text(insert(file.read_text(), document(results)))


def table(rows: Sequence[Row]) -> str:
    """``rows`` as a Markdown table, the first as its head;
    without columns in which there is nothing.
    """
    columns = [column for column in zip(*rows) if any(cell != NOTHING for cell in column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in zip(*columns)]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _ratios(results: Results, peer: str) -> list[Row]:
    """The ratios of one of ours to the others, of figures of the same rounds."""
    rivals = results.rivals(peer)
    rows = [["workload", "figure", *(f"{peer} / {rival}" for rival in rivals)]]
    for workload in (each for name in COMPARED for each in results.table(name)):
        for figure, unit in results.figures(workload).items():
            if figure not in MEMORY:
                cells = [_spread(results.ratio(workload, figure, peer, rival)) for rival in rivals]
                rows.append([workload.name, _shown(figure, unit)[0], *cells])
    return rows


def _shown(figure: str, unit: str) -> tuple[str, float]:
    """How a figure is called, and what it is multiplied by."""
    shown, factor = SHOWN.get(unit, (unit, 1))
    return f"{figure}, {shown}", factor


def _figures(results: Results, name: str, *, memory: bool = False) -> list[Row]:
    """Each figure of a table with its spread for all peers."""
    rows = [["workload", "figure", *results.peers]]
    for workload in results.table(name):
        for figure, unit in results.figures(workload).items():
            if (figure in MEMORY) == memory:
                shown, factor = _shown(figure, unit)
                cells = [_cell(results, workload, figure, peer, factor) for peer in results.peers]
                rows.append([workload.name, shown, *cells])
    return rows


def _growth(results: Results, name: str) -> list[Row]:
    """What a message costs, what is resident,
    and how that compares with the first workload of the same script.

    Each where it means something: a cost where no fetching is waited for, memory where
    not all is kept in it.
    """
    rows = [["workload", "figure", *results.peers]]
    first: dict[tuple[str, bool], Workload] = {}
    for workload in results.table(name):
        base = first.setdefault((workload.script, workload.prefetched), workload)
        for figure, unit in results.figures(workload).items():
            is_cost = unit == "messages/s"
            if workload.tells_cost if is_cost else figure == "resident" and not workload.prefetched:
                shown = f"{figure}, {COST if is_cost else unit}"
                cells = [_grown(results, base, workload, figure, peer) for peer in results.peers]
                rows.append([workload.name, shown, *cells])
    return rows


def _grown(results: Results, base: Workload, workload: Workload, figure: str, peer: str) -> str:
    costs = results.costs(workload, figure, peer)
    growth = pairwise(costs, results.costs(base, figure, peer))
    if growth is None:
        return _cell(results, workload, figure, peer)
    return f"{_spread(Spread.of(list(costs.values())))}, x {growth.median:.2f}"


def _failures(results: Results) -> list[Row]:
    lines = [["workload", "round", "peer", "how it failed"]]
    for run in results.failures():
        reason = (run.error or "").replace("|", "\\|")
        lines.append([run.workload, str(run.round + 1), run.peer, reason])
    return lines


def _facts(results: Results) -> list[Row]:
    rows = [["", ""]]
    for name, value in results.facts.items():
        if name != "peers":
            rows.append([name, str(value)])
    for peer, versions in results.facts["peers"].items():
        rows.append([peer, ", ".join(f"{name} {version}" for name, version in versions.items())])
    return rows


def _cell(results: Results, workload: Workload, figure: str, peer: str, factor: float = 1) -> str:
    shown = _spread(results.spread(workload, figure, peer), factor)
    failed = results.failed(workload, peer)
    return f"{shown} (failed: {failed})" if failed else shown


def _spread(spread: Spread | None, factor: float = 1) -> str:
    """The median, and in brackets from where to where, if that is not the same."""
    if spread is None:
        return NOTHING
    low, middle, high = (digits(value * factor) for value in (spread.minimum, spread.median, spread.maximum))
    return middle if low == high else f"{middle} ({low} to {high})"
