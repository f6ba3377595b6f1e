"""What is acknowledged is there, once and in order,
whatever happens to one of three nodes meanwhile.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from counting.faults import FAULTS
from counting.trial import Plan, Progress, run
from fix_async import scaled
from fix_kafka_nodes import NODES
from fix_kafka_three import ThreeNodes

PLAN = Plan(messages=scaled(5_000, 50_000), rate=scaled(500, 2_000))
KINDS = scaled(1, len(FAULTS))  # of faults, of which the first is the kill of a leader


@pytest.mark.parametrize("kind", list(FAULTS)[:KINDS])
def test_all_is_acknowledged_and_there_once_and_in_order(
    kind: str, three_nodes: ThreeNodes, tmp_path: Path
) -> None:
    def happens(progress: Progress) -> None:
        progress.await_acked(progress.total // 8)
        three_nodes.note(f"{progress.acked()} acknowledged")
        FAULTS[kind](three_nodes, progress.topic, 0)

    outcome = run(three_nodes, tmp_path, PLAN, happens)
    told = f"{three_nodes.log}\n{outcome}"
    assert outcome.wrong() == [], told
    for counts in outcome.counts.values():
        assert counts.acked == counts.sent == PLAN.total, told


def test_what_one_node_alone_has_acknowledged_can_be_lost_and_is_missed(
    three_nodes: ThreeNodes, tmp_path: Path
) -> None:
    """The other way round: where ``acks`` promises little, the counts say so."""
    plan = Plan(["kafkatclsh"], messages=3_000, properties={"acks": "1"})

    def happens(progress: Progress) -> None:
        progress.await_acked(progress.total // 8)
        # The leader of the controllers goes: the others choose a new one, which lets
        # all leaderships go on.
        alone = three_nodes.controller()
        others = [node for node in NODES if node != alone]
        for node in others:
            three_nodes.pause(node)
        progress.await_acked(progress.acked() + 200)
        three_nodes.kill(alone)
        for node in others:
            three_nodes.resume(node)
        for partition in range(plan.partitions):
            three_nodes.await_other_leader(alone, progress.topic, partition)
        three_nodes.start(alone)
        three_nodes.await_in_step()

    outcome = run(three_nodes, tmp_path, plan, happens)
    assert outcome.complaints == []
    for counts in outcome.counts.values():
        assert counts.lost > 0, f"{three_nodes.log}\n{outcome}"
