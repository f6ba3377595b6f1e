"""Topics and partitions that are not there,
and partitions that nobody has started: told, and told once.
"""

from __future__ import annotations

import re
import time
import uuid

import pytest
from fix_cluster import Cluster
from fix_engine import engine, until
from fix_tcl import RunTcl
from fix_wrong_servers import closed_port

from kafkatcl.engine.messages import ErrorItem, Run
from kafkatcl.errors import Failure

BEGINNING = -2


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
