"""Timers are punctual while callbacks flood the event loop,
and who waits for callbacks costs nothing.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fix_async import PRELUDE, Live, filled, live, scaled
from fix_cluster import Cluster
from fix_tcl import RunTcl

LATE_MS = 100
TRIES = 3  # a machine that does other things too may hold a timer up now and then
CONSUMERS = 10

# A timer of 10 ms, for some ms beside callbacks without a pause that each work for some
# microseconds.
TICKS = """
proc tick {due} {
    set late [expr {[clock microseconds] - $due}]
    set ::worst [expr {max($::worst, $late)}]
    after 10 tick [expr {[clock microseconds] + 10000}]
}
proc worst_within {ms} {
    set ::worst 0
    after $ms {set ::over now}
    vwait ::over
    return [expr {$::worst / 1000}]
}
proc told {message} {
    set end [expr {[clock microseconds] + $::work}]
    while {[clock microseconds] < $end} {}
    incr ::told
}
namespace eval flood {
    # Partitions are begun again when their last message is told.
    proc topic {} {
        m consumer_creator ::c
        c new_topic ::tc $::topic
        foreach partition {0 1 2 3} {
            begin $partition
        }
    }
    proc begin {partition} {
        tc start $partition 0 [namespace code again]
    }
    proc again {message} {
        told $message
        if {[number $message] == $::last} {
            begin [dict get $message partition]
        }
    }
    proc queue {} {
        m consumer_creator ::c
        c new_topic ::tc $::topic
        c create_queue ::q
        q consume_callback [namespace code queued]
        foreach partition {0 1 2 3} {
            tc start_queue $partition 0 q
        }
    }
    proc queued {message} {
        told $message
        if {[number $message] == $::last} {
            tc start_queue [dict get $message partition] 0 q
        }
    }
    # For each thousand reports a thousand messages.
    proc report {} {
        variable thousand [numbers 1000]
        m delivery_report callback [namespace code reported]
        m producer_creator ::p
        p new_topic ::tp $::topic
        for {set i 0} {$i < 20} {incr i} {
            tp produce_batch 0 $thousand
        }
    }
    proc reported {report} {
        variable thousand
        if {[told $report] % 1000 == 0} {
            tp produce_batch 0 $thousand
        }
    }
}
lassign $argv topic source count work ms
set last [expr {$count - 1}]
set told 0
set worst 0
tick [clock microseconds]
flood::$source
await {$told > 0}
set late [worst_within $ms]
puts "$told $late"
"""


@pytest.mark.parametrize(
    ("source", "work_us"), [("topic", 0), ("queue", 0), ("queue", 200), ("queue", 2000), ("report", 0)]
)
def test_a_timer_is_punctual_in_a_flood(
    source: str, work_us: int, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    count = 20_000
    topic = filled(embedded_cluster, {} if source == "report" else dict.fromkeys(range(4), count))
    args = (topic, source, str(count), str(work_us), str(scaled(1200, 10_000)))
    delays = []
    for _ in range(TRIES):
        done = run_everywhere(PRELUDE + TICKS, *args, brokers=embedded_cluster)
        assert (done.status, done.stderr) == (0, "")
        told, late = map(int, done.stdout.split())
        assert told > 100
        if late <= LATE_MS:
            return
        delays.append(late)
    pytest.fail(f"so many ms late in the flood: {delays}")


IDLE = """
lassign $argv topic count
proc told {message} {
    if {[incr ::told] == $::count} {
        puts ready
        flush stdout
    }
}
m config fetch.wait.max.ms 500
for {set i 0} {$i < $count} {incr i} {
    m consumer_creator c$i
    c$i new_topic tc$i $topic
    tc$i start 0 0 told
}
vwait forever
"""


def share_of_a_core(script: Live, seconds: float) -> float:
    """The part of a core that a script uses in the ``seconds`` to come."""
    before = script.cpu_seconds()
    began = time.monotonic()
    time.sleep(seconds)
    return (script.cpu_seconds() - before) / (time.monotonic() - began)


def test_ten_idle_consumers_use_under_a_percent_of_a_core(cluster: Cluster, tmp_path: Path) -> None:
    topic = filled(cluster, {0: 1})
    with live(cluster, tmp_path, IDLE, topic, str(CONSUMERS)) as script:
        assert script.says() == "ready"
        share_of_a_core(script, 1)  # connections to all brokers are made
        assert share_of_a_core(script, scaled(4, 10)) < 0.01
