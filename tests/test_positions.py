"""What subscribers commit and store, with metadata, and how they read in batches."""

from __future__ import annotations

from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

PRELUDE = """
package require kafka
set topic [lindex $argv 0]
kafka::kafka create m
m config bootstrap.servers [join $::env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10 group.id g.$topic
m producer_creator p
p new_topic out $topic
for {set number 0} {$number < 50} {incr number} {
    foreach partition {0 1} {out produce $partition $number}
}
while {[p output_queue_length] > 0} {p poll 20}
proc T {text} {string map [list $::topic T] $text}
"""

BATCHES = """
m subscriber s
s assign [list $topic 0 0]
puts [s consume_batch 10000 10 row {lappend found $row(offset)}],$found
puts [T [s offsets [list $topic 0]]]
# What the code does not get to comes again.
puts [s consume_batch 10000 10 row {if {$row(offset) == 12} break}],$row(offset)
set told {}
puts [catch {s consume_batch 10000 10 row {if {$row(offset) == 14} {error odd}}} message],$message
proc first {} {s consume_batch 10000 10 row {return $row(payload)}}
puts [first]
puts [T [s offsets [list $topic 0]]]
# Behind messages that were read ahead, and in front of a callback.
foreach i {1 2 3} {lappend ahead [dict get [s consume 10000] offset]}
set found {}
puts [s consume_batch 10000 2 row {lappend found $row(offset)}],$ahead,$found
puts [T [s offsets [list $topic 0]]]
s callback {apply {message {lappend ::told [dict get $message offset]}}}
while {[llength [incr n; set told]] < 29} {vwait told}
puts [lindex $told 0],[lindex $told end]
s callback {}
puts [s consume_batch 100 10 row {}]
puts [catch {s consume_batch 0 -1 row {}} message],$message
puts [catch {s consume_batch 0 x row {}} message],$message
puts [catch {s consume_batch 0 1 row} message],$message
# Errors in the place of messages.
m topic_config auto.offset.reset error
m subscriber e
e assign [list $topic 0 1000]
e consume_batch 10000 1 row {puts $row(code),[info exists row(payload)]}
"""


@also_in_tcl9
def test_a_subscriber_reads_in_batches(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + BATCHES, cluster.topic(), brokers=cluster)
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            "10,0 1 2 3 4 5 6 7 8 9",
            "{T 0 10}",
            "3,12",
            "1,odd",
            "15",
            "{T 0 16}",
            "2,16 17 18,19 20",
            "{T 0 21}",
            "21,49",
            "0",
            '1,expected a count of 0 or more but got "-1"',
            '1,expected integer but got "x"',
            '1,wrong # args: should be "s consume_batch timeout count array code"',
            "RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,0",
        ],
        "",
    )


COMMITS = r"""
m subscriber s
s assign [list $topic 0 0] [list $topic 1 0]
s commit [list $topic 0 5 "half way: \u20ac \u00e9"] [list $topic 1 6]
puts [string map [list \u20ac E \u00e9 e] [T [s offsets -committed [list $topic 0] [list $topic 1] [list $topic 2]]]]
s commit -async [list $topic 0 7 {a {b} c}]
while {[lindex [s offsets -committed [list $topic 0]] 0 2] != 7} {}
puts [T [s offsets -committed [list $topic 0]]]
s commit [list $topic 0 8]
puts [T [s offsets -committed [list $topic 0]]]
puts [catch {s commit [list $topic 0 9 "a\u0000b"]} message]:$message
puts [catch {s commit [list $topic 0 9 [string repeat x 5000]]} message options]:$message
puts [expr {[dict exists $options -errorcode] ? [lindex [dict get $options -errorcode] 1] : {}}]
puts [catch {s commit [list $topic 0 nine text]} message]:$message
puts [T [s offsets -committed [list $topic 0]]]
s delete
m config enable.auto.offset.store false
m subscriber s
s assign [list $topic 0 0] [list $topic 1 0]
s consume_batch 10000 20 row {}
s store [list $topic 0 3 mine] [list $topic 1 4]
puts [catch {s store [list $topic 2 4]} message]:[T $message]
s commit
puts [T [s offsets -committed [list $topic 0] [list $topic 1]]]
s delete
m subscriber s
puts [T [s offsets -committed [list $topic 0] [list $topic 1]]]
"""
TOO_LARGE = [
    "1:Broker: Offset metadata string too large",
    "RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE",
]


def test_a_committed_offset_has_metadata(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + COMMITS, cluster.topic(), brokers=cluster)
    is_large = ["0:", ""], "{T 0 9 " + 5000 * "x" + "}"
    if cluster.kind == "kafka":  # the mock cluster takes metadata of any length
        is_large = TOO_LARGE, "{T 0 8}"
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            "{T 0 5 {half way: E e}} {T 1 6} {T 2 invalid}",
            "{T 0 7 {a {b} c}}",
            "{T 0 8}",
            "1:Local: Invalid argument or configuration (the metadata of an offset has no NUL, and no half of a "
            "character)",
            *is_large[0],
            '1:expected an offset of 0 or more but got "nine"',
            is_large[1],
            "1:Local: Unknown partition (partition 2 of topic 'T' is not assigned)",
            "{T 0 3 mine} {T 1 4}",
            "{T 0 3 mine} {T 1 4}",
        ],
        "",
    )
