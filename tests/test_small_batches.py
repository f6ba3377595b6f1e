"""`consume_batch` for few messages is served from what was read ahead, and nobody sees
it: what is told, what counts as consumed and what comes again is as of large batches.
"""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

SETUP = """
package require kafka
lassign $argv topic kind seed
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
# No pause of the machine is taken for code that takes its time.
set ::kafkatcl::ahead::interval 60000
kafka::topic_producer out $topic
proc send {first last} {
    for {set number $first} {$number <= $last} {incr number} {
        out produce 0 $number
    }
    while {[kafka::producer output_queue_length]} {kafka::producer poll 10}
}
# Read batches, or one message; where the next one is, and going elsewhere.
switch $kind {
    topic {
        kafka::topic_consumer tc $topic
        tc start 0 0
        interp alias {} batch {} tc consume_batch 0
        proc one {timeout} {tc consume 0 $timeout row; return $row(payload)}
        proc at {} {tc position 0}
        proc go {offset} {tc seek 0 $offset}
        proc pause {} {tc pause 0; tc resume 0}
    }
    queue {
        kafka::topic_consumer tc $topic
        kafka::consumer create_queue q
        tc start_queue 0 0 q
        interp alias {} batch {} q consume_batch
        proc one {timeout} {q consume $timeout row; return $row(payload)}
        proc at {} {tc position 0}
        proc go {offset} {tc seek 0 $offset}
        proc pause {} {tc pause 0; tc resume 0}
    }
    subscriber {
        set s [kafka::subscriber g.$topic]
        $s assign [list $topic 0 0]
        interp alias {} batch {} $s consume_batch
        proc one {timeout} {dict get [$::s consume $timeout] payload}
        proc at {} {lindex [$::s offsets [list $::topic 0]] 0 2}
        proc go {offset} {$::s seek $::topic 0 $offset}
        proc pause {} {$::s pause [list $::topic 0]; $::s resume}
    }
}
# How often the engine was asked for a batch.
set asked 0
foreach call {consume_batch queue_consume_batch subscriber_consume_batch} {
    trace add execution ::kafkatcl::bridge::$call enter {apply {{args} {incr ::asked}}}
}
# The messages of the next batch.
proc next {count} {
    set got {}
    batch 20000 $count row {lappend got $row(payload)}
    return $got
}
# Begin anew, and read 6 messages.  At least the next 9 are stored then, which are fewer
# where they have come one by one.
proc ready {} {
    set id [lindex [::kafkatcl::ObjectOf [lindex [interp alias {} batch] 0]] 1]
    for {set try 0} {$try < 20} {incr try} {
        go 0
        next 3
        next 3
        ::kafkatcl::native::recall $id
        lassign [array get ::kafkatcl::batches::$id *,3] words list
        if {[llength [lindex $list 5]] >= 27} {
            unset ::kafkatcl::batches::${id}($words)
            ::kafkatcl::ahead::Keep batches $id $words $list
            set ::asked 0
            return
        }
    }
    error "the messages come one by one"
}
"""

KINDS = pytest.mark.parametrize("kind", ["topic", "queue", "subscriber"])

MANY = (
    SETUP
    + """
send 0 2999
foreach count {1 7 20} {
    go 0
    set asked 0
    set got {}
    while {[llength $got] + $count <= 3000} {
        lappend got {*}[next $count]
    }
    set wanted {}
    for {set number 0} {$number < [llength $got]} {incr number} {lappend wanted $number}
    puts [expr {$got eq $wanted}],[expr {$asked < 3000 / $count / 3}],[expr {[at] == [llength $got]}]
    # What is left is less than a batch, which is waited for.
    set start [clock milliseconds]
    puts [expr {[batch 200 $count row {}] == 3000 % $count && [clock milliseconds] - $start >= 195}]
}
"""
)


@KINDS
@also_in_tcl9
def test_batches_come_in_order_and_few_are_asked_for(
    kind: str, run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    done = run_everywhere(MANY, embedded_cluster.topic(), kind, brokers=embedded_cluster)
    assert done.stdout.split() == ["1,1,1", "1"] * 3, done.stderr


ENDS = (
    SETUP
    + """
send 0 99
proc is {text script} {
    ready
    set result [uplevel 1 $script]
    puts "$text: $result; [at]; [next 3]; $::asked"
}
is whole {set got {}; list [batch 20000 3 row {lappend got $row(payload)}] $got}
is break {set got {}; list [batch 20000 3 row {lappend got $row(payload); if {$row(payload) == 7} break}] $got}
is continue {set got {}; list [batch 20000 3 row {if {$row(payload) == 7} continue; lappend got $row(payload)}] $got}
proc returns {} {batch 20000 3 row {return "got $row(payload)"}; return none}
is return {returns}
is error {
    list [catch {batch 20000 3 row {
        error "no $row(payload)" {} {MY CODE}
    }} message options] $message [dict get $options -errorcode] [lrange [split $::errorInfo \\n] 1 3]
}
is odd {catch {batch 20000 3 row {return -code 42 -level 0 odd}} message}
is code {list [catch {batch 20000 3 row {return -code error -errorcode {MY CODE} mine}} message] $message $::errorCode}
set scalar 5
is array {list [catch {batch 20000 3 scalar {}} message] $message}
is namespace {list [catch {batch 20000 3 no::such::row {}} message] $message}
is brace {list [catch {batch 20000 3 row "a \\{"} message] $message}
is option {list [catch {batch 20000 3 -command {}} message] [lindex $::errorCode 0]}
is number {list [catch {batch 2x 3 row {}} message] $message}
is large {set got {}; list [batch 20000 30 row {lappend got $row(payload)}] [llength $got] [lindex $got 0]}
is other {list [next 2] [next 2]}
is none {list [batch 0 0 row {}] [catch {batch 0 -1 row {}}]}
"""
)

ENDED = [
    "whole: 3 {6 7 8}; 9; 9 10 11; 0",
    "break: 2 {6 7}; 8; 8 9 10; 0",
    "continue: 3 {6 8}; 9; 9 10 11; 0",
    "return: got 6; 7; 7 8 9; 0",
    'error: 1 {no 6} {MY CODE} {{    while executing} {"error "no $row(payload)" {} {MY CODE}"}'
    ' {    ("consume_batch" body line 2)}}; 7; 7 8 9; 0',
    "odd: 42; 7; 7 8 9; 0",
    "code: 2 mine {MY CODE}; 7; 7 8 9; 0",
    "array: 1 {can't set \"scalar(payload)\": variable isn't array}; 7; 7 8 9; 0",
    "namespace: 1 {can't access \"no::such::row\": parent namespace doesn't exist}; 6; 6 7 8; 0",
    "brace: 1 {missing close-brace}; 7; 7 8 9; 0",
    "option: 1 TCL; 6; 6 7 8; 0",
    'number: 1 {expected integer but got "2x"}; 6; 6 7 8; 2',
    "large: 30 30 6; 36; 36 37 38; 2",
    "other: {6 7} {8 9}; 10; 10 11 12; 3",
    "none: 0 1; 6; 6 7 8; 3",
]


@KINDS
@also_in_tcl9
def test_code_ends_as_in_large_batches(kind: str, run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(ENDS, embedded_cluster.topic(), kind, brokers=embedded_cluster)
    assert done.stdout.splitlines() == ENDED, done.stderr


WITHIN = (
    SETUP
    + """
send 0 199
proc is {text script} {
    ready
    set ::got {}
    set result [uplevel 1 $script]
    puts "$text: $result $::got; [at]; [next 4]"
}
is position {batch 20000 3 row {lappend got [at]}}
is one {batch 20000 3 row {
    lappend got $row(payload)
    set isSecond [expr {[lindex $got end] == 7}]
    lappend got ([one 20000])
    if {$isSecond} break
}}
is same {batch 20000 3 row {
    set payload $row(payload)
    lappend got $payload [batch 20000 3 row {lappend got $row(payload)}]
    if {$payload == 7} break
}}
is other {batch 20000 3 row {lappend got $row(payload) [batch 10000 2 inner {lappend got $inner(payload)}]; break}}
is seek {batch 20000 3 row {lappend got $row(payload); if {$row(payload) == 7} {go 50}}}
is pause {batch 20000 3 row {lappend got $row(payload); if {$row(payload) == 7} {pause}}}
is deep {batch 20000 3 row {
    lappend got $row(payload)
    batch 20000 3 row {lappend got $row(payload); go 60}
}}
proc reader {name count} {
    yield
    lappend ::got $name=[batch 20000 $count row {lappend ::got $name$row(payload); yield}]
}
is coroutines {
    foreach {name count} {a 3 b 3 c 2} {coroutine $name reader $name $count}
    foreach name {a b c a b c a b c a b} {$name}
}
"""
)

SAID = [
    "position: 3 6 6 6; 9; 9 10 11 12",
    "one: 2 6 (9) 7 (10); 8; 8 11 12 13",
    "same: 2 9 10 11 6 3 12 13 14 7 3; 8; 8 15 16 17",
    "other: 1 9 10 6 2; 7; 7 8 11 12",
    "seek: 2 6 7; 50; 50 51 52 53",
    "pause: 2 6 7; 8; 8 9 10 11",
    "deep: 1 6 9; 60; 60 61 62 63",
    "coroutines:  a6 b9 c12 a7 b10 c13 a8 b11 c=2 a=3 b=3; 12; 14 15 16 17",
]


@KINDS
@also_in_tcl9
def test_what_is_done_within_the_code(kind: str, run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(WITHIN, embedded_cluster.topic(), kind, brokers=embedded_cluster)
    assert done.stdout.splitlines() == SAID, done.stderr


RANDOM = (
    SETUP
    + """
expr {srand($seed)}
proc chance {number} {expr {int(rand() * $number)}}
send 0 1999
set buffer {}
for {set number 0} {$number < 2000} {incr number} {lappend buffer $number}
proc took {got} {
    set ::buffer [lassign $::buffer wanted]
    if {$got != $wanted} {error "$got, not $wanted"}
}
# Code that does whatever is possible, at some depth; a batch goes on as `rest` says.
proc something {depth} {
    switch [chance [expr {$depth ? 9 : 7}]] {
        0 - 1 - 2 - 3 {some $depth}
        4 {took [one [lindex {20000 20001} [chance 2]]]}
        5 {at}
        6 {if {[chance 8] == 0} {after 25}}
        default {}
    }
}
proc some {depth} {
    set count [lindex {1 1 2 3 5 25} [chance 6]]
    set rest [lrange $::buffer 0 $count-1]
    set ::buffer [lrange $::buffer $count end]
    set end [chance 20]
    set code [catch {batch [lindex {20000 20001} [chance 2]] $count row {
        set rest [lassign $rest wanted]
        if {$row(payload) != $wanted} {error "$row(payload), not $wanted"}
        if {$depth < 3} {something [expr {$depth + 1}]}
        if {[chance 10] == 0} {
            switch $end {0 - 1 {break} 2 {error wanted} 3 {return -level 0 -code 5} default {continue}}
        }
    }} result]
    if {$code == 1 && $result ne "wanted"} {error $result}
    set ::buffer [concat $rest $::buffer]
}
while {[llength $buffer] > 300} {something 0}
set last [one 20000]
took $last
puts "all in order, [expr {[at] == $last + 1}], [expr {$asked > 20}]"
"""
)


@KINDS
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_messages_come_in_order(
    kind: str, seed: int, run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    done = run_everywhere(RANDOM, embedded_cluster.topic(), kind, str(seed), brokers=embedded_cluster)
    assert done.stdout == "all in order, 1, 1\n", done.stderr


COUNTED = (
    SETUP
    + """
send 0 99
lassign [::kafkatcl::ObjectOf [lindex [interp alias {} batch] 0]] - id
# Where the engine says that the script is, which is not told before.
proc known {} {
    if {$::kind eq "subscriber"} {
        return [lindex [::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_positions $::id $::topic 0 {}]] 0 2]
    }
    return [::kafkatcl::Unwrap [::kafkatcl::bridge::topic_position [lindex [::kafkatcl::ObjectOf tc] 1] 0]]
}
# Quick code is acknowledged later, other code at once.
ready
next 3
puts [expr {[known] in {3 6}}],[at],[known]
set ::kafkatcl::ahead::interval 10
ready
puts [batch 20000 3 row {after 15}],[known]
# Code that was unwound: its message counts, and the others come again.
set ::kafkatcl::ahead::interval 60000
ready
coroutine unwound apply {{} {batch 20000 3 row {yield $row(payload); error never}}}
::kafkatcl::messages::Unwound
puts [at],[next 3]
puts [catch unwound message],$message,[at],[next 2]
# A reader in a coroutine finds what is stored, though the engine has no batch any more.
ready
for {set number 0} {$number < 20} {incr number} {next 3}
proc waits {} {
    set words [lrange [interp alias {} batch] 1 end]
    set command [lindex [interp alias {} batch] 0]
    set count [kafka::await $command {*}$words 20000 3 row {lappend ::awaited $row(payload)}]
    set ::told [list $count $::awaited]
}
set start [clock milliseconds]
coroutine await waits
vwait told
puts $told,[expr {[clock milliseconds] - $start < 10000}]
# Code that deletes what it reads from.
ready
set command [lindex [interp alias {} batch] 0]
puts [batch 20000 3 row {lappend last $row(payload); if {$row(payload) == 7} {$command delete}}],$last
puts [array names ::kafkatcl::messages::toGo],[array names ::kafkatcl::batches::lent]
puts [info exists ::kafkatcl::batches::$id]
"""
)


@KINDS
@also_in_tcl9
def test_what_counts_when(kind: str, run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(COUNTED, embedded_cluster.topic(), kind, brokers=embedded_cluster)
    assert done.stdout.splitlines() == [
        "1,9,9",
        "3,9",
        "7,7 8 9",
        "1,never,10,10 11",
        "3 {66 67 68},1",
        "3,6 7 8",
        ",",
        "0",
    ], done.stderr
