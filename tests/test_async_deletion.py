"""What is stopped or deleted tells nothing any more,
and a callback that is replaced is told of nothing further.
"""

from __future__ import annotations

import pytest
from fix_async import PRELUDE, SOURCES, filled, scaled
from fix_cluster import Cluster
from fix_tcl import RunTcl

#: How often each of these kinds of callbacks is ended; joining a group takes its time.
TRIES = {"topic queue subscriber report": scaled(100, 1000), "member": scaled(5, 50)}
MESSAGES = 2000


@pytest.fixture(scope="module")
def topic(embedded_cluster: Cluster) -> str:
    """A topic with ``MESSAGES`` messages in partitions 0 and 1."""
    return filled(embedded_cluster, {0: MESSAGES, 1: MESSAGES})


# Each try starts something whose callback is told of messages and ends it after a
# random number of them, in any of these ways and from any of these places.  Whatever is
# told later than that is late.
ENDS = """
set ends {
    topic       {{tc stop 0} {tc delete} {c delete} {rename tc {}} {kafka::kafka create tc} {tc start 0 0}
                 {tc start 0 0 {}} {tc start_queue 0 0 q}}
    queue       {{q delete} {tc stop 0; tc stop 1} {tc delete} {c delete} {q consume_callback {}} {rename q {}}}
    subscriber  {{s unsubscribe} {s assign} {s callback {}} {rename s {}}}
    member      {{s unsubscribe} {s assign} {s callback {}} {rename s {}}}
    report      {{m2 delete} {m2 delivery_report callback {}} {kafka::kafka create m2} {p delete}
                 {kafka::kafka create p}}
}
set places {itself timer idle other nested}

proc start_topic {callback} {
    m consumer_creator c
    c new_topic tc $::topic
    c create_queue q
    tc start 0 0 $callback
}
proc start_queue {callback} {
    m consumer_creator c
    c new_topic tc $::topic
    c create_queue q
    q consume_callback $callback
    tc start_queue 0 0 q
    tc start_queue 1 0 q
}
proc start_subscriber {callback} {
    m config group.id readers-[pid]-$::try
    m subscriber s
    s callback $callback
    s assign [list $::topic 0 0] [list $::topic 1 0]
}
proc start_member {callback} {
    m config group.id members-[pid]-$::try
    m subscriber s
    s callback $callback
    s subscribe $::topic
}
proc start_report {callback} {
    kafka::kafka create m2
    m2 logger none
    m2 config bootstrap.servers [join $::env(KAFKATCL_TEST_BROKERS) ,]
    m2 delivery_report callback $callback
    m2 producer_creator p
    p new_topic tp $::topic
    tp produce_batch 2 [numbers 2000]
}

proc told {try message} {
    if {$try != $::try || $::ended} {
        puts "late: $::what"
        return
    }
    set partition [dict get $message partition]
    if {[info exists ::last($partition)] && [dict get $message offset] != $::last($partition) + 1} {
        puts "[dict get $message offset] follows $::last($partition): $::what"
    }
    set ::last($partition) [dict get $message offset]
    incr ::calls
    if {$::calls == $::moment} {
        end_from_$::place
    } elseif {$::calls == $::moment + 3 && $::place eq "nested"} {
        end
    }
}
proc end {} {
    uplevel #0 $::command
    set ::ended 1
}
proc end_from_itself {} end
proc end_from_timer {} {after [expr {int(rand() * 3)}] end}
proc end_from_idle {} {after idle end}
proc end_from_other {} {other produce 3 now}
# A callback that comes later, while this one waits, ends it.
proc end_from_nested {} {vwait ::ended}

proc pick {list} {lindex $list [expr {int(rand() * [llength $list])}]}

lassign $argv topic seed tries sources
expr {srand($seed)}
m delivery_report callback {apply {{report} end}}
m producer_creator others
others new_topic other $topic
for {set try 0} {$try < $tries} {incr try} {
    set source [pick $sources]
    set command [pick [dict get $ends $source]]
    set place [pick $places]
    # As often few as many.
    set moment [expr {int(1500 ** rand())}]
    set what "$command from $place after $moment"
    array unset last
    set calls 0
    set ended 0
    start_$source [list told $try]
    await {$ended}
    after [pick {0 1 10}] {incr rest}
    vwait rest
    foreach name {tc tp q c p s m2} {
        catch {rename $name {}}
    }
}
after 200 {incr rest}
vwait rest
puts "$try tries"
"""


@pytest.mark.parametrize("seed", range(scaled(1, 3)))
@pytest.mark.parametrize("sources", TRIES)
def test_nothing_comes_late(
    sources: str, seed: int, embedded_cluster: Cluster, topic: str, run_everywhere: RunTcl
) -> None:
    tries = str(TRIES[sources])
    args = (topic, str(seed), tries, sources)
    done = run_everywhere(PRELUDE + ENDS, *args, brokers=embedded_cluster, timeout=300)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout == f"{tries} tries\n"


# The callback is replaced after each random number of messages, by itself, a timer, an
# idle callback or from a nested event loop; what is told must be each message once, to
# the callback that is the present one.
REPLACED = """
proc told {generation message} {
    if {$generation != $::generation} {
        puts "[number $message] goes to $generation, not to $::generation"
    }
    puts [number $message]
    set ::next [expr {[number $message] + 1}]
    if {[incr ::left -1] == 0} {
        switch [expr {int(rand() * 4)}] {
            0 replace
            1 {after 0 replace}
            2 {after idle replace}
            3 {after 0 replace; update}
        }
    }
}
proc replace {} {
    incr ::generation
    set ::left [expr {int(300 ** rand())}]
    $::source [list told $::generation]
}
proc topic {callback} {tc start 0 $::next $callback}
proc queue {callback} {q consume_callback $callback}
proc subscriber {callback} {s callback $callback}
proc report {callback} {m delivery_report callback $callback}
lassign $argv topic source count seed
expr {srand($seed)}
set generation 0
set left 10
set next 0
listen $source {told 0} $count
await {$next == $count}
after 50 {incr rest}
vwait rest
puts "replaced [expr {$generation > 1}]"
"""


@pytest.mark.parametrize("seed", range(scaled(1, 10)))
@pytest.mark.parametrize("source", SOURCES)
def test_a_replaced_callback_hands_over_exactly(
    source: str, seed: int, embedded_cluster: Cluster, topic: str, run_everywhere: RunTcl
) -> None:
    args = (topic, source, str(MESSAGES), str(seed))
    done = run_everywhere(PRELUDE + REPLACED, *args, brokers=embedded_cluster)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.split("\n") == [*map(str, range(MESSAGES)), "replaced 1", ""]
