"""`flush` waits until all is delivered, and has reports told meanwhile."""

from __future__ import annotations

from fix_cluster import Cluster
from fix_mock import Mock
from fix_producing import MASTER
from fix_tcl import RunTcl, also_in_tcl9

SETUP = f"{MASTER}set told 0\n"

FLUSHED = (
    SETUP
    + """
m config linger.ms 60000
m delivery_report callback {apply {report {incr ::told}}}
m producer_creator p
p new_topic t $topic
for {set i 0} {$i < 2500} {incr i} {
    t produce -1 $i {*}[expr {$i % 2 ? {-callback {apply {report {incr ::told}}}} : {}}]
}
puts [p flush],$told,[p output_queue_length]
puts [p flush],[p flush 0],[p flush -1],[t creator flush]
"""
)


@also_in_tcl9
def test_it_waits_for_all_and_their_reports(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(FLUSHED, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == ["0,2500,0", "0,0,0,0"]


LATE = (
    SETUP
    + """
m producer_creator p
p new_topic t $topic
t produce 0 a
t produce 0 b -callback list
set before [clock milliseconds]
puts [p flush 0],[p flush 200]
set took [expr {[clock milliseconds] - $before}]
puts [expr {$took >= 190 && $took < 5000}]
p flush -command {apply {args {set ::answer $args}}} 100
puts [info exists answer]
vwait answer
puts $answer
puts [catch {p flush x} message],$message
p flush -command {apply {args {set ::answer $args}}} x
vwait answer
puts $answer
m consumer_creator c
m config group.id g
m subscriber s
puts [catch {c flush} message options],[dict get $options -errorcode]
puts [catch {c purge} message],$message
puts [catch {s flush} message],[string range $message 0 18]
puts [catch {p purge -queued perhaps} message options],$message,[dict get $options -errorcode]
proc late {} {p flush 50; p delete; set ::deleted 1}
after 0 late
vwait deleted
puts [catch {p flush} message],$message
"""
)


def test_it_says_how_many_are_left(run_everywhere: RunTcl) -> None:
    env = {"KAFKATCL_TEST_BROKERS": "127.0.0.1:1", "KAFKATCL_FLUSH_TIMEOUT_MS": "1"}
    lines = run_everywhere(LATE, "lost", env=env).stdout.splitlines()
    no_integer = 'expected integer but got "x"'
    assert lines[:4] == ["2,2", "1", "0", "ok 2"]
    assert lines[4:6] == [f"1,{no_integer}", f"error {{{no_integer}}} {{TCL VALUE INTEGER}}"]
    assert lines[6].startswith("1,KAFKA RD_KAFKA_RESP_ERR__INVALID_ARG")
    assert lines[7].endswith(" is no producer)")
    assert lines[8:] == [
        '1,bad option "flush":',
        '1,expected boolean value but got "perhaps",TCL VALUE BOOLEAN',
        '1,invalid command name "p"',
    ]


#: Within the callback of a message no other message is told, only reports are.
NESTED = (
    SETUP
    + """
m producer_creator p
p new_topic t $topic
foreach payload {a b c d e} {t produce 0 $payload}
p flush
m consumer_creator c
c new_topic in $topic
set depth 0
proc arrived {message} {
    if {[incr ::depth] > 1} {puts nested}
    t produce 1 [dict get $message payload] -callback {apply {report {incr ::told}}}
    p flush
    puts [dict get $message payload],$::told
    incr ::depth -1
    set ::seen [dict get $message payload]
}
in start 0 0 arrived
while {![info exists seen] || $seen ne "e"} {vwait seen}
"""
)


def test_it_may_be_called_in_the_callback_of_a_message(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    done = run_everywhere(NESTED, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == ["a,1", "b,2", "c,3", "d,4", "e,5"]


#: What the callbacks of reports may do while a flush runs them.
WITHIN = (
    SETUP
    + """
m producer_creator p
p new_topic t $topic
proc again {report} {
    lappend ::got [dict get $report payload]
    if {[llength $::got] < 5} {
        t produce 0 [expr {[dict get $report payload] + 1}] -callback again
        p flush
    }
}
t produce 0 1 -callback again
puts [p flush],$got
proc failing {report} {error "oops [dict get $report payload]"}
proc bgerror {message} {lappend ::errors $message}
t produce 0 x -callback failing
t produce 0 y -callback failing
puts [p flush]
update
puts $errors
proc deleting {report} {
    if {[info commands p] ne ""} {p delete}
    incr ::told
}
for {set i 0} {$i < 100} {incr i} {t produce 0 z -callback deleting}
puts [catch {p flush} message],[string match "*was deleted*" $message]
while {$told < 100} {vwait told}
puts $told
"""
)


def test_reports_may_produce_flush_fail_and_delete(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(WITHIN, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == ["0,1 2 3 4 5", "0", "{oops x} {oops y}", "1,1", "100"]
    assert done.stderr == ""


AWAITED = (
    SETUP
    + """
m producer_creator p
p new_topic t $topic
t produce 0 first
p flush
proc told {report} {incr ::told}
coroutine waits apply {{} {
    for {set i 0} {$i < 300} {incr i} {
        t produce 0 $i -callback told
    }
    set left [kafka::await p flush 20000]
    puts $left,$::told,[expr {$::ticks > 0}]
    set ::done 1
}}
set ticks 0
proc tick {} {incr ::ticks; after 1 tick}
tick
vwait done
"""
)


@also_in_tcl9
def test_a_coroutine_awaits_it(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(AWAITED, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == ["0,300,1"]


#: A client is not closed while a question in the background flushes it.
CLOSED = (
    SETUP
    + """
set answers {}
proc flushed {args} {
    lappend ::answers [lindex $args 0]
    incr ::told 0
}
for {set i 0} {$i < 20} {incr i} {
    m producer_creator p
    p new_topic t $topic
    t produce 0 $i -callback {apply {report {incr ::told}}}
    p flush -command flushed
    p flush -command flushed
    if {$i % 2} {
        after 2
    }
    p delete
}
while {$told < 20 || [llength $answers] < 40} {vwait told}
puts $told,[lsort -unique [concat $answers ok error]]
"""
)


def test_a_handle_is_deleted_while_it_is_flushed(run_everywhere: RunTcl, mock: Mock) -> None:
    mock.create_topic("slow")
    mock.delay(20)
    done = run_everywhere(CLOSED, "slow", env={"KAFKATCL_TEST_BROKERS": " ".join(mock.bootstrap)})
    assert (done.stdout, done.stderr) == ("20,error ok\n", "")
