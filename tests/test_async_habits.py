"""Habits of scripts that callbacks survive:
to tidy up what they find, and to have commands of their own.
"""

from __future__ import annotations

import pytest
from fix_async import PRELUDE, filled
from fix_cluster import Cluster
from fix_tcl import RunTcl

# -- a script that tidies up what it finds ---------------------------------------------

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


# -- a script that has commands of its own in the place of Tcl's -----------------------

# All commands of Tcl that a procedure can stand for; each tells who of ours has called
# it.
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
