"""What transactions copy is there once and in order, whoever is killed meanwhile."""

from __future__ import annotations

from pathlib import Path

from counting.checker import HARMLESS
from counting.copying import Plan, run
from fix_cluster import Cluster
from fix_kafka_three import ThreeNodes

SEED = 1


def test_a_copy_by_transactions_has_each_message_once(three_nodes: ThreeNodes, tmp_path: Path) -> None:
    plan = Plan(messages=3_000, kills=2, leader_kills=1, rate=200)
    outcome = run(three_nodes, tmp_path, plan, SEED)
    assert outcome.wrong() == [], f"{three_nodes.log}\n{outcome}"
    assert outcome.counts.sent == plan.messages


def test_a_copy_without_transactions_is_found_out(kafka_cluster: Cluster, tmp_path: Path) -> None:
    """The other way round: what a killed copier has not committed is copied twice."""
    plan = Plan(["kafkatclsh"], messages=2_000, kills=2, leader_kills=0, rate=1_000, way="commit")
    outcome = run(kafka_cluster, tmp_path, plan, SEED)
    assert outcome.complaints == []
    found = {name for name, count in vars(outcome.counts).items() if count and name not in HARMLESS}
    assert found == {"duplicate"}, outcome
