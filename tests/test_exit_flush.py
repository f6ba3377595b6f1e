"""Nothing that was produced is lost when a program ends, however it ends,
and its status is kept.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import KAFKATCLSH, RunTcl

MESSAGES = 2000

# A producer that keeps its messages for a second before it sends them, and the
# procedure to queue them.
PRODUCER = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 1000
proc open_producer {} {
    m producer_creator p
    p new_topic t $::env(TOPIC)
}
proc produce_all {{from 0}} {
    for {set i $from} {$i < 2000} {incr i} {
        t produce [expr {$i % 4}] $i
    }
}
"""
QUEUED = PRODUCER + "open_producer; produce_all\n"

# The script, its exit status, and what stderr begins with.
ENDS = {
    "end of script": (QUEUED, 0, ""),
    "exit 3": (QUEUED + "exit 3", 3, ""),
    "uncaught error": (QUEUED + "error boo", 1, 'boo\n    while executing\n"error boo"\n'),
    "exit in a timer under catch": (QUEUED + "after 1 {catch {exit 4}}; vwait forever", 4, ""),
    "exit in a delivery report": (
        PRODUCER
        + """
        proc reported {report} {
            produce_all 1
            exit 5
        }
        m delivery_report callback reported
        open_producer
        t produce 0 0
        vwait forever
        """,
        5,
        "",
    ),
    "handle deleted": (QUEUED + "p delete", 0, ""),
    "handle renamed away, then exit": (QUEUED + "rename p {}; exit 6", 6, ""),
    "everything deleted": (QUEUED + "t delete; p delete; m delete; exit 7", 7, ""),
    "exit in a child": (f"interp create c; c eval {{{QUEUED}}}; c eval {{exit 8}}", 8, ""),
    "child deleted": (f"interp create c; c eval {{{QUEUED}}}; interp delete c; exit 9", 9, ""),
    "namespace deleted": (QUEUED + "namespace eval a {}; rename p a::p; namespace delete a; exit 10", 10, ""),
}


@pytest.fixture
def topic(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    return cluster.told_topic(monkeypatch)


@pytest.mark.parametrize("end", ENDS)
def test_all_are_in_the_log(end: str, cluster: Cluster, topic: str, run_everywhere: RunTcl) -> None:
    script, status, told = ENDS[end]
    finished = run_everywhere(script)
    assert finished.stderr.startswith(told)
    assert told or not finished.stderr
    assert (finished.status, cluster.messages_in(topic)) == (status, MESSAGES)


@pytest.mark.parametrize(("end", "status"), [("", 0), ("exit 3\n", 3)])
def test_all_are_in_the_log_after_standard_input(
    end: str, status: int, cluster: Cluster, topic: str, run_tcl: RunTcl
) -> None:
    finished = run_tcl("", shell=(*KAFKATCLSH, "-"), stdin=QUEUED + end)
    assert (finished.status, finished.stderr) == (status, "")
    assert cluster.messages_in(topic) == MESSAGES


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("doing", ["while 1 {}", "vwait forever", "after 60000"])
def test_all_are_in_the_log_after_a_signal(
    doing: str, number: signal.Signals, cluster: Cluster, topic: str, tmp_path: Path
) -> None:
    file = tmp_path / "s.tcl"
    file.write_text(f"{QUEUED}\nputs ready; flush stdout\n{doing}")
    pipe = subprocess.PIPE
    with subprocess.Popen([*KAFKATCLSH, str(file)], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            _, stderr = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, stderr) == (128 + number, "")
    assert cluster.messages_in(topic) == MESSAGES


HOST = f"""
import os, signal, sys, tkinter
import kafkatcl

tcl = tkinter.Tcl()
kafkatcl.install(tcl)
tcl.eval({QUEUED!r})
"""
HOST_ENDS = {
    "end of program": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "uncaught exception": ("raise OSError('boo')", 1),
    "Ctrl-C": ("signal.raise_signal(signal.SIGINT)", -signal.SIGINT),
    "interpreter dropped": ("del tcl", 0),
}


@pytest.mark.parametrize("end", HOST_ENDS)
def test_all_are_in_the_log_after_a_python_program(end: str, cluster: Cluster, topic: str) -> None:
    script, status = HOST_ENDS[end]
    done = subprocess.run(
        [sys.executable, "-c", HOST + script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, cluster.messages_in(topic)) == (status, MESSAGES), done.stderr
    assert "kafkatcl:" not in done.stderr


def test_without_a_cluster_the_end_is_bounded_and_told(run_everywhere: RunTcl) -> None:
    env = {"KAFKATCL_FLUSH_TIMEOUT_MS": "1000", "KAFKATCL_TEST_BROKERS": "127.0.0.1:1", "TOPIC": "t"}
    began = time.monotonic()
    finished = run_everywhere(
        "puts [clock milliseconds]\n" + QUEUED + "puts [clock milliseconds]; exit 3", env=env
    )
    seconds = time.monotonic() - began
    first, last = map(int, finished.stdout.split())
    assert 1 < seconds < 1 + 2 + (last - first) / 1000 + 1  # the last second is for starting
    assert finished.status == 3
    assert re.search(
        r"^kafkatcl: 2000 messages of rdkafka#producer-\d+ were not delivered: "
        r"2000 of t \(still queued after 1 s; last error: 127\.0\.0\.1:1: Connection refused\)$",
        finished.stderr,
        re.MULTILINE,
    )


def test_without_brokers_at_all_the_end_comes_at_once(run_everywhere: RunTcl) -> None:
    began = time.monotonic()
    finished = run_everywhere("package require kafka; kafka::kafka create m; m producer_creator p; exit 3")
    assert (finished.status, time.monotonic() - began < 3) == (3, True)
