"""Times in the place of offsets: `@MS` is the first message at or after that time,
wherever an offset is accepted.
"""

from __future__ import annotations

from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

#: 20 messages in partition 0 and one in partition 1; the second ten come later.
#: ``expected`` is the offset that is meant by the time of message 12, ``when``.
PRELUDE = """
package require kafka
set topic [lindex $argv 0]
kafka::kafka create m
m config bootstrap.servers [join $::env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10 group.id g.$topic
m producer_creator p
p new_topic out $topic
m consumer_creator c
c new_topic tc $topic
m subscriber s
proc produce {first last} {
    for {set number $first} {$number <= $last} {incr number} {
        out produce 0 $number
        while {[p output_queue_length] > 0} {p poll 5}
    }
}
produce 0 9
set before [clock milliseconds]
while {[clock milliseconds] < $before + 5} {after 1}
produce 10 19
out produce 1 only
while {[p output_queue_length] > 0} {p poll 5}
tc start 0 0
set times {}
tc consume_batch 0 10000 20 row {lappend times $row(timestamp)}
tc stop 0
set when [lindex $times 12]
for {set expected 0} {[lindex $times $expected] < $when} {incr expected} {}
set late [expr {$when + 1000000000}]
# How far this offset is from the expected one.
proc off {offset} {expr {$offset - $::expected}}
proc T {text} {string map [list $::topic T] $text}
"""

ACCEPTED = """
puts [expr {$expected >= 10}]
tc start 0 @$when
tc consume 0 10000 row
puts start:[off $row(offset)]
tc seek 0 0
tc consume 0 10000 row
tc seek 0 @$when
puts [off [tc position 0]]
tc consume 0 10000 row
puts seek:[off $row(offset)]
c create_queue q
tc start_queue 0 @$when q
q consume 10000 row
puts start_queue:[off $row(offset)]
tc start 0 @$when {set ::told}
while {![info exists told]} {vwait told}
puts callback:[off [dict get $told offset]]
tc stop 0
s assign [list $topic 0 @$when] [list $topic 1 @0]
puts [expr {[T [s assignment]] eq [list [list T 0 $expected] {T 1}]}]
while {[dict get [set message [s consume 10000]] partition] != 0} {}
puts assign:[off [dict get $message offset]]
s seek $topic 0 0
s seek $topic 0 @$when
puts seek:[off [lindex [s offsets [list $topic 0]] 0 2]]
s incremental_unassign [list $topic 0]
s incremental_assign [list $topic 0 @$when]
while {[dict get [set message [s consume 10000]] partition] != 0} {}
puts incremental_assign:[off [dict get $message offset]]
s commit [list $topic 0 @$when]
puts commit:[off [lindex [s offsets -committed [list $topic 0]] 0 2]]
set found [s offsets_for_times [list $topic 0 $when] [list $topic 1 $late] [list $topic 0 0]]
puts [string map [list " $expected" " N"] [T $found]]
"""


@also_in_tcl9
def test_a_time_is_accepted_wherever_an_offset_is(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + ACCEPTED, cluster.topic(), brokers=cluster)
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            "1",
            "start:0",
            "0",
            "seek:0",
            "start_queue:0",
            "callback:0",
            "1",
            "assign:0",
            "seek:0",
            "incremental_assign:0",
            "commit:0",
            "{T 0 N} {T 1 end} T",
        ],
        "",
    )


LATE = """
tc start 0 @$late
puts [catch {tc consume 0 100 row}]
out produce 0 new
tc consume 0 10000 row
puts $row(offset)
s assign [list $topic 0 @$late]
puts [T [s assignment]]
s seek $topic 0 @$late
out produce 0 newer
puts [dict get [s consume 10000] offset]
s assign [list $topic 99 @$when]
"""


def test_where_no_message_is_so_new_it_is_the_end(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + LATE, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == ["1", "20", "{T 0 21}", "21"]
    assert done.stderr.startswith("Local: Unknown partition\n")


WITHOUT_WAITING = """
proc asked {name args} {
    {*}$args -command [list told $name]
    while {![info exists ::answer($name)]} {vwait ::answer($name)}
    return $::answer($name)
}
proc told {name args} {set ::answer($name) $args}
puts [asked start tc start 0 @$when]
tc consume 0 10000 row
puts [off $row(offset)]
puts [asked seek tc seek 0 @0]
puts [T [asked "no seek" tc seek 1 0]]
puts [T [asked lost s seek $topic 0 5 -timeout 5000]]
puts [asked assign s assign [list $topic 0 @$when]]
puts [T [asked times s offsets_for_times [list $topic 0 0]]]
puts [T [asked lag s lag]]
coroutine go apply {{} {
    puts [kafka::await s seek $::topic 0 -2]
    puts [T [kafka::await s lag]]
    puts [T [kafka::await s offsets_for_times [list $::topic 0 0]]]
    puts [catch {kafka::await s seek $::topic 5 0} message]:[T $message]
    puts [catch {kafka::await s assign [list $::topic 0 @soon]} message]:$message
    kafka::await s assign [list $::topic 0 @0]
    puts [T [s assignment]]
    kafka::await tc start 0 5
    kafka::await tc seek 0 7
    puts [tc position 0]
    set ::done 1
}}
while {![info exists done]} {vwait done}
"""


def test_no_script_need_wait(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(PRELUDE + WITHOUT_WAITING, cluster.topic(), brokers=cluster)
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    lag = int(lines.pop(7).split()[-1].rstrip("}"))
    assert 0 < lag <= 10
    not_started = "partition 1 of topic 'T' was not started"
    assert lines == [
        "ok {}",
        "0",
        "ok {}",
        f"error {{kafka error: Local: Unknown partition ({not_started})}} "
        f"{{KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION {{Local: Unknown partition}} {{{not_started}}}}}",
        "error {Local: Unknown partition (partition 0 of topic 'T' is not assigned)} "
        "{KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION {Local: Unknown partition} "
        "{partition 0 of topic 'T' is not assigned}}",
        "ok {}",
        "ok T",
        "",
        "{T 0 2}",
        "T",
        "1:Local: Unknown partition (partition 5 of topic 'T' is not assigned)",
        '1:expected a time in ms since the epoch but got "soon"',
        "T",
        "7",
    ]
