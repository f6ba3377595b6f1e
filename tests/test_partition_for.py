"""`info partition_for` says where messages go, by each of librdkafka's partitioners."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl

PARTITIONERS = (
    "random", "consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random",
)  # fmt: skip

SCRIPT = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
m producer_creator p
proc went {key report} {set ::went($key) [dict get $report partition]}
set keys [list "" a b order-17 [binary format H* 00ff80] [string repeat long 500]]
for {set i 0} {$i < 60} {incr i} {lappend keys key$i}
foreach partitioner $argv topic $env(TOPICS) {
    p new_topic t $topic
    t config partitioner $partitioner
    foreach key $keys {
        t produce -1 x $key -callback [list went $key]
    }
    p flush 20000
    set wrong {}
    set unsure {}
    foreach key $keys {
        set told [t info partition_for $key]
        if {$told < 0} {
            lappend unsure $key
        } elseif {$told != $went($key)} {
            lappend wrong $key
        }
    }
    puts "$partitioner [llength $unsure] [llength $wrong] [array size went]"
    t delete
    array unset went
}
"""


@pytest.fixture
def topics(cluster: Cluster) -> Iterator[list[str]]:
    with cluster.topics(len(PARTITIONERS)) as names:
        yield names


def test_it_tells_where_messages_go(run_everywhere: RunTcl, cluster: Cluster, topics: list[str]) -> None:
    done = run_everywhere(SCRIPT, *PARTITIONERS, brokers=cluster, env={"TOPICS": " ".join(topics)})
    found = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    unsure = {"random": "66", "consistent_random": "1"}
    assert found == {name: [unsure.get(name, "0"), "0", "66"] for name in PARTITIONERS}


OTHERS = """
package require kafka
set topic [lindex $argv 0]
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
m partitioner consistent
m producer_creator p
p new_topic t $topic
m partitioner random
m producer_creator q
q new_topic u $topic
m consumer_creator c
c new_topic in $topic
puts [expr {[t info partition_for k] == [t info consistent_partition k]}],[t info partition_for {}]
puts [u info partition_for k],[in info partition_for k]
proc answered {args} {set ::answer $args}
t info -command answered partition_for k
vwait answer
puts $answer
puts [catch {t info partition_for} message],$message
puts [catch {t info partition_for \\u20ac} message],$message
puts [catch {t info nosuch} message],$message
"""


def test_the_partitioner_is_that_of_the_topic(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(OTHERS, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == [
        "1,0",
        "-1,-1",
        "ok 1",
        '1,wrong # args: should be "t info partition_for key"',
        "1,kafka error: Local: Invalid argument or configuration (character U+20AC at position 0 of the key "
        "is no byte: encode text first, as with encoding convertto utf-8)",
        '1,bad suboption "nosuch": must be name, partitions, consistent_partition, or output_queue_length',
    ]
