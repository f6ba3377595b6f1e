"""Producing over the pipe without waiting for answers:
what was accepted is delivered, what cannot be is an error.
"""

from __future__ import annotations

import re

import pytest
from fix_cluster import Cluster
from fix_tcl import TCLSH, RunTcl

# `accepted` counts, `refused` has the error of each message that was not queued.
PRELUDE = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
set accepted 0
set refused {}
proc produce {topic partition payload args} {
    if {[catch {$topic produce $partition $payload {*}$args} message]} {
        lappend ::refused $message
    } else {
        incr ::accepted
    }
}
# How many messages went without an answer, while a script ran.
proc unanswered {script} {
    set before $::accepted
    set ::answered 0
    trace add execution ::kafkatcl::sidecar::Ask enter {apply {args {incr ::answered}}}
    uplevel 1 $script
    return [expr {$::accepted - $before - $::answered}]
}
"""
FULL = "kafka error: Local: Queue full"


@pytest.fixture
def topic(embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    return embedded_cluster.told_topic(monkeypatch)


def run(run_tcl: RunTcl, script: str) -> list[str]:
    done = run_tcl(PRELUDE + script, shell=TCLSH)
    assert (done.status, done.stderr) == (0, "")
    return done.stdout.splitlines()


# -- without an answer -----------------------------------------------------------------


def test_most_messages_are_not_waited_for(embedded_cluster: Cluster, topic: str, run_tcl: RunTcl) -> None:
    (quick,) = run(
        run_tcl,
        """
        m producer_creator p
        p new_topic t $env(TOPIC)
        puts [unanswered {for {set i 0} {$i < 5000} {incr i} {produce t [expr {$i % 4}] $i k$i}}]
        """,
    )
    assert int(quick) > 4000
    assert embedded_cluster.messages_in(topic) == 5000


# -- what cannot be queued is an error of the produce that made it ---------------------

# Messages wait for ten seconds before they are sent, so the queue stays full.
FULL_QUEUE = """
m config linger.ms 10000 batch.size 100000000 {settings}
m producer_creator p
p new_topic t1 $env(TOPIC)
p new_topic t2 $env(TOPIC)
for {{set i 0}} {{$i < {count}}} {{incr i}} {{
    produce t1 0 [string repeat x {size}]
    produce t2 1 [string repeat x {size}]
}}
puts $accepted
puts [lsort -unique $refused]
"""


@pytest.mark.parametrize(
    ("settings", "count", "size", "room"),
    [
        ("queue.buffering.max.messages 1000", 3000, 10, 1000),
        ("queue.buffering.max.kbytes 1024", 200, 10_000, 1024 * 1024 // 10_000),
        ("queue.buffering.max.kbytes 1024", 40, 60_000, 1024 * 1024 // 60_000),
        ("queue.buffering.max.kbytes 2048 message.max.bytes 2000000", 20, 300_000, 6),
    ],
)
@pytest.mark.usefixtures("topic")
def test_two_topics_share_the_room_of_their_producer(
    settings: str, count: int, size: int, room: int, run_tcl: RunTcl
) -> None:
    accepted, refused = run(run_tcl, FULL_QUEUE.format(settings=settings, count=count, size=size))
    assert (int(accepted), refused) == (room, f"{{{FULL}}}")


def test_what_a_full_queue_accepted_is_delivered(
    embedded_cluster: Cluster, topic: str, run_tcl: RunTcl
) -> None:
    accepted, _ = run(
        run_tcl, FULL_QUEUE.format(settings="queue.buffering.max.messages 1000", count=3000, size=10)
    )
    assert embedded_cluster.messages_in(topic) == int(accepted)


def test_a_batch_takes_its_part_of_the_room(embedded_cluster: Cluster, topic: str, run_tcl: RunTcl) -> None:
    accepted, refused = run(
        run_tcl,
        """
        m config linger.ms 10000 queue.buffering.max.messages 1000
        m producer_creator p
        p new_topic t $env(TOPIC)
        produce t 0 first
        produce t 0 second
        t produce_batch 0 [lrepeat 600 [list x]]
        for {set i 0} {$i < 600} {incr i} {produce t 0 $i}
        puts $accepted
        puts [lsort -unique $refused]
        """,
    )
    assert (int(accepted), refused) == (400, f"{{{FULL}}}")
    assert embedded_cluster.messages_in(topic) == 1000


def test_a_full_queue_can_be_waited_for(embedded_cluster: Cluster, topic: str, run_tcl: RunTcl) -> None:
    told = run(
        run_tcl,
        """
        m config queue.buffering.max.messages 100 max.block.ms 20000
        m producer_creator p
        p new_topic t $env(TOPIC)
        for {set i 0} {$i < 5000} {incr i} {produce t 0 $i}
        puts $accepted
        """,
    )
    assert told == ["5000"]
    assert embedded_cluster.messages_in(topic) == 5000


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(70_000, [69_900, 70_001, 60_000]), (2000, [1900, 2001, 1]), (1000, [1001, 900])],
)
def test_a_message_that_is_too_large_is_refused_at_once(
    limit: int, sizes: list[int], embedded_cluster: Cluster, topic: str, run_tcl: RunTcl
) -> None:
    accepted, refused = run(
        run_tcl,
        f"""
        m config message.max.bytes {limit}
        m producer_creator p
        p new_topic t $env(TOPIC)
        for {{set i 0}} {{$i < 20}} {{incr i}} {{
            foreach size {{{" ".join(map(str, sizes))}}} {{produce t 0 [string repeat x $size]}}
        }}
        puts $accepted
        puts [lsort -unique $refused]
        """,
    )
    assert int(accepted) == 20 * len([size for size in sizes if size <= limit])
    assert refused == "{kafka error: Broker: Message size too large}"
    assert embedded_cluster.messages_in(topic) == int(accepted)


def test_an_unknown_partition_is_refused_once_the_partitions_are_known(topic: str, run_tcl: RunTcl) -> None:
    told = run(
        run_tcl,
        """
        m producer_creator p
        p new_topic t $env(TOPIC)
        produce t 0 first
        p meta refresh
        for {set i 0} {$i < 99} {incr i} {produce t 0 known}
        for {set i 0} {$i < 100} {incr i} {produce t 99 unknown}
        puts "$accepted [llength $refused] [lsort -unique $refused]"
        """,
    )
    assert told == ["100 100 {kafka error: Local: Unknown partition}"]


@pytest.mark.parametrize("words", ["x\\u0100", "x \\u20ac", "[string repeat \\xff 10]\\u0100 k"])
def test_a_character_that_is_no_byte_is_refused(words: str, topic: str, run_tcl: RunTcl) -> None:
    [told] = run(
        run_tcl,
        f"""
        m producer_creator p
        p new_topic t $env(TOPIC)
        for {{set i 0}} {{$i < 50}} {{incr i}} {{produce t 0 byte\\xff}}
        for {{set i 0}} {{$i < 50}} {{incr i}} {{produce t 0 {words}}}
        puts "$accepted [llength $refused] [lsort -unique $refused]"
        """,
    )
    assert re.fullmatch(r"50 50 .*kafka error: .* of the (payload|key) is no byte: .*", told)


@pytest.mark.parametrize("deleting", ["p delete", "t delete", "m delete; p delete"])
def test_nothing_can_be_produced_to_what_was_deleted(deleting: str, topic: str, run_tcl: RunTcl) -> None:
    (told,) = run(
        run_tcl,
        f"""
        m producer_creator p
        p new_topic t $env(TOPIC)
        for {{set i 0}} {{$i < 50}} {{incr i}} {{t produce 0 x}}
        {deleting}
        puts [catch {{t produce 0 x}}]
        """,
    )
    assert told == "1"


# -- much in both directions -----------------------------------------------------------


def test_large_messages_both_ways_in_a_flood_of_events(kafka_cluster: Cluster, run_tcl: RunTcl) -> None:
    """Ten times 10 MB each way, while small messages keep callbacks running."""
    topic = kafka_cluster.topic(config={"max.message.bytes": "20000000"})
    done = run_tcl(
        PRELUDE
        + """
        m config message.max.bytes 20000000 fetch.max.bytes 100000000 max.partition.fetch.bytes 20000000 \\
            receive.message.max.bytes 200000000 queue.buffering.max.kbytes 400000
        m producer_creator p
        p new_topic t $env(TOPIC)
        m consumer_creator c
        c new_topic tc $env(TOPIC)
        tc start 0 0 told
        tc start 1 0
        proc told {message} {
            incr ::got
        }
        set got 0
        set bytes {}
        for {set i 0} {$i < 256} {incr i} {
            append bytes [format %c $i]
        }
        set large [string range [string repeat $bytes 40000] 0 9999999]
        for {set round 0} {$round < 10} {incr round} {
            for {set i 0} {$i < 1000} {incr i} {
                t produce 0 $i
            }
            t produce 1 $large $round
            update
            tc consume 1 20000 row
            if {$row(payload) ne $large || $row(key) ne $round} {
                puts "round $round differs"
            }
        }
        while {$got < 10000} {
            vwait got
        }
        puts $got
        """,
        brokers=kafka_cluster,
        env={"TOPIC": topic},
        shell=TCLSH,
    )
    assert (done.stdout, done.stderr, done.status) == ("10000\n", "", 0)


# -- where nothing works any more ------------------------------------------------------
