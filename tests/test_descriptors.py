"""File descriptors: programs that are run inherit none of Kafka's,
and where there are none left, nothing breaks.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from fix_cluster import Cluster
from fix_engine import Engine, engine, until
from fix_tcl import KAFKATCLSH, RunTcl, environment_of

from kafkatcl.engine import descriptors, poll_thread
from kafkatcl.engine.consumer import ConsumerHandle
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.master import Master
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.shutdown import is_finished
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.engine.waiting import interruptibly
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.client import NativeClient

# -- what programs inherit -------------------------------------------------------------

# `kept` are the pipes and sockets that a program inherits beside its standard channels.
COUNT = "ls -l /proc/self/fd | grep -cE ' ([3-9]|[1-9][0-9]+) -> (pipe|socket|anon)' || true"
INHERITING = f"""
package require kafka
set count {{{COUNT}}}
proc kept {{}} {{
    set file [open [list |sh -c $::count]]
    set piped [read $file]
    close $file
    return [expr {{[exec sh -c $::count] + $piped}}]
}}
kafka::kafka create m
m logger none
if {{[info exists env(KAFKATCL_TEST_BROKERS)]}} {{
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
}}
m config group.id g fetch.wait.max.ms 10
m producer_creator p
p new_topic out [lindex $argv 0]
p info brokers ;# what is made in the moment between the look and the fork would be inherited
"""
CONSUMING = """
m consumer_creator c
c new_topic in [lindex $argv 0]
in start 0 beginning
m subscriber s
s subscribe [lindex $argv 0]
for {set i 0} {$i < 20} {incr i} {
    out produce 0 $i
    in consume 0 10000 row
    incr kept [kept]
}
puts $kept
"""


@pytest.mark.parametrize("embedded", [True, False], ids=["own broker", "other broker"])
def test_programs_inherit_nothing(
    embedded: bool, shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    where: dict[str, Any] = {"embedded": True} if embedded else {"brokers": embedded_cluster}
    done = run_tcl(INHERITING + CONSUMING, embedded_cluster.topic(), shell=shell, **where)
    assert (done.status, done.stdout) == (0, "0\n"), done.stderr


def test_programs_that_a_child_runs_inherit_nothing(run_tcl: RunTcl) -> None:
    child = "interp create c; c eval [list set argv $argv]; c eval {%s; puts [kept]}"
    done = run_tcl(child % INHERITING, "topic", embedded=True)
    assert (done.status, done.stdout) == (0, "0\n"), done.stderr


def test_programs_of_renamed_commands_inherit_nothing(run_tcl: RunTcl) -> None:
    script = INHERITING + (
        "rename exec run; proc exec {args} {uplevel [list run {*}$args]}\n"
        "rename open start; proc open {args} {uplevel [list start {*}$args]}\nputs [kept]"
    )
    done = run_tcl(script, "topic", embedded=True)
    assert (done.status, done.stdout) == (0, "0\n"), done.stderr


def test_exec_and_open_work_where_the_namespace_was_deleted(run_tcl: RunTcl) -> None:
    script = """
        interp create c
        c eval {
            namespace delete ::kafkatcl
            puts [exec echo one]
            puts [read [open |[list echo two]]]
            puts [read [open /dev/null]]
        }
    """
    done = run_tcl(script)
    assert (done.status, done.stdout, done.stderr) == (0, "one\ntwo\n\n\n", "")


def test_a_descriptor_that_the_program_was_started_with_is_inherited(
    embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    # As small as librdkafka's pipes, and as little blocking.
    with smallest_pipe() as (reading, writing):
        script = INHERITING + f'exec sh -c "echo still there >/proc/self/fd/{writing}"'
        command = [*KAFKATCLSH, "--embedded", "/dev/stdin", "topic"]
        subprocess.run(
            command, input=script.encode(), pass_fds=[writing], stderr=subprocess.DEVNULL, check=True
        )
        assert os.read(reading, 100) == b"still there\n"


@contextmanager
def smallest_pipe() -> Any:
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        fcntl.fcntl(writing, 1031, mmap.PAGESIZE)  # F_SETPIPE_SZ
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


PROGRAM = f"""
    import os, subprocess, sys, time
    import kafkatcl
    count = {COUNT!r}
    interp = kafkatcl.Interp()
    interp.eval("package require kafka; kafka::kafka create m; m logger none; m producer_creator p")
    interp.eval("p new_topic t x; t produce 0 hello; p info brokers")
    meant, other = os.pipe()
    os.set_inheritable(meant, True)
    os.set_blocking(meant, False)
"""


def run_program(program: str) -> str:
    script = textwrap.dedent(PROGRAM) + textwrap.dedent(program)
    environment = {**os.environ, "KAFKATCL_EMBEDDED": "1"}
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_programs_of_a_python_program_inherit_what_it_means_them_to() -> None:
    fork = """
        if os.fork() == 0:
            os.execvp("sh", ["sh", "-c", count])
        os.wait()
        print(interp.eval("exec sh -c {%s}" % count))
    """
    assert run_program(fork) == "1\n1\n"


def test_programs_that_are_run_behind_our_back_inherit_nothing_after_a_moment() -> None:
    behind = """
        deadline = time.monotonic() + 10
        while (said := subprocess.run(["sh", "-c", count], close_fds=False, capture_output=True).stdout) != b"1\\n":
            assert time.monotonic() < deadline, said
        print("sealed")
    """
    assert run_program(behind) == "sealed\n"


def test_descriptors_are_sealed_where_none_is_left_to_look_with(
    embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(embedded_cluster) as running, smallest_pipe() as (_, writing):
        running.producer()
        os.set_inheritable(writing, True)
        monkeypatch.setattr(os, "listdir", refused)
        descriptors.seal()
        assert not os.get_inheritable(writing)


def refused(*_: Any, **__: Any) -> Any:
    raise OSError(24, os.strerror(24))


# -- at the limit ----------------------------------------------------------------------

LIMITED = ("sh", "-c", 'ulimit -n 150; exec "$0" "$@"')
NO_MORE = (
    "kafka error: Local: Critical system resource failure (cannot make a client: this process may have no more "
    "than 150 open files: raise that limit (ulimit -n), or delete what is not needed)"
)

# `state` is how many clients and descriptors the process of the clients has, after
# `awaited` it does not change.
AT_THE_LIMIT = """
package require kafka
set process [expr {[info exists ::kafkatcl::sidecar::process] ? $::kafkatcl::sidecar::process : [pid]}]
proc state {} {
    set clients 0
    foreach thread [glob /proc/$::process/task/*/comm] {
        catch {
            set file [open $thread]
            incr clients [string match rdk:main* [read $file]]
            close $file
        }
    }
    return [list $clients [llength [glob /proc/$::process/task/*]] [llength [glob /proc/$::process/fd/*]]]
}
proc settled {} {
    while {[state] ne [set last [state]] || [incr same] < 20} {
        if {[state] ne $last} {set same 0}
        after 10 {set ::tick 1}
        vwait ::tick
    }
    return $last
}
kafka::kafka create m
m logger none
# Without brokers, as sockets that come and go would make room now and then.
m config group.id g
set count 0
while {![catch {m producer_creator p$count} message options]} {incr count}
puts $message
puts [lrange [dict get $options -errorcode] 0 1]
set before [settled]
for {set i 0} {$i < 20} {incr i} {
    foreach kind {producer_creator consumer_creator subscriber} {
        if {![catch {m $kind another}]} {puts "$kind made another"}
    }
}
puts [expr {[settled] eq $before ? "nothing left" : "$before [settled]"}]
for {set i 1} {$i < $count} {incr i} {p$i delete}
while {[lindex [state] 0] > 1} {
    after 10 {set tick 1}
    vwait tick
}
m producer_creator again
puts "[again name] works"
"""


def test_a_client_too_many_is_refused_as_a_whole(shell: Sequence[str], run_tcl: RunTcl) -> None:
    done = run_tcl(AT_THE_LIMIT, shell=[*LIMITED, *shell], env=environment(shell))
    assert done.status == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    assert lines == [NO_MORE, "KAFKA RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE", "nothing left"]
    assert last.endswith("works")
    assert done.stderr == ""


def environment(shell: Sequence[str]) -> dict[str, str]:
    """What ``run_tcl`` gives a shell that it knows."""
    return dict(environment_of(shell))


FULL = """
catch {package require kafka 99}
proc fill {} {while {![catch {open /dev/null} file]} {lappend ::held $file}}
proc free {count} {
    foreach file [lrange $::held 0 $count-1] {close $file}
    set ::held [lrange $::held $count end]
}
fill
free 4
puts [catch {package require kafka} message options]
puts [lrange [dict get $options -errorcode] 0 2]
puts $message
free 60
package require kafka
fill
after 10 {set done 1}
vwait done
puts "goes on"
"""


def test_loading_the_package_at_the_limit_is_an_error_and_works_later(run_tcl: RunTcl) -> None:
    done = run_tcl(FULL, shell=[*LIMITED, *KAFKATCLSH])
    assert (done.status, done.stderr) == (0, "")
    number, code, message, last = done.stdout.splitlines()
    assert (number, last) == ("1", "goes on")
    assert code == "KAFKA RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE {Local: Critical system resource failure}"
    assert "150 open files: raise that limit (ulimit -n)" in message


def test_a_sidecar_that_cannot_be_started_for_want_of_descriptors_says_so(run_tcl: RunTcl) -> None:
    # Tcl itself panics when it waits for the first time.
    waited = "after 0 {set done 0}; vwait done"
    done = run_tcl(waited + FULL, shell=[*LIMITED, "tclsh"], env=environment(["tclsh"]))
    assert (done.status, done.stderr) == (0, "")
    number, code, message, last = done.stdout.splitlines()
    assert (number, code, last) == ("1", "KAFKA SIDECAR LIMIT", "goes on")
    assert "too many open files: raise the limits" in message


def test_no_event_of_the_script_is_run_when_the_package_is_loaded(run_tcl: RunTcl) -> None:
    script = """
        after 0 {lappend ::ran timer}
        after idle {lappend ::ran idle}
        set file [open [info script]]
        fileevent $file readable {lappend ::ran file; fileevent $::file readable {}}
        after 5
        package require kafka
        puts [info exists ran]
        after 50 {set done 1}
        vwait done
        puts [lsort $ran]
    """
    done = run_tcl(script)
    assert (done.status, done.stdout, done.stderr) == (0, "0\nfile idle timer\n", "")


STEPS = {
    "signal descriptor": (poll_thread, "_signal_descriptors"),
    "signals": (NativeClient, "signal_events"),
    "logs": (NativeClient, "divert_logs"),
    "thread": (poll_thread.PollThread, "start"),
}


@pytest.mark.parametrize("kind", ["producer", "consumer", "subscriber"])
@pytest.mark.parametrize(("owner", "step"), STEPS.values(), ids=STEPS)
def test_whatever_fails_when_a_client_is_made_leaves_nothing(
    owner: Any, step: str, kind: str, embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(embedded_cluster, group_id="g") as running:
        running.master.log_to("none")
        getattr(running, kind)().delete()  # what is made once
        before = held()
        monkeypatch.setattr(owner, step, no_thread if step == "start" else refused)
        for _ in range(3):
            with pytest.raises(Failure) as failed:
                getattr(running, kind)()
            assert failed.value.errorcode[1] == "RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE"
        assert until(lambda: held() <= before)
        monkeypatch.undo()
        works(running, embedded_cluster.topic())


@pytest.mark.parametrize("kind", [ProducerHandle, ConsumerHandle, Subscriber])
def test_a_handle_that_is_built_and_not_opened_holds_nothing(
    kind: Callable[[Master, EventQueue], Handle], embedded_cluster: Cluster
) -> None:
    with engine(embedded_cluster, group_id="g") as running:
        before = held()
        handles = [kind(running.master, running.events) for _ in range(3)]
        assert held() == before
        assert (list(running.master.handles), is_finished(running.events)) == ([], True)
        for handle in handles:
            handle.open()
        assert set(running.master.handles) == set(handles)
        running.handles += handles


def no_thread(*_: Any, **__: Any) -> Any:
    raise RuntimeError("can't start new thread")


def held() -> tuple[int, int]:
    """How many descriptors and threads the process has."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def works(running: Engine, topic: str) -> None:
    producer = running.producing_to(topic)
    producer.produce(0, b"hello")
    assert until(lambda: producer.handle.output_queue_length() == 0)


def test_a_question_is_asked_without_a_thread_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert interruptibly(lambda: 42) == 42


@pytest.mark.parametrize("kind", ["producer", "consumer"])
def test_an_owner_thread_takes_one_descriptor(kind: str, embedded_cluster: Cluster) -> None:
    with engine(embedded_cluster) as running:
        handle = getattr(running, kind)()
        one = sys.platform == "linux" and sys.version_info >= (3, 10)
        assert (handle.poll_thread._reading == handle.poll_thread.descriptor) == one


def test_a_poll_thread_works_with_a_pipe_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9))
    served = threading.Event()

    def serve() -> bool:
        served.set()
        return False

    made = poll_thread.PollThread(serve)
    assert made._reading != made.descriptor
    made.start("test")
    made.wake()
    assert served.wait(5)
    made.stop()
    made.close()
