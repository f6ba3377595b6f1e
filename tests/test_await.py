"""Asking the cluster without waiting: `-command`, and kafka::await in coroutines."""

from __future__ import annotations

from fix_cluster import Cluster
from fix_tcl import RunTcl

SETUP = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
kafka::topic_producer out $topic
out produce 0 hi
while {[kafka::producer output_queue_length]} {kafka::producer poll 10}
set s [kafka::subscriber g.$topic]
"""

TOLD = (
    SETUP
    + """
proc told {what args} {
    lappend ::told [linsert $args 0 $what]
}
set ::told {}
$s watermarks -command {told low-high} $topic 0
$s watermarks -timeout 2000 -command {told none} nosuch.$topic 77
$s commit -command {told committed} [list $topic 0 1]
$s info -command {told before} partitions $topic
$s info partitions -command {told behind} $topic
out info -command {told topic} partitions
kafka::producer meta -command {told meta} refresh
out creator info -command {told creator} partitions $topic
lappend ::told sent
while {[llength $::told] < 9} {vwait ::told}
puts [lindex $::told 0]
foreach item [lsort [lrange $::told 1 end]] {puts [lrange $item 0 3]}
set ::told {}
$s offsets -committed -command {told offsets} [list $topic 0]
vwait ::told
puts [string map [list $topic T] $::told]
"""
)


def test_a_prefix_is_told_the_answer_and_nothing_waits(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(TOLD, cluster.topic(partitions=4), brokers=cluster)
    first, *lines, offsets = done.stdout.splitlines()
    assert first == "sent"
    assert [line for line in lines if not line.startswith("none")] == [
        "before ok 4",
        "behind ok 4",
        "committed ok {}",
        "creator ok 4",
        "low-high ok {0 1}",
        "meta ok {}",
        "topic ok 4",
    ]
    [none] = [line for line in lines if line.startswith("none")]
    assert none.startswith(
        "none error {Local: Unknown partition} {KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION "
    )
    assert offsets == "{offsets ok {{T 0 1}}}"


AWAITED = (
    SETUP
    + """
coroutine work apply {{s topic} {
    puts [kafka::await $s watermarks $topic 0]
    puts [catch {kafka::await $s watermarks -timeout 2000 nosuch.$topic 77} message options]:$message
    puts [lrange [dict get $options -errorcode] 0 1]
    puts [lindex [split [dict get $options -errorinfo] "\\n"] end]
    puts [catch {kafka::await $s watermarks x} message]:[lindex $message 0]
    puts [kafka::await out info partitions]
    set ::done 1
}} $s $topic
puts started
vwait done
puts [catch {kafka::await $s watermarks $topic 0} message]:$message
# One that is gone, or another one of its name, gets no answer.
coroutine gone apply {{s topic} {kafka::await $s watermarks $topic 0; puts wrong}} $s $topic
rename gone {}
coroutine gone apply {{} {yield; puts wrong}}
# One that somebody else resumes goes on waiting.
coroutine pushed apply {{s topic} {
    puts [kafka::await $s watermarks $topic 0]
    set ::done 2
}} $s $topic
pushed something
vwait done
"""
)


def test_a_coroutine_goes_on_with_the_answer(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(AWAITED, cluster.topic(partitions=4), brokers=cluster)
    assert done.stdout.splitlines() == [
        "started",
        "0 1",
        "1:Local: Unknown partition",
        "KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION",
        '"kafka::await $s watermarks -timeout 2000 nosuch.$topic 77"',
        "1:wrong",
        "4",
        "1:kafka::await can only be called in a coroutine",
        "0 1",
    ]


SERVING = """
package require kafka
kafka::kafka create m
m logger none
m error_callback {}
m config bootstrap.servers 127.0.0.1:1 group.id g
m subscriber s
proc told args {lappend ::told answer}
set ::told {}
s watermarks -timeout 1500 -command told t 0
# While that waits, other calls are answered.
for {set count 0} {$count < 100} {incr count} {
    s subscribe
    update
}
lappend ::told calls
while {"answer" ni $::told} {vwait ::told}
puts $::told
"""


def test_other_calls_are_answered_meanwhile(run_everywhere: RunTcl) -> None:
    assert run_everywhere(SERVING).stdout == "calls answer\n"


CONSUMING = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
kafka::topic_producer out $topic
kafka::topic_consumer in $topic
proc send {partition args} {
    out produce_batch $partition [lmap payload $args {list $payload}]
    while {[kafka::producer output_queue_length]} {kafka::producer poll 10}
}
send 0 first
send 1 zero
set s [kafka::subscriber g.$topic]
"""

IN_CALLBACK = (
    CONSUMING
    + """
# Each message has its callback start a coroutine, which waits for messages and commits.
$s assign [list $topic 1 0]
in start 2 0
kafka::consumer create_queue queue
in start_queue 3 0 queue
in start 0 0 arrived
proc arrived {message} {
    coroutine work[dict get $message offset] work [dict get $message payload]
}
proc work {payload} {
    puts "$payload: [dict get [kafka::await $::s consume 20000] payload]"
    kafka::await $::s commit
    puts [lindex [kafka::await $::s offsets -committed [list $::topic 1]] 0 2]
    puts [kafka::await in consume 2 20000 row],$row(payload)
    puts [kafka::await queue consume 20000 row],$row(payload)
    puts [kafka::await queue consume_batch 20000 2 row {append batch $row(payload)}],$batch
    puts [batch]
    puts [kafka::await $::s consume 50],[catch {kafka::await in consume 2 50 row} message]:$message
    puts [lindex $::errorCode 1],[kafka::await queue consume_batch 50 9 row {append left $row(payload)}],$left
    set ::done 1
}
proc batch {} {
    kafka::await queue consume_batch 20000 3 row {
        if {$row(payload) eq "f"} {return "returned $row(payload)"}
    }
    return none
}
after 200 {send 2 a; send 3 b c d e f g}
puts waiting
vwait done
"""
)


def test_a_coroutine_of_a_callback_waits_for_messages(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(IN_CALLBACK, cluster.topic(partitions=4), brokers=cluster)
    assert done.stdout.splitlines() == [
        "waiting",
        "first: zero",
        "1",
        "1,a",
        "1,b",
        "2,cd",
        "returned f",
        ",1:kafka error: Local: Timed out",
        "RD_KAFKA_RESP_ERR__TIMED_OUT,1,g",
    ], done.stderr


NOTHING_LOST = (
    CONSUMING
    + """
# Of what waits and is deleted, nothing is lost.
$s assign [list $topic 0 0]
puts [dict get [$s consume 20000] payload]
proc wait {what} {
    lappend ::got [catch {kafka::await $::s consume 20000} message],$what
}
coroutine gone wait gone
coroutine kept wait kept
update
rename gone {}
send 0 second
while {![info exists got]} {vwait got}  ;# `poll` in `send` may have told it
puts $got,[lindex [$s offsets [list $topic 0]] 0 2]
# The object is deleted, and the topic stopped, while somebody waits.
coroutine late wait late
in start 2 0
set told {}
in consume 2 300 row -command {lappend told}
update
in stop 2
$s delete
while {[llength $got] < 2} {vwait got}
puts [lindex $got 1]
while {[llength $told] == 0} {vwait told}
puts [lrange $told 0 1]
# Words are checked as always; the prefix is told.
in start 0 0
in start 2 0
set told {}
in consume 0 20000 row -command {lappend told}
in consume_batch -command {lappend told} 0 20000 1 other {set batch $other(payload)}
puts [llength $told],[info exists row]
while {[llength $told] < 4} {vwait told}
puts $told,$row(payload),$batch
set told {}
in consume x 10 row -command {lappend told}
vwait told
puts [lrange $told 0 1]
puts [catch {in consume 0 10 -command told} message]:$message
"""
)


def test_nothing_is_lost_of_what_is_waited_for(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(NOTHING_LOST, cluster.topic(partitions=4), brokers=cluster)
    assert done.stdout.splitlines() == [
        "first",
        "0,kept,2",
        "1,late",
        "error {kafka error: Local: Timed out}",
        "0,0",
        "ok 1 ok 1,first,second",
        'error {expected integer but got "x"}',
        '1:wrong # args: should be "in consume partition timeout array"',
    ], done.stderr


TURNS = (
    CONSUMING
    + """
# Coroutines that find messages all the time let timers have their turn.
send 0 {*}[lrepeat 5000 x]
in start 0 0
proc tick {} {
    incr ::ticks
    after 1 tick
}
set ticks 0
after 1 tick
coroutine reader apply {{} {
    for {set count 0} {$count < 5000} {incr count} {
        kafka::await in consume 0 20000 row
    }
    set ::done 1
}}
vwait done
puts [expr {$ticks > 2}]
"""
)


def test_a_coroutine_that_has_messages_all_the_time_holds_up_nothing(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    done = run_everywhere(TURNS, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout == "1\n", done.stderr
