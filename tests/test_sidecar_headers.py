"""Messages with headers go to a sidecar without an answer, as those without do:
what was accepted is delivered, what cannot be is an error.
"""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_producing import MASTER
from fix_tcl import TCLSH, RunTcl

SCRIPT = (
    MASTER
    + r"""
m config linger.ms 10000 queue.buffering.max.messages 3000
m producer_creator p
p new_topic t $topic
set answered 0
trace add execution ::kafkatcl::sidecar::Ask enter {apply {args {incr ::answered}}}
for {set i 0} {$i < 1000} {incr i} {
    t produce 0 $i {*}[expr {$i % 2 ? "k$i" : {}}] -headers [list a [binary format H* 00ff] größe $i]
}
puts [expr {$answered < 100}]
set accepted 1000
set before $answered
foreach headers [list {a b c} "a \{" [list a\u0000b c] [list a \u20ac] [list \u20ac [string repeat x 70000]]] {
    puts [catch {t produce 0 x -headers $headers} message],[string range $message 0 29]
    incr accepted [string equal $message {}]
}
puts [expr {$answered > $before}]
while {![catch {t produce 0 y -headers {a b}} message]} {
    incr accepted
}
puts $message,$accepted
puts [p flush]
"""
)


def test_what_was_accepted_is_delivered(run_tcl: RunTcl, embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    done = run_tcl(SCRIPT, topic, brokers=embedded_cluster, shell=TCLSH)
    invalid = "1,kafka error: Local: Invalid ar"[:32]
    assert done.stdout.splitlines() == [
        "1", *[invalid] * 4, "0,", "1", "kafka error: Local: Queue full,3000", "0"
    ]  # fmt: skip
    assert done.stderr == ""
    consumer = Consumer({"bootstrap.servers": embedded_cluster.bootstrap_servers, "group.id": topic})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = consumer.consume(3000, 20)
    consumer.close()
    assert len(messages) == 3000
    for number, message in enumerate(messages[:1000]):
        assert message.value() == b"%d" % number
        assert message.key() == (b"k%d" % number if number % 2 else None)
        assert message.headers() == [("a", b"\x00\xff"), ("größe", b"%d" % number)]
    assert messages[1000].headers() == [("\u20ac", b"x" * 70000)]
