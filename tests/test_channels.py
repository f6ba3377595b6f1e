"""Topics and subscribers as Tcl channels: lines are messages, nothing is lost at
`close`, and a line counts as consumed when it was read.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fix_async import scaled
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

SETUP = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
kafka::topic_producer out $topic
kafka::topic_consumer in $topic
proc send {args} {
    out produce_batch 0 [lmap payload $args {list $payload}]
    while {[kafka::producer output_queue_length]} {kafka::producer poll 10}
}
proc lines {} {
    set channel [in channel -until end]
    set lines [split [read $channel] \\n]
    close $channel
    return $lines
}
"""

COPIED = (
    SETUP
    + """
proc copy {what lines from to args} {
    fconfigure $from -translation binary
    fconfigure $to -translation binary
    set began [clock microseconds]
    fcopy $from $to {*}$args
    catch {flush $to}
    puts "$what: [expr {round($lines * 1e6 / ([clock microseconds] - $began))}] lines/s"
}
set file [open file]
set copy [open copy w]
set first 0
foreach {lines size} [lrange $argv 1 end] {
    set channel [out channel]
    copy in $lines $file $channel -size $size
    close $channel
    set channel [in channel -from $first -until end]
    copy out $lines $channel $copy
    close $channel
    incr first $lines
}
"""
)


@also_in_tcl9
def test_a_file_comes_out_as_it_went_in(run_everywhere: RunTcl, cluster: Cluster, tmp_path: Path) -> None:
    count = scaled(20_000, 1_000_000)
    lines = [b"line %d \xe9\x00\xff\r" % number + b"x" * (number % 70) + b"\n" for number in range(count)]
    lines[500:502] = [b"\n", b"long" * 50_000 + b"\n"]
    (tmp_path / "file").write_bytes(b"".join(lines))
    # An embedded broker keeps few messages, so there it is one part after the other.
    part = 20_000 if cluster.kind == "embedded" else count
    words = [
        str(word)
        for first in range(0, count, part)
        for word in (part, sum(map(len, lines[first : first + part])))
    ]
    done = run_everywhere(COPIED, cluster.topic(), *words, brokers=cluster, timeout=600)
    assert done.status == 0, done.stderr
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()
    print(done.stdout)


WRITTEN = (
    SETUP
    + """
set channel [out channel]
puts [fconfigure $channel -buffersize]
puts $channel one
puts [kafka::producer output_queue_length]
flush $channel
puts -nonewline $channel "two "
flush $channel
puts $channel parts
puts $channel {}
puts -nonewline $channel last
close $channel
puts [lines]
set channel [out channel -partition 1 -key colour]
fconfigure $channel -buffering line -encoding utf-8
puts $channel "gr\\u00fcn"
close $channel
in start 1 0
in consume 1 20000 row
puts $row(key),[encoding convertfrom utf-8 $row(payload)]
in stop 1
set number 0
foreach encoding {unicode utf-8} {
    foreach translation {lf crlf cr} {
        foreach flushes {0 1} {
            set place [lindex [lines] end-1]
            set channel [out channel]
            fconfigure $channel -encoding $encoding -translation $translation
            puts $channel "a\\u0a0ab"
            if {$flushes} {flush $channel}
            puts $channel second
            close $channel
            set channel [in channel -from -2 -until end]
            fconfigure $channel -encoding $encoding
            set read [read $channel]
            close $channel
            incr number [string equal $read "a\\u0a0ab\\nsecond\\n"]
        }
    }
}
puts $number
"""
)


@also_in_tcl9
def test_each_line_is_a_message(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(WRITTEN, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "65536",
        "0",
        "one {two parts} {} last {}",
        "colour,grün",
        "12",
    ], done.stderr


READ = (
    SETUP
    + """
send one two "three\\nfour" five
set channel [in channel]
puts [fconfigure $channel -lag],[gets $channel],[lrange [fconfigure $channel -position] 1 2],[fconfigure $channel -lag]
puts [gets $channel],[gets $channel],[gets $channel],[lrange [fconfigure $channel -position] 1 2]
puts [read $channel 2],[gets $channel]
fconfigure $channel -blocking 0
puts [gets $channel line],[fblocked $channel],[eof $channel]
proc told {channel} {
    if {[gets $channel line] >= 0} {
        lappend ::told $line
    }
}
set told {}
fileevent $channel readable [list told $channel]
after 20 {send six seven; send eight}
while {[llength $told] < 3} {vwait told}
puts $told
puts [catch {in channel} message]:$message
puts [catch {fconfigure $channel -nosuch} message]:[string range $message 0 23]
puts [catch {puts $channel x} message]
fileevent $channel readable {}
close $channel
puts [lines]
# The end is where it was.
set channel [in channel -until end -from 3]
send nine
puts [split [read $channel] \\n],[eof $channel],[gets $channel],[fconfigure $channel -lag]
close $channel
set channel [in channel -until end -from end]
puts [gets $channel],[eof $channel]
close $channel
set channel [in channel -from -2 -until end]
fconfigure $channel -blocking 0
set told {}
fileevent $channel readable {
    if {[gets $channel line] >= 0} {lappend told $line} elseif {[eof $channel]} {close $channel; set done 1}
}
vwait done
puts $told
"""
)


@also_in_tcl9
def test_each_message_is_a_line(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(READ, cluster.topic(), brokers=cluster)
    lag, *lines = done.stdout.splitlines()
    assert lag.split(",")[1:] in (["one", "0 0", "3"], ["one", "0 0", "0"]), done.stderr
    assert lines == [
        "two,three,four,0 2",
        "fi,ve",
        "-1,1,0",
        "six seven eight",
        lines[4],
        '1:bad option "-nosuch": sh',
        "1",
        "one two three four five six seven eight {}",
        "five six seven eight {},1,,0",
        ",1",
        "eight nine",
    ], done.stderr
    assert lines[4].startswith("1:kafka error: Local: Conflicting use (partition 0 of topic ")


OF_SUBSCRIBER = (
    SETUP
    + """
send 1 2 3 4 5 6
set s [kafka::subscriber g.$topic]
$s assign [list $topic 0 0]
set channel [$s channel]
puts [gets $channel],[gets $channel],[lindex [$s offsets [list $topic 0]] 0 2]
$s commit
puts [lindex [$s offsets -committed [list $topic 0]] 0 2]
puts [dict get [$s consume 20000] payload],[gets $channel]
close $channel
puts [dict get [$s consume 20000] payload]
set channel [$s channel -until end]
puts [read $channel],[eof $channel]
set again [$s channel]
$s delete
puts [catch {gets $again} message]:[lindex $errorCode 1]
close $again
close $channel
"""
)


@also_in_tcl9
def test_a_line_counts_as_consumed_when_it_was_read(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(OF_SUBSCRIBER, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "1,2,2",
        "2",
        "3,4",
        "5",
        "6",
        ",1",
        "1:RD_KAFKA_RESP_ERR__DESTROY",
    ], done.stderr


LOST = (
    SETUP
    + """
set good [out channel]
set bad [out channel -partition 77]
puts $good kept
close $good
puts $bad lost
puts [catch {close $bad} message]:[lindex $errorCode 1]
puts [expr {$bad in [chan names]}]
puts [lindex [split $errorInfo \\n] 1],[lines]
set gone [out channel]
puts $gone x
out delete
puts [catch {flush $gone}],[catch {close $gone}],[lindex $errorCode 1]
set reading [in channel]
in delete
puts [catch {gets $reading}]:[lindex $errorCode 1]
close $reading
puts [catch {out channel}]
kafka::topic_producer out $topic
puts [catch {out channel -partition x} message]:$message
puts [catch {out channel -nosuch x} message]:$message
puts [catch {out channel -key} message]:$message
"""
)


@also_in_tcl9
def test_close_fails_if_something_was_not_delivered(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(LOST, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "1:RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION",
        "0",
        "    while executing,kept {}",
        "1,1,RD_KAFKA_RESP_ERR__DESTROY",
        "1:RD_KAFKA_RESP_ERR__DESTROY",
        "1",
        '1:expected integer but got "x"',
        '1:bad option "-nosuch": must be -partition or -key',
        '1:wrong # args: should be "out channel ?-partition n? ?-key k?"',
    ], done.stderr


UNREACHABLE = """
package require kafka
kafka::kafka create m
m config bootstrap.servers 127.0.0.1:1 message.timeout.ms 30000
m logger none
m error_callback {list}
m producer_creator p
p new_topic out t
set channel [out channel]
puts $channel x
puts $channel y
set began [clock milliseconds]
puts [catch {close $channel} message]:$message
puts [lindex $errorCode 1],[expr {[clock milliseconds] - $began < 10000}]
"""


def test_close_waits_no_longer_than_the_end_of_a_program(run_everywhere: RunTcl) -> None:
    done = run_everywhere(UNREACHABLE, env={"KAFKATCL_FLUSH_TIMEOUT_MS": "300"})
    assert done.stdout.splitlines() == [
        "1:kafka error: Local: Timed out (2 messages are still queued after 0.3 s)",
        "RD_KAFKA_RESP_ERR__TIMED_OUT,1",
    ]


LEFT_OPEN = (
    SETUP
    + """
set channel [out channel]
puts $channel "not closed"
puts -nonewline $channel "no end"
{end}
"""
)


@pytest.mark.parametrize("end", ["", "exit"])
def test_what_is_open_at_the_end_is_handed_over(
    run_everywhere: RunTcl, embedded_cluster: Cluster, end: str
) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(LEFT_OPEN.replace("{end}", end), topic, brokers=embedded_cluster)
    assert (done.status, done.stderr) == (0, "")
    done = run_everywhere(SETUP + "puts [lines]", topic, brokers=embedded_cluster)
    assert done.stdout == "{not closed} {no end} {}\n"


OTHER_INTERPRETERS = (
    SETUP
    + """
# A channel goes to a child, which has its lines; its topic stays.
set channel [out channel]
interp create -safe child
interp transfer {} $channel child
child eval [list puts $channel "from the child"]
child eval [list close $channel]
puts [lines]
set channel [in channel]
interp share {} $channel child
puts [child eval [list gets $channel]]
close $channel
interp delete child
send more
puts [lines]
# A child with the package makes its own.
interp create child
child eval [list set argv $argv]
child eval {
    package require kafka
    kafka::brokers $env(KAFKATCL_TEST_BROKERS)
    kafka::topic_producer out [lindex $argv 0]
    kafka::topic_consumer in [lindex $argv 0]
    set channel [out channel]
    puts $channel "of the child"
    close $channel
    set channel [in channel -from -1]
    fconfigure $channel -blocking 0
    fileevent $channel readable {set line [gets $channel]}
    vwait line
    set channel [out channel]
    puts $channel "left open"
}
puts [child eval {set line}]
interp delete child
set deadline [expr {[clock milliseconds] + 20000}]
while {[lindex [lines] end-1] ne "left open" && [clock milliseconds] < $deadline} {after 50}
puts [lrange [lines] end-1 end]
"""
)


def test_channels_and_other_interpreters(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(OTHER_INTERPRETERS, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == [
        "{from the child} {}",
        "from the child",
        "{from the child} more {}",
        "of the child",
        "{left open} {}",
    ], done.stderr


EVENTS = (
    SETUP
    + """
# Neither starves: two channels, a timer, and a writer in the background.
send {*}[lrepeat 3000 x]
set out [out channel -partition 1]
set from [in channel -until end]
fcopy $from $out -command {set copied}
proc tick {} {
    incr ::ticks
    after 1 tick
}
tick
set second [in channel -partition 1]
fconfigure $second -blocking 0
fileevent $second readable {
    if {[gets $second line] >= 0 && [incr got] == 3000} {set done 1}
}
vwait copied
close $out
puts $copied,[eof $from]
if {![info exists done]} {vwait done}
puts $got,[expr {$ticks > 10}]
# Nothing is told while nothing comes.
set told 0
fileevent $second readable {incr told; gets $second}
after 300 {set quiet 1}
vwait quiet
puts [expr {$told <= 1}]
"""
)


def test_channels_take_turns_with_all_else(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(EVENTS, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == ["6000,1", "3000,1", "1"], done.stderr
