"""What `config` says of reading: patterns of topics, isolation, racks, strategies."""

from __future__ import annotations

import re

import pytest
from confluent_kafka import Producer
from fix_cluster import Cluster
from fix_kafka_three import ThreeNodes
from fix_tcl import RunTcl

MASTER = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $::env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10
"""

PATTERN = (
    MASTER
    + """
lassign $argv prefix
m config group.id g.$prefix topic.metadata.refresh.interval.ms 300
m producer_creator p
foreach name {a.1 b.2 a.3x c.4} {
    p new_topic out $prefix-$name
    out produce 0 $name
}
while {[p output_queue_length] > 0} {p poll 20}
m subscriber s
s subscribe "^$prefix-\\[ab\\]\\\\.\\[0-9\\]+\\$" $prefix-c.4
set end [expr {[clock milliseconds] + 30000}]
set got {}
proc read {} {
    set message [s consume 100]
    if {[dict exists $message payload]} {lappend ::got [dict get $message payload]}
}
while {[llength $got] < 3 && [clock milliseconds] < $end} read
puts [lsort $got]
# A topic that is made later, too.
p new_topic out $prefix-b.5
out produce 0 b.5
while {"b.5" ni $got && [clock milliseconds] < $end} read
puts [lsort $got]
"""
)


def test_a_pattern_takes_the_topics_that_match_it(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PATTERN, cluster.topic(), brokers=cluster)
    assert (done.stdout.splitlines(), done.stderr) == (["a.1 b.2 c.4", "a.1 b.2 b.5 c.4"], "")


ISOLATION = (
    MASTER
    + """
lassign $argv topic level
m config group.id g.$topic.$level isolation.level $level enable.partition.eof true
m consumer_creator c
c new_topic t $topic
t start 0 beginning
while {[t consume 0 10000 row]} {lappend got $row(payload)}
puts $got
m subscriber s
s assign [list $topic 0 0]
puts [lindex [s lag] 0 2]
set got {}
while {[dict exists [set message [s consume 10000]] payload]} {lappend got [dict get $message payload]}
puts $got
s seek $topic 0 end
puts [lindex [s offsets [list $topic 0]] 0 2]
"""
)


def test_read_committed_shows_what_was_committed(run_everywhere: RunTcl, kafka_cluster: Cluster) -> None:
    topic = kafka_cluster.topic()
    settings = {"bootstrap.servers": kafka_cluster.bootstrap_servers, "transactional.id": topic}
    producer = Producer(settings)
    producer.init_transactions(30)
    for payload, ends in (
        ("committed", producer.commit_transaction),
        ("aborted", producer.abort_transaction),
        ("more", producer.commit_transaction),
        ("open", None),
    ):
        producer.begin_transaction()
        producer.produce(topic, payload, partition=0)
        assert producer.flush(30) == 0
        if ends:
            ends(30)
    # Each end of a transaction takes an offset of its own.
    for level, expected in (
        ("read_committed", ["committed more", "6", "committed more", "6"]),
        ("read_uncommitted", ["committed aborted more open", "7", "committed aborted more open", "7"]),
    ):
        done = run_everywhere(ISOLATION, topic, level, brokers=kafka_cluster)
        assert (done.stdout.splitlines(), done.stderr) == (expected, "")
    producer.abort_transaction(30)


STRATEGY = (
    MASTER
    + """
lassign $argv a b strategy
m config group.id g.$a partition.assignment.strategy $strategy heartbeat.interval.ms 200
foreach name {s1 s2} {
    m subscriber $name
    $name subscribe $a $b
}
set end [expr {[clock milliseconds] + 40000}]
while {[llength [s1 assignment]] != 4 || [llength [s2 assignment]] != 4} {
    foreach name {s1 s2} {$name consume 20}
    if {[clock milliseconds] > $end} break
}
# The partitions of each topic that one member has.
foreach name {s1 s2} {
    set of [dict create $a {} $b {}]
    foreach position [$name assignment] {dict lappend of [lindex $position 0] [expr {"0[lindex $position 1]"}]}
    lappend all [lmap partitions [dict values $of] {lsort -integer $partitions}]
}
puts [lsort $all]
puts [expr {[s1 member_id] ne "" && [s1 member_id] ne [s2 member_id]}]
puts [catch {s1 incremental_unassign [lindex [s1 assignment] 0]}]
puts [llength [s1 assignment]]
"""
)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("range", ["{{0 1} {0 1}} {{2 3} {2 3}}", "1", "1", "4"]),
        ("roundrobin", ["{{0 2} {0 2}} {{1 3} {1 3}}", "1", "1", "4"]),
        ("cooperative-sticky", [None, "1", "0", "3"]),
    ],
)
def test_the_strategy_says_who_reads_what(
    run_tcl: RunTcl, cluster: Cluster, strategy: str, expected: list[str | None]
) -> None:
    done = run_tcl(STRATEGY, *sorted((cluster.topic(), cluster.topic())), strategy, brokers=cluster)
    shared, *rest = done.stdout.splitlines()
    assert rest == expected[1:]
    assert expected[0] in (None, shared)
    # Whatever the strategy, each partition is somebody's, once.
    assert sorted(re.findall(r"\d", shared)) == sorted("01230123")


RACK = (
    MASTER
    + """
lassign $argv topic rack
m config client.rack $rack statistics.interval.ms 200
set seen {}
proc statistics {json} {
    if {[regexp {"partition":0, *"broker":(-?\\d+), *"leader":(-?\\d+)} $json all broker leader]} {
        lappend ::seen $broker
        set ::leads $leader
    }
}
m statistics_callback statistics
m consumer_creator c
c new_topic t $topic
t start 0 beginning
t consume 0 30000 row
set timer [after 30000 {lappend seen never}]
set node [string index $rack end]
while {[lindex $seen end] ni [list $node never]} {vwait seen}
puts "$row(payload) [lindex $seen end] $leads"
"""
)


@pytest.mark.parametrize("away", [1, 2])
def test_a_reader_fetches_from_its_rack(run_tcl: RunTcl, three_nodes: ThreeNodes, away: int) -> None:
    topic = three_nodes.topic()
    leader = three_nodes.leader(topic, 0)
    node = (leader - 1 + away) % 3 + 1
    producer = Producer({"bootstrap.servers": three_nodes.bootstrap_servers})
    producer.produce(topic, b"hello", partition=0)
    assert producer.flush(30) == 0
    done = run_tcl(RACK, topic, f"rack{node}", brokers=three_nodes)
    assert (done.stdout, done.stderr) == (f"hello {node} {leader}\n", "")
