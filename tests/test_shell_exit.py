"""Every end of kafkatclsh: what is open is closed and written out,
and the status is kept.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fix_tcl import KAFKATCLSH, RunTcl

# kafkatclsh with a closer that tells that it was called, after SECONDS, and an exit
# function of Python.
SHELL = """
import atexit, os, sys, time
from kafkatcl.engine.shutdown import at_shutdown
from kafkatcl.shell import main

def close():
    os.write(2, b"closing\\n")
    time.sleep(float(os.environ.get("SECONDS", "0")))
    os.write(2, b"closed\\n")
    if "FAIL" in os.environ:
        raise OSError("no luck")

at_shutdown(close)
atexit.register(os.write, 2, b"atexit\\n")
main()
"""
COMMAND = (sys.executable, "-c", SHELL)
CLOSED = "closing\nclosed\natexit\n"

ENDS = {
    "end of the script": ("", 0),
    "exit": ("exit 3", 3),
    "exit under catch": ("catch {exit 3}", 3),
    "exit in a callback": ("after 1 {catch {exit 9}}; vwait forever", 9),
    "exit in a child": ("interp create c; c eval {exit 4}", 4),
    "exit in a child's child": (
        "interp create c; c eval {interp create d; interp eval d {catch {exit 4}}}",
        4,
    ),
    "exit in a child made anew": ("interp create c; interp delete c; interp create c; c eval {exit 5}", 5),
    "exit in a callback of a child": ("[interp create] eval {after 1 {exit 6}}; vwait forever", 6),
    "exit in bgerror": ("proc bgerror text {exit 7}; after 1 {error x}; vwait forever", 7),
    "own exit that goes on": ("rename exit leave; proc exit status {leave [expr {$status + 8}]}", 8),
    "own exit that returns": ("proc exit status {}", 0),
    "no exit": ("rename exit {}", 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_end_closes_and_writes(end: str, run_tcl: RunTcl, tmp_path: Path) -> None:
    script, status = ENDS[end]
    finished = run_tcl("set f [open out w]; puts $f text; puts -nonewline bye\n" + script, shell=COMMAND)
    assert (finished.status, finished.stdout, finished.stderr) == (status, "bye", CLOSED)
    assert (tmp_path / "out").read_text() == "text\n"


def test_uncaught_error_closes_and_writes(run_tcl: RunTcl, tmp_path: Path) -> None:
    finished = run_tcl("set f [open out w]; puts $f text; error boo", shell=COMMAND)
    assert finished.status == 1
    assert finished.stderr.startswith("boo\n    while executing\n")
    assert finished.stderr.endswith(CLOSED)
    assert (tmp_path / "out").read_text() == "text\n"


def test_end_of_standard_input_closes(run_tcl: RunTcl) -> None:
    commands = "puts hi\nexit 3\n"
    finished = run_tcl("", shell=(*COMMAND, "-"), stdin=commands)
    assert (finished.status, finished.stdout, finished.stderr) == (3, "hi\n", CLOSED)


def test_channels_of_all_kinds_are_written(run_tcl: RunTcl, tmp_path: Path) -> None:
    run_tcl(
        """
        set zipped [open zipped wb]; zlib push gzip $zipped; puts $zipped [string repeat x 100000]
        set slow [open slow w]; fconfigure $slow -blocking 0; puts $slow a
        interp create c; c eval {set f [open child w]; puts $f b}
        interp create -safe s; set f [open safe w]; interp share {} $f s; s eval [list puts $f c]
        exit
        """
    )
    assert gzip.decompress((tmp_path / "zipped").read_bytes()) == b"x" * 100_000 + b"\n"
    assert [(tmp_path / name).read_text() for name in ("slow", "child", "safe")] == ["a\n", "b\n", "c\n"]


@pytest.mark.parametrize("waits", [False, True])
def test_a_non_blocking_channel_is_waited_for_if_the_environment_says_so(waits: bool, tmp_path: Path) -> None:
    script = tmp_path / "s.tcl"
    script.write_text("fconfigure stdout -blocking 0; puts -nonewline [string repeat A 655360]; flush stdout")
    reader, writer = os.pipe()
    with open(reader, "rb") as reading, open(writer, "wb") as writing:
        environment = {**os.environ, "TCL_FLUSH_NONBLOCKING_ON_EXIT": str(int(waits))}
        process = subprocess.Popen([*KAFKATCLSH, script], stdout=writing, env=environment)
        writing.close()
        if not waits:
            assert process.wait(20) == 0
        assert (len(reading.read()) == 655360) == waits
        assert process.wait(20) == 0


def test_a_pipeline_gets_all_and_is_not_waited_for(run_tcl: RunTcl, tmp_path: Path) -> None:
    began = time.monotonic()
    run_tcl("set f [open {|sh -c {cat > out; exec >&- 2>&-; sleep 5}} w]; puts $f text; exit")
    assert time.monotonic() - began < 4
    deadline = time.monotonic() + 5
    while not (tmp_path / "out").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (tmp_path / "out").read_text() == "text\n"


def test_safe_children_have_no_exit(run_tcl: RunTcl) -> None:
    finished = run_tcl("interp create -safe c; catch {c eval {exit 3}} text; puts $text")
    assert (finished.status, finished.stdout) == (0, 'invalid command name "exit"\n')


def test_a_closer_that_fails_is_told_and_the_status_kept(run_tcl: RunTcl) -> None:
    finished = run_tcl("exit 3", shell=COMMAND, env={"FAIL": "1"})
    assert finished.status == 3
    assert finished.stderr == "closing\nclosed\nkafkatclsh: at the end: OSError: no luck\natexit\n"


@contextlib.contextmanager
def started(
    script: str, tmp_path: Path, *, seconds: str = "0", **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """A shell that has said "ready" and runs ``script``;
    its closer takes so many seconds.
    """
    file = tmp_path / "s.tcl"
    file.write_text(f"puts ready; flush stdout; {script}")
    process = subprocess.Popen(
        [*COMMAND, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "SECONDS": seconds},
        **options,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


BUSY = {
    "vwait": "vwait forever",
    "after": "after 20000",
    "loop": "while 1 {}",
    "catching loop": "while 1 {catch {error x}}",
    "nested callback": "after 1 {after 1 {while 1 {}}; vwait inner}; vwait outer",
    "reading": "gets stdin",
    "child": "interp create c; c eval {vwait forever}",
    "metadata": """
        package require kafka
        kafka::kafka create m
        m logger none
        m config bootstrap.servers 127.0.0.1:1
        m consumer_creator k
        puts asking
        flush stdout
        k info topics
    """,
}


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("doing", BUSY)
def test_signal_closes_and_ends(doing: str, number: signal.Signals, tmp_path: Path) -> None:
    with started(BUSY[doing], tmp_path) as process:
        if "asking" in BUSY[doing]:
            assert process.stdout is not None
            assert process.stdout.readline() == "asking\n"
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=10) == 128 + number
        assert time.monotonic() - began < 1
        assert process.stderr is not None
        assert process.stderr.read() == CLOSED


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    with started("vwait forever", tmp_path, seconds="30") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.readline() == "closing\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=1) == 130
        assert process.stderr.read() == ""


def test_signal_during_the_end_lets_it_finish(tmp_path: Path) -> None:
    with started("exit 3", tmp_path, seconds="0.5") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "closing\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 143
        assert process.stderr.read() == "closed\natexit\n"


def test_signals_ignored_by_the_parent_stay_ignored(tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with started("puts [gets stdin]; exit 3", tmp_path, preexec_fn=ignore) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate("on\n", timeout=10)
        assert (process.returncode, stdout) == (3, "on\n")


def test_programs_it_starts_take_signals_as_ever(tmp_path: Path) -> None:
    script = "set f [open {|sleep 20}]; puts [pid $f]; flush stdout; catch {close $f} text; puts $text; exit"
    with started(script, tmp_path) as process:
        assert process.stdout is not None
        os.kill(int(process.stdout.readline()), signal.SIGINT)
        assert process.stdout.read() == "child killed: interrupt\n"
