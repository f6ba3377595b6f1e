"""The measuring: each workload, round by round, by all peers in turn."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.cluster import Cluster
from benchmarks.peers import Peer, PeerError
from benchmarks.results import Run, digits
from benchmarks.workloads import Workload


def measure(
    peers: Sequence[Peer], workloads: Sequence[Workload], rounds: int, cluster: Cluster, seconds: float
) -> Iterator[Run]:
    """The runs, as they end; each process has so many ``seconds``.  Tells on stderr how
    it goes.
    """
    total = sum(workload.rounds(rounds) for workload in workloads for peer in peers if peer.runs(workload))
    done = 0
    for workload in workloads:
        able = [peer for peer in peers if peer.runs(workload)]
        for number in range(workload.rounds(rounds)):
            for peer in rotated(able, number):
                run = measure_one(peer, workload, number, cluster, seconds)
                done += 1
                print(f"[{done}/{total}] {told(run)}", file=sys.stderr, flush=True)
                yield run


def rotated(peers: Sequence[Peer], number: int) -> list[Peer]:
    """The peers in the order of round ``number``: each round begins with another."""
    first = number % max(1, len(peers))
    return [*peers[first:], *peers[:first]]


def measure_one(peer: Peer, workload: Workload, number: int, cluster: Cluster, seconds: float) -> Run:
    """One process, whose failure is a result too."""
    with _topic(workload, cluster) as topic:
        try:
            figures = peer.measure(workload, cluster.bootstrap, topic, seconds)
        except PeerError as error:
            return Run(workload.name, peer.name, number, error=str(error))
    return Run(workload.name, peer.name, number, figures)


@contextmanager
def _topic(workload: Workload, cluster: Cluster) -> Iterator[str]:
    """The topic that ``workload`` wants to find."""
    if workload.consumes:
        yield cluster.filled(workload.partitions, workload.size, workload.held, workload.headers)
    elif workload.produces:
        with cluster.temporary(workload.partitions) as topic:
            yield topic
    elif workload.script == "latency":
        with cluster.temporary(workload.partitions) as topic, cluster.paced(topic):
            yield topic
    else:
        yield "none"


def told(run: Run) -> str:
    """A run in a line."""
    who = f"{run.workload}, round {run.round + 1}, {run.peer}: "
    if run.error is not None:
        return f"{who}FAILED: {run.error}"
    return who + ", ".join(
        f"{name} {digits(figure.value)} {figure.unit}" for name, figure in run.figures.items()
    )
