"""Log lines: one line each whatever is in them, none lost without a word,
and nobody waits for them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import syslog
import threading
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_engine import until
from fix_sasl import sasl_broker
from fix_tcl import KAFKATCLSH, RunTcl

from kafkatcl.engine import logs, logsinks
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.master import Master
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.telling import printable
from kafkatcl.errors import Failure
from kafkatcl.librdkafka import client
from kafkatcl.librdkafka.logs import LogLine

EVIL = "bad\n%0|1.000|FAIL|forged| line\r\x1b[31mred\x07 \x9b0m\u2028next\u202e } ; exit 98 ; {"
ESCAPED = r"bad\n%0|1.000|FAIL|forged| line\r\x1b[31mred\x07 \x9b0m\u2028next\u202e } ; exit 98 ; {"
LINE = re.compile(r"%[0-7]\|\d{10}\.\d{3}\|[A-Z]+\|\S+\| .*")

REFUSED = """
package require kafka
fconfigure stdout -encoding utf-8
if {[lindex $argv 1] eq "easy"} {
    set kafka::loggingEnabled 1
    kafka::setup
    interp alias {} m {} kafka::master
} else {
    kafka::kafka create m
}
m config bootstrap.servers [lindex $argv 0] security.protocol sasl_plaintext sasl.mechanism PLAIN
m config sasl.username ada sasl.password CANARY
if {[lindex $argv 1] eq "callback"} {
    m logger callback {apply {line {
        if {[dict get $line facility] eq "FAIL"} {
            puts [dict get $line message]
            set ::told 1
        }
    }}}
} else {
    m error_callback {apply {error {set ::told 1}}}
}
m producer_creator p
vwait told
after 100 {set end 1}
vwait end
"""


@pytest.mark.parametrize("logger", ["stderr", "easy"])
def test_what_a_broker_sends_is_one_line_on_stderr(logger: str, run_everywhere: RunTcl) -> None:
    with sasl_broker(EVIL.encode()) as broker:
        done = run_everywhere(REFUSED, broker.address, logger)
    assert done.status == 0
    assert r"bad\n%0|1.000|FAIL|forged|" in done.stderr
    for line in done.stderr.removesuffix("\n").split("\n"):
        assert printable(line) == line
        assert logger == "easy" or LINE.fullmatch(line), line
        assert not line.startswith("%0|1.000")


def test_a_logger_callback_gets_what_a_broker_sends_as_data(run_everywhere: RunTcl) -> None:
    with sasl_broker(EVIL.encode()) as broker:
        done = run_everywhere(REFUSED, broker.address, "callback")
    assert (done.status, done.stderr) == (0, "")
    assert EVIL in done.stdout_bytes.decode()


def test_control_characters_are_escaped() -> None:
    every = "".join(map(chr, range(0x110000 - 0x800 - 0x102000)))
    assert re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", printable(every)) is None
    assert printable("plain \u00e4\u20ac\U0001f600 \\n") == "plain \u00e4\u20ac\U0001f600 \\n"


# -- in this process -------------------------------------------------------------------


class Client:
    """A producer whose log goes to ``logger``."""

    def __init__(self, logger: str, **settings: str) -> None:
        master = Master("m")
        master.log_to(logger)
        for name, value in {"log_level": "0", **settings}.items():
            master.configure(name.replace("__", "."), value)
        self.events = EventQueue(lambda: None)
        self.handle = ProducerHandle(master, self.events)
        self.handle.open()

    def __enter__(self) -> ProducerHandle:
        return self.handle

    def __exit__(self, *_: object) -> None:
        self.handle.delete()
        assert until(lambda: not threads())


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("kafkatcl")]


def test_syslog_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, text: told.append((level, text)))
    with Client("syslog") as handle:
        handle.log.say("FAIL", EVIL)
    assert told == [(4, f"FAIL: {ESCAPED}")]


def test_one_thread_reads_all_logs_and_ends_with_the_last() -> None:
    with Client("none") as first, Client("none") as second:
        assert threads().count("kafkatcl-log") == 1
        second.delete()
        assert until(lambda: f"kafkatcl-{second.name}" not in threads())
        assert threads().count("kafkatcl-log") == 1
        first.delete()


def test_lines_that_nobody_takes_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[LogLine] = []
    busy, go_on = threading.Event(), threading.Event()

    def sink(lines: list[LogLine]) -> None:
        busy.set()
        assert go_on.wait(30)
        told.extend(lines)

    monkeypatch.setattr(logs, "WAITING_LIMIT", 10)
    monkeypatch.setattr(logs, "sink", lambda *_: sink)
    with Client("stderr", debug="all", bootstrap__servers="127.0.0.1:1") as handle:
        handle.set_log_level("debug")
        assert busy.wait(10)
        handle.add_brokers([f"127.0.0.1:{port}" for port in range(2, 12)])
        queue = handle.log._queue
        assert until(lambda: len(queue) > 30)
        go_on.set()
        assert until(lambda: sum(map(left_out, told)) >= 20)


def left_out(line: LogLine) -> int:
    """The number of lines that a line tells were left out."""
    return int(line.message.split()[0]) if line.message.endswith("were left out") else 0


def test_a_pipe_that_nobody_reads_is_waited_for_until_that_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def gives_up() -> bool:
        asked.append(True)
        return len(asked) == 3

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as sleeper:
        assert sleeper.stdin
        monkeypatch.setattr(logsinks, "_STDERR", sleeper.stdin.fileno())
        monkeypatch.setattr(logsinks, "_PATIENCE_MS", 1)
        logsinks._print([b"x" * 1000] * 1000, gives_up)
        sleeper.kill()
    assert len(asked) == 3


def test_a_client_whose_log_cannot_be_read_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Too many open files")

    for owner, name in ((client, "LogQueue"), (logs, "PollThread")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, refuse)
            with pytest.raises(Failure, match="cannot make a client: Too many open files"):
                Client("none")
        assert threads() == []
    monkeypatch.setattr(logs._Reader, "_start", lambda _reader: refuse_thread())
    with pytest.raises(Failure, match="cannot make a client: no thread"):
        Client("none")
    monkeypatch.undo()
    with Client("none"):
        pass


def refuse_thread() -> None:
    raise RuntimeError("no thread")


# A producer with a flood of log lines on a stderr that nobody reads delivers, tells,
# and ends.
FLOOD = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] debug all
m delivery_report callback {apply {report {incr ::told}}}
m producer_creator p
p new_topic t [lindex $argv 0]
for {set i 0} {$i < 2000} {incr i} {
    t produce 0 $i
    while {$i - [incr told 0] > 20} {vwait told}
}
while {$told < 2000} {vwait told}
puts "told $told"
"""


def test_a_flood_of_lines_that_nobody_reads_holds_up_nothing(
    embedded_cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "s.tcl").write_text(FLOOD)
    with subprocess.Popen(
        [*KAFKATCLSH, "s.tcl", embedded_cluster.topic()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "KAFKATCL_TEST_BROKERS": " ".join(embedded_cluster.bootstrap)},
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == b"told 2000\n"
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_the_lines_of_a_client_that_is_made_and_closed_at_once_are_there(run_everywhere: RunTcl) -> None:
    done = run_everywhere("""
        package require kafka
        kafka::kafka create m
        m config debug generic bootstrap.servers 127.0.0.1:1
        m producer_creator p
        p delete
        m consumer_creator c
        c delete
    """)
    assert done.status == 0
    for kind in ("producer", "consumer"):
        assert re.search(rf"^%7\|.*\|INIT\|rdkafka#{kind}-\d+\| .* initialized", done.stderr, re.MULTILINE)


SHARED_MASTER = """
package require kafka
kafka::kafka create m
m config group.id g linger.ms 5 session.timeout.ms 6000 batch.size 5000 fetch.min.bytes 5
m topic_config acks 1 auto.offset.reset earliest
foreach property $argv {m config {*}$property}
m producer_creator p
m consumer_creator c
m subscriber s
p new_topic out t
c new_topic in t
foreach handle {p c s} {$handle delete}
"""


def test_no_warning_of_what_is_right(run_everywhere: RunTcl) -> None:
    """Brokers may be named later, and a master has properties for producers
    and for consumers.
    """
    assert run_everywhere(SHARED_MASTER).stderr == ""


def test_other_warnings_of_the_configuration_are_told(run_everywhere: RunTcl) -> None:
    lines = run_everywhere(SHARED_MASTER, "api.version.fallback.ms 5").stderr.splitlines()
    assert len(lines) == 3
    assert all("|CONFWARN|" in line and "api.version.fallback.ms is deprecated" in line for line in lines)


def test_a_logger_callback_is_told_every_line(run_everywhere: RunTcl) -> None:
    script = """
    package require kafka
    kafka::kafka create m
    m config group.id g
    m logger callback {apply {line {puts [dict get $line facility]; incr ::lines}}}
    m producer_creator p
    after 10000 {set lines 0}
    while {[incr lines 0] < 2} {vwait lines}
    """
    assert run_everywhere(script).stdout.split() == ["CONFWARN", "CONFWARN"]


def test_the_easy_way_has_no_warning(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    script = """
    package require kafka
    kafka::brokers $::env(KAFKATCL_TEST_BROKERS)
    kafka::topic_producer out news
    kafka::topic_consumer in news
    kafka::subscriber readers
    out produce 0 hello
    """
    assert run_everywhere(script, brokers=embedded_cluster).stderr == ""
