"""Callbacks go on whatever else the event loop is busy with, and whatever a script does to what it finds."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from fix_async import PRELUDE, SOURCES, filled, scaled
from fix_cluster import Cluster
from fix_tcl import RunTcl

COUNT = scaled(3000, 30_000)

# -- a busy event loop -------------------------------------------------------------------------------------

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


# -- callbacks that run the event loop ---------------------------------------------------------------------

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


# The interpreter has little room for nested calls, and the callback uses nearly all of it.
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


# -- a script that tidies up what it finds -----------------------------------------------------------------

TIDYING = """
namespace eval tidy {
    proc timers {} {
        foreach id [after info] {
            after cancel $id
        }
    }
    proc channels {} {
        foreach channel [file channels] {
            if {![string match std* $channel]} {
                close $channel
            }
        }
    }
    proc blocking {} {
        foreach channel [file channels] {
            if {![string match std* $channel]} {
                fconfigure $channel -blocking 0 -translation crlf -buffering full
            }
        }
    }
    proc interpreters {} {
        foreach name [interp children] {
            interp delete $name
        }
    }
    proc commands {} {
        foreach name [interp children] {
            rename $name {}
        }
    }
}
proc told {message} {
    incr ::told
    if {$::told % 100 == 50} {
        tidy::$::what
    }
}
lassign $argv topic source what count
set told 0
tidy::$what
listen $source told $count
# No timer here: those are tidied away.
while {$told < $count} {vwait told}
tidy::$what
tp$argc produce 0 more
tidy::$what
while {$told <= $count} {vwait told}
puts $told
exit
"""


@pytest.mark.parametrize("what", ["timers", "channels", "blocking", "interpreters", "commands"])
@pytest.mark.parametrize("source", ["topic", "queue"])
def test_what_a_script_tidies_away_is_not_ours(
    source: str, what: str, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    count = 1000
    topic = filled(embedded_cluster, {0: count})
    script = TIDYING.replace(
        "tidy::$what\nlisten", "m producer_creator p4\np4 new_topic tp4 $topic\ntidy::$what\nlisten"
    )
    done = run_everywhere(PRELUDE + script, topic, source, what, str(count), brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, f"{count + 1}\n", "")


def test_nothing_of_ours_is_among_channels_and_timers(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = filled(embedded_cluster, {0: 1000})
    script = (
        PRELUDE
        + """
        proc told {message} {
            lappend ::found {*}[file channels] {*}[after info]
            incr ::told
        }
        set told 0
        listen topic told 1000
        while {$told < 1000} {vwait told}
        puts [lsort -unique $found]
        exit
    """
    )
    done = run_everywhere(script, topic, brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "stderr stdin stdout\n", "")


# -- a script that has commands of its own in the place of Tcl's -------------------------------------------

# All commands of Tcl that a procedure can stand for; each tells who of ours has called it.
STOLEN = """
set stolen {
    after append array binary catch chan clock close concat dict encoding eof eval expr fconfigure file fileevent for
    foreach format if incr info interp join lappend lassign lindex list llength lmap lrange lsearch lset lsort namespace
    open pid proc puts read regexp regsub rename scan set split string subst switch time trace unset update vwait while
}
set body {
    ::kafkatcl::core::set name [::kafkatcl::core::lindex [::kafkatcl::core::info level 0] 0]
    ::kafkatcl::core::set who [::kafkatcl::core::uplevel 1 {::kafkatcl::core::namespace current}]
    ::kafkatcl::core::catch {
        ::kafkatcl::core::append who " [::kafkatcl::core::lindex [::kafkatcl::core::info level -1] 0]"
    }
    ::kafkatcl::core::if {[::kafkatcl::core::regexp {^::kafkatcl| ::?(kafkatcl|kafka)::| (t|p|c|q|s|m)\\d*$} $who]} {
        ::kafkatcl::core::lappend ::callers "$who: $name"
    }
    ::kafkatcl::core::uplevel 1 [::kafkatcl::core::lreplace [::kafkatcl::core::info level 0] 0 0 ::stolen::$name]
}
set callers {}
namespace eval stolen {}
proc steal {} {
    foreach name $::stolen {
        ::kafkatcl::core::rename ::$name ::stolen::$name
        ::kafkatcl::core::proc ::$name args $::body
    }
}
"""
WORK = """
proc told {kind args} {
    incr ::told($kind)
    set ::done now
}
lassign $argv topic
array set told {report 0 message 0 queued 0 read 0}
m config group.id own-[pid]
m delivery_report callback {told report}
steal
m producer_creator p
p new_topic t $topic
t produce 0 one key
t produce_batch 0 {two {three key}}
m consumer_creator c
c new_topic t2 $topic
t2 start 0 beginning {told message}
m consumer_creator c2
c2 create_queue q
c2 new_topic t3 $topic
t3 start_queue 0 beginning q
q consume_callback {told queued}
m subscriber s
s callback {told read}
s subscribe $topic
set end [after 20000 {set done late}]
set done {}
while {$done ne "late" && ($told(report) < 3 || $told(message) < 3 || $told(queued) < 3 || $told(read) < 3)} {
    vwait done
}
after cancel $end
t2 stop 0
m consumer_creator c3
c3 new_topic t4 $topic
t4 start 0 beginning
t4 consume 0 10000 row
t4 consume_batch 0 10000 2 row {set ::last $row(payload)}
s commit
s delete
c3 delete
p delete
puts "$done $last"
puts [join [lsort -unique $callers] \n]
exit
"""


def test_commands_that_a_script_has_put_in_the_place_of_tcls_are_not_called(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(PRELUDE + STOLEN + WORK, topic, brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "now three\n\n", "")


RENAMED = """
foreach name {after vwait open close puts fileevent catch clock update interp trace} {
    rename $name own_$name
    proc $name args [string map [list %name% $name] {
        incr ::calls
        uplevel 1 [list ::own_%name% {*}$args]
    }]
}
"""


def test_commands_may_have_been_wrapped_before(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = embedded_cluster.topic()
    script = RENAMED + PRELUDE + WORK.replace("steal\n", "set callers {}\n")
    done = run_everywhere(script, topic, brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (0, "now three\n\n", "")


# -- many descriptors --------------------------------------------------------------------------------------

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


# -- partitions that are taken away ------------------------------------------------------------------------

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
    # Kafka takes no less than 6 s; the embedded broker has members join again when so much has passed.
    session = "1500" if cluster.kind == "embedded" else "6000"
    done = run_everywhere(PRELUDE + REVOKED, topic, session, str(ms), how, brokers=cluster)
    assert (done.status, done.stderr) == (0, "")
    worked, stale = done.stdout.split()
    assert worked == "1"
    assert int(stale) <= 1  # the one that was under way


# -- what nobody takes -------------------------------------------------------------------------------------

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
