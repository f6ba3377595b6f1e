"""Offsets to start from that are not there:
the oldest message there is, or what ``auto.offset.reset`` says.
"""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from fix_cluster import Cluster
from fix_tcl import RunTcl

PRELUDE = """
package require kafka
lassign $argv topic low high reset group
kafka::kafka create m
m config bootstrap.servers [join $::env(KAFKATCL_TEST_BROKERS) ,]
if {$reset ne ""} {m topic_config auto.offset.reset $reset}
if {$group ne ""} {m config group.id $group}
m consumer_creator c
c new_topic t $topic
proc first {offset {timeout 10000}} {
    t start 0 $offset
    if {[catch {t consume 0 $timeout row} message]} {
        set message [lindex $::errorCode 1]
    } else {
        set message [expr {$row(offset) - $::low}]
    }
    t stop 0
    return $message
}
"""


def trimmed(cluster: Cluster) -> tuple[str, int, int]:
    """A topic whose partition 0 has lost its older messages,
    the oldest offset it has, and the next one.
    """
    topic = cluster.topic()
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers})
    count, size = (
        (200, 50_000) if cluster.kind == "embedded" else (40, 10)
    )  # embedded: 5 MiB of messages are kept
    for number in range(count):
        producer.produce(topic, str(number).rjust(size, "x"), partition=0)
    assert producer.flush(20) == 0
    if cluster.kind == "kafka":
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
        admin.delete_records([TopicPartition(topic, 0, 25)])[TopicPartition(topic, 0, 25)].result(20)
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "any"})
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
    consumer.close()
    assert 0 < low < high == count
    return topic, low, high


@pytest.mark.parametrize("reset", ["", "latest", "error", "earliest"])
def test_where_there_are_fewer_it_is_the_first(reset: str, cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic, low, high = trimmed(cluster)
    script = (
        PRELUDE
        + "foreach offset [list -1000 0 [expr {$low - 1}] -[expr {$high - $low}] -1000] {puts [first $offset]}"
    )
    done = run_everywhere(script, topic, str(low), str(high), reset, brokers=cluster)
    assert done.stdout.split() == ["0"] * 5, done.stderr


def test_so_it_is_for_queues_callbacks_and_committed_offsets(
    cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic, low, high = trimmed(cluster)
    group = f"{topic}-readers"
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    consumer.close()
    script = (
        PRELUDE
        + """
puts [first stored]
c create_queue q
t start_queue 0 -1000 q
q consume 10000 row
puts [expr {$row(offset) - $low}]
t stop 0
t start 0 3 {apply {message {set ::told [dict get $message offset]}}}
after 10000 {set told none}
vwait told
puts [expr {$told - $low}]
"""
    )
    done = run_everywhere(script, topic, str(low), str(high), "", group, brokers=cluster)
    assert done.stdout.split() == ["0", "0", "0"], done.stderr


@pytest.mark.parametrize(
    ("reset", "told"),
    [
        ("", "RD_KAFKA_RESP_ERR__TIMED_OUT"),
        ("error", "RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET"),
        ("earliest", "0"),
    ],
)
def test_beyond_the_end_it_is_what_auto_offset_reset_says(
    reset: str, told: str, cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic, low, high = trimmed(cluster)
    script = PRELUDE + "puts [first [expr {$high + 5}] 4000]"
    done = run_everywhere(script, topic, str(low), str(high), reset, brokers=cluster)
    assert done.stdout.split() == [told], done.stderr


def test_without_a_committed_offset_too(cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic, low, high = trimmed(cluster)
    script = (
        PRELUDE
        + """
puts [first stored 3000]
m producer_creator p
p new_topic out $topic
t start 0 stored
catch {t consume 0 2000 row}
out produce 0 new
t consume 0 10000 row
puts $row(payload)
"""
    )
    done = run_everywhere(script, topic, str(low), str(high), "", f"{topic}-g", brokers=cluster)
    assert done.stdout.split() == ["RD_KAFKA_RESP_ERR__TIMED_OUT", "new"], done.stderr
