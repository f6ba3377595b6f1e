"""What a trial does to the nodes: each time until all is well again."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Callable

from fix_kafka_three import SECONDS, ThreeNodes

from counting.trial import Progress

#: How long a leader stays paused at least: the cluster has given up on it, and its
#: clients wonder.
PAUSE_SECONDS = 6

Fault = Callable[[ThreeNodes, str, int], None]


def _restart(nodes: ThreeNodes, node: int, topic: str, partition: int) -> None:
    """Start a node again that is gone, when another one leads the partition."""
    nodes.await_other_leader(node, topic, partition)
    nodes.start(node)
    nodes.await_in_step()


def kill_leader(nodes: ThreeNodes, topic: str, partition: int) -> None:
    """``kill -9`` of the leader of a partition."""
    leader = nodes.leader(topic, partition)
    nodes.kill(leader)
    _restart(nodes, leader, topic, partition)


def pause_leader(nodes: ThreeNodes, topic: str, partition: int) -> None:
    """SIGSTOP of the leader of a partition,
    which comes back and still believes that it leads.
    """
    leader = nodes.leader(topic, partition)
    begin = time.monotonic()
    nodes.pause(leader)
    nodes.await_other_leader(leader, topic, partition)
    time.sleep(max(begin + PAUSE_SECONDS - time.monotonic(), 0))
    nodes.resume(leader)
    nodes.await_in_step()


def stop_leader(nodes: ThreeNodes, topic: str, partition: int) -> None:
    """A clean stop of the leader of a partition."""
    leader = nodes.leader(topic, partition)
    nodes.stop(leader)
    _restart(nodes, leader, topic, partition)


def kill_controller(nodes: ThreeNodes, topic: str, partition: int) -> None:
    """``kill -9`` of the node that leads the controllers, whatever else it leads."""
    controller = nodes.controller()
    nodes.kill(controller)
    end = time.monotonic() + SECONDS
    while nodes.controller() == controller:
        if time.monotonic() > end:
            raise TimeoutError(f"no other controller after {SECONDS} s")
        time.sleep(0.05)
    _restart(nodes, controller, topic, partition)


FAULTS: dict[str, Fault] = {
    "kill": kill_leader,
    "pause": pause_leader,
    "stop": stop_leader,
    "controller": kill_controller,
}


def at_random(
    nodes: ThreeNodes, partitions: int, seed: int, kinds: Sequence[str], count: int
) -> Callable[[Progress], None]:
    """What happens in a trial: so many faults, one after the other;
    ``seed`` says which and when.
    """
    chance = random.Random(seed)

    def happens(progress: Progress) -> None:
        for number in range(count):
            share = (number + chance.uniform(0.1, 0.6)) / count
            progress.await_acked(int(progress.total * share))
            kind, partition = chance.choice(kinds), chance.randrange(partitions)
            nodes.note(
                f"{kind}, partition {partition}, at {progress.acked()} of {progress.total} acknowledged"
            )
            FAULTS[kind](nodes, progress.topic, partition)

    return happens
