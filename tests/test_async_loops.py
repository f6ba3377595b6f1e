"""Callbacks beside a busy event loop,
and callbacks that run the event loop themselves: none is lost.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fix_async import PRELUDE, SOURCES, filled, scaled
from fix_cluster import Cluster
from fix_tcl import RunTcl

COUNT = scaled(3000, 30_000)

# -- a busy event loop -----------------------------------------------------------------

BUSY = """
source $env(BUSY)
namespace eval busy {
    proc idle {} {after idle {after 0 ::busy::idle}}
    proc update {} {
        # Whoever calls this one runs the event loop all the time.
        set end [expr {[clock milliseconds] + 30000}]
        while {$::told < $::count && [clock milliseconds] < $end} ::update
        after 0 {set ::done now}
    }
}
proc told {message} {
    if {[incr ::told] == $::count} {
        set ::done now
    }
}
lassign $argv topic source kind count
set told 0
busy::$kind
listen $source told $count
after 30000 {set done late}
vwait done
puts $told
exit
"""
KINDS = ("timer", "overrun", "writable", "readable", "socket", "idle", "update")
BUSY_FILE = Path(__file__).parent.parent / "benchmarks" / "busy.tcl"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["topic", "report"])
def test_a_busy_event_loop_does_not_stop_callbacks(
    source: str, kind: str, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(embedded_cluster, {0: COUNT})
    script = PRELUDE + BUSY
    if kind == "update":  # it begins when there is something to tell
        script = script.replace(
            "busy::$kind\nlisten $source told $count", "listen $source told $count\nbusy::$kind"
        )
    env = {"BUSY": str(BUSY_FILE)}
    done = run_everywhere(script, topic, source, kind, str(COUNT), brokers=embedded_cluster, env=env)
    assert (done.status, done.stdout, done.stderr) == (0, f"{COUNT}\n", "")


# Idle callbacks, timers and files have their turn beside a flood of messages.
FLOODED = """
proc told {message} {incr ::told}
proc idle {} {
    incr ::idles
    after 1 {after idle idle}
}
proc timer {} {
    incr ::timers
    after 1 timer
}
lassign $argv topic count
set pipe [open |cat r+]
fconfigure $pipe -buffering line
fileevent $pipe readable {
    gets $pipe
    incr ::files
    puts $pipe x
}
foreach what {told idles timers files} {
    set $what 0
}
listen topic told $count
await {$told > 0}
foreach what {idles timers files} {
    set $what 0
}
idle
timer
puts $pipe x
while {$told < $count} {vwait told}
puts [expr {$idles > 2 && $timers > 2 && $files > 2}]
exit
"""


def test_a_flood_of_messages_stops_nothing_else(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    count = 40_000
    topic = filled(embedded_cluster, {0: count})
    done = run_everywhere(PRELUDE + FLOODED, topic, str(count), brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "1\n", "")


# -- callbacks that run the event loop -------------------------------------------------

UPDATING = """
proc bgerror {message} {puts stderr $message}
proc told {message} {
    incr ::told
    if {$::told % $::every == 0} {
        update
    }
}
lassign $argv topic source count every
set told 0
listen $source told $count
after 100
set ::late [after 30000 {puts "$told told"; exit 3}]
while {$told < $count} {vwait told}
puts $told
exit
"""


@pytest.mark.parametrize("every", [1, 10])
@pytest.mark.parametrize("source", SOURCES)
def test_an_update_in_each_callback_loses_nothing(
    source: str, every: int, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    count = scaled(300, 30_000)
    topic = filled(embedded_cluster, {0: count})
    done = run_everywhere(PRELUDE + UPDATING, topic, source, str(count), str(every), brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, f"{count}\n", "")


# The interpreter has little room for nested calls, and the callback uses nearly all of
# it.
CRAMPED = """
proc bgerror {message} {lappend ::errors $message}
proc told {message} {
    lappend ::numbers [number $message]
    deep $::depth
}
proc deep {levels} {
    if {$levels > 0} {
        deep [expr {$levels - 1}]
    } else {
        update
    }
}
lassign $argv topic limit depth
set numbers {}
set errors {}
interp recursionlimit {} $limit
listen topic told 300
await {[llength $numbers] >= 300}
puts [expr {$numbers eq [numbers 300]}]
# It is the callback that has too little room, if anything has.
puts [lsearch -inline -not -all [lsort -unique $errors] "too many nested evaluations*"]
exit
"""


@pytest.mark.parametrize(("limit", "depth"), [(1000, 300), (200, 60), (200, 20), (120, 90)])
def test_no_room_for_nested_calls_loses_nothing(
    limit: int, depth: int, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(embedded_cluster, {0: 300})
    done = run_everywhere(PRELUDE + CRAMPED, topic, str(limit), str(depth), brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "1\n\n", "")


BAD_HANDLER = """
proc told {message} {
    incr ::told
    error wrong
}
interp bgerror {} [list apply {{message options} {
    incr ::handled
    if {$::handled == 3} {
        error "the handler is wrong"
    }
    if {$::handled % 50 == 0} {
        update
    }
}}]
lassign $argv topic count
set told 0
set handled 0
listen topic told $count
await {$handled > $count}
puts "$told [expr {$handled - $told}]"
exit
"""


def test_a_background_error_handler_that_fails_stops_nothing(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(embedded_cluster, {0: 500})
    done = run_everywhere(PRELUDE + BAD_HANDLER, topic, "500", brokers=embedded_cluster)
    assert (done.status, done.stdout) == (0, "500 1\n")  # the handler was told of its own error, too
