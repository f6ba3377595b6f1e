"""A stock Tcl shell and its sidecar end together:
nothing is lost, nothing is left behind, nobody waits for ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from fix_cluster import Cluster
from fix_engine import until
from fix_tcl import TCLSH, RunTcl, environment_of

MESSAGES = 5000

# A producer that keeps its messages for half a second before it sends them.
QUEUED = f"""
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 500
m producer_creator p
p new_topic t $env(TOPIC)
for {{set i 0}} {{$i < {MESSAGES}}} {{incr i}} {{
    t produce [expr {{$i % 4}}] $i
}}
"""
SIDECAR = "$::kafkatcl::sidecar::process"


@pytest.fixture
def topic(embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    return embedded_cluster.told_topic(monkeypatch)


@contextmanager
def running(
    script: str, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A tclsh in a process group of its own that has said "ready", and its sidecar."""
    file = folder / "s.tcl"
    file.write_text(script)
    pipe = subprocess.PIPE
    environment = {**os.environ, **environment_of(TCLSH), **(env or {})}
    with subprocess.Popen(
        [*TCLSH, str(file)], stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True
    ) as process:
        sidecars: list[psutil.Process] = []
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()
            sidecars = psutil.Process(process.pid).children()
            yield process, sidecars[0]
        finally:
            process.kill()
            for sidecar in sidecars:
                with suppress(psutil.NoSuchProcess):
                    sidecar.kill()


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


# -- the shell ends --------------------------------------------------------------------

SIGNALS = {
    "TERM": (signal.SIGTERM, False),
    "KILL": (signal.SIGKILL, False),
    "INT of the group": (signal.SIGINT, True),
    "QUIT of the group": (signal.SIGQUIT, True),
    "HUP of the group": (signal.SIGHUP, True),
}
READY = "puts ready; flush stdout\n"


@pytest.mark.parametrize("doing", ["while 1 {}", "vwait forever", "tc consume 0 -1 row"])
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_loses_nothing(
    name: str, doing: str, embedded_cluster: Cluster, topic: str, tmp_path: Path
) -> None:
    number, whole_group = SIGNALS[name]
    consumer = "m consumer_creator c; c new_topic tc $env(TOPIC); tc start 0 end\n"
    with running(QUEUED + consumer + READY + doing, tmp_path) as (process, sidecar):
        os.killpg(process.pid, number) if whole_group else process.send_signal(number)
        assert process.wait(20) == -number
        assert until(lambda: is_gone(sidecar))
    assert embedded_cluster.messages_in(topic) == MESSAGES


@pytest.mark.parametrize(("end", "status"), [("", 0), ("exit 3\n", 3)])
def test_a_script_from_standard_input_loses_nothing(
    end: str, status: int, embedded_cluster: Cluster, topic: str
) -> None:
    done = subprocess.run(
        TCLSH,
        input=QUEUED + end,
        env={**os.environ, **environment_of(TCLSH)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert embedded_cluster.messages_in(topic) == MESSAGES


CLOSED = {
    "standard output": "close stdout",
    "standard error": "close stderr",
    "standard input, output and error": "close stdin; close stdout; close stderr",
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("which", CLOSED)
def test_closed_standard_channels_lose_nothing(
    which: str, when: str, embedded_cluster: Cluster, topic: str, run_tcl: RunTcl
) -> None:
    closing = CLOSED[which] + "\n"
    done = run_tcl((closing + QUEUED if when == "before" else QUEUED + closing) + "exit 3", shell=TCLSH)
    assert (done.status, done.stdout, done.stderr) == (3, "", "")
    assert embedded_cluster.messages_in(topic) == MESSAGES


def test_a_child_in_the_background_keeps_nothing_open(
    embedded_cluster: Cluster, topic: str, tmp_path: Path
) -> None:
    with running(QUEUED + "puts stderr [exec sleep 60 &]\n" + READY + "exit 5", tmp_path) as (
        process,
        sidecar,
    ):
        assert process.wait(20) == 5
        assert until(lambda: is_gone(sidecar))
        assert process.stderr is not None
        os.kill(int(process.stderr.readline()), signal.SIGKILL)
    assert embedded_cluster.messages_in(topic) == MESSAGES


def test_who_reads_the_messages_of_a_killed_shell_waits_no_longer_than_for_delivering(tmp_path: Path) -> None:
    """The sidecar has the same standard error,
    so `tclsh script 2>&1 | cat` ends when both are gone.
    """
    env = {"KAFKATCL_FLUSH_TIMEOUT_MS": "1000", "KAFKATCL_TEST_BROKERS": "127.0.0.1:1", "TOPIC": "t"}
    with running(QUEUED + "m logger none\n" + READY + "vwait forever", tmp_path, env) as (process, _):
        process.kill()
        _, told = process.communicate(timeout=10)
        assert f"kafkatcl: {MESSAGES} messages of " in told


# -- the sidecar ends ------------------------------------------------------------------

WATCHED = f"""
package require kafka
proc bgerror {{message}} {{
    puts "background $::errorCode"
}}
proc try {{args}} {{
    puts [expr {{[catch $args message] ? $::errorCode : "no error: $message"}}]
}}
proc await_end {{process}} {{
    while {{![catch {{exec ps -o stat= -p $process}} state] && ![string match Z* $state]}} {{after 10}}
}}
kafka::kafka create m
m logger none
m config bootstrap.servers 127.0.0.1:1
m producer_creator p
p new_topic t t
m consumer_creator c
c new_topic tc t
tc start 0 0 list
set sidecar {SIDECAR}
"""
DIED = "KAFKA SIDECAR DIED SIGKILL"
DEATHS = {
    "idle, then called": (
        "exec kill -KILL $sidecar; try t produce 0 x; try c name; try m config",
        [DIED] * 3,
    ),
    "in a call": (
        'exec sh -c "sleep 0.3; kill -KILL $sidecar" &; c new_topic tc2 t2; tc2 start 0 0\n'
        "try tc2 consume 0 -1 row; try c name",
        [DIED] * 2,
    ),
    "in vwait": (
        "after 100 [list exec kill -KILL $sidecar]; try vwait forever; try c name",
        [f"background {DIED}", DIED, DIED],
    ),
    "in vwait for a variable that exists": (
        "set x 1; after 100 [list exec kill -KILL $sidecar]; try vwait x; puts $x",
        [f"background {DIED}", DIED, "1"],
    ),
    "in nested vwaits": (
        "after 100 {after 100 [list exec kill -KILL $sidecar]; vwait inner}; try vwait outer; update",
        [f"background {DIED}", DIED, f"background {DIED}"],
    ),
    "in update": (
        "exec kill -KILL $sidecar; set end [expr {[clock milliseconds] + 300}]\n"
        "while {[clock milliseconds] < $end} {update}; try c name; after 100 {set ::on 1}; try vwait on",
        [f"background {DIED}", DIED, "no error: "],
    ),
    "in a callback": (
        "after 100 {exec kill -KILL $sidecar; c name}; try vwait forever",
        [f"background {DIED}", DIED],
    ),
    "told to": (
        "exec kill -TERM $sidecar; await_end $sidecar; try c name",
        ["KAFKA SIDECAR DIED {status 0}"],
    ),
}


@pytest.mark.parametrize("when", DEATHS)
def test_a_dead_sidecar_is_an_error_and_no_hang(when: str, run_tcl: RunTcl) -> None:
    script, told = DEATHS[when]
    done = run_tcl(
        f"{WATCHED}{script}\nexit 4", shell=TCLSH, timeout=20, env={"KAFKATCL_FLUSH_TIMEOUT_MS": "500"}
    )
    assert done.stdout.splitlines() == told, done.stderr
    assert done.status == 4


def test_a_sidecar_that_is_told_to_end_delivers_first(
    embedded_cluster: Cluster, topic: str, tmp_path: Path
) -> None:
    with running(QUEUED + READY + "vwait forever", tmp_path) as (process, sidecar):
        sidecar.terminate()
        assert process.wait(20) == 1
        assert "KAFKA" not in process.communicate()[0]
    assert embedded_cluster.messages_in(topic) == MESSAGES
