"""Child interpreters: what one has open is closed when it is gone,
in whatever way that comes about.
"""

from __future__ import annotations

import time
import tkinter
from collections.abc import Sequence

import pytest
from fix_async import PRELUDE
from fix_cluster import Cluster
from fix_engine import until
from fix_tcl import TCLSH, RunTcl

import kafkatcl
from kafkatcl.bridge import sessions
from kafkatcl.engine.handle import Handle

# `clients` is the number of Kafka clients in this process and in its sidecar, by the
# threads that they have.
CLIENTS = (
    PRELUDE
    + """
proc clients {} {
    set count 0
    set processes [pid]
    catch {lappend processes {*}$::kafkatcl::sidecar::process}
    foreach process $processes {
        foreach thread [glob /proc/$process/task/*/comm] {
            # It may have ended meanwhile.
            catch {
                set file [open $thread]
                incr count [string match rdk:main* [read $file]]
                close $file
            }
        }
    }
    return $count
}
set open {
    package require kafka
    kafka::kafka create m
    m logger none
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id children-[pid]
    m producer_creator p
    p new_topic out $topic
    m consumer_creator c
    m subscriber s
}
proc populate {path} {
    interp eval $path [list set topic $::topic]
    interp eval $path $::open
}
"""
)

#: How the interpreter `c` comes about and goes.
WAYS = {
    "deleted": "interp create c; populate c; interp delete c",
    "its command is deleted": "interp create c; populate c; rename c {}",
    "its command has another name": "interp create c; populate c; rename c d; interp delete c",
    "that is deleted": "interp create c; populate c; rename c d; rename d {}",
    "out of time": """
        interp create c
        populate c
        c limit time -seconds [clock seconds]
        catch {c eval {while 1 {incr x}}}
        interp delete c
    """,
    "out of commands": """
        interp create c
        populate c
        c limit command -value [c eval info cmdcount]
        catch {c eval {set x 1}}
        rename c {}
    """,
    "without most commands": """
        interp create c
        populate c
        foreach command {rename catch namespace interp trace info foreach set lappend} {c hide $command}
        interp delete c
    """,
    "without its namespace": """
        interp create c
        populate c
        c eval {namespace delete ::kafkatcl}
        interp delete c
    """,
    "its objects are renamed and hidden": """
        interp create c
        populate c
        c eval {rename p q; rename s {} }
        c hide m
        interp delete c
    """,
    "hidden in its parent": "interp create c; populate c; interp hide {} c; interp delete c",
    "by a command with another name": "interp create c; populate c; rename interp i; i delete c",
    "with its parent": "interp create a; a eval {interp create c}; populate {a c}; interp delete a",
    "in its parent": "interp create a; interp create {a c}; populate {a c}; a eval {rename c {}}",
    "with its child": """
        interp create c
        populate c
        c eval {interp create d}
        populate {c d}
        rename c {}
    """,
    "by itself": "interp create c; populate c; interp alias c end {} interp delete c; c eval end",
    "in a batch": """
        interp create c
        populate c
        interp alias c end {} interp delete c
        catch {
            c eval {
                c new_topic in $topic
                in start 0 beginning
                out produce 0 hello
                in consume_batch 0 10000 1 row end
            }
        }
    """,
    "in its callback": """
        interp create c
        populate c
        proc end {args} {rename c {}}
        interp alias c end {} end
        c eval {c new_topic in $topic; in start 0 beginning end; out produce 0 hello}
        await {![interp exists c]}
    """,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_a_child_has_open_is_closed_when_it_is_gone(
    way: str, shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    script = f"{CLIENTS}\nm producer_creator own\n{way}\nawait {{[clients] == 1}}\nputs [clients]"
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "1\n", "")


def test_a_script_does_not_see_in_a_child_that_the_package_is_loaded(
    shell: Sequence[str], run_tcl: RunTcl
) -> None:
    script = """
        interp create a
        interp create {a b}
        interp alias a mine {} puts
        foreach path {a {a b}} {puts [interp aliases $path],[interp eval $path {interp aliases}]}
        puts [a eval {catch {eval {eval {eval {eval {interp recursionlimit {} 6; set x ok}}}}} text; set text}]
        interp create c
        c eval {namespace delete {*}[namespace children ::]}
        puts [c eval {interp create d; list [interp children] [d eval {set x 1}]}]
        interp create e
        e eval {trace add execution error leave {namespace delete :: ;#}}
        catch {e eval error foo bar baz}
        interp delete e
        puts $errorInfo,$errorCode
        rename a {}
        puts $errorInfo
    """
    expected = run_tcl(script, shell=TCLSH)
    done = run_tcl(f"package require kafka; {script}", shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, expected.stdout, "")


def test_a_child_that_has_deleted_all_interpreters_in_it_has_the_package_all_the_same(
    shell: Sequence[str], run_tcl: RunTcl
) -> None:
    script = """
        package require kafka
        interp create c
        c eval {
            foreach round {1 2} {
                foreach name [interp children] {interp delete $name}
            }
            interp create d
            d eval {puts [package require kafka]}
            package require kafka
            kafka::kafka create m
            exit 3
        }
    """
    done = run_tcl(script, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (3, "2.5\n", "")


def test_a_child_with_another_name_goes_on(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    script = (
        CLIENTS
        + """
        interp create c
        populate c
        rename c d
        d eval {
            c new_topic in $topic
            in start 0 beginning {apply {message {set ::told [dict get $message payload]}}}
            out produce 0 hello
        }
        await {[d eval {info exists ::told}]}
        puts [d eval {set ::told}]
        """
    )
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "hello\n", "")


def test_the_group_of_a_child_that_is_gone_reads_on_without_it(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    script = (
        CLIENTS
        + """
        m config group.id [set group g[pid]] session.timeout.ms 1500 heartbeat.interval.ms 200
        interp create c
        populate c
        c eval [list set group $group]
        c eval {
            m config group.id $group session.timeout.ms 1500 heartbeat.interval.ms 200
            m subscriber member
            member callback {apply {message {lappend ::told [dict get $message payload]}}}
            member subscribe $topic
            foreach partition {0 1 2 3} {out produce $partition first}
        }
        await {[c eval {info exists ::told}] && [llength [c eval {set ::told}]] == 4}
        rename c {}
        m subscriber heir
        heir callback {apply {message {lappend ::heard [dict get $message payload]}}}
        heir subscribe $topic
        m producer_creator own
        own new_topic out $topic
        foreach partition {0 1 2 3} {out produce $partition second}
        await {[info exists heard] && [llength $heard] == 4} 20000
        puts $heard
        """
    )
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "second second second second\n", "")


def test_a_child_that_is_gone_is_told_nothing_and_others_are(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    script = (
        CLIENTS
        + """
        proc bgerror {message} {puts "background error: $message"}
        foreach child {c d} {
            interp create $child
            populate $child
            interp alias $child told {} told $child
            $child eval {
                m delivery_report callback told
                m producer_creator reporting
                reporting new_topic reported $topic
            }
        }
        proc told {child report} {
            incr ::count($child)
            if {$child eq "c"} {rename c {}}
        }
        for {set i 0} {$i < 100} {incr i} {foreach child {c d} {$child eval {reported produce 0 hello}}}
        await {[info exists count(c)] && [info exists count(d)] && $count(d) == 100}
        puts "$count(c) $count(d)"
        """
    )
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "1 100\n", "")


def test_nothing_is_left_of_a_hundred_children(embedded_cluster: Cluster) -> None:
    interp = tkinter.Tcl()
    kafkatcl.install(interp)
    app = interp.tk
    app.call("set", "child", "package require kafka; kafka::kafka create m; m logger none; m config "
        f"bootstrap.servers {embedded_cluster.bootstrap_servers}; m producer_creator p; p new_topic t x; "
        "m consumer_creator c; c new_topic tc x; c create_queue q; tc start_queue 0 0 q")  # fmt: skip
    app.eval("package require kafka")
    before = set(sessions.objects), set(app.splitlist(app.eval("interp aliases {}")))
    for _ in range(100):
        app.eval("interp create c; c eval $child; rename c {}")
    assert (set(sessions.objects), set(app.splitlist(app.eval("interp aliases {}")))) == before
    assert until(lambda: not sessions._session_of.keys() - before[0])


def test_grants_go_with_the_child_they_were_for(embedded_cluster: Cluster, run_tcl: RunTcl) -> None:
    script = (
        CLIENTS
        + """
        set before [array size ::kafkatcl::sidecar::grant]
        interp create c
        populate c
        c eval {for {set i 0} {$i < 20} {incr i} {out produce 0 hello; after 10}}
        puts [expr {[array size ::kafkatcl::sidecar::grant] > $before}]
        interp delete c
        puts [expr {[array size ::kafkatcl::sidecar::grant] - $before}]
        """
    )
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, shell=["tclsh"])
    assert (done.status, done.stdout, done.stderr) == (0, "1\n0\n", "")


def test_the_clients_of_a_child_are_closed_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    close = Handle.close

    def slowly(handle: Handle, end: float) -> None:
        close(handle, end)
        time.sleep(1)

    monkeypatch.setattr(Handle, "close", slowly)
    interp = tkinter.Tcl()
    kafkatcl.install(interp)
    interp.eval("interp create c; c eval {package require kafka; kafka::kafka create m; m logger none}")
    for number in range(4):
        interp.eval(f"c eval {{m consumer_creator c{number}}}")
    began = time.monotonic()
    interp.eval("rename c {}")
    assert 1 <= time.monotonic() - began < 3


def test_a_child_that_is_deleted_while_its_callbacks_go_on_keeps_no_event_loop_busy(
    run_everywhere: RunTcl,
) -> None:
    script = """
        package require kafka
        interp create c
        c eval {package require kafka}
        kafkatcl::bridge::events_spin [c eval {set kafkatcl::session}] 1
        puts [llength $kafkatcl::loop::spinning]
        interp delete c
        puts [llength $kafkatcl::loop::spinning]
    """
    done = run_everywhere(script)
    assert (done.status, done.stdout, done.stderr) == (0, "1\n0\n", "")
