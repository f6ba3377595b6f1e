"""Callbacks with many open files, of partitions that are taken away,
and of what nobody takes.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest
from fix_async import PRELUDE, filled
from fix_cluster import Cluster
from fix_tcl import RunTcl

# -- many descriptors ------------------------------------------------------------------

MANY_FILES = """
proc told {message} {incr ::told}
proc fill {} {
    for {set i 0} {$i < 1100} {incr i} {
        lappend ::files [open /dev/null]
    }
}
lassign $argv topic source when
set told 0
%s
listen $source told 100
if {$when eq "after"} {
    fill
}
while {$told < 100} {vwait told}
puts $told
exit
"""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_descriptors")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("source", ["topic", "subscriber", "report"])
def test_more_than_a_thousand_open_files_are_no_matter(
    source: str, when: str, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(embedded_cluster, {0: 100})
    script = PRELUDE + MANY_FILES % ('if {$when eq "before"} {fill}' if when == "before" else "")
    done = run_everywhere(script, topic, source, when, brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "100\n", "")


@pytest.mark.usefixtures("many_descriptors")
def test_the_package_can_be_loaded_when_a_thousand_files_are_open(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(embedded_cluster, {0: 100})
    # Tcl's own event loop needs descriptors below 1024 when it begins.
    begun = "after 0 {set begun 1}; vwait begun; for {set i 0} {$i < 1100} {incr i} {open /dev/null}\n"
    script = begun + PRELUDE + MANY_FILES % ""
    done = run_everywhere(script, topic, "topic", "before", brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "100\n", "")


# -- partitions that are taken away ----------------------------------------------------

REVOKED = """
lassign $argv topic session ms how
m config group.id workers-[pid] partition.assignment.strategy range \
    session.timeout.ms $session heartbeat.interval.ms 200
m subscriber slow
m subscriber quick
proc ours {member message} {
    foreach position [$member assignment] {
        if {[lindex $position 0] eq $::topic && [expr {"[lindex $position 1]" eq "" ? 0 : [lindex $position 1]}]
                == [dict get $message partition]} {
            return 1
        }
    }
    return 0
}
proc worked {message} {
    if {[dict exists $message payload]} {
        after $::ms
        incr ::worked
        # Who else has its partition by now?
        if {[ours quick $message]} {
            incr ::stale
        }
    }
}
set worked 0
set stale 0
slow subscribe $topic
if {$how eq "callback"} {
    slow callback worked
    await {$worked > 0} 30000
    after 300 {quick subscribe $topic}
    await {[llength [quick assignment]]} 30000
    set end [expr {[clock milliseconds] + 500}]
    await {[clock milliseconds] > $end}
} else {
    set end 0
    set begin 0
    while {!$end || [clock milliseconds] < $end} {
        worked [slow consume 1000]
        if {$worked && !$begin} {
            set begin 1
            quick subscribe $topic
        }
        update
        if {!$end && [llength [quick assignment]]} {
            set end [expr {[clock milliseconds] + 500}]
        }
    }
}
puts "[expr {$worked > 0}] $stale"
exit
"""


@pytest.mark.parametrize("how", ["callback", "loop"])
@pytest.mark.parametrize("ms", [1, 30])
def test_what_waits_of_a_partition_that_is_taken_away_is_not_told(
    ms: int, how: str, cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(cluster, dict.fromkeys(range(4), 10_000), partitions=4)
    # Kafka takes no less than 6 s; the embedded broker has members join again when so
    # much has passed.
    session = "1500" if cluster.kind == "embedded" else "6000"
    done = run_everywhere(PRELUDE + REVOKED, topic, session, str(ms), how, brokers=cluster)
    assert (done.status, done.stderr) == (0, "")
    worked, stale = done.stdout.split()
    assert worked == "1"
    assert int(stale) <= 1  # the one that was under way


# -- what nobody takes -----------------------------------------------------------------

UNTAKEN = """
proc told {kind argument} {
    incr ::told($kind)
    if {$kind ne "statistics" && [regexp {^(\\d+) further .* left out} [dict get $argument message] -> count]} {
        set ::left_out($kind) $count
    }
}
array set told {statistics 0 errors 0 lines 0}
array set left_out {errors 0 lines 0}
m config statistics.interval.ms 5 group.id g
m statistics_callback {told statistics}
m error_callback {told errors}
m logger callback {told lines}
m subscriber s
for {set i 0} {$i < 1500} {incr i} {
    s error -195 "broken $i"
}
m config debug all
m config bootstrap.servers 127.0.0.1:1 reconnect.backoff.ms 1 reconnect.backoff.max.ms 1
m producer_creator p
p new_topic t x
set end [expr {[clock milliseconds] + 3000}]
while {[clock milliseconds] < $end} {
    after 20
}
update
puts "$told(statistics) $told(errors) $left_out(errors) $told(lines)"
"""


def test_what_nobody_takes_is_bounded(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    done = run_everywhere(PRELUDE + UNTAKEN, "t", brokers=embedded_cluster)
    assert (done.status, done.stderr) == (0, "")
    statistics, errors, left_out, lines = map(int, done.stdout.split())
    assert statistics < 50  # of 1200: the newest, and what came meanwhile
    assert 1000 <= errors < 1200
    assert left_out >= 500
    assert 0 < lines <= 2 * 1001
