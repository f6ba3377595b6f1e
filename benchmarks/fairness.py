"""``python -m benchmarks.fairness``:
what callbacks get of a busy event loop, and what they leave to a timer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cluster
from benchmarks.peers import OURS, Peer, tcl_peer, usual_peers

KINDS = ("nothing", "timer", "overrun", "writable", "readable", "socket")
MESSAGES = 100_000
_SCRIPT = Path(__file__).with_name("fairness.tcl")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each kind of busy loop in each peer, in turn, and print medians."""
    given = _parser().parse_args(arguments)
    named = [tcl_peer(*text.split("=", 1)) for text in given.peer]
    peers = [*(peer for peer in usual_peers() if peer.name in OURS), *named]
    measured: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with cluster.embedded() if given.embedded else cluster.started() as place:
        topic = place.filled(1, 20, MESSAGES)
        for _ in range(given.rounds):
            for kind in KINDS:
                for peer in peers:
                    found = _run(peer, place.bootstrap, topic, kind)
                    measured.setdefault((peer.name, kind), []).append(found)
    for peer in peers:
        print(
            f"{peer.name}: callbacks a second, their share of those alone, ms that a timer was late at most"
        )
        alone = _median(measured[peer.name, KINDS[0]], 0)
        for kind in KINDS:
            rate, late = _median(measured[peer.name, kind], 0), max(ms for _, ms in measured[peer.name, kind])
            print(f"  {kind:9}{rate:10.0f}{rate / alone:8.2f}{late:6.0f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each is run (3)")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=COMMAND", help="another Tcl interpreter"
    )
    parser.add_argument("--embedded", action="store_true", help="measure on the embedded broker")
    return parser


def _run(peer: Peer, bootstrap: str, topic: str, kind: str) -> tuple[float, float]:
    interpreter = peer.command[:-1]  # without the script of the other workloads
    done = subprocess.run(
        [*interpreter, str(_SCRIPT), bootstrap, topic, str(MESSAGES), kind],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, **peer.environment},
    )
    rate, late = map(float, done.stdout.split())
    return rate, late


def _median(found: Sequence[tuple[float, float]], place: int) -> float:
    return statistics.median(values[place] for values in found)


if __name__ == "__main__":
    main()
