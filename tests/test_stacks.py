"""A signal shows where a process is that does not go on, and does it no harm."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from fix_async import live
from fix_cluster import Cluster
from fix_engine import until
from fix_stacks import STACKS_SIGNAL, ask_for_stacks
from fix_tcl import KAFKATCLSH, TCLSH, RunTcl

#: A function of a poll thread, and one that the thread that answers Tcl is in.
OWNER = "poll_thread.py"
INNERMOST = {KAFKATCLSH: "in run_script", TCLSH: "in serve"}
WAITING = """
m producer_creator p
puts ready
vwait forever
"""


def test_the_signal_makes_shell_and_sidecar_write_their_stacks(
    shell: Sequence[str], embedded_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stacks"
    monkeypatch.setenv("KAFKATCL_STACKS", str(file))
    with live(embedded_cluster, tmp_path, WAITING, shell=shell) as script:
        script.says()
        ask_for_stacks(script.process.pid)
        assert until(lambda: INNERMOST[tuple(shell)] in file.read_text())
        assert until(lambda: OWNER in file.read_text())
        ask_for_stacks(script.process.pid)  # behind the first ones
        assert until(lambda: file.read_text().count(INNERMOST[tuple(shell)]) == 2)
        assert script.process.poll() is None


def test_a_script_goes_on_after_the_signal(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    script = """
        package require kafka
        kafka::kafka create m
        m logger none
        m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10
        m producer_creator p
        p new_topic out [lindex $argv 0]
        m consumer_creator c
        c new_topic in [lindex $argv 0]
        in start 0 beginning
        set asked [expr {[info exists ::kafkatcl::sidecar::process] ? $::kafkatcl::sidecar::process : [pid]}]
        for {set i 0} {$i < 300} {incr i} {
            foreach process $asked {exec kill -USR2 $process}
            out produce 0 $i
            in consume 0 10000 row
            incr sum $row(payload)
        }
        puts $sum
    """
    done = run_tcl(
        script,
        embedded_cluster.topic(),
        brokers=embedded_cluster,
        shell=shell,
        env={"KAFKATCL_STACKS": "/dev/null"},
    )
    assert (done.status, done.stdout, done.stderr) == (0, "44850\n", "")


def test_a_file_that_cannot_be_written_is_told_and_stderr_taken(run_tcl: RunTcl, tmp_path: Path) -> None:
    script = "exec kill -USR2 [pid]; after 100 {set done 1}; vwait done; puts fine"
    done = run_tcl(script, env={"KAFKATCL_STACKS": str(tmp_path / "no" / "such")})
    assert (done.status, done.stdout) == (0, "fine\n")
    lines = done.stderr.splitlines()
    assert lines[0] == (
        f"kafkatcl: KAFKATCL_STACKS: cannot write {tmp_path}/no/such: No such file or directory"
    )
    assert any("in run_script" in line for line in lines)


def test_a_signal_that_is_ignored_stays_so(run_tcl: RunTcl) -> None:
    script = "exec kill -USR2 [pid]; puts ignored"
    ignoring = ["sh", "-c", 'trap "" USR2; exec "$0" "$@"']
    done = run_tcl(script, shell=[*ignoring, *KAFKATCLSH])
    assert (done.status, done.stdout, done.stderr) == (0, "ignored\n", "")


def test_a_trap_of_the_script_is_the_one_that_runs(run_tcl: RunTcl) -> None:
    script = """
        package require Tclx
        package require kafka
        signal trap SIGUSR2 {puts trapped}
        kill SIGUSR2 [pid]
        after 1
    """
    done = run_tcl(script)
    if "can't find package Tclx" in done.stderr:
        pytest.skip("no Tclx: apt-get install tclx8.4")
    assert (done.status, done.stdout, done.stderr) == (0, "trapped\n", "")


def test_python_programs_keep_their_signal() -> None:
    program = "import signal, kafkatcl; kafkatcl.Interp().eval('package require kafka'); print(signal.getsignal({}))"
    done = subprocess.run(
        [sys.executable, "-c", program.format(int(STACKS_SIGNAL))], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{signal.SIG_DFL}\n"


def test_a_script_that_takes_too_long_is_shown_with_its_stacks(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    script = "package require kafka; kafka::kafka create m; m producer_creator p; vwait forever"
    with pytest.raises(pytest.fail.Exception) as failed:
        run_tcl(script, shell=shell, timeout=3)
    assert INNERMOST[tuple(shell)] in str(failed.value)


def test_a_live_script_that_says_nothing_is_shown_with_its_stacks(
    shell: Sequence[str], embedded_cluster: Cluster, tmp_path: Path
) -> None:
    with live(embedded_cluster, tmp_path, WAITING, shell=shell) as script:
        script.says()
        with pytest.raises(AssertionError, match=INNERMOST[tuple(shell)]):
            script.says(0.1)
