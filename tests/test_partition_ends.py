"""The end of a partition: told where the script has asked for it, and else as ever."""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_fields import Sent, produce
from fix_tcl import RunTcl, also_in_tcl9

BEGIN = """
package require kafka
lassign $argv topic
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id $topic fetch.wait.max.ms 10
m config enable.partition.eof true
m consumer_creator c
c new_topic in $topic
c create_queue q
m subscriber s
proc shown {list} {
    set names [lsearch -all -inline -not -exact [dict keys $list] timestamp]
    lmap name [lsort $names] {string cat $name = [dict get $list $name]}
}
proc row {} {
    upvar 1 row row
    puts [expr {[array exists row] ? [shown [array get row]] : "none"}]
}
proc got {list} {
    puts [shown $list]
    set ::got $list
}
proc until_end {} {
    set limit [after 20000 {error late}]
    while {![info exists ::got] || ![dict exists $::got end]} {vwait ::got}
    after cancel $limit
    unset ::got
}
"""


def lines(
    script: str, cluster: Cluster, run: RunTcl, *sent: Sent, partition_1: tuple[Sent, ...] = ()
) -> tuple[str, list[str]]:
    """A topic with these messages, and what a script prints that reads it."""
    topic = cluster.topic()
    produce(cluster.bootstrap_servers, topic, sent)
    produce(cluster.bootstrap_servers, topic, partition_1, partition=1)
    done = run(BEGIN + script, topic, brokers=cluster)
    assert done.status == 0, done
    return topic, done.stdout.splitlines()


EACH = {
    "consume": """
        in fields end
        in start 0 0
        puts [in consume 0 20000 row]; row
        puts [in consume 0 20000 row]; row
    """,
    "consume_batch": """
        in fields end
        in start 0 0
        puts [in consume_batch 0 20000 2 row row]
    """,
    "consume_callback": """
        in fields end
        in start 0 0
        while {![info exists got] || ![dict exists $got end]} {in consume_callback 0 20000 got}
    """,
    "callback": "in fields end; in start 0 0 got; until_end",
    "queue": """
        q fields end
        in start_queue 0 0 q
        puts [q consume 20000 row]; row
        puts [q consume 20000 row]; row
    """,
    "queue_callback": "q fields end; q consume_callback got; in start_queue 0 0 q; until_end",
    "subscriber": """
        s fields end
        s assign [list $topic 0 0]
        got [s consume 20000]
        got [s consume 20000]
    """,
    "subscriber_callback": "s fields end; s callback got; s assign [list $topic 0 0]; until_end",
}


@also_in_tcl9
def test_every_way_to_read_is_told(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    script = "\n".join(
        f"puts way=[list {way}]\nunset -nocomplain got row\n{text}" for way, text in EACH.items()
    )
    topic, found = lines(script, embedded_cluster, run_everywhere, Sent(b"x", headers=[("a", b"1")]))
    message = f"{{headers=a 1}} offset=0 partition=0 payload=x topic={topic}"
    end = f"end=1 offset=1 partition=0 topic={topic}"
    ways = [part.splitlines() for part in "\n".join(found).split("way=")[1:]]
    assert [way for way, *_ in ways] == list(EACH)
    for way, *told in ways:
        wanted = {
            "consume": ["1", message, "0", end],
            "queue": ["1", message, "0", end],
            "consume_batch": [message, end, "2"],
        }
        assert told == wanted.get(way, [message, end]), way


OLD = """
in start 0 0
puts [in consume 0 20000 row]; row
puts [in consume 0 20000 row]; row
in start 0 end
puts [in consume 0 20000 other]; puts [array exists other]
in start 0 0
puts [in consume_batch 0 1000 2 row row]
in stop 0
s assign [list $topic 0 0]
got [s consume 20000]
got [s consume 20000]
"""


def test_nobody_else_is(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic, found = lines(OLD, embedded_cluster, run_everywhere, Sent(b"x"))
    message = f"offset=0 partition=0 payload=x topic={topic}"
    assert found == [*("1", message, "0", ""), *("0", "0"), *(message, "1"), *(message, "")]


AGAIN = """
foreach fields {end {} end} {
    s fields $fields
    s assign [list $topic 0 0]
    got [s consume 20000]
    got [s consume 20000]
}
"""


def test_it_is_told_as_long_as_it_is_wanted(embedded_cluster: Cluster, run_tcl: RunTcl) -> None:
    _, found = lines(AGAIN, embedded_cluster, run_tcl, Sent(b"first"))
    seen = [line.partition(" ")[0] for line in found]
    assert seen == ["offset=0", "end=1", "offset=0", "", "offset=0", "end=1"]


ARRAYS = """
m producer_creator p
p new_topic out $topic
in fields end
in start 0 0
in start 1 0
in consume 0 20000 row
row
in consume 0 20000 row
row
out produce 0 b
while {![in consume 0 20000 row]} {}
row
in consume 0 20000 row
in consume 1 20000 row
row
"""


@pytest.mark.parametrize("headers", [None, [("a", b"1")]])
def test_an_array_has_nothing_of_the_end_any_more(
    headers: list[tuple[str, bytes]] | None, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic, found = lines(
        *(ARRAYS, embedded_cluster, run_everywhere, Sent(b"a", headers=headers)),
        partition_1=(Sent(b"c", b"k"), Sent(b"d")),
    )
    first = "{headers=a 1} " if headers else ""
    assert found == [
        f"{first}offset=0 partition=0 payload=a topic={topic}",
        f"end=1 offset=1 partition=0 topic={topic}",
        f"offset=1 partition=0 payload=b topic={topic}",
        f"key=k offset=0 partition=1 payload=c topic={topic}",
    ]
