"""The mistakes of the first hour that have to do with the cluster: three lines at most, the cause in the first."""

from __future__ import annotations

import contextlib
import ctypes
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from fix_cluster import Cluster
from fix_engine import Engine, engine, until
from fix_mock import Mock
from fix_sasl import sasl_broker
from fix_tcl import RunTcl
from fix_wrong_servers import closed_port, tls_server, web_server

from kafkatcl.engine import logs
from kafkatcl.engine.failures import failure_of
from kafkatcl.engine.messages import ErrorItem, Run
from kafkatcl.engine.outages import Outages
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.logs import LogLine

BEGINNING = -2
SASL = "security.protocol sasl_plaintext sasl.mechanism PLAIN sasl.username ada sasl.password CANARY"

# -- brokers that cannot be reached --------------------------------------------------------------------------


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


# -- how it ends -----------------------------------------------------------------------------------------------

_set_down = function("rd_kafka_mock_broker_set_down", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32])
_set_up = function("rd_kafka_mock_broker_set_up", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[LogLine]:
    """What the clients of the test tell on stderr."""
    lines: list[LogLine] = []
    monkeypatch.setattr(logs, "sink", lambda _handle, _gives_up: lines.extend)
    return lines


def with_facility(lines: list[LogLine], facility: str) -> list[str]:
    return [line.message for line in lines if line.facility == facility]


def outage(running: Engine, mock: Mock, seconds: float) -> None:
    """Let a producer find its broker down for a while, and then deliver."""
    _set_down(mock._cluster, 1)
    running.master.configure("log_level", "6")
    target = running.producing_to("t")
    target.produce(0, b"x")
    assert until(lambda: bool(target.handle.why()))
    end = time.monotonic() + seconds
    assert until(lambda: time.monotonic() > end)
    _set_up(mock._cluster, 1)
    assert until(lambda: target.handle.output_queue_length() == 0)


def test_a_broker_that_is_down_for_a_while_is_told_of_twice(mock: Mock, told: list[LogLine]) -> None:
    with engine(bootstrap_servers=mock.bootstrap[0]) as running:
        outage(running, mock, 1.5)
        assert until(lambda: bool(with_facility(told, "CONNECTED")), 30)
        assert running.handles[0].why() == ""
    with engine(bootstrap_servers=mock.bootstrap[0]) as running:
        outage(running, mock, 0)  # the next one is told anew
        assert until(lambda: len(with_facility(told, "CONNECTED")) == 2, 30)
    assert with_facility(told, "FAIL") == [f"{mock.bootstrap[0]}: Connection refused; retrying"] * 2
    works = with_facility(told, "CONNECTED")[0]
    found = re.fullmatch(
        rf"{re.escape(mock.bootstrap[0])}: works, after \d+ s and (\d+) failed attempts", works
    )
    assert found
    assert int(found[1]) > 3
    assert {line.level for line in told} == {3, 5}


def test_a_client_that_closes_tells_that_its_broker_works(mock: Mock, told: list[LogLine]) -> None:
    with engine(bootstrap_servers=mock.bootstrap[0]) as running:
        outage(running, mock, 0)
    assert until(lambda: len(with_facility(told, "CONNECTED")) == 1)


def test_brokers_that_are_up_are_no_matter(mock: Mock, told: list[LogLine]) -> None:
    with engine(bootstrap_servers=mock.bootstrap[0]) as running:
        running.master.configure("log_level", "6")
        target = running.producing_to("t")
        target.produce(0, b"x")
        assert until(lambda: target.handle.output_queue_length() == 0)
        assert target.handle.why() == ""
    assert told == []


# Lines of librdkafka 2.16 about an Apache Kafka, and what they mean.
LINES = {
    "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: "
    "Connection refused (after 0ms in state CONNECT)": ("127.0.0.1:1", "", "Connection refused"),
    "GroupCoordinator: [::1]:9092: Connect to ipv6#[::1]:9092 failed: Connection refused "
    "(after 0ms in state CONNECT, 4 identical error(s) suppressed)": (
        "[::1]:9092",
        "GroupCoordinator",
        "Connection refused",
    ),
    "[thrd:kafka:9092/1]: kafka:9092/1: Failed to resolve 'kafka:9092': Name or service not known "
    "(after 2ms in state CONNECT)": (
        "kafka:9092",
        "",
        "the host name cannot be resolved: Name or service not known",
    ),
    "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Disconnected: connection closed by peer: "
    "receive 0 after POLLIN (after 5ms in state UP)": (
        "127.0.0.1:1",
        "",
        "the connection was closed after the first request: does it want SASL? (security.protocol)",
    ),
    "[thrd:sasl_plaintext://127.0.0.1:1/bootstrap]: sasl_plaintext://127.0.0.1:1/bootstrap: SASL PLAIN mechanism "
    "handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms:  "
    "(after 0ms in state AUTH_HANDSHAKE)": (
        "127.0.0.1:1",
        "",
        "the broker does not authenticate on this port: one without SASL? (security.protocol)",
    ),
    "[thrd:sasl_ssl://b:1/bootstrap]: sasl_ssl://b:1/bootstrap: SASL SCRAM-SHA-256 mechanism handshake failed: "
    "Broker: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN (after 0ms in state AUTH_HANDSHAKE)": (
        "b:1",
        "",
        "the broker does not know sasl.mechanism SCRAM-SHA-256 (broker's supported mechanisms: PLAIN)",
    ),
    "ssl://b:1/2: Disconnected: SSL connection closed by peer (after 1ms in state APIVERSION_QUERY)": (
        "b:1",
        "",
        "the connection was closed after the TLS handshake: does the broker want a client certificate? "
        "(ssl.certificate.location)",
    ),
    "b:1/2: ApiVersionRequest failed: Local: Timed out: probably due to broker version < 0.10 (see "
    "api.version.request configuration) (after 10009ms in state APIVERSION_QUERY)": (
        "b:1",
        "",
        "the broker does not answer",
    ),
    "b:1/2: 3 request(s) timed out: disconnect (average rtt 0.1ms) (after 60009ms in state UP)": (
        "b:1",
        "",
        "the broker does not answer",
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_librdkafka_is_told_in_plain_words(line: str) -> None:
    failure = failure_of(line)
    assert failure
    assert (failure.name.address, failure.purpose, failure.reason) == LINES[line]


def test_a_name_that_only_the_cluster_knows_is_said_to_be_the_clusters() -> None:
    outages = Outages()
    unresolved = (
        "kafka:9092/1: Failed to resolve 'kafka:9092': Name or service not known (after 2ms in state CONNECT)"
    )
    (line,) = outages.take(LogLine(3, "FAIL", unresolved)) or []
    assert line.message.startswith(
        "kafka:9092 (so the cluster calls broker 1, see advertised.listeners): the host"
    )
    assert outages.take(LogLine(3, "FAIL", unresolved)) == []
    assert (
        outages.why() == "last error: kafka:9092: the host name cannot be resolved: Name or service not known"
    )


# -- topics, partitions, and start ---------------------------------------------------------------------------

ABSENT = """
package require kafka
lassign $argv topic partition
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10
m error_callback {apply {error {lappend ::errors [dict get $error error]}}}
set errors {}
m consumer_creator c
c new_topic t $topic
"""
CONSUME_ONCE = (
    ABSENT
    + """
t start $partition 0
puts [catch {t consume $partition 10000 row} message]
puts "$message\n$errorCode"
set again [catch {t consume $partition 1500 row} message]
puts [string match "1 kafka error: Local: Timed out*" "$again $message"]
puts [catch {t consume_batch $partition 10 1 row {}} message]
while {![llength $errors]} {vwait errors}
puts $errors
puts [expr {$topic in [c info topics]}]
"""
)
UNKNOWN_TOPIC, UNKNOWN_PARTITION = "Broker: Unknown topic or partition", "Local: Unknown partition"


@pytest.mark.parametrize("partition", [0, 99])
def test_what_does_not_exist_is_told_at_the_first_consume(
    partition: int, cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = cluster.topic() if partition else f"missing-{uuid.uuid4().hex[:8]}"
    done = run_everywhere(CONSUME_ONCE, topic, str(partition), brokers=cluster)
    words = f"topic '{topic}' has no partition 99" if partition else f"topic '{topic}' does not exist"
    text, name = (
        (UNKNOWN_PARTITION, "_UNKNOWN_PARTITION") if partition else (UNKNOWN_TOPIC, "UNKNOWN_TOPIC_OR_PART")
    )
    assert done.stdout.splitlines() == [
        "1",
        f"kafka error: {text} ({words})",
        f"KAFKA RD_KAFKA_RESP_ERR_{name} {{{text}}} {{{words}}}",
        "1",
        "0",
        f"{{{text}}}",
        "1" if partition else "0",  # no question of a consumer makes a topic
    ]
    assert re.fullmatch(rf"%4\|[\d.]+\|ABSENT\|rdkafka#consumer-\d+\| {re.escape(words)}\n", done.stderr)


MADE_LATER = (
    ABSENT
    + """
m config group.id g-$topic auto.offset.reset earliest
m subscriber s
s subscribe $topic
s callback {apply {message {lappend ::subscribed $message}}}
c create_queue q
q consume_callback {apply {message {lappend ::queued $message}}}
t start 0 beginning {apply {message {lappend ::started $message}}}
t start_queue 1 beginning q
set variables {started queued subscribed}
foreach name $variables {
    while {![info exists $name]} {vwait $name}
    puts "$name [dict get [lindex [set $name] 0] code]"
}
m producer_creator p
p new_topic out $topic
out produce 0 zero
out produce 1 one
foreach name $variables {
    while {![dict exists [lindex [set $name] end] payload]} {vwait $name}
    puts "$name [llength [lsearch -all -inline [set $name] *error*]]"
}
"""
)


def test_a_topic_that_is_made_later_is_consumed(cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = f"later-{uuid.uuid4().hex[:8]}"
    done = run_everywhere(MADE_LATER, topic, "0", brokers=cluster, timeout=100)
    unknown = "RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART"
    names = ("started", "queued", "subscribed")
    assert done.stdout.splitlines() == [*(f"{n} {unknown}" for n in names), *(f"{n} 1" for n in names)], (
        done.stderr
    )


FORGOTTEN = (
    ABSENT
    + """
puts "[catch {t consume 0 50 row} message] $message"
puts "[catch {t consume 0 50 row} message] $message"
puts [t consume_batch 0 0 1 row {}]
puts "[catch {t consume 0 -1 row} message] $message"
puts "[catch {t consume 99 50 row} message] $message"
vwait errors
puts $errors
"""
)


def test_a_start_that_was_forgotten_is_told(cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = cluster.topic()
    done = run_everywhere(FORGOTTEN, topic, "0", brokers=cluster)
    words = f"partition 0 of topic '{topic}' was not started"
    assert done.stdout.splitlines() == [
        *["1 kafka error: Local: Timed out"] * 2,
        "0",
        f"1 kafka error: Local: Erroneous state ({words})",
        "1 kafka error: Local: Unknown partition",
        "{Local: Erroneous state}",
    ]
    assert re.fullmatch(
        rf"%4\|.*\|CONSUME\|rdkafka#consumer-\d+\| nothing is consumed: {words}\n", done.stderr
    )


def test_consume_takes_no_longer_than_it_may_where_no_broker_answers() -> None:
    with closed_port() as address, engine(bootstrap_servers=address) as running:
        topic = running.consuming_from("t")
        began = time.monotonic()
        with pytest.raises(Failure, match="Unknown partition"):
            topic.buffer(0, 100)
        assert time.monotonic() - began < 1.5


def test_a_partition_is_told_of_anew_when_it_is_started_anew(embedded_cluster: Cluster) -> None:
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(f"missing-{uuid.uuid4().hex[:8]}")
        for _ in range(2):
            topic.start(0, BEGINNING)
            item = topic.buffer(0).next(10_000)
            assert isinstance(item, ErrorItem)
            assert item.code == "RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART"
            assert topic.buffer(0).next(1200) is None


def test_a_topic_that_is_being_made_is_not_told_of(embedded_cluster: Cluster) -> None:
    name = f"new-{uuid.uuid4().hex[:8]}"
    with engine(embedded_cluster) as running:
        topic = running.consuming_from(name)
        topic.start(0, BEGINNING)
        assert until(lambda: bool(topic.handle._absent))
        running.fill(name, 0, 1)
        assert isinstance(topic.buffer(0).next(10_000), Run)
