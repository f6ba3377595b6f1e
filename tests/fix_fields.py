"""pytest plugin: messages of every kind, made by confluent-kafka,
and what scripts see of them in every way to read.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from confluent_kafka import Producer

from kafkatcl.librdkafka.library import function, quick_function

Headers = list[tuple[str, Any]]


@dataclass(frozen=True)
class Sent:
    """A message to be produced; ``timestamp`` is None for that of the moment."""

    payload: bytes | None = b"x"
    key: bytes | None = None
    headers: Headers | None = None
    timestamp: int | None = None

    def seen(self) -> dict[str, Any]:
        """What a script has of it, beside its place and a timestamp of the moment."""
        found: dict[str, Any] = {"payload": self.payload or b""}
        if self.key is not None:
            found["key"] = self.key
        if self.headers:
            found["headers"] = [
                word for name, value in self.headers for word in (name.encode(), value or b"")
            ]
            nulls = [place for place, (_, value) in enumerate(self.headers) if value is None]
            if nulls:
                found["null_headers"] = nulls
        if self.payload is None:
            found["tombstone"] = 1
        if self.timestamp is not None:
            found["timestamp"] = self.timestamp
        return found


EVERY_BYTE = bytes(range(256))
HEADERS: list[Headers | None] = [
    None,
    [("a", b"1")],
    [("a", b"1"), ("b b", EVERY_BYTE), ("a", b"2"), ("\u20ac {", b"{"), ("", b"")],
    [("null", None)],
    [("a", b""), ("a", None), ("c", b"3"), ("#", None)],
    [(f"h{number}", b"%d" % number) for number in range(20)],
]
#: Everything with everything.
EVERY_KIND = [
    Sent(payload, key, headers, timestamp)
    for payload, key, headers, timestamp in product(
        (b"x", EVERY_BYTE, b"", None), (None, b"", b"k"), HEADERS, (None, 1_234_567_890_123)
    )
]


def produce(brokers: str, topic: str, messages: Sequence[Sent], partition: int = 0) -> None:
    """Produce messages, in their order."""
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    for sent in messages:
        more: dict[str, Any] = {} if sent.timestamp is None else {"timestamp": sent.timestamp}
        producer.produce(topic, sent.payload, sent.key, partition, headers=sent.headers, **more)
    assert producer.flush(20) == 0


_new = function("rd_kafka_headers_new", ctypes.c_void_p, [ctypes.c_size_t])
_add = function(
    "rd_kafka_header_add",
    ctypes.c_int,
    [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_char_p, ctypes.c_ssize_t],
)
_producev = quick_function("rd_kafka_producev")
_END, _TOPIC, _PARTITION, _VALUE, _FLAGS, _HEADERS, _COPY = 0, 1, 3, 4, 7, 10, 2


def produce_raw(brokers: str, topic: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Produce a message whose headers have names that confluent-kafka does not take."""
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    native = ctypes.c_void_p.from_address(id(producer) + object.__basicsize__)
    made = ctypes.c_void_p(_new(len(headers)))
    for name, value in headers:
        _add(made, name, len(name), value, len(value))
    number = ctypes.c_int
    code = _producev(
        native,
        *(number(_TOPIC), ctypes.c_char_p(topic.encode())),
        *(number(_PARTITION), ctypes.c_int32(0)),
        *(number(_FLAGS), number(_COPY)),
        *(number(_VALUE), ctypes.c_char_p(b"raw"), ctypes.c_size_t(3)),
        *(number(_HEADERS), made),
        number(_END),
    )
    assert code == 0
    assert producer.flush(20) == 0


#: ``told`` prints what a script has of a message, for :func:`read`; ``told_array`` that
#: of an array.  ``$wanted`` is how many there are.
READING = """
package require kafka
proc hex {bytes} {
    if {[regexp {[^\\u0000-\\u00ff]} $bytes]} {error "no bytes: $bytes"}
    binary encode hex $bytes
}
proc told {list} {
    incr ::count
    if {[dict exists $list error] || [dict exists $list end]} {error $list}
    set words {}
    foreach {name value} $list {
        switch $name {
            payload - key {set value .[hex $value]}
            headers {
                set value [lmap {header bytes} $value {
                    string cat .[hex [encoding convertto utf-8 $header]] , .[hex $bytes]
                }]
                set value [join $value ,]
            }
            null_headers {set value [join $value ,]}
        }
        lappend words $name=$value
    }
    puts [join $words]
}
proc told_array {} {
    upvar 1 row row
    told [array get row]
}
proc await_all {} {
    set limit [after 30000 {error late}]
    while {$::count < $::wanted} {vwait ::count}
    after cancel $limit
}
proc begin {way} {
    set ::count 0
    puts "way=$way"
}
"""
#: Every way to read partition 0 of $topic, by the objects in, c, q and s.
EVERY_WAY = """
begin consume
in start 0 0
while {$count < $wanted} {in consume 0 20000 row; told_array}
begin consume_batch
in start 0 0
while {$count < $wanted} {in consume_batch 0 20000 [expr {min(7, $wanted - $count)}] row told_array}
begin consume_callback
in start 0 0
while {$count < $wanted} {in consume_callback 0 20000 told}
begin callback
in start 0 0 told
await_all
in stop 0
c create_queue q
begin queue
in start_queue 0 0 q
while {$count < $wanted} {q consume 20000 row; told_array}
begin queue_batch
in start_queue 0 0 q
while {$count < $wanted} {q consume_batch 20000 [expr {min(7, $wanted - $count)}] row told_array}
begin queue_callback
q consume_callback told
in start_queue 0 0 q
await_all
q delete
begin subscriber
s assign [list $topic 0 0]
while {$count < $wanted} {told [s consume 20000]}
begin subscriber_callback
s callback told
s assign [list $topic 0 0]
await_all
"""


def read(output: str) -> dict[str, list[dict[str, Any]]]:
    """What scripts have printed by ``told``, for each way to read."""
    ways: dict[str, list[dict[str, Any]]] = {}
    for line in output.splitlines():
        words = dict(word.partition("=")[::2] for word in line.split())
        if "way" in words:
            ways[words["way"]] = found = []
            continue
        found.append({name: _value(name, word) for name, word in words.items()})
    return ways


def _value(name: str, word: str) -> Any:
    if name in ("topic", "timestamp_type"):
        return word
    if name in ("payload", "key"):
        return bytes.fromhex(word[1:])
    if name == "headers":
        return [bytes.fromhex(part[1:]) for part in word.split(",")]
    if name == "null_headers":
        return [int(part) for part in word.split(",")]
    return int(word)
