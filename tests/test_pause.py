"""`pause` and `resume` of a subscriber:
nothing of what is paused is read, nothing is lost, nothing comes twice.
"""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl

SETUP = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
kafka::topic_producer out $topic
proc send {first last} {
    foreach partition {0 1} {
        for {set number $first} {$number <= $last} {incr number} {
            out produce $partition $partition-$number
        }
    }
}
send 1 50
set s [kafka::subscriber g.$topic]
set got {}
proc told {message} {
    if {[dict exists $message payload]} {
        lappend ::got [dict get $message payload]
    }
}
proc of {partition} {llength [lsearch -all $::got $partition-*]}
proc until {condition} {
    set deadline [expr {[clock milliseconds] + 20000}]
    while {![uplevel #0 [list expr $condition]]} {
        if {[clock milliseconds] > $deadline} {
            puts "never: $condition: [llength $::got]"
            exit 1
        }
        next
    }
}
"""
READING = {
    "consume": "proc next {} {told [$::s consume 100]}",
    "callback": "proc next {} {after 100 {set ::tick 1}; vwait ::tick}; $s callback told",
}
PAUSED = """
$s assign [list $topic 0 beginning] [list $topic 1 beginning]
until {[of 0] > 5 && [of 1] > 5}
$s pause [list $topic 0]
puts [string map [list $topic T] [$s pause]]
set before [of 0]
send 51 60
until {[of 1] == 60}
puts [expr {[of 0] - $before}]
$s resume [list $topic 0]
puts [$s pause]
until {[of 0] == 60}
next
puts [llength $got],[llength [lsort -unique $got]]
set zero [lsearch -all -inline $got 0-*]
puts [expr {$zero eq [lsort -dictionary $zero]}]
puts [string map [list $topic T] [$s offsets [list $topic 0]]]
"""


@pytest.mark.parametrize("reading", READING)
def test_nothing_of_a_paused_partition_is_read(
    run_everywhere: RunTcl, cluster: Cluster, reading: str
) -> None:
    script = SETUP + READING[reading] + PAUSED
    done = run_everywhere(script, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == ["T", "0", "", "120,120", "1", "{T 0 60}"]


REFUSED = (
    SETUP
    + READING["consume"]
    + """
puts [catch {$s pause [list $topic 0]} message options]:[string map [list $topic T] $message]
puts [lrange [dict get $options -errorcode] 0 1]
$s assign [list $topic 0 beginning] [list $topic 1 beginning]
puts [catch {$s pause [list $topic 0] [list $topic 9]}],[$s pause]
puts [catch {$s resume [list $topic 9]}]
$s pause [list $topic 0] [list $topic 1]
puts [llength [$s pause]]
$s assign [list $topic 0 beginning] [list $topic 1 beginning]
puts [llength [$s pause]]
until {[of 0] == 50 && [of 1] == 50}
puts all
"""
)


def test_only_what_is_assigned_is_paused_and_an_assignment_begins_unpaused(
    run_everywhere: RunTcl, cluster: Cluster
) -> None:
    done = run_everywhere(REFUSED, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "1:Local: Unknown partition (partition 0 of topic 'T' is not assigned)",
        "KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION",
        "1,",
        "1",
        "2",
        "0",
        "all",
    ]
