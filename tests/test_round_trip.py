"""Payloads and keys of every kind come back byte for byte,
whatever way they went and came.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from fix_cluster import Cluster

import kafkatcl

EVERY_BYTE = bytes(range(256))
RANDOM = random.Random(5).randbytes(900_000)
NO_KEY = None

#: Payload and key of each message.
MESSAGES: list[tuple[bytes, bytes | None]] = [
    (EVERY_BYTE, EVERY_BYTE),
    (EVERY_BYTE, NO_KEY),
    (b"", EVERY_BYTE),
    (b"", b""),
    (b"", NO_KEY),
    (RANDOM, b""),
    (EVERY_BYTE[::-1] * 3, "é{ $x [exit] \\".encode()),
    (b"\x00", b"\x00"),
    (b"\xff\xfe\x80 {", b"}"),
]

TCL = """
package require kafka
kafka::kafka create m
m delivery_report callback {lappend ::reported}
set reported {}
set seen {}
set partition 2

# What a script has of a message: the payload, and a list with the key if there is one.
proc keep {list} {
    upvar #0 seen seen
    lappend seen [dict get $list payload] \
        [expr {[dict exists $list key] ? [list [dict get $list key]] : ""}]
}
proc keep_array {} {
    upvar 1 row row
    keep [array get row]
}
proc wait_for {count} {
    set limit [after 20000 {set ::late 1}]
    while {[llength $::seen] < 2 * $count && ![info exists ::late]} {
        after 5 {set ::tick 1}
        vwait ::tick
    }
    after cancel $limit
    return $::seen
}
"""

PRODUCE = {
    "produce": "foreach {payload key} $messages {pt produce $partition $payload {*}$key}",
    "produce_batch": """
        set rows {}
        foreach {payload key} $messages {lappend rows [list $payload {*}$key]}
        pt produce_batch $partition $rows
    """,
}

CONSUME = {
    "consume": """
        ct start $partition beginning
        while {[llength $seen] < 2 * $count} {ct consume $partition 10000 row; keep_array}
    """,
    "consume_batch": """
        ct start $partition beginning
        while {[llength $seen] < 2 * $count} {
            if {![ct consume_batch $partition 10000 [expr {$count - [llength $seen] / 2}] row keep_array]} break
        }
    """,
    "topic callback": "ct start $partition beginning keep; wait_for $count",
    "topic consume_callback": """
        ct start $partition beginning
        while {[llength $seen] < 2 * $count} {if {![ct consume_callback $partition 10000 keep]} break}
    """,
    "queue consume": """
        c create_queue q; ct start_queue $partition beginning q
        while {[llength $seen] < 2 * $count} {q consume 10000 row; keep_array}
    """,
    "queue consume_batch": """
        c create_queue q; ct start_queue $partition beginning q
        while {[llength $seen] < 2 * $count} {
            if {![q consume_batch 10000 [expr {$count - [llength $seen] / 2}] row keep_array]} break
        }
    """,
    "queue callback": """
        c create_queue q; q consume_callback keep; ct start_queue $partition beginning q
        wait_for $count
    """,
    "queue consume_callback": """
        c create_queue q; ct start_queue $partition beginning q
        while {[llength $seen] < 2 * $count} {if {![q consume_callback 10000 keep]} break}
    """,
    "subscriber consume": """
        s assign [list $topic $partition beginning]
        while {[llength $seen] < 2 * $count} {
            set found [s consume 10000]
            if {$found eq ""} break
            keep $found
        }
    """,
    "subscriber callback": "s callback keep; s assign [list $topic $partition beginning]; wait_for $count",
}


class Script:
    """An interpreter with a producer, a consumer and a subscriber for one topic."""

    def __init__(self, cluster: Cluster) -> None:
        self.interp = kafkatcl.Interp()
        self.interp.eval(TCL)
        self.interp["topic"] = cluster.topic()
        self.interp["brokers"] = cluster.bootstrap_servers
        self.interp.eval(
            """
            m config bootstrap.servers $brokers group.id $topic fetch.wait.max.ms 10
            m producer_creator p
            p new_topic pt $topic
            m consumer_creator c
            c new_topic ct $topic
            m subscriber s
            """
        )
        words: list[Any] = []
        for payload, key in MESSAGES:
            words += [payload, [] if key is None else [key]]
        self.interp["messages"] = words
        self.interp["count"] = len(MESSAGES)

    def seen(self) -> list[tuple[bytes, bytes | None]]:
        """What callbacks, arrays or reports have shown to the script,
        as payloads and keys.
        """
        found = []
        for number in range(self.interp.eval("llength $seen", to=int) // 2):
            self.interp.eval(f"lassign [lrange $seen {2 * number} {2 * number + 1}] payload key")
            payload = self.interp.get("payload", to=bytes)
            has_key = self.interp.eval("llength $key", to=int)
            found.append((payload, self.interp.eval("lindex $key 0", to=bytes) if has_key else None))
        return found


@pytest.fixture(params=PRODUCE)
def produced(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Script]:
    script = Script(cluster)
    script.interp.eval(PRODUCE[request.param])
    yield script
    script.interp.eval("s delete; c delete; p delete")
    script.interp.close()


def test_every_way(produced: Script) -> None:
    produced.interp.eval("while {[p output_queue_length]} {p poll 100}")
    for way, script in CONSUME.items():
        produced.interp.eval("set seen {}; ct stop $partition")
        produced.interp.eval(script)
        assert produced.seen() == MESSAGES, way


def test_delivery_reports(produced: Script) -> None:
    produced.interp.eval("while {[llength $reported] < $count} {p poll 10000}")
    produced.interp.eval("foreach report $reported {keep $report}")
    assert produced.seen() == MESSAGES
