"""What brings librdkafka, its wrapper or tkinter down cannot bring a script down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import KAFKATCLSH, Finished, RunTcl

# Scripts end in good order by `finish`, or late.
SETUP = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id $env(TOPIC) fetch.wait.max.ms 10 log_level 0
m topic_config auto.offset.reset earliest
set topic $env(TOPIC)
proc finish {args} {
    puts alive
    exit 0
}
proc bgerror {message} {puts "bgerror: $message"}
after 15000 {puts late; exit 1}
"""
OBJECTS = """
m producer_creator p; p new_topic pt $topic
m consumer_creator c; c new_topic ct $topic; c create_queue q; m subscriber s
for {set i 0} {$i < 50} {incr i} {pt produce 0 $i}
"""
OPENED = SETUP + OBJECTS


class Trap:
    """Runs a script that must live to its end."""

    def __init__(self, run_tcl: RunTcl, cluster: Cluster, topic: str) -> None:
        self._run, self._cluster, self._topic = run_tcl, cluster, topic

    def __call__(self, script: str, **options: float) -> Finished:
        done = self._run(script, brokers=self._cluster, env={"TOPIC": self._topic}, **options)  # type: ignore[arg-type]
        assert done.status == 0, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def survives(self, script: str) -> list[str]:
        """The lines it says before it is ``alive`` at its end."""
        lines = self(script).stdout.splitlines()
        assert lines[-1] == "alive", lines
        return lines[:-1]


@pytest.fixture
def trap(run_tcl: RunTcl, embedded_cluster: Cluster) -> Trap:
    return Trap(run_tcl, embedded_cluster, embedded_cluster.topic())


# -- from inside callbacks -------------------------------------------------------------

WITHIN = {
    "message of a topic": "ct start 0 beginning act; vwait forever",
    "message of a queue": "q consume_callback act; ct start_queue 0 beginning q; vwait forever",
    "message of a subscriber": "s callback act; s assign [list $topic 0 beginning]; vwait forever",
    "message of a group": "s callback act; s subscribe $topic; vwait forever",
    "message told at once": "ct start 0 beginning; while 1 {catch {ct consume_callback 0 100 act}; update}",
    "delivery report": "vwait forever",
    "error": "s error -195 reason; vwait forever",
    "statistics": "vwait forever",
    "log line": "s error -195 x; c add_brokers 127.0.0.1:1; vwait forever",
    "bgerror": "proc bgerror {text} act; after 1 {error x}; vwait forever",
}
BEFORE = {
    "delivery report": "m delivery_report callback act",
    "error": "m error_callback act",
    "statistics": "m config statistics.interval.ms 20; m statistics_callback act",
    "log line": "m config log_level 7 debug broker; m logger callback act",
}
ACTS = {
    "delete all": "foreach object {ct pt q c p m} {catch {$object delete}}; catch {s delete}; rename s {}",
    "rename all away": "foreach object {s c p q m ct pt} {rename $object {}}",
    "make anew": (
        "p delete; m producer_creator p; p new_topic pt $::topic; c delete; m consumer_creator c; pt produce 0 x"
    ),
    "produce": "for {set i 0} {$i < 2000} {incr i} {pt produce 1 $i}",
    "consume": "ct start 0 beginning; ct consume 0 5000 row; catch {ct consume 3 100 row}; s consume 100",
    "stop and restart": (
        "ct stop 0; ct start 0 beginning; ct stop 0; catch {s unsubscribe}; s assign [list $::topic 1 0]"
    ),
    "commit": "catch {s commit}; catch {s commit -async}; catch {s offsets -committed [list $::topic 0]}",
    "metadata": "p meta refresh; c info topics; pt info partitions; s watermarks $::topic 0",
    "events": "after 50 {set ::over 1}; update; vwait ::over",
    "poll": "p poll 10; c poll 10",
    "error": "after 20 {after 20 finish}; error deliberate",
    "recursion": "proc again {} again; catch again",
    "callbacks replaced": "q consume_callback {}; s callback {}; m delivery_report callback {}; m logger none",
}


# Acts that take away what the callback belongs to are done in all of them.
DESTRUCTIVE = ["delete all", "rename all away", "make anew", "stop and restart"]
PAIRS = [
    (within, act)
    for within in WITHIN
    for act in ACTS
    if act in DESTRUCTIVE or within in ("message of a topic", "delivery report")
]


@pytest.mark.parametrize(("within", "act"), PAIRS)
def test_anything_can_be_done_in_callbacks(within: str, act: str, trap: Trap) -> None:
    said = trap.survives(
        SETUP
        + f"""
        set acted 0
        proc act args {{
            if {{$::acted}} return
            set ::acted 1
            {"" if act == "error" else "after 20 finish"}
            {ACTS[act]}
        }}
        {BEFORE.get(within, "")}
        """
        + OBJECTS
        + WITHIN[within]
    )
    # What an act fails with is told to bgerror, once.
    assert len(said) <= 1
    assert all(line.startswith("bgerror: ") for line in said)


def test_a_fault_in_a_callback_is_told_once(trap: Trap) -> None:
    said = trap.survives(
        OPENED
        + """
        proc bgerror text {
            puts $text
            after 300 finish
        }
        ct start 0 beginning {error deliberate}
        vwait forever
        """
    )
    assert said == ["deliberate"] * 50


# -- bad values ------------------------------------------------------------------------

# Each fails, or not, with a Tcl error; none of them ends the process.
BAD = {
    "empty group": "m config group.id {}; m subscriber x",
    "empty group of a consumer": (
        "m config group.id {}; m consumer_creator d; d new_topic dt $topic; dt start 0 0; dt consume 0 5000 row"
    ),
    "stored without a group": "m config group.id {}; m consumer_creator d; d new_topic dt $topic; dt start 0 stored",
    "partition 2^31": "pt produce 2147483648 x",
    "partition 2^31 - 1": "pt produce 2147483647 x",
    "partition -2^31": "pt produce -2147483648 x",
    "start of partition 2^31": "ct start 2147483648 0",
    "start of partition 2^31 - 1": "ct start 2147483647 0; ct consume 2147483647 100 row",
    "assign of partition 2^31 - 1": "s assign [list $topic 2147483647 0]; s consume 100",
    "assign of a negative partition": "s assign [list $topic -7 0]; s consume 100",
    "offset 2^63 - 1": "ct start 0 9223372036854775807; ct consume 0 100 row",
    "offset 2^63": "ct start 0 9223372036854775808",
    "offset -2^62": "ct start 0 -4611686018427387903; ct consume 0 100 row",
    "acks 2^40": "m topic_config acks 1099511627776",
    "acks as a word": "m topic_config acks many",
    "NUL in a topic to produce to": 'p new_topic x "a\\0b"; x produce 0 x',
    "NUL in a topic to consume from": 'c new_topic x "a\\0b"; x start 0 0; x consume 0 100 row',
    "NUL in a topic to subscribe to": 's subscribe "a\\0b"',
    "NUL in a topic to assign": 's assign [list "a\\0b" 0 0]',
    "NUL in a committed topic": 's commit [list "a\\0b" 0 0]',
    "NUL in an asked topic": 's offsets -committed [list "a\\0b" 0]',
    "NUL in a watermark": 's watermarks "a\\0b" 0',
    "NUL in a partition count": 'p info partitions "a\\0b"',
    "NUL in a broker": 'p add_brokers [list "a\\0b"]',
    "NUL in a property": 'm config "client.id" "a\\0b"',
    "NUL in the name of a property": 'm config "client\\0id" x',
    "NUL in a command name": 'm producer_creator "a\\0b"; a\\0b new_topic x y',
    "NUL in an error": 's error -1 "a\\0b"',
    "long topic to produce to": "p new_topic x [string repeat x 600]; x produce 0 x",
    "long topic to consume from": "c new_topic x [string repeat x 600]; x start 0 0",
    "long topic to a queue": "c new_topic x [string repeat x 600]; x start_queue 0 0 q",
    "long topic to stop": "c new_topic x [string repeat x 600]; x stop 0",
    "long topic to subscribe to": "s subscribe [string repeat x 600]; s consume 300",
    "long topic to assign": "s assign [list [string repeat x 600] 0 0]; s consume 300",
    "long topic to commit": "s commit [list [string repeat x 600] 0 0]",
    "long topic to ask about": "s offsets -committed [list [string repeat x 600] 0]",
    "long topic for watermarks": "s watermarks [string repeat x 600] 0",
    "empty topic": "p new_topic x {}; x produce 0 x; c new_topic y {}; y start 0 0; y consume 0 100 row",
    "strange topic": "p new_topic x {../a b}; x produce 0 x; c new_topic y {../a b}; y start 0 0; y consume 0 100 row",
    "pattern without an end": "s subscribe {^[}; s consume 100",
    "pattern with backtracking": "s subscribe {^(a+)+$}; s consume 100",
    "lone surrogate in a topic": "p new_topic x [encoding convertfrom utf-8 \\xed\\xa0\\x80]; x produce 0 x",
    "lone surrogate in a consumed topic": (
        "c new_topic x [encoding convertfrom utf-8 \\xed\\xa0\\x80]; x start 0 0; x consume 0 100 row"
    ),
    "lone surrogate to assign": "s assign [list [encoding convertfrom utf-8 \\xed\\xa0\\x80] 0 0]",
    "lone surrogate to subscribe to": "s subscribe [encoding convertfrom utf-8 \\xed\\xa0\\x80]",
    "lone surrogate in a property": (
        "m config client.id [encoding convertfrom utf-8 \\xed\\xa0\\x80]; m producer_creator x"
    ),
    "lone surrogate in a payload": "pt produce 0 [encoding convertfrom utf-8 \\xed\\xa0\\x80]",
    "lone surrogate in a key": "pt produce 0 x [encoding convertfrom utf-8 \\xed\\xa0\\x80]",
    "lone surrogate in a broker": "p add_brokers [encoding convertfrom utf-8 \\xed\\xa0\\x80]",
    "lone surrogate in a log level": "p log_level [encoding convertfrom utf-8 \\xed\\xa0\\x80]",
    "emoji in a payload": "pt produce 0 \\U1F600",
    "bad brokers": (
        "p add_brokers {{[::1} a:99999 {a b,,;:} -}; m config bootstrap.servers {[::1}; m producer_creator x"
    ),
    "timeout 2^31": "ct start 0 0; ct consume 0 2147483648 row",
    "timeout 2^31 - 1": "ct start 0 0; ct consume 0 2147483647 row",
    "timeout -2^31": "ct start 0 0; ct consume 0 -2147483648 row",
    "timeout NaN": "ct start 0 0; ct consume 0 NaN row",
    "poll 2^31": "p poll 2147483648",
    "poll 1e308": "p poll 1e308",
    "committed in 2^31 - 1 ms": "s offsets -committed -timeout 2147483647 [list $topic 0]",
    "committed in -1 ms": "s offsets -committed -timeout -1 [list $topic 0]",
    "committed in -2^31 ms": "s offsets -committed -timeout -2147483648 [list $topic 0]",
    "watermarks in -1 ms": "s watermarks -timeout -1 $topic 0",
    "watermarks in -2^31 ms": "s watermarks -timeout -2147483648 $topic 0",
    "watermarks of partition -1": "s watermarks $topic -1",
    "cached watermarks": "s watermarks -cached $topic 2147483647",
    "batch of 2^31 - 1": "ct start 0 0; ct consume_batch 0 200 2147483647 row {}",
    "batch of -1": "ct start 0 0; ct consume_batch 0 200 -1 row {}",
    "error 2^31 - 1": "s error 2147483647 x; s error -2147483648 x; s error 0 x; update",
    "huge interval": "m delivery_report every 2147483647; m delivery_report every -2147483648",
    "huge partition to commit": "s commit [list $topic 2147483647 0]",
    "negative offset to commit": "s commit [list $topic 0 -5]",
    "huge offset to commit": "s commit [list $topic 0 9223372036854775807]",
    "callback property": "m config rebalance_cb x",
    "pointer property": "m config opaque 12345",
    "topic configuration as a property": "m config default_topic_conf 12345",
    "log queue": "m config log.queue true; m producer_creator x; m consumer_creator y",
    "partition ends": (
        "m config enable.partition.eof true; m subscriber x; x assign [list $topic 0 end]; x consume 3000"
    ),
    "partitioner of bytes": "m partitioner consistent; m producer_creator x; x new_topic xt $topic; xt produce -1 x {}",
    "idempotence against acks": "m config enable.idempotence true; m topic_config acks 0; m producer_creator x",
    "transactional": "m config transactional.id x; m producer_creator x; x new_topic xt $topic; xt produce 0 x",
    "static member twice": (
        "m config group.instance.id a; m subscriber x; m subscriber y; x subscribe $topic; y subscribe $topic;"
        " x consume 500; y consume 500; x consume 500"
    ),
}


def test_bad_values(trap: Trap) -> None:
    tries = "\n".join(f"try_it {{{name}}} {{{script}}}" for name, script in BAD.items())
    done = trap(
        OPENED
        + """
        after cancel [after info]
        # A fresh master, so that one bad setting does not spoil the next try.
        proc try_it {name script} {
            global topic env
            foreach object {x y d dt xt} {catch {rename $object {}}}
            kafka::kafka create m
            m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id try fetch.wait.max.ms 10 \
                session.timeout.ms 1000 log_level 0
            set failed [catch $script result options]
            set code [expr {$failed ? [dict get $options -errorcode] : ""}]
            puts [list $name $failed [string map [list [format %c 10] { }] $result] $code]
            flush stdout
        }
        """
        + tries
        + "\nforeach object {ct pt c p m s x y d dt xt} {catch {rename $object {}}}\nputs alive"
    )
    lines = done.stdout_bytes.decode(errors="replace").splitlines()
    assert lines[-1] == "alive"
    assert len(lines) == len(BAD) + 1
    assert [line for line in lines if "INTERNAL" in line] == []


# -- fatal errors, signals, threads, forks ---------------------------------------------


def spawn(*command: str, **environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    env = {**os.environ, "LC_ALL": "C.UTF-8", **environment}
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env)


READY = "puts ready; flush stdout; "
WAITING = {
    "consume": f"ct start 0 end; {READY} ct consume 0 -1 row",
    "consume under catch": f"ct start 0 end; {READY} while 1 {{catch {{ct consume 0 -1 row}}}}",
    "queue consume": f"ct start_queue 0 end q; {READY} q consume -1 row",
    "consume_batch": f"ct start 0 end; {READY} ct consume_batch 0 -1 10 row {{}}",
    "subscriber consume": f"s assign [list $topic 0 end]; {READY} s consume -1",
    "poll": f"{READY} while 1 {{p poll -1}}",
    "nested callback": f"ct start 1 end; after 1 {{after 1 {{{READY} ct consume 1 -1 row}}; vwait x}}; vwait y",
}


@pytest.mark.parametrize("doing", WAITING)
def test_ctrl_c_ends_every_wait(doing: str, embedded_cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "s.tcl"
    file.write_text(OPENED + WAITING[doing])
    brokers = " ".join(embedded_cluster.bootstrap)
    with spawn(
        *KAFKATCLSH, str(file), KAFKATCL_TEST_BROKERS=brokers, TOPIC=embedded_cluster.topic()
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=20)
            assert (process.returncode, stderr) == (130, "")
            assert time.monotonic() - began < 2
        finally:
            process.kill()


def python(program: str, cluster: Cluster) -> subprocess.CompletedProcess[str]:
    """Run a Python program that has an interpreter, SETUP and OBJECTS."""
    code = f"""
import gc, os, sys, threading, time, tkinter
import kafkatcl
SETUP, OBJECTS = {SETUP.partition("proc finish")[0]!r}, {OBJECTS!r}
tcl = tkinter.Tcl()
kafkatcl.install(tcl)
{textwrap.dedent(program)}
"""
    env = {**os.environ, "KAFKATCL_TEST_BROKERS": " ".join(cluster.bootstrap), "TOPIC": cluster.topic()}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_garbage_collection_in_threads(embedded_cluster: Cluster) -> None:
    done = python(
        """
        stop = threading.Event()
        def collect():
            while not stop.is_set():
                gc.collect()
        threads = [threading.Thread(target=collect) for _ in range(2)]
        for thread in threads:
            thread.start()
        tcl.eval(SETUP)
        for _ in range(3):
            tcl.eval(OBJECTS)
            tcl.eval("ct start 0 beginning; ct consume 0 5000 row; catch {ct consume x y z}")
            tcl.eval("foreach object {ct pt q c p s} {rename $object {}}")
        stop.set()
        for thread in threads:
            thread.join()
        tcl.createcommand("leave", tcl.tk.quit)
        tcl.eval("after 1 leave")
        tcl.tk.mainloop(-1)
        print("alive")
        """,
        embedded_cluster,
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_a_forked_child_ends_and_leaves_its_parent_alone(embedded_cluster: Cluster) -> None:
    """A child has none of librdkafka's threads:
    it must neither flush nor close what its parent has open.
    """
    done = python(
        """
        tcl.eval(SETUP + "m config linger.ms 300\\n" + OBJECTS + "ct start 0 beginning")
        child = os.fork()
        if child == 0:
            sys.exit(7)
        deadline = time.monotonic() + 5
        while not (found := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < deadline:
            time.sleep(0.01)
        if not found[0]:
            os.kill(child, 9)
            os.waitpid(child, 0)
        print("child", os.waitstatus_to_exitcode(found[1]) if found[0] else "hangs")
        print("read", tcl.eval("ct consume 0 5000 row; set row(payload)"))
        """,
        embedded_cluster,
    )
    assert (done.returncode, done.stdout) == (0, "child 7\nread 0\n"), done.stderr
    assert "were not delivered" not in done.stderr


def test_a_fatal_error_is_told_and_the_script_goes_on(embedded_cluster: Cluster) -> None:
    done = python(
        """
        import ctypes
        from kafkatcl.librdkafka.library import function
        from kafkatcl.librdkafka.mock import MockCluster

        types = [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t]
        push_errors = function("rd_kafka_mock_push_request_errors", None, types)
        PRODUCE, OUT_OF_ORDER = 0, 45
        mock = MockCluster()
        tcl.setvar("env(KAFKATCL_TEST_BROKERS)", mock.bootstrap[0])
        tcl.eval(SETUP)
        tcl.eval('''
            m config enable.idempotence true
            m error_callback {lappend errors}
            m delivery_report callback {lappend reports}
            m producer_creator p
            p new_topic pt t
            set errors {}; set reports {}
            pt produce 0 first
            while {![llength $reports]} {p poll 100}
        ''')
        push_errors(mock._cluster, PRODUCE, 3, *[ctypes.c_int(OUT_OF_ORDER)] * 3)
        tcl.eval('''
            for {set i 0} {$i < 20} {incr i} {pt produce 0 $i}
            set limit [expr {[clock milliseconds] + 10000}]
            while {[llength $reports] < 21 && [clock milliseconds] < $limit} {p poll 100}
        ''')
        print(tcl.eval("llength $reports"))
        print(tcl.eval("llength [lsearch -all -glob $errors *OUT_OF_ORDER*]"))
        print(tcl.eval("catch {pt produce 0 more} text; lindex $::errorCode 1"))
        print(tcl.eval("p delete; list alive"))
        """,
        embedded_cluster,
    )
    assert done.stdout.splitlines() == ["21", "1", "RD_KAFKA_RESP_ERR__FATAL", "alive"], done.stderr


CYCLES = {
    "master": "kafka::kafka create x; x config client.id a; x delete",
    "producer": "m producer_creator x; x delete",
    "consumer": "m consumer_creator x; x delete",
    "subscriber": "m subscriber x; x delete",
    "subscriber in use": "m subscriber x; x callback list; x assign [list $topic 0 0]; x delete",
    "producer topic": "p new_topic x $topic; x produce 0 x; x delete",
    "consumer topic": "c new_topic x $topic; x start 0 0 list; x delete",
    "queue": "c create_queue x; x consume_callback list; ct start_queue 0 0 x; x delete",
    "callbacks": "m delivery_report callback {list 1}; m delivery_report callback {}; ct start 1 0 list; ct stop 1",
    "errors": "catch {pt produce x y}; catch {ct consume 99 0 row}; catch {m config no.such x}",
}


def test_what_is_made_and_deleted_leaves_nothing(embedded_cluster: Cluster) -> None:
    done = python(
        f"""
        import psutil
        process = psutil.Process()
        cycles = {CYCLES!r}
        tcl.eval(SETUP + OBJECTS)

        def repeat(script, count):
            for _ in range(count):
                tcl.eval(script)
            tcl.eval("update")

        def used():
            return process.num_threads(), process.num_fds()

        for script in cycles.values():  # all connections are made, and the bell's wheels opened
            repeat(script, 5)
        tcl.eval("ct start 0 beginning; ct consume 0 5000 row; ct stop 0; p meta refresh; s watermarks $topic 0")
        for name, script in cycles.items():
            repeat(script, 20)
            deadline = time.monotonic() + 5
            before, memory = used(), process.memory_info().rss
            repeat(script, 200)
            while any(now > then for now, then in zip(used(), before)) and time.monotonic() < deadline:
                time.sleep(0.01)
            grown = [max(0, now - then) for now, then in zip(used(), before)]
            megabytes = (process.memory_info().rss - memory) / 2**20
            print(name, *grown, "much" if megabytes > 5 else "ok", round(megabytes, 1), sep="|")
        """,
        embedded_cluster,
    )
    found = [line.split("|")[:4] for line in done.stdout.splitlines()]
    assert found == [[name, "0", "0", "ok"] for name in CYCLES], done.stdout + done.stderr
