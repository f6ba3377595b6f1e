"""The rebalance callback of a subscriber: a script is told which partitions
come and go, in time, and may do with them what it wants until it has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from counting.group_trial import PROTOCOLS
from fix_async import Live, live
from fix_cluster import Cluster
from fix_tcl import KAFKATCLSH, TCLSH, RunTcl, also_in_tcl9

SETUP = """
package require kafka
set properties [lassign $argv topic]
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id g-$topic \
    auto.offset.reset earliest enable.auto.commit false fetch.wait.max.ms 10 {*}$properties
m producer_creator p
p new_topic out $topic
proc fill {count} {
    for {set i 0} {$i < $count} {incr i} {
        out produce [expr {$i % 4}] $i
    }
    while {[p output_queue_length]} {p poll 10}
}
# Make a member whose callback is `$callback NAME`.
proc member {name {callback told}} {
    m subscriber $name
    $name rebalance_callback [list $callback $name]
    $name subscribe $::topic
}
proc numbers {partitions} {lsort -integer [lmap partition $partitions {expr "0[lindex $partition 1]"}]}
proc told {name kind partitions} {
    lappend ::notices "$name $kind [numbers $partitions]"
}
# The same, and commit where partitions go.
proc committing {name kind partitions} {
    told $name $kind $partitions
    if {$kind eq "revoked"} {
        set owned [llength [$name assignment]]
        if {[catch {$name commit} message options] && ![string match *NO_OFFSET* [dict get $options -errorcode]]} {
            lappend ::notices "failed $message"
        }
        set now [$name offsets -committed {*}$partitions]
        lappend ::notices "owned [expr {$owned >= [llength $partitions]}] [expr {$now eq $partitions}]"
    }
}
set notices {}
set got {}
# Read with `consume` until an expression is true.
proc until {condition args} {
    set deadline [expr {[clock milliseconds] + 20000}]
    while {![uplevel #0 [list expr $condition]]} {
        if {[clock milliseconds] > $deadline} {
            puts "never: $condition: $::notices"
            exit 1
        }
        foreach name $args {
            set message [$name consume 20]
            if {[dict exists $message payload]} {
                lappend ::got [dict get $message payload]
            }
        }
    }
}
# Run events until an expression is true.
proc await {condition} {
    set deadline [expr {[clock milliseconds] + 20000}]
    while {![uplevel #0 [list expr $condition]]} {
        if {[clock milliseconds] > $deadline} {
            puts "never: $condition: $::notices"
            exit 1
        }
        after 5 {incr ::awaited}
        vwait ::awaited
    }
}
"""

#: The protocols that take single partitions.  The embedded broker takes their commits
#: while partitions are revoked.
INCREMENTAL = ("cooperative-sticky", "consumer")


def properties(protocol: str) -> list[str]:
    """The words that set a protocol up."""
    return [word for each in PROTOCOLS[protocol].items() for word in each]


def held(notices: Sequence[str], name: str) -> set[str]:
    """What a member has at the end by its notices, each of which must fit to those
    before.
    """
    found: set[str] = set()
    for notice in notices:
        who, kind, *partitions = notice.split()
        if who != name or kind not in ("assigned", "revoked", "lost"):
            continue
        if kind == "assigned":
            assert not found & set(partitions), notices
            found |= set(partitions)
        else:
            assert found >= set(partitions), notices
            found -= set(partitions)
    return found


# -- what is told, and what is possible then -------------------------------------------

PROTOCOL = (
    SETUP
    + """
fill 40
member s1 committing
until {[llength $got] == 40} s1
member s2 committing
until {[regexp {s2 assigned \\d} $notices]} s1 s2
fill 40
until {[llength $got] == 80} s1 s2
s2 delete
until {[regexp {s2 revoked.*s1 assigned} $notices]} s1
lappend notices [expr {[llength [lsort -unique $got]] == 40 ? "each [llength $got]" : "wrong $got"}]
puts [join $notices \\n]
s1 unsubscribe
puts "unsubscribed [s1 assignment] [lindex [lsearch -all -inline $notices {s1 revoked*}] end]"
"""
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_was_read_is_committed_while_partitions_are_revoked(
    run_everywhere: RunTcl, kafka_cluster: Cluster, protocol: str
) -> None:
    done = run_everywhere(PROTOCOL, kafka_cluster.topic(), *properties(protocol), brokers=kafka_cluster)
    *notices, each, last = done.stdout.splitlines()
    assert each == "each 80", notices  # nothing twice: what s1 had read was committed
    assert next(line for line in notices if line.startswith(("owned", "failed"))) == "owned 1 1"
    assert not [line for line in notices if line.startswith("failed")]
    assert held(notices, "s2") == set()
    assert held(notices, "s1") == {"0", "1", "2", "3"}
    if protocol in INCREMENTAL:
        assert "s1 revoked 0 1 2 3" not in notices
    assert last == "unsubscribed  s1 revoked 0 1 2 3"


@pytest.mark.parametrize("protocol", ["range", "cooperative-sticky"])
def test_notices_come_in_the_event_loop_and_before_the_messages(
    run_everywhere: RunTcl, embedded_cluster: Cluster, protocol: str
) -> None:
    script = """
    proc read {name message} {
        if {[dict exists $message payload]} {
            lappend ::notices "$name got [dict get $message partition]"
        }
    }
    foreach name {s1 s2} {
        member $name committing
        $name callback [list read $name]
    }
    await {[llength [s1 assignment]] == 2 && [llength [s2 assignment]] == 2}
    fill 200
    await {[llength [lsearch -all $notices {* got *}]] >= 200}
    s2 delete
    await {[llength [s1 assignment]] == 4}
    fill 200
    await {[llength [lsearch -all $notices {* got *}]] >= 400}
    puts [join $notices \\n]
    """
    done = run_everywhere(
        SETUP + script, embedded_cluster.topic(), *properties(protocol), brokers=embedded_cluster
    )
    notices = done.stdout.splitlines()
    for number, line in enumerate(notices):
        name, what, *partitions = line.split()
        if what == "got":
            assert partitions[0] in held(notices[:number], name), notices[: number + 1]
    assert held(notices, "s1") == {"0", "1", "2", "3"}


def test_a_pause_in_the_callback_holds(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
    proc pausing {name kind partitions} {
        if {$kind eq "assigned"} {$name pause {*}[lrange $partitions 0 1]}
    }
    fill 40
    member s1 pausing
    until {[llength $got] == 20} s1
    until {[s1 consume 300] eq ""}
    puts [lsort -unique [lmap number $got {expr {$number % 4}}]],[numbers [s1 pause]]
    s1 resume
    until {[llength $got] == 40} s1
    puts all
    """
    done = run_everywhere(SETUP + script, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == ["2 3,0 1", "all"]


def test_questions_with_a_command_are_answered_in_the_callback(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    script = """
    proc asking {name kind partitions} {
        lappend ::notices $kind
        coroutine ask apply {{name partition} {
            lappend ::notices [lindex [kafka::await $name offsets -committed $partition] 0 end]
            lappend ::notices [kafka::await $name watermarks {*}[lrange $partition 0 1]]
            set ::asked 1
        }} $name [lindex $partitions 0]
        vwait ::asked
        lappend ::notices end
    }
    fill 40
    member s1 asking
    until {[llength $got] == 40} s1
    s1 commit
    s1 unsubscribe
    puts $notices
    """
    done = run_everywhere(
        SETUP + script, embedded_cluster.topic(), *properties("consumer"), brokers=embedded_cluster
    )
    assert done.stdout == "assigned invalid {0 10} end revoked 10 {0 10} end\n"


# -- what a callback may do ------------------------------------------------------------


@also_in_tcl9
def test_an_error_is_a_background_error_and_the_rebalance_goes_on(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    script = """
    proc failing {name kind partitions} {error "bad $kind"}
    interp bgerror {} {apply {{message options} {lappend ::notices $message}}}
    fill 40
    member s1 failing
    until {[llength $got] == 40} s1
    s1 delete
    puts $notices
    """
    done = run_everywhere(SETUP + script, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout == "{bad assigned} {bad revoked}\n"


@pytest.mark.parametrize("reading", ["consume", "callback"])
def test_while_it_waits_nothing_is_read_and_nothing_else_told(
    run_everywhere: RunTcl, embedded_cluster: Cluster, reading: str
) -> None:
    script = (
        f"set reading {reading}"
        + """
    proc waiting {name kind partitions} {
        lappend ::notices "$kind [numbers $partitions] [llength $::got]"
        # Neither waits, and nothing is told of what goes.
        lappend ::notices [$name consume -1] [$name consume 5000]
        after 300 {set ::waited 1}
        vwait ::waited
        lappend ::notices "still [llength $::got] [llength [$name assignment]]"
        if {$kind eq "revoked"} {$name commit}
    }
    fill 40
    member s1 waiting
    if {$reading eq "callback"} {
        s1 callback {lappend got}
        await {[llength $got] == 40}
    } else {
        until {[llength $got] == 40} s1
    }
    fill 4
    # What is fetched meanwhile is not told.
    s1 unsubscribe
    puts [join $notices \\n]
    puts [s1 offsets -committed [list $topic 0]]
    """
    )
    topic = embedded_cluster.topic()
    done = run_everywhere(SETUP + script, topic, *properties("consumer"), brokers=embedded_cluster)
    assigned, one, other, still, revoked, *rest = done.stdout.splitlines()
    assert (assigned, one, other, still) == ("assigned 0 1 2 3 0", "", "", "still 0 4")
    count = int(revoked.split()[-1])
    assert revoked.startswith("revoked 0 1 2 3")
    assert rest[:3] == ["", "", f"still {count} 4"]
    assert rest[3] in ([f"{{{topic} 0 10}}"] if count == 40 else [f"{{{topic} 0 10}}", f"{{{topic} 0 11}}"])


DELETING = """
proc deleting {name kind partitions} {
    lappend ::notices "$name $kind"
    if {$kind eq $::when} {
        $name delete
        lappend ::notices "deleted [info commands $name]"
    }
}
"""


@also_in_tcl9
@pytest.mark.parametrize("when", ["assigned", "revoked"])
def test_it_may_delete_its_subscriber(run_everywhere: RunTcl, embedded_cluster: Cluster, when: str) -> None:
    script = SETUP + f"set when {when}" + DELETING
    script += """
    fill 40
    member s1 deleting
    if {$when eq "revoked"} {
        until {[llength $got] == 40} s1
        s1 unsubscribe
    } else {
        catch {s1 consume 5000} message
        lappend notices $message
    }
    member s2
    until {[llength $got] >= 40} s2
    puts [join $notices \\n]
    """
    done = run_everywhere(script, embedded_cluster.topic(), brokers=embedded_cluster)
    expected = {
        "assigned": [
            "s1 assigned",
            "deleted ",
            "kafka error: Local: Broker handle destroyed for termination (the object was deleted)",
        ],
        "revoked": ["s1 assigned", "s1 revoked", "deleted "],
    }
    assert done.stdout.splitlines()[: len(expected[when])] == expected[when]
    assert done.stderr == ""


@pytest.mark.parametrize("when", ["assigned", "revoked"])
def test_it_may_exit(run_everywhere: RunTcl, embedded_cluster: Cluster, when: str) -> None:
    script = """
    proc leaving {name kind partitions} {
        puts $kind
        if {$kind eq [lindex $::properties end]} {exit 3}
    }
    fill 40
    member s1 leaving
    until {[llength $got] == 40} s1
    exit 4
    """
    topic = embedded_cluster.topic()
    done = run_everywhere(SETUP + script, topic, "client.id", when, brokers=embedded_cluster)
    assert done.stdout.splitlines() == (["assigned"] if when == "assigned" else ["assigned", "revoked"])
    assert (done.status, done.stderr) == (3, "")


def test_it_may_unsubscribe_and_must_not_assign(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
    proc odd {name kind partitions} {
        told $name $kind $partitions
        if {$kind eq "assigned"} {
            lappend ::notices [catch {$name assign [list $::topic 0]} message options]:$message
            lappend ::notices [dict get $options -errorcode]
            $name unsubscribe
        }
    }
    fill 40
    member s1 odd
    until {[llength $notices] == 4} s1
    puts [join $notices \\n]
    puts [s1 assignment][s1 subscribe][s1 consume 200]
    """
    done = run_everywhere(SETUP + script, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == [
        "s1 assigned 0 1 2 3",
        "1:cannot assign in the rebalance callback",
        "KAFKA REBALANCE RUNNING",
        "s1 revoked 0 1 2 3",
        "",
    ]


def test_the_group_does_not_wait_for_ever(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
    m error_callback {apply {{error} {
        if {[dict get $error code] eq "RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED"} {lappend ::notices late}
    }}}
    proc slow {name kind partitions} {
        told $name $kind $partitions
        if {$kind eq "revoked"} {
            await {"late" in $::notices && [regexp {s2 assigned \\d} $::notices]}
            lappend ::notices ended
        }
    }
    fill 40
    member s1 slow
    until {[llength $got] == 40} s1
    member s2
    until {"ended" in $notices} s1
    puts [join $notices \\n]
    s1 rebalance_callback {}
    """
    done = run_everywhere(
        SETUP + script,
        embedded_cluster.topic(),
        *("group.protocol", "classic", "session.timeout.ms", "1500", "max.poll.interval.ms", "1500"),
        *("heartbeat.interval.ms", "300"),
        brokers=embedded_cluster,
    )
    notices = done.stdout.splitlines()
    assert notices[:2] == ["s1 assigned 0 1 2 3", "s1 revoked 0 1 2 3"]
    assert notices.index("late") < notices.index("ended"), notices


# -- setting it ------------------------------------------------------------------------


@also_in_tcl9
def test_it_is_shown_replaced_and_removed(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
    m subscriber s1
    puts "[s1 rebalance_callback]:[catch {s1 rebalance_callback "a \\{"} message]:$message"
    s1 subscribe $topic
    fill 40
    until {[llength $got] == 40} s1
    s1 rebalance_callback {told first}  ;# is told what is there
    await {[llength $notices] == 1}
    s1 rebalance_callback {told second}
    puts [s1 rebalance_callback]
    s1 rebalance_callback {}
    puts [s1 rebalance_callback]
    s1 rebalance_callback {told third}
    s1 unsubscribe
    s1 rebalance_callback {}
    s1 subscribe $topic
    fill 4
    until {[llength $got] >= 44} s1
    s1 delete
    puts [join $notices \\n]
    puts [catch {s1 rebalance_callback x}]
    """
    done = run_everywhere(SETUP + script, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == [
        ":1:unmatched open brace in list",
        "told second",
        "",
        "first assigned 0 1 2 3",
        "third assigned 0 1 2 3",
        "third revoked 0 1 2 3",
        "1",
    ]


def test_unsubscribe_works_in_every_group(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
    m subscriber s1
    s1 subscribe $topic
    fill 40
    until {[llength $got] == 40} s1
    s1 unsubscribe
    fill 40
    puts "[s1 consume 300]:[s1 assignment]"
    """
    for protocol in INCREMENTAL:
        done = run_everywhere(
            SETUP + script, embedded_cluster.topic(), *properties(protocol), brokers=embedded_cluster
        )
        assert (done.stdout, done.stderr) == (":\n", "")


def test_its_interpreter_may_be_deleted_in_it(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
    interp create child
    child eval [list set argv $argv]
    child eval [list set env(KAFKATCL_TEST_BROKERS) $env(KAFKATCL_TEST_BROKERS)]
    child eval $setup
    interp alias child delete_me {} apply {{} {interp delete child; set ::deleted 1}}
    child eval {
        proc deleting {name kind partitions} {delete_me}
        fill 40
        member s1 deleting
    }
    vwait deleted
    """
    rest = """
    set began [clock milliseconds]
    member s2
    until {[llength $got] == 40} s2
    puts [join $notices \\n]
    puts [expr {[clock milliseconds] - $began < 10000}]
    exit
    """
    done = run_everywhere(
        f"set setup {{{SETUP}}}\n{SETUP}{script}{rest}", embedded_cluster.topic(), brokers=embedded_cluster
    )
    assert done.stdout.splitlines() == ["s2 assigned 0 1 2 3", "1"], done.stderr


# -- on a real cluster -----------------------------------------------------------------

STATIC = (
    SETUP
    + """
fill 40
m config group.instance.id one
member s1 committing
m config group.instance.id two
member s2 committing
until {[regexp {s1 assigned \\d} $notices] && [regexp {s2 assigned \\d} $notices]} s1 s2
until {[llength $got] >= 40} s1 s2
set notices {}
set before [numbers [s2 assignment]]
s2 delete
member s2
until {[regexp {s2 assigned \\d} $notices]} s1 s2
puts "[expr {$before eq [numbers [s2 assignment]]}] [lsearch -inline $notices s1*]"
# Another one of the same name takes its place.
m error_callback {apply {{error} {lappend ::errors [dict get $error code]}}}
m config group.instance.id one
set errors {}
set before [numbers [s1 assignment]]
m subscriber s3
s3 rebalance_callback {told s3}
s3 subscribe $topic
set notices {}
until {[regexp {s1 lost} $notices] && [regexp {s3 assigned \\d} $notices]} s1 s2 s3
puts "[expr {[lsearch -exact $notices "s1 lost $before"] >= 0}] [expr {$before eq [numbers [s3 assignment]]}]"
exit 0
"""
)


def test_a_static_member_keeps_its_partitions_and_loses_them_to_another_of_its_name(
    run_everywhere: RunTcl, kafka_cluster: Cluster
) -> None:
    done = run_everywhere(
        STATIC,
        kafka_cluster.topic(),
        *properties("range"),
        "session.timeout.ms",
        "10000",
        brokers=kafka_cluster,
    )
    assert done.stdout.splitlines() == ["1 ", "1 1"], done.stderr


LOSING = """
m config group.id g-$topic auto.offset.reset earliest {*}[lrange $argv 1 end]
proc told {kind partitions} {
    puts "$kind [lsort [lmap partition $partitions {lindex $partition 1}]]"
    flush stdout
}
proc got {message} {}
m subscriber s
s rebalance_callback told
s callback got
s subscribe $topic
vwait forever
"""


def _next_with(script: Live, kind: str) -> str:
    """The next notice of a kind that names partitions."""
    while not (line := script.says()).startswith(f"{kind} "):
        pass
    return line


@pytest.mark.parametrize("shell", [KAFKATCLSH, TCLSH], ids=["kafkatclsh", "tclsh"])
@pytest.mark.parametrize("protocol", ["range", *INCREMENTAL])
def test_partitions_are_lost_after_a_silence(
    kafka_cluster: Cluster, tmp_path: Path, shell: Sequence[str], protocol: str
) -> None:
    topic = kafka_cluster.topic()
    with live(kafka_cluster, tmp_path, LOSING, topic, *properties(protocol), shell=shell) as script:
        assert _next_with(script, "assigned") == "assigned 0 1 2 3"
        processes = [script.usage, *script.usage.children(recursive=True)]
        for process in processes:
            process.suspend()
        with live(kafka_cluster, tmp_path, LOSING, topic, *properties(protocol)) as other:
            assert _next_with(other, "assigned") == "assigned 0 1 2 3"
            for process in processes:
                process.resume()
            assert _next_with(script, "lost") == "lost 0 1 2 3"
            assert _next_with(other, "revoked")
            assert _next_with(script, "assigned")
