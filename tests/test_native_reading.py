"""Messages that C reads: nobody sees a difference, whatever is done with them."""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_native import BOTH, GROWTH, NEEDS_COMPILER, SETUP, WITH, require_sound, told_both_ways
from fix_tcl import RunTcl

pytestmark = NEEDS_COMPILER

READERS = ["topic", "queue", "subscriber"]

# Makes a topic, and what reads it: `one` and `batch` have the words behind what names
# the partition.
READING = (
    SETUP
    + r"""
lassign $argv topic kind
m config group.id $topic
m producer_creator p
p new_topic out $topic
proc fill {count {step 1}} {
    set messages {}
    for {set i 0} {$i < $count} {incr i} {lappend messages [list payload $i partition 0]}
    out produce_messages $messages
    p flush 20000
}
m consumer_creator c
switch $kind {
    topic {
        c new_topic in $topic
        interp alias {} one {} in consume 0
        interp alias {} batch {} in consume_batch 0
        proc begin {} {in start 0 0}
        proc go {offset} {in seek 0 $offset}
    }
    queue {
        c new_topic in $topic
        c create_queue q
        interp alias {} one {} q consume
        interp alias {} batch {} q consume_batch
        proc begin {} {in start_queue 0 0 q}
        proc go {offset} {in seek 0 $offset}
    }
    subscriber {
        m subscriber s
        proc one {timeout array} {
            uplevel 1 [list unset -nocomplain $array]
            uplevel 1 [list array set $array [s consume $timeout]]
            return 1
        }
        interp alias {} batch {} s consume_batch
        proc begin {} {s assign [list $::topic 0 0]}
        proc go {offset} {s seek $::topic 0 $offset}
    }
}
"""
)

SORTS = (
    READING
    + r"""
set n 0
foreach more {
    {} {key k} {key {}} {headers {a 1 b 2}} {key k headers {a 1}} {headers {a {} b 2} null_headers {0}}
    {headers {a 1} timestamp 12345} {tombstone 1 payload {}} {payload {}} {headers {é 1}} {headers {a 1 a 2}}
} {
    set rows {}
    foreach count {1 3 40} {
        for {set i 0} {$i < $count} {incr i} {lappend rows [list payload [incr n] partition 0 {*}$more]}
        lappend rows [list payload [incr n] partition 0]
    }
    out produce_messages [lmap row $rows {dict merge $row}]
}
p flush 20000
proc told {array} {
    upvar 1 $array row
    unset -nocomplain row(offset)
    if {$row(timestamp) > 1e12} {set row(timestamp) now}
    set row(topic) [expr {$row(topic) eq $::topic}]
    lsort -stride 2 [array get row]
}
set count [expr {11 * 47}]
begin
foreach way {one {batch 1} {batch 7} {batch 1000}} {
    go 0
    set got {}
    unset -nocomplain row
    while {[llength $got] < $count} {
        if {$way eq "one"} {
            one 20000 row
            lappend got [told row]
        } else {
            batch 3000 [lindex $way 1] row {lappend got [told row]}
        }
    }
    puts $way:[llength $got]
    puts [join $got \n]
}
"""
)


@pytest.mark.parametrize("kind", READERS)
def test_messages_of_all_sorts(run_tcl: RunTcl, cluster: Cluster, kind: str) -> None:
    told = told_both_ways(run_tcl, cluster, SORTS, kind)
    assert told["native"] == told["pure"]
    assert len(told["pure"]) == 4 * (11 * 47 + 1)


ODD = (
    READING
    + r"""
fill 4000
begin
# What a call gives, and what a reader finds behind it.
proc try {args} {
    set code [catch {uplevel 1 $args} result options]
    set error [expr {$code == 1 ? [list $::errorCode $::errorInfo] : {}}]
    set told [list $args $code $result $error]
    ready
    lappend told $::row(payload)
    puts [regsub -all {timestamp \d+} [string map [list $::topic TOPIC \n { / }] $told] now]
}
# Read some, so that more is read ahead.
proc ready {} {
    unset -nocomplain ::row
    for {set i 0} {$i < 5} {incr i} {one 20000 ::row}
    for {set i 0} {$i < 3} {incr i} {batch 20000 2 ::row {}}
}
ready
namespace eval space {variable array}
set scalar 1
array set other {payload old key old error old extra kept}
foreach name {
    row scalar other {} a(b) a( ( ::global ::space::array ::none::array space::array -x -command "a b" é # {$x} {a
b}
} {
    unset -nocomplain fresh
    try one 20000 $name
    try batch 20000 1 $name {}
    try batch 20000 2 $name {incr bodies}
}
puts [lsort [array names other]],$bodies
foreach words {{} 100 {100 row more} {x row} {1e3 row} {0x64 row} {" 100" row} {-0 row} {99999999999 row}} {
    try one {*}$words
}
foreach words {
    {} {100 2 row} {100 2 row {} more} {100 x row {}} {100 0 row {}} {100 -1 row {}} {100 0x2 row {}} {100 2.0 row {}}
    {100 "2 " row {}} {0 2 row {}} {100 99999999999 row {}}
} {
    try batch {*}$words
}
foreach body {
    break continue {error failed} {error failed info CODE} {return early} {return -code error hidden}
    {return -code break} {return -level 0 -code 7 seven} {throw {A B} thrown} "unmatched \{" {} { } {nosuch command}
    {unset row} {set row(extra) 1} {unset row; set row 1} {incr n; if {$n % 2} continue; lappend even $row(payload)}
    {lappend levels [info level] [namespace current]} {set row(payload)} {one 20000 row} {one 20000 inner}
    {batch 20000 2 row {}} {batch 20000 2 inner break}
    {batch 20000 1 inner {error deep}} {batch 20000 3 row {one 20000 row}}
    {eval {foreach x {1 2} {break}}} {
        # a comment
        set a 1; error "on line 3"
    } {tailcall set a 1} {proc p {} {return -code break}; p} {apply {{} {uplevel 1 {lappend seen $row(payload)}}}}
    {go 1000} {if {$row(payload) % 2} {go 2000}} {update} {after 15} {lappend told [c info topics]; break}
} {
    foreach count {1 2 3} {
        unset -nocomplain row
        try batch 20000 $count row $body
    }
}
puts [list $even $levels]
# Within a procedure.
proc within {count body} {
    set local 1
    set result [batch 20000 $count row $body]
    return [list result $result [lsort [info locals]]]
}
foreach body {
    {} {return early} {set local $row(payload)} {upvar 1 x y; set y 1} {error failed} break {uplevel 1 {set z 1}}
} {
    foreach count {1 2} {
        try within $count $body
    }
}
# Traces.
foreach operation {write unset read array} {
    foreach what {traced traced(payload) traced(offset) traced(key)} {
        array set traced {payload 1 offset 1 key 1}
        proc trace_$operation {args} [list lappend ::traces $operation $what]
        trace add variable $what $operation trace_$operation
        set traces {}
        try one 20000 traced
        try batch 20000 2 traced {}
        puts $traces
        array unset traced
        unset -nocomplain traced
    }
}
foreach what {traced traced(payload) traced(topic)} {
    array set traced {payload 1 topic 1}
    trace add variable $what write {apply {args {error refused {} {REFUSED CODE}}}}
    try one 20000 traced
    try batch 20000 1 traced {}
    try batch 20000 2 traced {}
    unset traced
}
# Coroutines.
proc batches {} {
    while 1 {
        batch 20000 2 row {yield $row(payload)}
    }
}
coroutine first batches
coroutine second batches
for {set i 0} {$i < 20} {incr i} {lappend woven [first] [second]}
puts [lsort -integer -unique $woven]
rename first {}
ready
second
rename second {}
ready
puts $row(payload)
"""
)


@pytest.mark.parametrize("kind", READERS)
def test_odd_words_and_odd_code(run_tcl: RunTcl, cluster: Cluster, kind: str) -> None:
    told = told_both_ways(run_tcl, cluster, ODD, kind)
    # A trace is told of an array under the name that it has in our procedures.
    native, pure = ([line.replace("<array>", "traced") for line in lines] for lines in told.values())
    assert native == pure
    assert len(pure) > 200


DELETED = (
    READING
    + r"""
fill 1000
m consumer_creator d
d new_topic other $topic
other start 0 0
set deletions {
    topic {{rename in {}} {c delete} {in stop 0; rename in {}}}
    queue {{q delete} {c delete} {rename q {}; rename in {}}}
    subscriber {{s delete} {rename s {}} {s unsubscribe; s delete}}
}
foreach delete [dict get $deletions $kind] {
    foreach {count later} {1 {} 3 {error failed} 3 {set x 1} 20 break} {
        foreach name {in q s c} {
            if {[info commands $name] ne ""} {rename $name {}}
        }
        if {$kind eq "subscriber"} {
            m subscriber s
        } else {
            m consumer_creator c
            c new_topic in $topic
            if {$kind eq "queue"} {c create_queue q}
        }
        begin
        for {set i 0} {$i < 4} {incr i} {batch 20000 $count row {}}
        set code [catch {batch 20000 $count row "$delete; $later"} result]
        puts [list $delete $count $later $code $result [info commands {[insq]}]]
        # Others go on, and what has to do with all of them.
        other consume_batch 0 20000 3 row {}
        ::kafkatcl::messages::Runs
        update
    }
}
"""
)


@pytest.mark.parametrize("kind", READERS)
def test_code_that_deletes_what_it_reads_from(run_tcl: RunTcl, cluster: Cluster, kind: str) -> None:
    told = told_both_ways(run_tcl, cluster, DELETED, kind)
    assert told["native"] == told["pure"]
    assert len(told["pure"]) == 12


# Whatever a trace does to what is read, and to who reads it, at a write of the first
# or the second message.
TRACED = (
    SETUP
    + r"""
m config group.id $topic
m producer_creator p
p new_topic out $topic
out produce_batch 0 [lmap message [lrepeat 100 {}] {list m[incr count]}]
p flush 20000
proc read {} {
    catch {c delete}
    m consumer_creator c
    c new_topic in $::topic
    in start 0 0
    uplevel #0 {in consume 0 20000 row}
}
set reads {
    one {in consume 0 100 row}
    batch {in consume_batch 0 100 3 row {lappend got $row(payload)}}
}
foreach code {
    {in consume 0 99 other} {in consume 0 100 other} {in consume 0 100 row} {in consume_batch 0 100 5 other {}}
    {in stop 0} {rename in {}} {c delete}
} {
    dict for {kind read} $reads {
        foreach write {3 8} {
            read
            lassign {} told got
            set writes 0
            set traced [list apply {{write code args} {if {[incr ::writes] == $write} {uplevel #0 $code}}} $write $code]
            trace add variable row write $traced
            foreach time {1 2 3} {lappend told [catch $read message] $message $row(payload)}
            trace remove variable row write $traced
            puts [list $code $kind $write [regsub -all {consumer-\d+} $told consumer] $got]
        }
    }
}
exit
"""
)


def test_traces_that_read_and_delete(run_tcl: RunTcl, cluster: Cluster) -> None:
    told = told_both_ways(run_tcl, cluster, TRACED)
    assert told["native"] == told["pure"]
    assert len(told["pure"]) == 28


# -- callbacks -------------------------------------------------------------------------

CALLBACKS = (
    READING
    + r"""
fill 3000
proc note {prefix message} {
    lappend ::got [dict get $message payload]
    lappend ::levels [info level] [namespace current]
    switch [dict get $message payload] {
        10 {error failed info CODE}
        11 {return -code break}
        12 {return -code error returned}
        13 {set ::waited 1}
        20 {after 0 {set ::timer 1}; update}
        30 {after 5 {set ::inner 1}; vwait ::inner}
        40 {coroutine worker waits; lappend ::got [worker]}
        50 {rename note other; interp alias {} note {} other}
        60 {lappend ::got [info coroutine],[lrange [info level 1] 0 1]}
        2999 {set ::done 1}
    }
}
proc waits {} {yield [info coroutine]; return went}
proc bgerror {message} {lappend ::failed $message $::errorCode [regsub {0x[0-9a-f]+} $::errorInfo {}]}
interp bgerror {} {apply {{message options} {
    lappend ::failed $message [dict get $options -errorcode] [dict get $options -errorinfo]
}}}
switch $kind {
    topic {in start 0 0 {note x}}
    queue {begin; q consume_callback {note x}}
    subscriber {s callback {note x}; begin}
}
vwait waited
puts [lrange $got end-3 end]
vwait done
update
puts $got
puts [lsort -unique $levels]
puts [regsub -all {\s+} [string map [list $topic TOPIC] [regsub -all {timestamp \d+} $failed now]] { }]
"""
)


@pytest.mark.parametrize("kind", READERS)
def test_callbacks(run_tcl: RunTcl, cluster: Cluster, kind: str) -> None:
    told = told_both_ways(run_tcl, cluster, CALLBACKS, kind)
    assert told["native"] == told["pure"]
    assert told["pure"][0] == "10 11 12 13"


# librdkafka cuts the connection of a partition's queue when its fetching ends, at some
# later time.
RESTARTED = (
    SETUP
    + r"""
m producer_creator p
p new_topic out $topic
foreach partition {0 1 2 3} {
    out produce_batch $partition [lmap number [lsearch -all [lrepeat 200 {}] *] {list $number}]
}
p flush 20000
m config group.id $topic
m consumer_creator c
c new_topic in $topic
c create_queue q
expr {srand(7)}
proc any {count} {expr {int(rand() * $count)}}
foreach partition {0 1 2 3} {in start $partition 0; set started($partition) 1}
for {set i 0} {$i < 40} {incr i} {
    set partition [any 4]
    set offset [any 200]
    switch [any 5] {
        0 {in start $partition $offset}
        1 {in stop $partition; in start $partition $offset}
        2 {in seek $partition $offset}
        3 {in start $partition 0; in seek $partition $offset}
        4 {in pause $partition; in resume $partition; in start $partition $offset}
    }
    in consume $partition 20000 row
    lappend wrong {*}[expr {$row(offset) == $offset ? {} : [list $row(offset) $offset]}]
}
puts "topic [llength $wrong]"
m subscriber s
for {set i 0} {$i < 20} {incr i} {
    set partition [expr {1 + [any 3]}]
    set offset [any 200]
    if {$i % 2} {
        s assign [list $topic $partition $offset]
    } else {
        s assign [list $topic 0 0] [list $topic $partition $offset]
        s assign [list $topic $partition $offset]
    }
    set message [s consume 20000]
    if {[dict get $message offset] != $offset || [dict get $message partition] != $partition} {lappend wrong $message}
}
puts "subscriber [llength $wrong]"
"""
)


@pytest.mark.parametrize("way", BOTH)
def test_partitions_that_are_started_anew(run_tcl: RunTcl, cluster: Cluster, way: str) -> None:
    done = run_tcl(RESTARTED, cluster.topic(partitions=4), brokers=cluster, env=BOTH[way], timeout=180)
    assert done.stdout.splitlines() == ["topic 0", "subscriber 0"], done.stderr


CANCELLED = (
    SETUP
    + r"""
m producer_creator p
p new_topic out $topic
out produce_batch 0 [lmap number [lsearch -all [lrepeat 1000 {}] *] {list $number}]
p flush 20000
interp create child
child eval {package require kafka}
child eval [list set topic $topic]
child eval [list set brokers [join $env(KAFKATCL_TEST_BROKERS) ,]]
interp alias child cancel {} interp cancel -unwind child
child eval {
    kafka::kafka create m
    m config bootstrap.servers $brokers
    m consumer_creator c
    c new_topic in $topic
    proc note {message} {
        lappend ::got [dict get $message payload]
        if {[dict get $message payload] == 100} {
            cancel
            set never 1
            lappend ::got never
        }
        if {[dict get $message payload] == 999} {set ::done 1}
    }
    in start 0 0 note
}
puts [catch {child eval {vwait done}} message],$message
# As the shell does, when Ctrl-C has cancelled a script.
child eval {::kafkatcl::events::Unwound}
child eval {vwait done}
puts [child eval {set got}]
"""
)


@pytest.mark.parametrize("way", BOTH)
def test_a_callback_that_is_cancelled_takes_no_other_along(
    run_tcl: RunTcl, embedded_cluster: Cluster, way: str
) -> None:
    done = run_tcl(CANCELLED, embedded_cluster.topic(), brokers=embedded_cluster, env=BOTH[way])
    assert done.stdout.splitlines() == ["1,eval unwound", " ".join(map(str, range(1000)))], done.stderr


# -- its memory ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        *((script, kind) for script in (SORTS, ODD, DELETED, CALLBACKS) for kind in READERS),
        (TRACED, "topic"),
    ],
    ids=[
        *(f"{name}-{kind}" for name in ("sorts", "odd", "deleted", "callbacks") for kind in READERS),
        "traced",
    ],
)
def test_reading_touches_no_memory_but_its_own(
    run_tcl: RunTcl, embedded_cluster: Cluster, checked: dict[str, str], script: str, kind: str
) -> None:
    done = run_tcl(script, embedded_cluster.topic(), kind, brokers=embedded_cluster, env=checked, timeout=180)
    require_sound(done)


LEAKS = (
    READING
    + r"""
set large [string repeat x 5000]
set rows [lrepeat 200 [list payload $large key $large partition 0 headers [list a $large b {}]]]
out produce_messages $rows
p flush 20000
begin
proc round {} {
    go 0
    for {set i 0} {$i < 20} {incr i} {one 20000 row}
    batch 20000 10 row {}
    batch 20000 1 row break
    catch {batch 20000 5 row {error failed}}
    set scalar 1
    catch {one 20000 scalar}
    catch {batch 20000 1 scalar {}}
    batch 20000 100 row {}
}
set rounds 20
"""
    + GROWTH
)


@pytest.mark.parametrize("kind", READERS)
def test_reading_keeps_no_memory(run_tcl: RunTcl, embedded_cluster: Cluster, kind: str) -> None:
    done = run_tcl(LEAKS, embedded_cluster.topic(), kind, brokers=embedded_cluster, env=WITH, timeout=120)
    # One message of 15,000 bytes in each round would be 73 pages; and what is fetched
    # anew in each round is 3 MB.
    assert int(done.stdout or 10**9) < 36, done.stdout + done.stderr
