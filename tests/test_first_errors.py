"""Brokers that cannot be reached in the first hour:
three lines at most, the cause in the first.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from fix_mock import Mock
from fix_sasl import sasl_broker
from fix_tcl import RunTcl
from fix_wrong_servers import closed_port, tls_server, web_server

SASL = "security.protocol sasl_plaintext sasl.mechanism PLAIN sasl.username ada sasl.password CANARY"


def nowhere(_: Path) -> contextlib.AbstractContextManager[str]:
    return closed_port()


@contextlib.contextmanager
def wrong_host(_: Path) -> Iterator[str]:
    yield "no-such-host.invalid:9092"


@contextlib.contextmanager
def refusing(_: Path) -> Iterator[str]:
    with sasl_broker(b"Authentication failed: Invalid username or password CANARY") as broker:
        yield broker.address


@contextlib.contextmanager
def without_tls(_: Path) -> Iterator[str]:
    with Mock() as broker:
        yield broker.bootstrap[0]


def web(_: Path) -> contextlib.AbstractContextManager[str]:
    return web_server()


#: The server, the properties, and the cause.
MISTAKES: dict[str, tuple[Callable[[Path], contextlib.AbstractContextManager[str]], str, str]] = {
    "broker down": (nowhere, "", "Connection refused"),
    "wrong host": (wrong_host, "", "the host name cannot be resolved: Name or service not known"),
    "wrong password": (
        refusing,
        SASL,
        r"authentication failed: Invalid username or password \[redacted\]",
    ),
    "unknown CA": (
        tls_server,
        "security.protocol ssl",
        "the certificate of the broker could not be verified: ssl.ca.location must name its CA, .*",
    ),
    "plain text to a port with TLS": (
        tls_server,
        "",
        r"the connection was closed at the first request: a port with TLS\? \(security.protocol\)",
    ),
    "TLS to a port without": (
        without_tls,
        "security.protocol ssl",
        r"the connection was closed in the TLS handshake: a port without TLS\? \(security.protocol\)",
    ),
    "no broker": (web, "", "this is no broker: it answers as HTTP"),
}

PRODUCES = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [lindex $argv 0] {*}[lindex $argv 1]
m producer_creator p
p new_topic t orders
t produce 0 hello
"""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_why_a_broker_cannot_be_reached_is_the_first_of_three_lines(
    mistake: str, run_everywhere: RunTcl, tmp_path: Path
) -> None:
    server, properties, cause = MISTAKES[mistake]
    with server(tmp_path) as address:
        done = run_everywhere(PRODUCES, address, properties, env={"KAFKATCL_FLUSH_TIMEOUT_MS": "1200"})
    told = [line for line in done.stderr.splitlines() if "|SECURITY|" not in line]
    assert len(told) <= 3, done.stderr
    assert re.fullmatch(
        rf"%3\|[\d.]+\|FAIL\|rdkafka#producer-\d+\| {re.escape(address)}: {cause}; retrying", told[0]
    )
    (lost,) = (line for line in told if line.startswith("kafkatcl: "))
    why = f"still queued after 1.2 s; last error: {re.escape(address)}: {cause}"
    assert re.search(rf"1 of orders \({why}\)$", lost)
    assert "CANARY" not in done.stderr


CONSUMES = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [lindex $argv 0] queue.buffering.max.messages 10 group.id g socket.timeout.ms 1000
m delivery_report callback {apply {report {set ::report [dict get $report message]}}}
m topic_config message.timeout.ms 1500
m logger none
m producer_creator p
p new_topic t orders
m consumer_creator c
c new_topic tc orders
m subscriber s
tc start 0 0
foreach code {
    {tc consume 0 1000 row}
    {t produce_batch 0 {1 2 3 4 5 6 7 8 9 10 11}}
    {t produce 0 1}
    {s watermarks -timeout 500 orders 0}
    {p info topics}
} {
    puts "[catch $code message] $message"
    puts [lindex $errorCode 3]
}
vwait report
puts $report
"""


def test_the_reason_reaches_the_command_that_fails(run_everywhere: RunTcl) -> None:
    with closed_port() as address:
        done = run_everywhere(CONSUMES, address)
    last = f"last error: {address}: Connection refused"
    assert done.stdout.splitlines() == [
        f"1 kafka error: Local: Timed out ({last})",
        last,
        f"1 kafka error: Local: Queue full (1 of 11 messages were not queued; {last})",
        f"1 of 11 messages were not queued; {last}",
        f"1 kafka error: Local: Queue full ({last})",
        last,
        f"1 Local: All broker connections are down ({last})",
        last,
        f"1 kafka error: Local: Broker transport failure (failed to acquire metadata; {last})",
        f"failed to acquire metadata; {last}",
        f"Local: Message timed out ({last})",
    ]


HEARS = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [lindex $argv 0]
m logger callback {apply {line {lappend ::lines $line}}}
m error_callback {apply {error {lappend ::errors [dict get $error message]}}}
set lines [set errors {}]
m producer_creator p
while {[llength $lines] < 5 || [llength $errors] < 5} {vwait lines}
foreach line $lines {
    puts "[dict get $line level] [dict get $line facility] [lindex [split [dict get $line message] {]}] 0]"
}
"""


def test_callbacks_are_told_of_every_attempt_as_before(run_everywhere: RunTcl) -> None:
    with closed_port() as address:
        done = run_everywhere(HEARS, address)
    assert set(done.stdout.splitlines()) == {f"3 FAIL [thrd:{address}/bootstrap"}
    assert done.stderr == ""


def test_whoever_asks_for_debug_lines_gets_the_log_as_it_is(run_everywhere: RunTcl) -> None:
    with closed_port() as address:
        done = run_everywhere(PRODUCES, address, "debug broker", env={"KAFKATCL_FLUSH_TIMEOUT_MS": "200"})
    assert re.search(r"^%7\|.*\|STATE\|.* Broker changed state ", done.stderr, re.M)
    assert re.search(r"^%3\|.*\|FAIL\|.* \[thrd:.* failed: Connection refused ", done.stderr, re.M)
    assert "retrying" not in done.stderr


def test_a_log_level_leaves_out_what_is_told_of_brokers_too(run_everywhere: RunTcl) -> None:
    with closed_port() as address:
        for script, properties in ((PRODUCES, "log_level 2"), (f"{PRODUCES}; p log_level crit", "")):
            done = run_everywhere(script, address, properties, env={"KAFKATCL_FLUSH_TIMEOUT_MS": "200"})
            assert done.stderr.count("FAIL") <= (properties == "")
