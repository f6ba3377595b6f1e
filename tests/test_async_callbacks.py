"""Callbacks come from the event loop alone, one by one and in order,
however deep it is nested and whatever fails.
"""

from __future__ import annotations

import threading
from typing import Callable

import pytest
from fix_async import PRELUDE, SOURCES, filled, scaled
from fix_cluster import Cluster
from fix_tcl import RunTcl

from kafkatcl import Interp

MESSAGES = 5000
NESTED = scaled(600, 4800)
FAILING = 500

#: Run a script, with the topic and more words as its arguments, on the embedded
#: cluster; what it says.
Lines = Callable[..., list[str]]


@pytest.fixture(scope="module")
def topic(embedded_cluster: Cluster) -> str:
    """A topic with ``MESSAGES`` messages in partition 0."""
    return filled(embedded_cluster, {0: MESSAGES})


@pytest.fixture
def lines(run_everywhere: RunTcl, embedded_cluster: Cluster, topic: str) -> Lines:
    def run(script: str, *args: object) -> list[str]:
        done = run_everywhere(PRELUDE + script, topic, *map(str, args), brokers=embedded_cluster)
        assert (done.status, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run


# -- vwait -----------------------------------------------------------------------------

# Message 0 goes to a command that returns when all are there; no event has run until
# then.
FETCH_ALL = {
    "topic": "tc consume_batch 0 15000 $count row break",
    "queue": "q consume_batch 15000 $count row break",
    "subscriber": "s consume 15000",
    "report": "after 50",
}
EXACT = """
proc told {message} {
    lappend ::told [number $message]
    if {[llength $::told] in {100 101 103}} {
        set ::reached now
    }
}
lassign $argv topic source count
set told {}
listen $source told $count
%s
puts [llength $told]
foreach stop {100 101 103} {
    vwait reached
    lappend stops [llength $told]
}
puts $stops
set updates 0
set end [expr {[clock milliseconds] + 15000}]
while {[lindex $told end] != $count - 1 && [clock milliseconds] < $end} {
    update
    incr updates
}
puts $told
puts $updates
"""


@pytest.mark.parametrize("source", SOURCES)
def test_vwait_returns_at_the_callback_that_sets_its_variable(source: str, lines: Lines) -> None:
    count = MESSAGES
    before, stops, told, updates = lines(EXACT % FETCH_ALL[source], source, count)
    taken = 0 if source == "report" else 1
    assert (before, stops) == ("0", "100 101 103")
    assert told.split() == [str(number) for number in range(taken, count)]
    if source in {"topic", "queue"}:  # where all were known to wait
        assert updates == "1"


# -- nested event loops ----------------------------------------------------------------

# Each callback waits until one of a deeper level has ended, six deep.
SIX_DEEP = """
proc told {message} {
    set level [incr ::level]
    puts "in [number $message]"
    if {$level < 6} {
        vwait ::ended([expr {$level + 1}])
    }
    puts "out [number $message]"
    incr ::level -1
    set ::ended($level) now
    if {[number $message] == $::last} {
        set ::done now
    }
}
lassign $argv topic source count
set level 0
set last [expr {$count - 6}]
listen $source told $count
after 15000 {exit 3}
vwait done
exit
"""


@pytest.mark.parametrize("source", SOURCES)
def test_callbacks_nest_six_deep(source: str, lines: Lines) -> None:
    expected: list[str] = []
    for first in range(0, NESTED, 6):
        nest = range(first, first + 6)
        expected += [f"in {number}" for number in nest]
        expected += [f"out {number}" for number in reversed(nest)]
    assert lines(SIX_DEEP, source, NESTED) == expected


# Callbacks of four sources that run the event loop in any of three ways, or not at all,
# up to six deep.
MIXED = """
proc told {source message} {
    puts "$source [number $message]"
    incr ::told($source)
    if {$::level == 6} {
        return
    }
    set level [incr ::level]
    set ::deepest [expr {max($::deepest, $level)}]
    switch [expr {int(rand() * 6)}] {
        0 {update}
        1 {after 0 [list set ::ticked($level) now]; vwait ::ticked($level)}
        2 {p poll 0}
    }
    incr ::level -1
}
lassign $argv topic count seed
expr {srand($seed)}
set level 0
set deepest 0
array set told {topic 0 queue 0 subscriber 0 report 0}
foreach source {report queue} {
    listen $source [list told $source] $count
}
rename tc queued
rename c queueing
foreach source {topic subscriber} {
    listen $source [list told $source] $count
}
await {min($told(topic), $told(queue), $told(subscriber), $told(report)) >= $count}
puts $deepest
"""


@pytest.mark.parametrize("seed", range(scaled(2, 20)))
def test_event_loops_nested_at_random_lose_nothing_and_keep_the_order(seed: int, lines: Lines) -> None:
    count = 1000
    *told, deepest = lines(MIXED, count, seed)
    for source in SOURCES:
        numbers = [int(line.split()[1]) for line in told if line.startswith(source)]
        assert numbers[:count] == list(range(count))
    assert deepest == "6"


# -- not from elsewhere ----------------------------------------------------------------

# Callbacks of all kinds wait while commands of all kinds run, outside and then in the
# first callback.
COMMANDS = """
proc told {args} {
    if {[incr ::told] == 1} {
        run_commands
    }
}
proc run_commands {} {
    foreach command $::commands {
        set before $::told
        if {[catch {uplevel #0 $command} result] && ![string match "*Timed out*" $result]} {
            puts "$command: $result"
        }
        if {$::told != $before} {
            puts "[expr {$::told - $before}] callbacks in: $command"
        }
    }
}
lassign $argv topic count
m config statistics.interval.ms 10
m statistics_callback told
m error_callback told
set told 0
listen report told $count
m config group.id readers-[pid]
m subscriber s
s callback told
s assign [list $topic 0 0]
m consumer_creator c
c new_topic tc $topic
c create_queue q
tc start 0 0 told
tc start 1 beginning
tc consume 1 15000 row
s consume 15000
set commands {
    {tp produce 1 x}
    {tp produce_batch 1 {a b c}}
    {tc consume 1 100 row}
    {tc consume 0 100 row}
    {tc consume 3 100 row}
    {tc consume_batch 1 100 10 row {incr bodies}}
    {tc consume_batch 0 100 10 row {tp produce 1 x}}
    {tc consume_callback 1 100 list}
    {q consume 50 row}
    {tc start_queue 2 0 q}
    {tc stop 2}
    {s consume 50}
    {s commit}
    {s commit -async}
    {s offsets "$topic 0"}
    {s watermarks $topic 0}
    {s error -195 reason}
    {s assignment}
    {m config linger.ms 1}
    {m config}
    {p meta refresh}
    {p info topics}
    {p output_queue_length}
    {tp info partitions}
    {m producer_creator p2}
    {p2 delete}
    {m consumer_creator c2}
    {c2 delete}
    {after 50}
    {exec true}
}
run_commands
puts $told
await {$told >= $count}
puts [expr {$bodies > 0}]
"""


def test_commands_run_no_callbacks(lines: Lines) -> None:
    assert lines(COMMANDS, MESSAGES) == ["0", "1"]


def test_callbacks_run_in_the_thread_of_the_interpreter(embedded_cluster: Cluster, topic: str) -> None:
    threads: dict[str, set[int]] = {}
    kinds = {"message", "queued", "read", "report", "error", "statistics", "log"}
    with Interp() as interp:

        @interp.command
        def told(kind: str, _argument: str) -> None:
            threads.setdefault(kind, set()).add(threading.get_ident())
            if threads.keys() == kinds:
                interp["done"] = "yes"

        interp["brokers"] = embedded_cluster.bootstrap_servers
        interp["topic"] = topic
        interp.eval("""
            package require kafka
            kafka::kafka create m
            m config bootstrap.servers $brokers group.id threads statistics.interval.ms 20 debug broker
            m logger callback {told log}
            m delivery_report callback {told report}
            m error_callback {told error}
            m statistics_callback {told statistics}
            m producer_creator p
            p new_topic tp $topic
            m consumer_creator c
            c new_topic tc $topic
            c create_queue q
            q consume_callback {told queued}
            m subscriber s
            s callback {told read}
            tp produce 1 x
            tc start 0 0 {told message}
            tc start_queue 1 0 q
            s assign [list $topic 0 0]
            c add_brokers 127.0.0.1:1
            s error -195 reason
        """)
        assert interp.vwait("done", 20), f"only {sorted(threads)} were told"
    assert threads == {kind: {threading.get_ident()} for kind in kinds}


# -- errors ----------------------------------------------------------------------------

FAILS = """
proc failing {message} {
    error "failed at [number $message]" {} [list MY [number $message]]
}
interp bgerror {} [list apply {{message options} {
    lappend ::failures $message [dict get $options -errorcode]
}}]
lassign $argv topic source count
set failures {}
listen $source failing $count
await {[llength $failures] >= 2 * $count}
foreach {message code} [lrange $failures 0 [expr {2 * $count - 1}]] {
    puts "$message, $code"
}
"""


@pytest.mark.parametrize("source", SOURCES)
def test_each_callback_that_fails_is_a_background_error(source: str, lines: Lines) -> None:
    assert lines(FAILS, source, FAILING) == [f"failed at {n}, MY {n}" for n in range(FAILING)]
