"""What errors say beyond their text: where in the script, and what may help;
nothing of the package's own lines.
"""

from __future__ import annotations

import pytest
from fix_tcl import KAFKATCLSH, RunTcl

PLACES = """
package require kafka
kafka::topic_producer out t
kafka::topic_consumer in t
proc deep args {error oops}
proc each {} {
    in consume_batch 0 5000 1 row {
        deep
    }
}
proc told {message} {deep}
proc bgerror {message} {set ::background $::errorInfo}
proc show {script} {
    catch {uplevel #0 $script}
    puts [string range $::errorInfo 0 [string last "\\n    (\\"uplevel\\"" $::errorInfo]-1]
    puts --
}
out produce 0 a
show {out produce x y}
show {out produce}
show {kafka::subscriber}
show {kafka::setup -x}
in start 0 beginning
show each
trace add variable row(payload) write deep
in start 0 beginning
show {in consume 0 5000 row}
in start 0 beginning told
vwait background
puts $background
"""

SHOWN = """\
expected integer but got "x"
    while executing
"out produce x y"
--
wrong # args: should be "out produce partition payload ?key?"
    while executing
"out produce"
--
wrong # args: should be "kafka::subscriber groupid ?arg ...?"
    while executing
"kafka::subscriber"
--
argument '-x' unrecognized, must be one of '-brokers'
    while executing
"kafka::setup -x"
--
oops
    while executing
"error oops"
    (procedure "deep" line 1)
    invoked from within
"deep"
    ("consume_batch" body line 2)
    invoked from within
"in consume_batch 0 5000 1 row {
        deep
    }"
    (procedure "each" line 2)
    invoked from within
"each"
--
oops
    while executing
"error oops"
    (procedure "deep" line 1)
    invoked from within
"deep <array> payload write"
    (write trace on "row(payload)")
    invoked from within
"in consume 0 5000 row"
--
oops
    while executing
"error oops"
    (procedure "deep" line 1)
    invoked from within
"deep"
    (procedure "told" line 1)
    invoked from within
"told {payload a partition 0 offset 0 timestamp TIME topic t}"
    (kafka callback)
"""


def test_error_info_shows_the_lines_of_the_script_and_none_of_ours(run_everywhere: RunTcl) -> None:
    done = run_everywhere(PLACES, embedded=True)
    shown = [line.rstrip() for line in done.stdout.splitlines()]
    times = [line.split("timestamp ")[1].split()[0] for line in shown if "timestamp " in line]
    assert "\n".join(shown).replace(times[0], "TIME").replace(' "\n', '"\n') + "\n" == SHOWN


@pytest.mark.parametrize(("value", "ours"), [("1", True), ("0", False)])
def test_unless_they_are_asked_for(run_everywhere: RunTcl, value: str, ours: bool) -> None:
    script = "package require kafka; kafka::kafka create m; catch {m producer_creator}; puts $errorInfo"
    done = run_everywhere(script, env={"KAFKATCL_DEBUG": value})
    assert ("::kafkatcl::master::producer_creator" in done.stdout) == ours


HINTS = """
package require kafka
kafka::kafka create m
kafka::topic_producer out t
m config group.id g
m subscriber s
foreach command {
    {m config bootstrap.server x}
    {m config bootstrap_servers x}
    {m topic_config ack 1}
    {m topic_config linger.ms 1}
    {m topic_config compression.type gzp}
    {m config linger.ms 1000000}
    {m config linger.ms abc}
    {m config max.block 1}
    {m config nothing.like.it 1}
    {out produce_batch 0 {a {"hello there you"}}}
    {out produce_batch 0 {a {hello there you}}}
    {out produce_batch 0 {a {}}}
    {s offsets -time 100 {t 0}}
    {s offsets -committed -time {t 0}}
    {s commit -sync}
    {s commit {t 2 beginning}}
    {s commit {t 2 -5}}
    {s offsets {-t 0}}
} {
    set code [catch $command result options]
    if {!$code} {
        puts ok
        continue
    }
    puts $result
    if {[regexp {\\n    \\(([^\\n]*)\\)\\n} [dict get $options -errorinfo] -> hint]} {
        puts "    $hint"
    }
}
"""


def test_what_may_help_stands_in_the_text_or_below_it(run_everywhere: RunTcl) -> None:
    assert run_everywhere(HINTS, embedded=True).stdout.splitlines() == [
        'No such configuration property: "bootstrap.server" (did you mean "bootstrap.servers"?)',
        'No such configuration property: "bootstrap_servers" (did you mean "bootstrap.servers"?)',
        'No such configuration property: "ack" (did you mean "acks"?)',
        'No such configuration property: "linger.ms"',
        "    linger.ms is a property of clients: it is set by the config of a master",
        'Invalid value "gzp" for configuration property "compression.codec" (did you mean "gzip"?)',
        "    compression.type must be none, gzip, snappy, lz4, or zstd",
        'Configuration property "queue.buffering.max.ms" value 1e+06 is outside allowed range 0..900000 '
        '("linger.ms" is another name of it)',
        "    linger.ms must be a number from 0 to 900000",
        'Invalid value for configuration property "queue.buffering.max.ms"',
        "    linger.ms must be a number from 0 to 900000",
        'No such configuration property: "max.block" (did you mean "max.block.ms"?)',
        'No such configuration property: "nothing.like.it"',
        "ok",
        " list within payload-key must contain payload and optional key",
        "    message 1 has 3 words: if they are one payload, write [list {hello there you}]",
        " list within payload-key must contain payload and optional key",
        "    message 1 is an empty list: an empty payload is [list {}]",
        'bad option "-time": must be -committed or -timeout',
        'bad option "-time": must be -committed or -timeout',
        'bad option "-sync": must be -async',
        'expected an offset of 0 or more but got "beginning"',
        'expected an offset of 0 or more but got "-5"',
        "ok",
    ]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("--embeded", "did you mean --embedded?"),
        ("-embedded", "did you mean --embedded?"),
        ("-h", "did you mean --help?"),
        ("--nothing", "see kafkatclsh --help; a script's options come behind it"),
    ],
)
def test_an_unknown_option_of_kafkatclsh_is_refused(run_tcl: RunTcl, word: str, hint: str) -> None:
    done = run_tcl("puts run", "s.tcl", shell=(*KAFKATCLSH, word))
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr == f"kafkatclsh: unknown option {word}: {hint}\n"
