"""A command of a stock Tcl shell waits for the sidecar no more often than it must."""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_tcl import TCLSH, RunTcl

OBJECTS = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id g
m consumer_creator c
c new_topic tc $env(TOPIC)
c create_queue q
m subscriber s
s subscribe $env(TOPIC)
m producer_creator p
p new_topic t $env(TOPIC)
t produce 0 x
tc start 1 0
"""


@pytest.mark.parametrize(
    ("command", "crossings"),
    [
        ("tc start_queue 0 0 q", 1),
        ("catch {tc start_queue 0 0 nobody}", 1),
        ("tc consume 1 0 row", 1),
        ("tc consume_batch 1 0 10 row {}", 1),
        ("s offsets -timeout 1000 {x 0}", 1),
        ("s offsets -timeout 0x3e8 {x 0}", 2),
        ("c poll 0", 3),
        ("c poll 00", 4),
        ("c name", 1),
        ("t produce_batch 0 {a b}", 1),
    ],
)
def test_crossings(command: str, crossings: int, embedded_cluster: Cluster, run_tcl: RunTcl) -> None:
    done = run_tcl(
        f"""
        {OBJECTS}
        set count 0
        trace add execution ::kafkatcl::sidecar::Ask enter {{apply {{args {{incr ::count}}}}}}
        catch {{{command}}}
        puts $count
        """,
        shell=TCLSH,
        brokers=embedded_cluster,
        env={"TOPIC": embedded_cluster.topic()},
    )
    assert (done.stdout, done.stderr) == (f"{crossings}\n", "")
