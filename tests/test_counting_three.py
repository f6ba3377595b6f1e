"""What is acknowledged is there, once and in order, whatever happens to one of three nodes meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from counting.faults import FAULTS
from counting.trial import Plan, Progress, run
from fix_async import scaled
from fix_kafka_three import ThreeNodes

PLAN = Plan(messages=scaled(5_000, 50_000), rate=scaled(500, 2_000))
KINDS = scaled(1, len(FAULTS))  # of faults, of which the first is the kill of a leader


@pytest.mark.timeout(scaled(120, 600), func_only=True)
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
