"""``python -m benchmarks``: measure, show, keep."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from confluent_kafka import KafkaException

from benchmarks import chart, cluster, results, tables
from benchmarks.facts import facts
from benchmarks.measure import measure
from benchmarks.peers import OURS, Peer, PeerError, tcl_peer, usual_peers
from benchmarks.results import Results
from benchmarks.workloads import chosen, workloads

MESSAGES = 300_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with ``arguments`` (the process's own by default) and give the exit status.

    0; 1 when the process of a peer failed; 2 when nothing could be measured or kept.
    """
    given = _parser().parse_args(arguments)
    try:
        _check(given)
        found = results.read(given.results) if given.results else _measured(given)
        print(tables.document(found))
        if given.json:
            found.write(given.json)
        if given.chart:
            chart.draw(found, given.chart)
        if given.markdown:
            tables.write(found, given.markdown)
    except (PeerError, ValueError, OSError, RuntimeError, KafkaException) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 1 if found.failures() else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure KafkaTcl against others, in alternation. Without --bootstrap and --embedded it starts "
        "an Apache Kafka of its own (Java and Maven needed). docs/performance.md tells how to read the tables.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="another Tcl interpreter, with package kafka 2.4.3: what one types before a script; may be repeated",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=("pure", "tclsh", "bare", "kcat"),
        help="leave out one of the usual peers: KafkaTcl without its native part, a stock Tcl shell with KafkaTcl "
        "beside it, confluent-kafka without Tcl, or kcat; may be repeated",
    )
    parser.add_argument(
        "--rounds",
        type=_positive,
        default=5,
        metavar="N",
        help="how often each is run (5); growth and larger payloads at most 2 times",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="WORKLOAD",
        help="workloads by name, * allowed; all by default",
    )
    parser.add_argument(
        "--messages",
        type=_positive,
        default=MESSAGES,
        metavar="N",
        help=f"messages of a workload ({MESSAGES})",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--bootstrap", metavar="HOST:PORT,...", help="measure on a Kafka that runs already")
    where.add_argument(
        "--embedded", action="store_true", help="measure on the embedded broker (fewer messages)"
    )
    where.add_argument("--results", type=Path, metavar="FILE", help="measure nothing: show what --json wrote")
    parser.add_argument(
        "--time-limit", type=_positive, default=300, metavar="SECONDS", help="for each process (300)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all that was measured")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw it: FILE.svg or FILE.png")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="put the tables between the markers of FILE"
    )
    return parser


def _check(given: argparse.Namespace) -> None:
    """Raise ValueError or OSError for what could not be kept in the end."""
    if given.chart:
        chart.check(given.chart)
    if given.markdown:
        tables.check(given.markdown)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f'must be a whole number above 0, got "{text}"')
    return number


def _measured(given: argparse.Namespace) -> Results:
    peers = _peers(given.peer, given.without)
    with _cluster(given) as place:
        tasks = chosen(workloads(given.messages, place.volume), given.only)
        asked = {"messages of a workload": given.messages, "rounds": given.rounds}
        found = Results(
            {**facts(peers, place, given.time_limit), **asked}, [peer.name for peer in peers], tasks, []
        )
        try:
            for run in measure(peers, tasks, given.rounds, place, given.time_limit):
                found.runs.append(run)
        except KeyboardInterrupt:
            print("interrupted: this is what there is", file=sys.stderr)
    return found


def _peers(named: Sequence[str], without: Sequence[str]) -> list[Peer]:
    """The usual peers without some, those
    that were ``named`` after KafkaTcl.  Raises ValueError for a bad name.
    """
    usual = [peer for peer in usual_peers() if peer.name not in without]
    added = []
    for text in named:
        name, separator, command = text.partition("=")
        if not name or not separator or not command.strip():
            raise ValueError(f'--peer must be NAME=COMMAND, got "{text}"')
        added.append(tcl_peer(name, command))
    ours = [peer for peer in usual if peer.name in OURS]
    peers = [*ours, *added, *(peer for peer in usual if peer.name not in OURS)]
    names = [peer.name for peer in peers]
    if len(set(names)) < len(names):
        raise ValueError(f"each peer needs a name of its own: {', '.join(names)}")
    return peers


def _cluster(given: argparse.Namespace) -> AbstractContextManager[cluster.Cluster]:
    if given.bootstrap:
        return cluster.given(given.bootstrap)
    return cluster.embedded() if given.embedded else cluster.started()


if __name__ == "__main__":
    sys.exit(main())
