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
