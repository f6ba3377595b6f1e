"""Brokers that are away for a while:
when they go and when they come back is told, and why in plain words.
"""

from __future__ import annotations

import ctypes
import re
import time

import pytest
from fix_engine import Engine, engine, until
from fix_mock import Mock

from kafkatcl.engine import logs
from kafkatcl.engine.failures import failure_of
from kafkatcl.engine.outages import Outages
from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.logs import LogLine

_set_down = function("rd_kafka_mock_broker_set_down", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32])
_set_up = function("rd_kafka_mock_broker_set_up", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[LogLine]:
    """What the clients of the test tell on stderr."""
    lines: list[LogLine] = []
    monkeypatch.setattr(logs, "sink", lambda *_: lines.extend)
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
