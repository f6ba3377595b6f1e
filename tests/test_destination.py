"""Where clients are sent when the environment names brokers,
and how embedded ones are known.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_engine import engine
from fix_tcl import RunTcl

from kafkatcl.engine import destination, embedded
from kafkatcl.engine.destination import is_embedded, redirected
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.mock import MockCluster

#: Brokers are named in every way there is, and none of them exists.
ELSEWHERE = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers {127.0.0.1:1 kafka.invalid}
kafka::master config bootstrap.servers kafka.invalid:9093
kafka::topic_producer out $topic
kafka::producer add_brokers {kafka.invalid 127.0.0.1:1}
out produce 0 hello
kafka::kafka create master
master consumer_creator consumer
consumer add_brokers 127.0.0.1:1
consumer new_topic in $topic
in start 0 beginning
in consume 0 20000 row
puts $row(payload)
"""


def test_scripts_that_name_other_brokers_are_sent_to_those_of_the_environment(
    cluster: Cluster, run_everywhere: RunTcl
) -> None:
    brokers = " , ".join(cluster.bootstrap)
    done = run_everywhere(ELSEWHERE, cluster.topic(), env={"KAFKATCL_BROKERS": brokers})
    assert (done.status, done.stdout) == (0, "hello\n")
    assert done.stderr == f"kafkatcl: KAFKATCL_BROKERS sends all clients to {', '.join(cluster.bootstrap)}\n"


def test_security_is_left_out_for_embedded_brokers_only(
    embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"security.protocol": "SASL_SSL", "sasl.username": "ada", "client.id": "c"}
    monkeypatch.setenv("KAFKATCL_BROKERS", embedded_cluster.bootstrap_servers)
    sent = redirected()
    assert sent
    assert sent.applied(asked) == {
        "client.id": "c",
        "bootstrap.servers": embedded_cluster.bootstrap_servers,
    }
    monkeypatch.setenv("KAFKATCL_BROKERS", "kafka.invalid:9093")
    sent = redirected()
    assert sent
    assert sent.applied(asked) == {**asked, "bootstrap.servers": "kafka.invalid:9093"}


def test_the_embedded_broker_of_the_process_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKATCL_BROKERS", "nonsense nonsense:x")
    monkeypatch.setenv("KAFKATCL_EMBEDDED", "1")
    monkeypatch.setattr(embedded, "brokers", lambda: ["127.0.0.1:7"])
    sent = redirected()
    assert sent
    assert sent.brokers == ["127.0.0.1:7"]


@pytest.mark.parametrize("text", ["", "  ", ",", " , "])
def test_nothing_is_named_by_an_empty_variable(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKATCL_BROKERS", text)
    assert redirected() is None


@pytest.mark.parametrize(
    "text", [":9092", "a:b", "a:0", "a:65536", "a:1;b:1", "ssl://a:1", "a:1:2", "::1", "[x]:1"]
)
def test_what_names_no_brokers_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKATCL_BROKERS", text)
    with pytest.raises(Failure) as caught, engine() as found:
        found.producer()
    assert caught.value.message == (
        f'KAFKATCL_BROKERS must name brokers as host:port, with blanks or commas between, got "{text}"'
    )


# -- embedded brokers are known --------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_embedded_brokers_are_known(host: str, embedded_cluster: Cluster) -> None:
    assert is_embedded([address.replace("127.0.0.1", host) for address in embedded_cluster.bootstrap])


def test_a_real_kafka_is_no_embedded_broker_and_says_so_at_once(kafka_cluster: Cluster) -> None:
    started = time.monotonic()
    assert not is_embedded(kafka_cluster.bootstrap)
    assert time.monotonic() - started < destination._PROBE_SECONDS / 2


def test_one_address_elsewhere_and_none_is_asked(embedded_cluster: Cluster) -> None:
    assert not is_embedded([*embedded_cluster.bootstrap, "192.0.2.1:9092"])
    assert not is_embedded([])


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize("answer", [b"", b"\0", b"\xff\xff\xff\xffmock", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_whatever_answers_does_no_harm(answer: bytes, listener: socket.socket) -> None:
    def serve() -> None:
        with listener.accept()[0] as asking:
            asking.recv(100)
            asking.sendall(answer)

    serving = threading.Thread(target=serve)
    serving.start()
    assert not is_embedded([f"127.0.0.1:{listener.getsockname()[1]}"])
    serving.join()


def test_a_listener_that_says_nothing_is_not_waited_for(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination, "_PROBE_SECONDS", 0.05)
    assert not is_embedded([f"127.0.0.1:{listener.getsockname()[1]}"])


def test_nobody_listens() -> None:
    assert not is_embedded(["127.0.0.1:1"])


# -- groups on embedded brokers --------------------------------------------------------

#: A member of a group leaves, and another comes at once.
REJOINING = """
package require kafka
kafka::kafka create m
m config bootstrap.servers $env(BROKERS) group.id readers
m producer_creator p
p new_topic out news
foreach turn {1 2} {
    out produce 0 "turn $turn"
    set s [m subscriber #auto]
    $s subscribe news
    while {![dict exists [set message [$s consume 20000]] payload]} {}
    puts [dict get $message payload]
    $s commit
    $s delete
}
"""


@pytest.mark.parametrize("sent", [False, True], ids=["named by the script", "KAFKATCL_BROKERS"])
def test_who_joins_a_group_again_is_let_in_soon(sent: bool, run_everywhere: RunTcl, tmp_path: Path) -> None:
    with MockCluster() as cluster:
        cluster.create_topic("news", 1)
        brokers = cluster.bootstrap[0]
        env = {"BROKERS": "127.0.0.1:1", "KAFKATCL_BROKERS": brokers} if sent else {"BROKERS": brokers}
        started = time.monotonic()
        done = run_everywhere(REJOINING, env=env)
        assert done.stdout == "turn 1\nturn 2\n", done.stderr
        assert time.monotonic() - started < 15  # it was 44 s
