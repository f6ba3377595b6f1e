"""`seek`, and offsets that are times: the next message is the one sought,
however messages are read, and whatever was fetched, read ahead or taken before.
"""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

#: 100 messages in each of partitions 0 and 1, numbered as their offsets.  ``next``
#: gives the offset of the next message of partition 0, or "none" after a while.
PRELUDE = """
package require kafka
set topic [lindex $argv 0]
kafka::kafka create m
m config bootstrap.servers [join $::env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10 group.id g.$topic
m topic_config auto.offset.reset error
m producer_creator p
p new_topic out $topic
m consumer_creator c
c new_topic tc $topic
for {set number 0} {$number < 100} {incr number} {
    foreach partition {0 1} {out produce $partition $number}
}
while {[p output_queue_length] > 0} {p poll 20}
proc next {{timeout 10000}} {lindex [some 1 $timeout] 0}
proc told {message} {
    if {[dict exists $message offset] && [dict get $message partition] == 0} {
        lappend ::got [dict get $message offset]
        {*}$::also
    }
}
set also list
set got {}
# The offsets of so many messages, from the event loop.
proc arrived {count timeout} {
    set timer [after $timeout {lappend ::got none}]
    while {[llength $::got] < $count} {vwait ::got}
    after cancel $timer
    set arrived [lrange $::got 0 $count-1]
    set ::got [lrange $::got $count end]
    return $arrived
}
proc drop {args} {set ::got {}; uplevel 1 $args; set ::got {}}
proc T {text} {string map [list $::topic T] $text}
"""

#: How partition 0 is read: ``begin`` from an offset, ``some`` messages, and ``moved``
#: to an offset.
READING = {
    "consume": """
        proc begin {offset} {tc start 0 $offset}
        proc seek {offset} {tc seek 0 $offset}
        proc some {count timeout} {
            set found {}
            while {[llength $found] < $count} {
                if {[catch {tc consume 0 $timeout row}]} {return [lappend found none]}
                lappend found $row(offset)
            }
            return $found
        }
    """,
    "batch": """
        proc begin {offset} {tc start 0 $offset}
        proc seek {offset} {tc seek 0 $offset}
        proc some {count timeout} {
            set found {}
            tc consume_batch 0 $timeout $count row {lappend found $row(offset)}
            if {[llength $found] < $count} {lappend found none}
            return $found
        }
    """,
    "callback": """
        proc begin {offset} {tc start 0 $offset told}
        proc seek {offset} {drop tc seek 0 $offset}
        proc some {count timeout} {arrived $count $timeout}
    """,
    "queue": """
        c create_queue q
        proc begin {offset} {tc start_queue 1 0 q; tc start_queue 0 $offset q}
        proc seek {offset} {tc seek 0 $offset}
        proc some {count timeout} {
            set found {}
            while {[llength $found] < $count} {
                if {[catch {q consume $timeout row}]} {return [lappend found none]}
                if {$row(partition) == 0} {lappend found $row(offset)}
            }
            return $found
        }
    """,
    "subscriber": """
        m subscriber s
        proc begin {offset} {s assign [list $::topic 0 $offset] [list $::topic 1 0]}
        proc seek {offset} {s seek $::topic 0 $offset}
        proc some {count timeout} {
            set found {}
            set end [expr {[clock milliseconds] + $timeout}]
            while {[llength $found] < $count} {
                if {[clock milliseconds] > $end} {return [lappend found none]}
                set message [s consume 50]
                if {[llength $message] && [dict get $message partition] == 0} {
                    lappend found [dict get $message offset]
                }
            }
            return $found
        }
    """,
    "subscriber callback": """
        m subscriber s
        proc begin {offset} {
            s assign [list $::topic 0 $offset] [list $::topic 1 0]
            s callback told
        }
        proc seek {offset} {drop s seek $::topic 0 $offset}
        proc some {count timeout} {arrived $count $timeout}
    """,
}
EVERYWHERE = """
begin 10
puts [some 3 10000]
seek 50
puts [some 3 10000]
seek 0
puts [some 2 10000]
seek beginning
seek 70
puts [some 2 10000]
seek -5
puts [some 5 10000]
seek end
puts [next 200]
out produce 0 new
puts [next]
seek beginning
puts [next]
"""


@pytest.mark.parametrize("reading", READING)
def test_the_next_message_is_the_one_sought(run_everywhere: RunTcl, cluster: Cluster, reading: str) -> None:
    done = run_everywhere(PRELUDE + READING[reading] + EVERYWHERE, cluster.topic(), brokers=cluster)
    assert (done.stdout.splitlines(), done.stderr) == (
        ["10 11 12", "50 51 52", "0 1", "70 71", "95 96 97 98 99", "none", "100", "0"],
        "",
    )


#: A seek where the messages of a batch, or of a turn of callbacks, are still to be run.
WITHIN = """
tc start 0 0
set body {lappend found $row(offset); if {$row(offset) == 2} {tc seek 0 90}}
puts [tc consume_batch 0 10000 50 row $body],$found
set found {}
puts [tc consume_batch 0 10000 5 row {lappend found $row(offset)}],$found
tc seek 0 0
proc once {offset where} {
    if {[lindex $::got end] == $offset} {
        set ::also list
        {*}$where
    }
}
set also {once 3 {tc seek 0 60}}
while {[llength $got] < 6} {tc consume_callback 0 10000 told}
puts [lrange $got 0 5]
set got {}
tc start 0 0 told
set also {once 4 {tc seek 0 80}}
puts [arrived 7 10000]
tc stop 0
c create_queue q
foreach partition {0 1} {tc start_queue $partition 0 q}
set found {}
set others {}
while {[llength $found] < 4 || [llength $others] < 100} {
    q consume_batch 1000 50 row {
        lappend [expr {$row(partition) ? "others" : "found"}] $row(offset)
        if {$row(partition) == 0 && $row(offset) == 1} {tc seek 0 40}
    }
}
puts [lrange $found 0 3]
puts [expr {$others eq [lsort -integer -unique $others]}],[llength $others]
tc stop 0
tc stop 1
m subscriber s
s assign [list $topic 0 0]
s callback told
set got {}
set also [list once 4 [list s seek $topic 0 80]]
puts [arrived 7 10000]
s callback {}
puts [expr {[lindex [s offsets [list $topic 0]] 0 2] == ([llength $got] ? [lindex $got end] : 81) + 1}]
"""


@also_in_tcl9
def test_within_a_callback_or_a_batch_too(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + WITHIN, cluster.topic(), brokers=cluster)
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            "3,0 1 2",
            "5,90 91 92 93 94",
            "0 1 2 3 60 61",
            "0 1 2 3 4 80 81",
            "0 1 40 41",
            "1,100",
            "0 1 2 3 4 80 81",
            "1",
        ],
        "",
    )


PAUSED = """
tc start 0 0
tc start 1 0
tc consume 0 10000 row
tc pause 0 1
puts [tc paused]
tc seek 0 50
puts [tc paused],[tc position 0]
puts [catch {tc consume 0 200 row} message],$message
tc resume 1
tc consume 1 10000 row
puts $row(offset),[tc paused]
tc resume 0
tc consume 0 10000 row
puts $row(offset),[tc position 0],[tc position 1],[tc paused]
puts [T [c assignment]]
tc pause 0
tc start 0 7
puts [tc paused]
tc consume 0 10000 row
puts $row(offset)
m subscriber s
s assign [list $topic 0 0] [list $topic 1 0]
s consume 10000
s pause [list $topic 0]
s seek $topic 0 30
puts [T [s paused]],[llength [s consume_batch 10000 90 row {incr of($row(partition))}]],[array get of]
s resume
puts [T [s paused]]
while {[dict get [set message [s consume 10000]] partition] == 1} {}
puts [dict get $message offset]
"""


def test_what_is_paused_stays_paused(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + PAUSED, cluster.topic(), brokers=cluster)
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            "0 1",
            "0 1,50",
            "1,kafka error: Local: Timed out",
            "0,0",
            "50,51,1,",
            "T {T 1}",
            "",
            "7",
            "T,1,1 90",
            "",
            "30",
        ],
        "",
    )


REFUSED = """
proc refused {args} {
    puts [catch $args message options]:[T $message]
    return [lrange [dict get $options -errorcode] 0 1]
}
puts [refused tc seek 0 5]
refused tc pause 0
tc start 0 0
refused tc pause 0 1
puts [tc paused]
refused tc resume 2
refused tc position 3
puts [refused tc seek x 5]
puts [refused tc seek 0 5.5]
puts [refused tc seek 0 @noon]
puts [refused tc seek 0 stored]
refused tc seek 99 5
refused tc start 0 @-1
refused tc seek 0 5 -timeout soon
puts [refused tc seek 0 5 -wait 1]
refused tc seek {} 5
refused p assignment
tc consume 0 10000 row
puts $row(offset)
m subscriber s
puts [refused s seek $topic 0 5]
refused s pause [list $topic 0]
s assign [list $topic 0 0]
refused s seek $topic 0 nowhere
refused s seek $topic 1 5
refused s seek "a\\u0000b" 0 5
refused s incremental_assign [list $topic 0]
refused s incremental_unassign [list $topic 1]
refused s incremental_assign
refused s offsets_for_times [list $topic 0 now]
refused s offsets_for_times [list $topic 99 5]
puts [refused s store [list $topic 0 5]]
refused s lag -timeout soon
puts [T [s assignment]]
"""
NOT_STARTED = "1:kafka error: Local: Unknown partition (partition {} of topic 'T' was not started)"
NOT_ASSIGNED = "1:Local: Unknown partition (partition {} of topic 'T' is not assigned)"


def test_what_cannot_be_sought_or_paused(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + REFUSED, embedded_cluster.topic(), brokers=embedded_cluster)
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            NOT_STARTED.format(0),
            "KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION",
            NOT_STARTED.format(0),
            NOT_STARTED.format(1),
            "",
            NOT_STARTED.format(2),
            NOT_STARTED.format(3),
            '1:expected integer but got "x"',
            "TCL VALUE",
            '1:bad offsetString "5.5": must be beginning, end, or stored or a wide integer',
            "TCL LOOKUP",
            '1:expected a time in ms since the epoch but got "noon"',
            "TCL VALUE",
            "1:kafka error: Local: No offset to automatically reset to (nothing is stored of topic 'T')",
            "KAFKA RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET",
            NOT_STARTED.format(99),
            '1:expected a time in ms since the epoch but got "-1"',
            '1:expected integer but got "soon"',
            '1:bad option "-wait": must be -timeout or -command',
            "TCL LOOKUP",
            '1:expected integer but got ""',
            "1:kafka error: Local: Invalid argument or configuration (a producer reads no partitions)",
            "0",
            NOT_ASSIGNED.format(0),
            "KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION",
            NOT_ASSIGNED.format(0),
            '1:bad offsetString "nowhere": must be beginning, end, or stored or a wide integer',
            NOT_ASSIGNED.format(1),
            "1:kafka error: Local: Invalid argument or configuration (the name of a topic has 512 bytes at "
            "most, no NUL, and no half of a character)",
            "1:Local: Conflicting use (partition 0 of topic 'T' is assigned already)",
            NOT_ASSIGNED.format(1),
            '1:wrong # args: should be "s incremental_assign position ?position ...?"',
            '1:expected a time in ms since the epoch but got "now"',
            "1:Local: Unknown partition",
            "1:Local: Invalid argument or configuration (enable.auto.offset.store is not false: offsets are "
            "stored by themselves)",
            "KAFKA RD_KAFKA_RESP_ERR__INVALID_ARG",
            '1:expected integer but got "soon"',
            "T",
        ],
        "",
    )
