"""A flush that takes its time says so on a terminal,
and Ctrl-C ends it with the count.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from fix_cluster import Cluster
from fix_engine import until
from fix_tcl import KAFKATCLSH, environment_of

PRODUCER = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers {brokers}
m producer_creator p
p new_topic t lost
for {{set i 0}} {{$i < 5}} {{incr i}} {{t produce 0 x}}
"""
NOWHERE = PRODUCER.format(brokers="127.0.0.1:1")
WAITING = r"kafkatcl: waiting for 5 messages of rdkafka#producer-1 \((\d+) s, Ctrl-C ends it\)"
GIVEN_UP = (
    r"kafkatcl: 5 messages of rdkafka#producer-1 were not delivered: "
    r"5 of lost \(still queued when interrupted\)"
)


@contextmanager
def typed(
    script: str, shell: Sequence[str], folder: Path, flush_ms: int = 30_000
) -> Iterator[pexpect.spawn[str]]:
    """The script in a terminal."""
    file = folder / "s.tcl"
    file.write_text(script)
    env = {**os.environ, **environment_of(shell), "KAFKATCL_FLUSH_TIMEOUT_MS": str(flush_ms)}
    process = pexpect.spawn(
        shell[0], [*shell[1:], str(file)], env=env, encoding="utf-8", timeout=20, dimensions=(24, 80)
    )
    try:
        yield process
    finally:
        process.close(force=True)


def status(process: pexpect.spawn[str]) -> int:
    """The exit status as a shell tells it."""
    process.expect(pexpect.EOF)
    process.wait()
    return int(128 + process.signalstatus if process.signalstatus else process.exitstatus)


def test_a_long_flush_says_what_it_waits_for(shell: Sequence[str], tmp_path: Path) -> None:
    with typed(NOWHERE, shell, tmp_path, 4000) as process:
        process.expect(WAITING)
        first = int(process.match[1])
        process.expect("\r\x1b\\[K" + WAITING)
        assert int(process.match[1]) <= first
        process.expect("\r\x1b\\[Kkafkatcl: 5 messages of rdkafka#producer-1 were not delivered")
        assert status(process) == 1


def test_a_short_flush_says_nothing(shell: Sequence[str], embedded_cluster: Cluster, tmp_path: Path) -> None:
    with typed(PRODUCER.format(brokers=embedded_cluster.bootstrap_servers), shell, tmp_path) as process:
        assert status(process) == 0
        assert process.before == ""


@pytest.mark.parametrize("end", ["", "exit 0\n", "exit 7\n", "p delete\n", "error boo\n"])
def test_ctrl_c_ends_the_flush_with_the_count(end: str, shell: Sequence[str], tmp_path: Path) -> None:
    with typed(NOWHERE + end, shell, tmp_path) as process:
        process.expect(WAITING)
        began = time.monotonic()
        process.sendintr()
        process.expect(GIVEN_UP)
        assert status(process) == 130
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_the_flush_that_a_signal_began(first: signal.Signals, tmp_path: Path) -> None:
    with typed(NOWHERE + "puts ready; vwait forever", KAFKATCLSH, tmp_path) as process:
        process.expect("ready")
        process.kill(first)
        process.expect(WAITING)
        process.sendintr()
        process.expect(GIVEN_UP)
        assert status(process) == 128 + first


def test_ctrl_c_ends_the_flush_after_the_prompt() -> None:
    env = {**os.environ, "KAFKATCL_FLUSH_TIMEOUT_MS": "30000", "TERM": "dumb"}
    shell = pexpect.spawn(KAFKATCLSH[0], list(KAFKATCLSH[1:]), env=env, encoding="utf-8", timeout=20)
    try:
        shell.expect("%")
        for line in NOWHERE.strip().splitlines():
            shell.sendline(line)
        shell.sendline("puts [string repeat done 2]")
        shell.expect("donedone")
        shell.expect("% ")
        shell.sendline("")
        shell.expect("% ")  # the terminal is read key by key then, so that no Ctrl-D is lost
        shell.sendeof()
        shell.expect("waiting for 5 messages")
        shell.sendintr()
        shell.expect(GIVEN_UP)
        assert status(shell) == 130
    finally:
        shell.close(force=True)


def test_a_host_program_is_interrupted_with_the_count(tmp_path: Path) -> None:
    file = tmp_path / "host.py"
    file.write_text(f"import kafkatcl\ninterp = kafkatcl.Interp()\ninterp.eval({NOWHERE!r})\n")
    with typed(file.read_text(), [KAFKATCLSH[0]], tmp_path) as process:
        process.expect(WAITING)
        process.sendintr()
        process.expect(GIVEN_UP)
        process.expect(pexpect.EOF)


def test_a_sidecar_in_the_background_does_not_write_over_the_terminal(tmp_path: Path) -> None:
    script = NOWHERE + 'puts "ready $::kafkatcl::sidecar::process"; vwait forever'
    file = tmp_path / "s.tcl"
    file.write_text(script)
    env = {**os.environ, **environment_of(["tclsh"]), "KAFKATCL_FLUSH_TIMEOUT_MS": "2500"}
    command = f"tclsh {file} & child=$!; read line; kill -9 $child; wait; read line; echo end"
    process = pexpect.spawn("bash", ["-mc", command], env=env, encoding="utf-8", timeout=20)
    try:
        process.expect(r"ready (\d+)")
        sidecar = int(process.match[1])
        process.sendline("")
        process.expect("kafkatcl: 5 messages of rdkafka#producer-1 were not delivered")
        assert "waiting" not in str(process.before)
        assert until(lambda: not Path(f"/proc/{sidecar}").exists())
        process.sendline("")
        process.expect("end")
    finally:
        process.close(force=True)
