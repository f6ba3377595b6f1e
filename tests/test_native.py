"""The native part: that it is used, that nobody sees a difference, and that whatever is
wrong with its file does no harm.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_native import BOTH, GROWTH, NEEDS_COMPILER, ROOT, SETUP, WITH, WITHOUT, require_sound, told_both_ways
from fix_tcl import TCLSH, TCLSH9, RunTcl

from hatch_build import NATIVE, CannotCompile, compiled, compiler
from kafkatcl import Interp
from kafkatcl.bridge.fronts import status
from kafkatcl.engine.process import in_loading_process
from kafkatcl.native import library

pytestmark = NEEDS_COMPILER

# -- it is there, and used -------------------------------------------------------------


def test_it_is_used_unless_it_is_turned_off() -> None:
    if os.environ.get(library.VARIABLE) == "0":
        assert status() == "native part: not used, as KAFKATCL_NATIVE is 0"
    else:
        assert status() == f"native part: {ROOT / NATIVE / 'tcl8.so'}"


USED = (
    SETUP
    + """
m producer_creator p
p new_topic t $topic
t produce 0 first
set native [llength [info commands ::kafkatcl::behind::*]]
# Python is called for the unusual, and only for that.
proc told args {incr ::calls}
set calls 0
foreach call [info commands ::kafkatcl::bridge::*] {
    trace add execution $call enter told
}
foreach call {
    {t produce 0 payload} {t produce -1 payload} {t produce 0 payload key} {t produce 0 {} {}}
    {t produce 0 payload -headers {name value other {}}} {t produce 0 payload key -headers {name value}}
    {t produce_batch 0 {payload {payload key}}} {t produce_messages {{payload a headers {b c} partition 1} {payload d}}}
    {t produce_messages {{payload a partition x}} -partition 3}
    {t produce 0 caf\u00e9\u0000} {t produce 0 [binary format H* ff00]}
} {eval $call}
set usual $calls
t produce 0 payload -tag a
t tombstone 0 key
puts "$native $usual $calls"
"""
)


def test_what_is_usual_never_comes_to_the_procedure(run_tcl: RunTcl, cluster: Cluster) -> None:
    done = run_tcl(USED, cluster.topic(partitions=4), brokers=cluster, env=WITH)
    assert done.stdout == "1 0 2\n", done.stderr
    done = run_tcl(USED, cluster.topic(partitions=4), brokers=cluster, env=WITHOUT)
    native, usual, calls = map(int, done.stdout.split())
    assert (native, usual >= 10, calls - usual) == (0, True, 2)


# -- nobody sees a difference ----------------------------------------------------------

ODD = (
    SETUP
    + r"""
m producer_creator p
p new_topic t $topic
t produce 0 first
while {[p output_queue_length]} {p poll 10}
set number 5
incr number
set bytes [binary format H* 00ff80]
set both [binary format H* e900]
string length $both
set dict [dict create a b]
set list [list a "b c" \{]
set shown [list x y]
string length $shown
set values [list {} a { } "a b" \u0000 a\u0000b \u00ff\u0080 caf\u00e9 \u0100 \u20ac \U1f600 $bytes $both 5 $number \
    0x10 1.50 [expr {1.5 + 1}] $dict $list $shown -headers -tag -1 \{ "a \{" [string repeat \u00e9 3000]]
set partitions [list 0 00 +0 0x0 " 0" "0 " 0.0 -0 {} x -1 -2 99 2147483647 2147483648 \
    99999999999999999999 1e0 [expr {3 - 3}]]
set headers [list {} {a b} {a b a b} {a} "a \{" [list \u00e9 1] [list a \u0100] [list a \u00ff] \
    [list \u0000 1] [list a $bytes] [list {} {}] [lrepeat 66 h] [lrepeat 64 h] $bytes [dict create k v] \
    [list name [list a b]]]
# What a call gives.
proc try {args} {
    set code [catch {uplevel 1 $args} result options]
    set error [expr {$code ? [list $::errorCode $::errorInfo] : {}}]
    lappend ::told [string map [list $::topic TOPIC] [list $args $code $result $error]]
}
foreach value $values {
    try t produce 0 $value
    try t produce 0 payload $value
    try t produce_batch 0 [list [list $value]]
    try t produce_batch 0 [list [list payload $value]]
    try t produce_batch 0 $value
    try t produce_batch 0 [list $value]
    try t produce_messages [list [list payload $value partition 0]]
    try t produce_messages [list [list payload p key $value partition 0]]
    try t produce_messages [list [dict create payload p key $value partition 0]]
    try t produce_messages $value
    try t produce_messages [list $value]
    try t produce_messages [list [list payload p partition 0 timestamp $value]]
    try t produce_messages [list [list payload p partition 0 $value x]]
    try t $value
    try t produce $value payload
}
foreach partition $partitions {
    try t produce $partition payload
    try t produce_batch $partition {payload}
    try t produce_messages [list [list payload p partition $partition]]
    try t produce_messages {{payload p partition 1} {payload q}} -partition $partition
}
foreach list $headers {
    try t produce 0 payload -headers $list
    try t produce 0 payload key -headers $list
    try t produce_messages [list [list payload p partition 0 headers $list]]
    # All are looked at before any is sent.
    try t produce_messages [list {payload before partition 0} [list payload p partition 0 headers $list]]
}
foreach words {
    {} produce {produce 0} {produce 0 a b c} {produce 0 a -headers} {produce 0 -headers {a b}}
    {produce 0 a -headers {a b} x} {produce_batch} {produce_batch 0} {produce_batch 0 a b}
    {produce_batch 0 {}} {produce_messages} {produce_messages {}} {produce_messages {{}}}
    {produce_messages {} -partition 0} {produce_messages {{payload a}} -partition}
    {produce_messages {{payload a}} -part 0}
    {produce_messages {{payload a}} -partition 0 -partition 1}
    {produce_messages {{payload a}} -partition 0}
    {produce_messages {{payload a tombstone 1}}} {produce_messages {{key a partition 0}}}
    {produce_messages {{payload a payload b partition 0}}}
    {produce_messages {{payload a tag b partition 0}}}
    {produce_messages {{payload a offset x topic y partition 0}}}
} {
    try t {*}$words
}
t encoding utf-8
try t produce 0 \u20ac
t encoding binary
try t produce 0 \u20ac
# The types of values stay what they are.
set value [expr {40 + 2}]
t produce 0 $value $value
lappend told [tcl::unsupported::representation $value]
set told [lmap one $told {regsub -all {0x[0-9a-f]{6,}|refcount of \d+} $one {}}]
puts [join $told \n]
# What has arrived.
while {[p output_queue_length]} {p poll 10}
m consumer_creator c
c new_topic in $topic
set got {}
foreach partition {0 1 2 3} {
    in start $partition 0
    for {set wait 10000} {![catch {in consume $partition $wait row}]} {set wait 500} {
        binary scan $row(payload) H* payload
        set key [expr {[info exists row(key)] ? [binary encode hex $row(key)] : "none"}]
        set headers [expr {[info exists row(headers)] ? $row(headers) : "none"}]
        lappend got [list $payload $key $headers [expr {$row(timestamp) < 1e12 ? $row(timestamp) : "now"}]]
    }
    in stop $partition
}
puts [join [lsort $got] \n]
puts [llength $got]
puts [llength $told]
"""
)


def test_odd_words_mean_the_same(run_tcl: RunTcl, cluster: Cluster) -> None:
    told = told_both_ways(run_tcl, cluster, ODD)
    assert told["native"] == told["pure"]
    assert int(told["pure"][-1]) > 300


FULL = (
    SETUP
    + """
lassign $argv - wait
m config queue.buffering.max.messages 20 max.block.ms $wait linger.ms 300
m producer_creator p
p new_topic t $topic
t produce 0 first
while {[p output_queue_length]} {p poll 10}
proc rows {from} {
    set rows {}
    for {set i $from} {$i < $from + 50} {incr i} {lappend rows $i}
    return $rows
}
proc told {args} {
    puts [catch {uplevel 1 $args} message],[regsub {\\(.*} $message {}],[lindex $::errorCode 1]
    while {[p output_queue_length]} {p poll 10}
}
told t produce_batch 0 [rows 0]
told t produce_messages [lmap row [rows 100] {list payload $row partition 0 headers {a b}}]
told t produce_messages [lmap row [rows 200] {list payload $row partition 0}]
# One that is refused does not hold up the others of a batch.
told t produce_batch 0 [list 300 [string repeat x 2000000] 301]
m consumer_creator c
c new_topic in $topic
in start 0 0
in consume 0 20000 message
set got $message(payload)
while {![catch {in consume 0 1000 message}]} {lappend got $message(payload)}
puts $got
"""
)


@pytest.mark.parametrize("wait", [0, 20000])
def test_of_a_batch_that_finds_the_queue_full_nothing_is_sent_twice(
    run_tcl: RunTcl, cluster: Cluster, wait: int
) -> None:
    told = {
        way: run_tcl(FULL, cluster.topic(partitions=4), str(wait), brokers=cluster, env=env).stdout
        for way, env in BOTH.items()
    }
    assert told["native"] == told["pure"]
    *_, got = told["native"].splitlines()
    count = 50 if wait else 20
    wanted = [
        "first",
        *(str(begin + number) for begin in (0, 100, 200) for number in range(count)),
        "300",
        "301",
    ]
    assert got.split() == wanted


COMMAND = (
    SETUP
    + r"""
m producer_creator p
proc made {} {llength [info commands ::kafkatcl::behind::*]}
p new_topic t $topic
t produce 0 1
rename t u
u produce 0 2
puts [catch {u produce} message],$message
namespace export u
namespace eval space {namespace import ::u}
space::u produce 0 3
interp alias {} v {} u produce 0
v 4
interp hide {} u
interp invokehidden {} u produce 0 5
interp expose {} u
trace add execution u enter {apply {args {lappend ::traced [lindex $args 0 1]}}}
u produce 0 6
trace remove execution u enter {apply {args {lappend ::traced [lindex $args 0 1]}}}
# Replaced, deleted in its own trace, by a namespace, with its handle.
p new_topic u $topic
u produce 0 7
u creator new_topic ::space::w $topic
space::w produce 0 8
space::w produce 0 9
namespace delete space
trace add execution u enter {apply {args {rename ::u {}}}}
puts [catch {u produce 0 10} message],$message
p new_topic t $topic
t produce 0 11
proc ::kafkatcl::behind::[lindex [split [info commands ::kafkatcl::behind::*] :] end] args {return other}
t produce 0 12
puts [catch {t produce} message],$message
p new_topic t $topic
t produce 0 13
# Children have it too; they go with their handles.
interp create child
child eval {package require kafka}
child eval [list set topic $topic]
child eval {
    kafka::kafka create m
    m logger none
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 0
    m producer_creator p
    p new_topic t $topic
    t produce 0 14
    t produce 0 15
    puts child,[llength [info commands ::kafkatcl::behind::*]]
}
interp delete child
while {[p output_queue_length]} {p poll 10}
p delete
puts [catch {t produce 0 16} message],[lindex $errorCode 1]
puts traced,$traced,[made]
m consumer_creator c
c new_topic in $topic
in start 0 0
in consume 0 20000 row
set got $row(payload)
while {![catch {in consume 0 1000 row}]} {lappend got $row(payload)}
puts [lsort -integer $got]
"""
)


def test_the_command_is_one_like_any_other(run_tcl: RunTcl, cluster: Cluster) -> None:
    done = run_tcl(COMMAND, cluster.topic(partitions=4), brokers=cluster, env=WITH)
    assert done.stdout.splitlines() == [
        '1,wrong # args: should be "u produce partition payload ?key?"',
        '1,invalid command name "u"',
        "1,the procedure behind this command was deleted",
        "child,1",
        "1,RD_KAFKA_RESP_ERR__DESTROY",
        "traced,produce,1",
        " ".join(str(number) for number in range(1, 16) if number != 10),
    ], done.stderr


NAMES = (
    SETUP
    + r"""
m producer_creator p
foreach name [list \u00e9 \u20ac "a b" "\{" a\u0000b \U1f600 \ud800 {} " " -x #] {
    set command [p new_topic ::of::$name $topic]
    $command produce 0 first
    $command produce 0 second
    rename $command ::other
    ::other produce 0 third
    rename ::other {}
}
while {[p output_queue_length]} {p poll 10}
m consumer_creator c
c new_topic in $topic
in start 0 0
set count [in consume_batch 0 20000 33 row {}]
rename in {}
puts $count,[info commands ::of::*],[info commands ::kafkatcl::behind::*]
"""
)


@pytest.mark.parametrize("way", BOTH)
def test_commands_of_any_name(run_tcl: RunTcl, embedded_cluster: Cluster, way: str) -> None:
    done = run_tcl(NAMES, embedded_cluster.topic(), brokers=embedded_cluster, env=BOTH[way])
    assert done.stdout == "33,,\n", done.stderr


def test_a_forked_process_sends_nothing(cluster: Cluster) -> None:
    """The mark of a process that was forked behind Python's back is seen."""
    interp = Interp()
    interp.eval(f"""
        package require kafka
        kafka::kafka create m
        m config bootstrap.servers {cluster.bootstrap_servers}
        m producer_creator p
        p new_topic t {cluster.topic()}
        t produce 0 first
    """)
    in_loading_process[0] = 0
    try:
        failed = interp.eval("list [catch {t produce 0 second} message] $message")
    finally:
        in_loading_process[0] = 1
    assert "fork" in str(failed)
    interp.eval("t produce 0 third")
    interp.close()


def test_each_thread_has_its_own(cluster: Cluster) -> None:
    topic = cluster.topic()
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with Interp() as interp:
                interp.eval(f"""
                    package require kafka
                    kafka::kafka create m
                    m config bootstrap.servers {cluster.bootstrap_servers}
                    m producer_creator p
                    p new_topic t {topic}
                    for {{set i 0}} {{$i < 2000}} {{incr i}} {{t produce 0 {number}-$i}}
                    p delete
                """)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    with Interp() as interp:
        interp.eval(f"""
            package require kafka
            kafka::kafka create m
            m config bootstrap.servers {cluster.bootstrap_servers}
            m consumer_creator c
            c new_topic t {topic}
            t start 0 0
        """)
        got = interp.eval(
            "t consume_batch 0 20000 8000 row {incr n([lindex [split $row(payload) -] 0])}; array get n"
        )
    assert sorted(map(int, str(got).split())) == [0, 1, 2, 3, 2000, 2000, 2000, 2000]


# -- in a Tcl that no Python here has --------------------------------------------------

FAKE = r"""
fconfigure stdout -buffering none
load [lindex $argv 0] Fake
proc behind {{subcommand {}} args} {
    if {$subcommand eq "fail"} {error failed}
    if {$subcommand eq "yield"} {return [yield $args]}
    puts "procedure [info level 0] [info level]"
    codes
}
fake t behind
t produce 0 payload
t produce -1 payload key
t produce 7 [binary format a3 xyz] [list a b]
t produce 1 caf\u00e9 -headers {a 1 b \u00e9}
t produce_batch 2 [list a [list b k] [list [binary format a2 yz]]]
t produce_messages [list {payload a partition 3 key k timestamp 12 headers {h v}} [dict create payload b]]
set number [expr {40 + 2}]
t produce 0 $number
# What is unusual.
t produce 99 refused
t produce_batch 99 {a b}
t produce_messages {{payload a} {payload b partition 99} {payload c}}
t produce x y
t produce 0 \u0100
t
t other words
puts [catch {t fail} message],$message,$errorInfo
coroutine c apply {{} {puts "went on with [t yield now]"}}
c later
rename t u
u produce 0 renamed
rename behind {}
puts [catch {u other} message],$message
rename u {}
puts [info commands u]
"""

FAKE_READING = r"""
fconfigure stdout -buffering none
load [lindex $argv 0] Fake
foreach {first count} {0 1 1 1 2 1 0 3} {puts [fetched [lay_out $first $count]]}
proc behind {{subcommand {}} args} {puts "procedure [info level 0]"}
# What Tcl has behind these commands: the layout of a field and one that not all messages have.
namespace eval kafkatcl::layouts {proc Shape {layout} {
    return {payload 0 0 topic -1 0 key 4 1 partition -2 0 error -3 0}
}}
namespace eval kafkatcl::batches {proc Look {id words} {puts "look $id $words"}}
namespace eval kafkatcl::batches {proc End {run code} {
    puts "end $run $code [lindex [array get ::kafkatcl::batches::lent] 1 0] [array get ::kafkatcl::messages::toGo]"
    return $::kafkatcl::messages::toGo($run)
}}
namespace eval kafkatcl::messages {}
namespace eval kafkatcl::ahead {proc Report {reader} {puts "report $reader"}}
proc messages {count} {
    for {set i 0} {$i < $count} {incr i} {lappend fields "payload $i" o t [expr {$i % 2}] key$i}
    return $fields
}
proc keep {id words count args} {
    set due [expr {[clock milliseconds] + 60000}]
    ::kafkatcl::native::keep $id $words [list 0 topic 7 mixed 5 [messages $count] $due {*}$args]
}
proc show {} {upvar row row; return [lsort -stride 2 [array get row]]}
reader t behind t1 2
reader s behind s1 -1
reader q behind q1 1
puts [keep none 0,100 5][keep t1 0,100 3]
set row(error) gone
puts [t consume 0 100 row],[show]
t consume 0 99 row
puts [t consume 0 100 row],[show]
# Behind the last one the engine is told.
puts [t consume 0 100 row],[lindex [array get kafkatcl::ahead::t1] 1 0]
keep s1 {} 3
puts [s consume],[s consume]
keep q1 100 3
puts [q consume 100 row],[show]
keep q1 100,2 7 2
puts [q consume_batch 100 2 row {lappend got $row(payload)}],$got
puts [q consume_batch 100 2 row {lappend got $row(payload); break}],$got
puts [catch {q consume_batch 100 2 row {error failed}} message],$message,$errorInfo
keep q1 100,2 7 2
puts [apply {{} {q consume_batch 100 2 row {return early}; return late}}]
coroutine c apply {{} {puts [q consume_batch 100 2 row {puts [yield $row(payload)]}]}}
puts [c on],[c on]
keep q1 100,2 7 2
puts [q consume_batch 100 2 row {kafkatcl::native::recall q1; set kafkatcl::messages::toGo(1) 0}]
puts [catch {q consume_batch 100 2 row(x) {}}],[lindex [array get kafkatcl::batches::q1] 1 0]
set scalar 1
keep t1 0,100 3
puts [catch {t consume 0 100 scalar} message],$message,$errorCode
keep t1 0,1,2 9 2
puts [t consume_batch 0 1 2 row {catch {rename t {}}}]
interp create child
load [lindex $argv 0] Fake child
child eval {
    proc behind args {}
    reader t behind t1 2
    namespace eval kafkatcl::layouts {proc Shape layout {return {payload 0 0}}}
    kafkatcl::native::keep t1 0,1,1 {0 topic 7 plain 3 {a 1 1 b 2 2 c 3 3} 99999999999999 1}
}
interp alias child delete {} interp delete child
child eval {catch {t consume_batch 0 1 1 row delete}}
puts [interp exists child]
"""


# What Tcl has behind it is as in turns.tcl and layouts.tcl.
FAKE_PACKED = r"""
load [lindex $argv 0] Fake
proc behind args {}
reader t behind t1 2
namespace eval kafkatcl::layouts {proc Shape {layout} {
    expr {$layout eq "plain" ? {payload 0 0 offset 1 0} : {payload 0 0 offset 1 0 key 4 1 tombstone 7 8}}
}}
namespace eval kafkatcl::events {
    variable next 0 at 0 left 0 changes 0 until 99999999999999
    proc Failed {result} {puts "failed: $result"}
}
namespace eval kafkatcl::waits {variable stop 0}
proc type {fields} {lindex [tcl::unsupported::representation $fields] 3}
proc take {first count} {
    lassign [fetched [lay_out $first $count 22]] ::layout ::fields
    puts "$::layout [type $::fields] [kafkatcl::native::length $::fields]"
}
proc run {at width most prefix} {
    set ::kafkatcl::events::at $at
    puts [kafkatcl::native::each $prefix topic 7 $::layout $::fields $width $most]
}
proc show {message} {puts $message}
# A callback that looks at what there is has it made a list, whatever runs.
proc look {message} {puts "$message [lindex $::fields $::kafkatcl::events::at] [type $::fields]"}
take 3 9
puts [kafkatcl::native::first $fields],[kafkatcl::native::first {any list}],[kafkatcl::native::length {any list}]
run 0 3 2 show
run 21 3 9 show
run 3 3 3 look
take 3 9
set copy $fields
lset copy 0 changed
puts [type $copy],[type $fields],[lrange $copy 0 3],[lrange $fields 0 3]
take 12 10
run 0 11 3 show
puts [lrange $fields 11 21]
take 3 8
unset fields copy
"""


def fake_kafka(folder: Path, defines: Sequence[str]) -> str:
    """The native part with a librdkafka that only says what it is asked for."""
    file = folder / "fake.so"
    words = [
        *compiler(),
        *defines,
        "-std=gnu11",
        "-fPIC",
        "-shared",
        "-I",
        str(ROOT / NATIVE),
        "-o",
        str(file),
    ]
    subprocess.run([*words, str(ROOT / "tests" / "fake_kafka.c")], check=True)
    return str(file)


IN_A_TCL_OF_ITS_OWN = pytest.mark.parametrize(
    ("shell", "defines"), [(TCLSH, ()), (TCLSH9, ("-DTCL9",))], ids=["tclsh", "tclsh9"], indirect=["shell"]
)


@IN_A_TCL_OF_ITS_OWN
def test_producing_in_a_tcl_of_its_own(
    run_tcl: RunTcl, shell: Sequence[str], defines: tuple[str, ...], tmp_path: Path
) -> None:
    done = run_tcl(FAKE, fake_kafka(tmp_path, defines), shell=shell)
    assert done.stdout_bytes.decode("latin-1").splitlines() == [
        "produce 0 <payload> none",
        "produce -1 <payload> <key>",
        "produce 7 <xyz> <a b>",
        "va 1 <caf\xe9> none 0 a=1 b=\xe9",
        "batch 2 <a> nonebatch 2 <b> <k>batch 2 <yz> none",
        "va 3 <a> <k> 12 h=v",
        "va -1 <b> none 0",
        "produce 0 <42> none",
        "procedure t produce 99 refused 1",
        "tried",
        "batch 99 <a> nonebatch 99 <b> none",
        "procedure t produce_batch 99 {a b} 1",
        "-184 -184 tried",
        "va -1 <a> none 0",
        "va 99 <b> none 0",
        "procedure t produce_messages {{payload a} {payload b partition 99} {payload c}} 1",
        "0 -184 tried",
        "procedure t produce x y 1",
        "tried",
        "procedure t produce 0 \xc4\x80 1",
        "tried",
        "procedure t 1",
        "tried",
        "procedure t other words 1",
        "tried",
        "1,failed,failed",
        "    while executing",
        '"error failed"',
        '    (procedure "t" line 2)',
        "    invoked from within",
        '"t fail"',
        "went on with later",
        "produce 0 <renamed> none",
        "1,the procedure behind this command was deleted",
        "",
    ], done.stderr


@IN_A_TCL_OF_ITS_OWN
def test_reading_in_a_tcl_of_its_own(
    run_tcl: RunTcl, shell: Sequence[str], defines: tuple[str, ...], tmp_path: Path
) -> None:
    done = run_tcl(FAKE_READING, fake_kafka(tmp_path, defines), shell=shell)
    assert done.stdout.splitlines() == [
        "3, 3 of a partition, 29 bytes",
        "destroy 10",
        "destroy 11",
        "destroy 12",
        "plain {payload 10 1010}",
        "3, 3 of a partition, 29 bytes",
        "destroy 10",
        "destroy 11",
        "destroy 12",
        "keyed {payload 11 1011 k\x00}",
        "3, 3 of a partition, 29 bytes",
        "destroy 10",
        "destroy 11",
        "destroy 12",
        "mixed {{} 12 1012 30 {} {name value null {}} 1 1 append 0 0}",
        "3, 3 of a partition, 29 bytes",
        "destroy 10",
        "destroy 11",
        "destroy 12",
        "mixed {payload 10 1010 0 {} {} {} 0 {} 0 0"
        " payload 11 1011 1 k\x00 {} {} 0 {} 0 0 {} 12 1012 30 {} {name value null {}} 1 1 append 0 0}",
        "01",
        "1,partition 7 payload {payload 0} topic topic",
        "procedure t consume 0 99 row",
        "1,key key1 partition 7 payload {payload 1} topic topic",
        "report t1 0,100",
        "1,15",
        "payload {payload 0} topic topic partition 7,payload {payload 1} topic topic key key1 partition 7",
        "1,partition 7 payload {payload 0} topic topic",
        "2,{payload 0} {payload 1}",
        "1,{payload 0} {payload 1} {payload 2}",
        "1,failed,failed",
        "    while executing",
        '"error failed"',
        '    ("consume_batch" body line 1)',
        "    invoked from within",
        '"q consume_batch 100 2 row {error failed}"',
        "early",
        "on",
        "on",
        "2",
        "payload 2,",
        "end 1 0 q1 100,2 batches 1 0",
        "2",
        "procedure q consume_batch 100 2 row(x) {}",
        "0,20",
        "1,can't set \"scalar(payload)\": variable isn't array,TCL LOOKUP VARNAME scalar",
        "2",
        "0",
    ], done.stderr


# -- its memory ------------------------------------------------------------------------


@pytest.mark.parametrize("script", [USED, ODD, COMMAND], ids=["used", "odd", "command"])
def test_it_touches_no_memory_but_its_own(
    run_tcl: RunTcl, embedded_cluster: Cluster, checked: dict[str, str], script: str
) -> None:
    wrong = run_tcl("puts [string length [info library]]", env={**checked, "ASAN_OPTIONS": "no_such_option"})
    assert "AddressSanitizer" in wrong.stderr  # so it is at work
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, env=checked, timeout=180)
    require_sound(done)


LEAKS = (
    SETUP
    + r"""
m config queue.buffering.max.messages 100 max.block.ms 0
m producer_creator p
p new_topic t $topic
set large [string repeat \u00e9 50000]
t produce 0 first
proc round {} {
    foreach call {
        {t produce 0 $::large $::large} {t produce 0 $::large -headers [list a $::large]}
        {t produce 0 $::large Ā} {t produce 0 a -headers [list a $::large b Ā]}
        {t produce_batch 0 [lrepeat 4 [list $::large $::large]]}
        {t produce_batch 0 [list [list $::large $::large] [list a Ā]]}
        {t produce_messages [lrepeat 2 [list payload $::large key $::large headers [list a $::large]]]}
        {t produce_messages [list [list payload $::large key Ā]]}
        {t produce_batch 0 [lrepeat 200 [list a $::large]]}
    } {
        catch $call
    }
    p purge
    p flush 10000
}
set rounds 60
"""
    + GROWTH
)


def test_it_keeps_no_memory(run_tcl: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_tcl(LEAKS, embedded_cluster.topic(), brokers=embedded_cluster, env=WITH, timeout=120)
    # One value of 50,000 bytes in each round would be 730 pages.
    assert int(done.stdout) < 360, done.stdout


# -- what may be wrong with its file ---------------------------------------------------

WORKS = """
package require kafka
kafka::topic_producer t hello
t produce 0 first
t produce 0 second
kafka::topic_consumer in hello
in start 0 0
in consume_batch 0 10000 2 row {puts $row(payload)}
"""


def odd_files(folder: Path) -> dict[str, Path]:
    """Files that cannot be used, by what the complaint says."""
    text = folder / "text.so"
    text.write_text("no library")
    source = folder / "other.c"
    source.write_text(f"const int kafkatcl_interface = {library.INTERFACE};")
    other = folder / "other.so"
    subprocess.run([*compiler(), "-shared", "-fPIC", "-o", other, source], check=True)
    version = folder / "version.so"
    words = [*compiler(), "-DINTERFACE=0", "-std=gnu11", "-shared", "-fPIC", "-o", str(version)]
    subprocess.run([*words, str(ROOT / NATIVE / "fastpaths.c")], check=True)
    return {
        "there is no file": folder / "none.so",
        "cannot be used": text,
        "undefined symbol": other,
        "is of another version of kafkatcl": version,
        "this Tcl has no stubs that are known": ROOT / NATIVE / "tcl9.so",
    }


def test_a_file_that_does_not_fit_is_left_out_and_told_once(run_tcl: RunTcl, tmp_path: Path) -> None:
    for complaint, file in odd_files(tmp_path).items():
        script = WORKS + "interp create child\nchild eval {package require kafka}\n"
        done = run_tcl(script, env={library.VARIABLE: str(file)}, embedded=True)
        assert (done.status, done.stdout) == (0, "first\nsecond\n"), (complaint, done.stderr)
        told = [line for line in done.stderr.splitlines() if "native part" in line]
        assert len(told) == 1, told
        assert complaint in told[0]


def test_a_file_needs_no_permission_to_be_run(run_tcl: RunTcl, tmp_path: Path) -> None:
    file = tmp_path / "copied.so"
    shutil.copy(ROOT / NATIVE / "tcl8.so", file)
    file.chmod(0o444)
    done = run_tcl(WORKS + "puts $::kafkatcl::fronts", env={library.VARIABLE: str(file)}, embedded=True)
    assert done.stdout == "first\nsecond\nproducer_topic consumer_topic queue subscriber\n", done.stderr


@pytest.mark.parametrize("value", ["0", "no", "OFF", "false"])
def test_it_can_be_turned_off(run_tcl: RunTcl, value: str) -> None:
    done = run_tcl(WORKS + "puts <$::kafkatcl::fronts>", env={library.VARIABLE: value}, embedded=True)
    assert (done.stdout, "native" in done.stderr) == ("first\nsecond\n<>\n", False)


def test_another_librdkafka_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    library.find.cache_clear()
    monkeypatch.setenv(library.VARIABLE, "1")
    monkeypatch.setattr(library, "major_version", lambda: 3)
    assert library.find("8.6.13").words == "it is made for librdkafka 2"
    library.find.cache_clear()


def test_it_compiles_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKATCL_CC", f"{compiler()[0]} -Werror -Wpedantic")
    assert all(file.stat().st_size for file in compiled(ROOT, tmp_path))
    monkeypatch.setenv("KAFKATCL_CC", "")
    assert compiled(ROOT, tmp_path) == []


@pytest.mark.parametrize(
    ("command", "why"), [("no-such-compiler", "no-such-compiler"), ("false", "exit status 1")]
)
def test_a_compiler_that_fails_is_told(
    command: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKATCL_CC", command)
    with pytest.raises(CannotCompile, match=why):
        compiled(ROOT, tmp_path)


def test_the_checkout_has_what_its_source_says(tmp_path: Path) -> None:
    """Whoever changes the source compiles it: python hatch_build.py."""
    for file in compiled(ROOT, tmp_path):
        assert file.read_bytes() == (ROOT / NATIVE / file.name).read_bytes(), sys.executable


@IN_A_TCL_OF_ITS_OWN
def test_packed_messages(
    run_tcl: RunTcl, shell: Sequence[str], defines: tuple[str, ...], tmp_path: Path
) -> None:
    done = run_tcl(FAKE_PACKED, fake_kafka(tmp_path, defines), shell=shell)
    fetched = "22, 22 of a partition, 165 bytes"
    told = [line for line in done.stdout.splitlines() if line != fetched and not line.startswith("destroy")]
    assert told == [
        "plain kafkatcl 27",
        "payload 13 1013,any list,2",
        "payload payload offset 13",
        "payload payload offset 14",
        "2",
        "payload payload offset 20",
        "payload payload offset 21",
        "2",
        "payload payload offset 14 payload list",
        "payload payload offset 15 payload list",
        "payload payload offset 16 payload list",
        "3",
        "plain kafkatcl 27",
        "list,kafkatcl,changed 13 1013 payload,payload 13 1013 payload",
        "mixed kafkatcl 110",
        "payload payload offset 22",
        "payload {} offset 23 key k\x00 tombstone 1",
        "payload payload offset 24",
        "3",
        "{} 23 1023 9 k\x00 {} {} 1 {} 0 0",
        "plain list 24",
    ], done.stderr
