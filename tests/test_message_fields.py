"""What messages hold arrives in every way to read, in every shell, and in Python."""

from __future__ import annotations

from typing import Any

import pytest
from fix_cluster import Cluster
from fix_fields import EVERY_KIND, EVERY_WAY, READING, Sent, produce, produce_raw, read
from fix_tcl import RunTcl, also_in_tcl9

import kafkatcl

SCRIPT = f"""
{READING}
lassign $argv topic wanted fields
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id $topic fetch.wait.max.ms 10
m consumer_creator c
c new_topic in $topic
m subscriber s
s fields $fields
in fields $fields
{EVERY_WAY}
"""


def place(messages: list[Sent], topic: str) -> list[dict[str, Any]]:
    """What scripts see of messages, with their places."""
    return [
        {**sent.seen(), "topic": topic, "partition": 0, "offset": offset}
        for offset, sent in enumerate(messages)
    ]


def check(output: str, expected: list[dict[str, Any]]) -> None:
    """Check that all ways have seen the same; without one that is expected,
    timestamps are those of the moment.
    """
    ways = read(output)
    assert len(ways) == 9
    for way, found in ways.items():
        assert len(found) == len(expected), way
        for message, wanted in zip(found, expected):
            if "timestamp" not in wanted:
                assert message.pop("timestamp") > 1_700_000_000_000, way
            assert message == wanted, way


@also_in_tcl9
def test_every_kind_of_message_in_every_way(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = embedded_cluster.topic()
    produce(embedded_cluster.bootstrap_servers, topic, EVERY_KIND)
    done = run_everywhere(SCRIPT, topic, str(len(EVERY_KIND)), "", brokers=embedded_cluster)
    assert done.status == 0, done
    check(done.stdout, place(EVERY_KIND, topic))


def test_every_kind_of_message_on_a_real_kafka(kafka_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = kafka_cluster.topic()
    produce(kafka_cluster.bootstrap_servers, topic, EVERY_KIND)
    fields = "leader_epoch delivery_count"
    done = run_everywhere(
        SCRIPT.replace("c create_queue q", "c create_queue q; q fields $fields"),
        *(topic, str(len(EVERY_KIND)), fields),
        brokers=kafka_cluster,
    )
    assert done.status == 0, done
    check(done.stdout, [{**wanted, "leader_epoch": 0} for wanted in place(EVERY_KIND, topic)])


def test_a_broker_that_sets_the_timestamps_is_told(kafka_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = kafka_cluster.topic(config={"message.timestamp.type": "LogAppendTime"})
    sent = [Sent(b"a", timestamp=1_234_567_890_123), Sent(b"b", b"k"), Sent(None, b"k", [("a", b"1")])]
    produce(kafka_cluster.bootstrap_servers, topic, sent)
    done = run_everywhere(SCRIPT, topic, str(len(sent)), "", brokers=kafka_cluster)
    assert done.status == 0, done
    expected = [{**wanted, "timestamp_type": "append"} for wanted in place(sent, topic)]
    for wanted in expected:
        wanted.pop("timestamp", None)
    check(done.stdout, expected)


def test_a_python_program_has_all_fields(embedded_cluster: Cluster, interp: kafkatcl.Interp) -> None:
    topic = embedded_cluster.topic()
    sent = [
        Sent(b"a", None, [("a", b"\xff"), ("b", None), ("a", b"")], 1_234_567_890_123),
        Sent(None, b"k"),
        Sent(b""),
    ]
    produce(embedded_cluster.bootstrap_servers, topic, sent)
    told: list[kafkatcl.Message] = []

    @interp.command
    def arrived(message: kafkatcl.Message) -> None:
        told.append(message)
        interp["arrived"] = len(told)

    interp["brokers"], interp["topic"] = embedded_cluster.bootstrap_servers, topic
    interp.eval("""
        package require kafka
        kafka::kafka create kafka
        kafka config bootstrap.servers $brokers group.id $topic enable.partition.eof true
        kafka subscriber s
        s fields {leader_epoch end}
        s callback arrived
        s assign [list $topic 0 0]
    """)
    while len(told) < len(sent) + 1:
        assert interp.vwait("arrived", 30)
    first, second, third, end = told
    assert first.headers == (("a", b"\xff"), ("b", None), ("a", b""))
    assert (first.timestamp, first.leader_epoch, first.delivery_count) == (1_234_567_890_123, 0, None)
    assert (first.tombstone, second.tombstone, third.tombstone) == (False, True, False)
    assert (second.key, second.payload, second.headers, second.timestamp_type) == (b"k", b"", (), "")
    assert end == kafkatcl.Message(topic, 0, 3, end=True)


RAW = """
package require kafka
lassign $argv topic
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
m consumer_creator c
c new_topic in $topic
in start 0 0
for {set i 0} {$i < 4} {incr i} {
    in consume 0 20000 row
    puts $row(payload)=[expr {[info exists row(headers)] ? $row(headers) : "-"}]
}
"""


def test_names_of_headers_that_are_no_text(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic, brokers = embedded_cluster.topic(), embedded_cluster.bootstrap_servers
    produce(brokers, topic, [Sent(b"before", headers=[("a", b"1")])])
    produce_raw(brokers, topic, [(b"a", b"1"), (b"\xff\xfe", b"2"), (b"b", b"3")])
    produce_raw(brokers, topic, [(b"\xff", b"1"), (b"\xfe", b"2")])
    produce(brokers, topic, [Sent(b"behind")])
    done = run_everywhere(RAW, topic, brokers=embedded_cluster)
    assert done.stdout.splitlines() == [
        "before=a 1",
        r"raw=a 1 {\xff\xfe} 2 b 3",
        r"raw={\xff} 1 " + "\ufffd 2",
        "behind=-",
    ]


@also_in_tcl9
@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("in fields key", 'bad field "key": must be delivery_count, end, or leader_epoch'),
        ("in fields {end x}", 'bad field "x": must be delivery_count, end, or leader_epoch'),
        ("in fields \\{", "unmatched open brace in list"),
        ("in encoding none", 'unknown encoding "none"'),
        ("in encoding UTF-8", 'unknown encoding "UTF-8"'),
        ("in fields a b", 'wrong # args: should be "in fields ?list?"'),
    ],
)
def test_what_cannot_be_asked_for(
    script: str, error: str, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    done = run_everywhere(
        f"package require kafka; kafka::kafka create m; m consumer_creator c; c new_topic in t\n"
        f"in fields end; in encoding utf-8\n"
        f"puts [catch {{{script}}} result]; puts $result; puts [list [in fields] [in encoding]]",
        brokers=embedded_cluster,
    )
    assert done.stdout.splitlines() == ["1", error, "end utf-8"]
