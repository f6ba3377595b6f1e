"""Messages with all that they may have arrive as they were sent,
read by confluent-kafka itself.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, NamedTuple

import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_mock import Mock
from fix_tcl import RunTcl, also_in_tcl9

EVERY_BYTE = bytes(range(256))
SECONDS = 20


class Sent(NamedTuple):
    """A message as confluent-kafka has it."""

    payload: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    #: 0: the time of the call.
    timestamp: int = 0


MESSAGES = (
    Sent(b"plain", b"key"),
    Sent(b"", b""),
    Sent(b""),
    Sent(None, b"gone"),
    Sent(None, b"", (("why", b"old"),)),
    Sent(EVERY_BYTE, EVERY_BYTE, (("bytes", EVERY_BYTE),)),
    Sent(b"again", None, (("a", b"1"), ("b", b"2"), ("a", b"3"), ("a", b"1"))),
    Sent(b"nulls", None, (("null", None), ("empty", b""), ("null", None), ("x", b"y"))),
    Sent(b"names", b"k", (("", b"none"), ("größe", b"\xff"), ("\U0001f34e {", b"} \\"), ("a b", b" "))),
    Sent(b"first ms", None, (), 1),
    Sent(b"own time", b"k", (("h", b"v"),), 1_700_000_000_123),
    Sent(b"x" * 200_000, b"k" * 1000, tuple((f"h{number}", b"v" * number) for number in range(100))),
)


def word(data: bytes | str) -> str:
    """A script that gives bytes or a text."""
    if isinstance(data, str):
        return f"[encoding convertfrom utf-8 {word(data.encode())}]"
    return f"[binary decode hex {{{data.hex()}}}]"


def headers_word(message: Sent) -> str:
    words = [f"{word(name)} {word(value or b'')}" for name, value in message.headers]
    return f"[list {' '.join(words)}]"


def nulls(message: Sent) -> str:
    return " ".join(str(place) for place, (_, value) in enumerate(message.headers) if value is None)


def options(message: Sent) -> str:
    """The options of ``produce`` for a message."""
    words = f" -headers {headers_word(message)}" if message.headers else ""
    if nulls(message):
        words += f" -null_headers {{{nulls(message)}}}"
    return words + (f" -timestamp {message.timestamp}" if message.timestamp else "")


def produced(message: Sent) -> str:
    """The call that sends a message to partition 0."""
    key = "" if message.key is None else word(message.key)
    if message.payload is None:
        return f"out tombstone 0 {key}{options(message)}"
    return f"out produce 0 {word(message.payload)} {key}{options(message)}"


def as_dict(message: Sent) -> str:
    """What makes the dict of a message, as it is consumed."""
    words = f"payload {word(message.payload or b'')} partition 1 offset 7 topic other"
    if message.key is not None:
        words += f" key {word(message.key)}"
    if message.headers:
        words += f" headers {headers_word(message)}"
    if nulls(message):
        words += f" null_headers {{{nulls(message)}}}"
    if message.payload is None:
        words += " tombstone 1"
    return f"[list {words} timestamp {message.timestamp or -1} timestamp_type append leader_epoch 3 delivery_count 2]"


def read(cluster: Cluster, topic: str, partition: int, count: int) -> list[Sent]:
    """The first messages of a partition, with timestamps of their own only."""
    settings = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": uuid.uuid4().hex}
    consumer = Consumer({**settings, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, partition, 0)])
    found: list[Sent] = []
    deadline = time.monotonic() + SECONDS
    now = time.time() * 1000
    while len(found) < count and time.monotonic() < deadline:
        for message in consumer.consume(count - len(found), 0.2):
            assert message.error() is None
            ms = message.timestamp()[1]
            is_now = abs(ms - now) < 60_000
            headers: Any = tuple(message.headers() or ())
            found.append(Sent(message.value(), message.key(), headers, 0 if is_now else ms))
    consumer.close()
    return found


SETUP = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
kafka::topic_producer out $topic
"""


@also_in_tcl9
def test_messages_arrive_as_they_were_sent(run_everywhere: RunTcl, cluster: Cluster) -> None:
    topic = cluster.topic()
    calls = "\n".join(map(produced, MESSAGES))
    dicts = " ".join(map(as_dict, MESSAGES))
    script = f"{SETUP}\n{calls}\nout produce_messages [list {dicts}]\nputs [kafka::producer flush 20000]"
    done = run_everywhere(script, topic, brokers=cluster)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert read(cluster, topic, 0, len(MESSAGES)) == list(MESSAGES)
    assert read(cluster, topic, 1, len(MESSAGES)) == list(MESSAGES)


#: What was consumed is sent on: as a dict of the array, and as the callback has it.
COPY = (
    SETUP
    + """
kafka::topic_producer copy [lindex $argv 1]
kafka::topic_consumer in $topic
foreach {payload key} {a k b {} c k {} k} {
    out produce 2 $payload {*}[expr {$key eq "" ? {} : [list $key]}] -timestamp [incr ms 1000]
}
out produce 2 [binary format H* 00ff80] [binary format H* 80] -timestamp [incr ms 1000]
kafka::producer flush
in start 2 0
while {[llength $messages] < 5} {
    in consume_batch 2 9000 5 row {lappend messages [array get row]}
}
copy produce_messages $messages
in start 2 0 {lappend lists}
while {[llength $lists] < 5} {vwait lists}
copy produce_messages $lists -partition 3
puts [kafka::producer flush]
"""
).replace("set topic", "set messages {}; set lists {}; set ms 0; set topic", 1)


@also_in_tcl9
def test_what_was_consumed_is_sent_as_it_is(run_everywhere: RunTcl, cluster: Cluster) -> None:
    topic, copies = cluster.topic(), cluster.topic()
    done = run_everywhere(COPY, topic, copies, brokers=cluster)
    assert (done.stdout, done.stderr) == ("0\n", "")
    sent = read(cluster, topic, 2, 5)
    assert [message.payload for message in sent] == [b"a", b"b", b"c", b"", b"\x00\xff\x80"]
    assert read(cluster, copies, 2, 5) == sent
    assert read(cluster, copies, 3, 5) == sent


#: Values whose type is not that of a string, or is that of two things.
TYPES = (
    SETUP
    + r"""
set number 0x10
incr shown [expr {$number + 1}]
set both {a b}
set name payload
set seen [set $name {}]
set empty {}
set length [llength $empty]  ;# an empty string keeps the type of a list
set text "caf\u00e9"
binary scan $text H* hex
set messages [list \
    [dict create payload $number key 0b1] \
    [list payload 1e3 headers [list n $number e 1e3]] \
    [dict create payload $both headers $both] \
    [dict create payload $text key $hex timestamp [expr {1000 * 1000}]] \
    [list payload first key k payload last] \
    [dict create payload [dict create a b] tombstone false key [list a {b c}]] \
    [list payload {} tombstone off headers {} null_headers {}] \
    "payload {x y}\tpartition\n 0" \
    [dict create payload {} tombstone [expr {1 == 1}] headers "a \{x\\ y\}"] \
    [list payload [string range abc 1 1] partition [expr {0 + 0}]] \
    [list payload $empty key $empty headers [list a $empty $empty b] null_headers $empty tag $empty]]
out produce_messages $messages -partition 0
out produce_messages [lrange $messages 0 0] -partition 0
puts [kafka::producer flush]
"""
)


@also_in_tcl9
def test_what_is_sent_is_the_string_of_a_value(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(TYPES, topic, brokers=embedded_cluster)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert read(embedded_cluster, topic, 0, 12) == [
        Sent(b"0x10", b"0b1"),
        Sent(b"1e3", None, (("n", b"0x10"), ("e", b"1e3"))),
        Sent(b"a b", None, (("a", b"b"),)),
        Sent(b"caf\xe9", b"636166e9", (), 1_000_000),
        Sent(b"last", b"k"),
        Sent(b"a b", b"a {b c}"),
        Sent(b""),
        Sent(b"x y"),
        Sent(None, None, (("a", b"x\\ y"),)),
        Sent(b"b"),
        Sent(b"", b"", (("a", b""), ("", b"b"))),
        Sent(b"0x10", b"0b1"),
    ]


REFUSED = (
    SETUP
    + r"""
proc tell {script} {
    puts [list [catch {uplevel #0 $script} message options] $message [lrange [dict get $options -errorcode] 0 1]]
}
set high "\u20ac"
catch {binary scan $high H* hex}
foreach script {
    {out produce 0 p -headers {a b c}}
    {out produce 0 p -headers "a \{"}
    {out produce 0 p -headers [list a\u0000b c]}
    {out produce 0 p -headers [list \ud800 c]}
    {out produce 0 p -headers [list a $high]}
    {out produce 0 p -headers {a {} b {}} -null_headers 2}
    {out produce 0 p -headers {a {} b {}} -null_headers -1}
    {out produce 0 p -headers {a {} b {}} -null_headers x}
    {out produce 0 p -headers {a {} b c} -null_headers 1}
    {out produce 0 p -null_headers 0}
    {out produce 0 p -timestamp -1}
    {out produce 0 p -timestamp 9223372036854775808}
    {out produce 0 p -timestamp 1.5}
    {out produce 0 p -timestamp {}}
    {out produce 0 $high -tag x}
    {out produce 0 p $high -tag x}
    {out produce x p -tag x}
    {out produce -2 p -tag x}
    {out produce 0 p -callback "\{"}
    {out produce 0 p -nosuch x}
    {out produce 0 p k -tag}
    {out tombstone 0}
    {out tombstone 0 k x}
    {out produce_messages "\{"}
    {out produce_messages {{payload a} {payload}}}
    {out produce_messages {{payload a} "\{"}}
    {out produce_messages {{payload a} {payload b nosuch c Key d}}}
    {out produce_messages {{payload a} {key k}}}
    {out produce_messages {{payload a} {}}}
    {out produce_messages {{payload a} {payload b tombstone 1}}}
    {out produce_messages {{payload a} {payload {} tombstone perhaps}}}
    {out produce_messages {{payload a} {payload b partition -3}}}
    {out produce_messages {{payload a} {payload b partition x}}}
    {out produce_messages {{payload a} {payload b}} -partition -3}
    {out produce_messages {{payload a} {payload b timestamp -2}}}
    {out produce_messages {{payload a} {payload b headers {x}}}}
    {out produce_messages {{payload a} {payload b headers "x \{"}}}
    {out produce_messages {{payload a} {payload b headers {x {}} null_headers 1}}}
    {out produce_messages [list {payload a} [list payload b key $high]]}
    {out produce_messages [list {payload a} [list payload $high]]}
    {out produce_messages {{payload a}} -partition}
    {out produce_messages {{payload a}} -callback "\{"}
} {
    tell $script
}
out produce_messages {}
puts [kafka::producer flush]
"""
)
INVALID = "{KAFKA RD_KAFKA_RESP_ERR__INVALID_ARG}"
NAME = "the name of a header can have no NUL, and no half of a character"
NO_BYTE = (
    "character U+20AC at position 0 of the %s is no byte: encode text first, as with encoding convertto utf-8"
)
NO_PARTITION = (
    "1 {kafka error: Local: Unknown partition (partition %s)} {KAFKA RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION}"
)
#: What each call is refused with: what is in its parentheses for Kafka's error of an
#: invalid argument, else all of it.
WHY = (
    "headers has 3 words: a name and a value for each header",
    "-headers is no list: unmatched open brace in list",
    NAME,
    NAME,
    NO_BYTE % "header",
    'null_headers has "2", which is no place of a header',
    'null_headers has "-1", which is no place of a header',
    'null_headers has "x", which is no place of a header',
    "header 1 is null, and has a value",
    'null_headers has "0", which is no place of a header',
    'timestamp "-1" is no number of ms since 1970',
    'timestamp "9223372036854775808" is no number of ms since 1970',
    'timestamp "1.5" is no number of ms since 1970',
    'timestamp "" is no number of ms since 1970',
    NO_BYTE % "payload",
    NO_BYTE % "key",
    '1 {expected integer but got "x"} {TCL VALUE}',
    NO_PARTITION % "-2",
    "-callback is no list: unmatched open brace in list",
    '1 {bad option "-nosuch": must be -headers, -null_headers, -timestamp, -callback, or -tag} {TCL LOOKUP}',
    '1 {wrong # args: should be "out produce partition payload ?key?"} {TCL WRONGARGS}',
    '1 {wrong # args: should be "out tombstone partition key ?-headers list? ?-null_headers positions? '
    '?-timestamp ms? ?-callback prefix? ?-tag value?"} {TCL WRONGARGS}',
    '1 {wrong # args: should be "out tombstone partition key ?-headers list? ?-null_headers positions? '
    '?-timestamp ms? ?-callback prefix? ?-tag value?"} {TCL WRONGARGS}',
    "messages is no list: unmatched open brace in list",
    "message 1 is no dict: missing value to go with key",
    "message 1 is no dict: unmatched open brace in dict",
    'message 1 has "nosuch" and "Key": it may have payload, key, partition, timestamp, headers, null_headers, '
    "tombstone, tag, topic, offset, timestamp_type, leader_epoch, delivery_count",
    "message 1: there is no payload",
    "message 1: there is no payload",
    "message 1: a tombstone has no payload",
    'message 1: expected boolean value but got "perhaps" for tombstone',
    NO_PARTITION % "-3 of message 1",
    '1 {expected integer but got "x"} {TCL VALUE}',
    NO_PARTITION % "-3 of message 0",
    'message 1: timestamp "-2" is no number of ms since 1970',
    "message 1: headers has 1 words: a name and a value for each header",
    "headers of message 1 is no list: unmatched open brace in list",
    'message 1: null_headers has "1", which is no place of a header',
    NO_BYTE % "key of message 1",
    NO_BYTE % "payload of message 1",
    '1 {wrong # args: should be "out produce_messages messages ?-partition n? ?-callback prefix?"} {TCL WRONGARGS}',
    "-callback is no list: unmatched open brace in list",
)


@also_in_tcl9
def test_what_cannot_be_sent_is_refused_and_nothing_is_sent(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(REFUSED, topic, brokers=embedded_cluster)
    *refused, left = done.stdout.splitlines()
    text = "1 {kafka error: Local: Invalid argument or configuration (%s)} " + INVALID
    assert [line.replace("\\{", "{") for line in refused] == [
        why if why.startswith("1 ") else text % why for why in WHY
    ]
    assert left == "0"
    assert embedded_cluster.messages_in(topic) == 0


#: Messages with and without options, in turn: what has options is answered, and may
#: take room that others were granted.
MIXED = (
    SETUP
    + """
for {set i 0} {$i < 600} {incr i 3} {
    out produce 0 $i
    out produce 0 [expr {$i + 1}] -headers {a b}
    out produce_messages [list [list payload [expr {$i + 2}] partition 0]]
}
puts [kafka::producer flush]
"""
)


def test_all_ways_to_produce_keep_the_order(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    assert run_everywhere(MIXED, topic, brokers=embedded_cluster).stdout == "0\n"
    payloads = [message.payload for message in read(embedded_cluster, topic, 0, 600)]
    assert payloads == [b"%d" % number for number in range(600)]


REFUSED_BY_LIBRDKAFKA = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 10000 \\
    queue.buffering.max.messages 5 message.max.bytes 2000
m producer_creator p
p new_topic out [lindex $argv 0]
p info topics
set told {}
out produce 0 first
p flush
proc tell {messages args} {
    puts [catch {out produce_messages $messages {*}$args} message options]:$message
    dict for {place result} [dict get $options -results] {
        puts -nonewline "$place:[lindex $result 0]:[lindex $result 2 1] "
    }
    puts {}
    p purge
    p flush
}
set large [string repeat x 3000]
foreach args [list {} {-callback {lappend told}}] {
    tell [list {payload a partition 0} [list payload $large partition 0] {payload b partition 77} {payload c}] {*}$args
    tell [lrepeat 8 {payload x partition 0 headers {a b}}] {*}$args
    tell [lrepeat 8 {payload x partition 0}] {*}$args
}
puts [llength $told]
"""
ONE_OF = "1:kafka error: %s (%d of %d messages were not queued)"


@pytest.mark.parametrize("block_ms", [0, 5])
def test_a_batch_that_is_not_taken_whole_says_which_messages_were_not(
    run_everywhere: RunTcl, mock: Mock, block_ms: int
) -> None:
    mock.create_topic("slow")
    mock.delay(600)  # nothing is delivered while a call waits for room
    script = REFUSED_BY_LIBRDKAFKA.replace("linger.ms", f"max.block.ms {block_ms} linger.ms")
    done = run_everywhere(script, "slow", env={"KAFKATCL_TEST_BROKERS": " ".join(mock.bootstrap)})
    *lines, told = done.stdout.splitlines()
    full = "error:RD_KAFKA_RESP_ERR__QUEUE_FULL"
    expected = [
        ONE_OF % ("Broker: Message size too large", 2, 4),
        "0:ok: 1:error:RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE 2:error:RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION 3:ok: ",
        ONE_OF % ("Local: Queue full", 3, 8),
        f"0:ok: 1:ok: 2:ok: 3:ok: 4:ok: 5:{full} 6:{full} 7:{full} ",
        ONE_OF % ("Local: Queue full", 3, 8),
        f"0:ok: 1:ok: 2:ok: 3:ok: 4:ok: 5:{full} 6:{full} 7:{full} ",
    ]
    assert lines == expected * 2
    assert told == str(2 + 5 + 5)


#: Words that a quick look takes for none, and too few words, and too many.
FEW_WORDS = (
    SETUP
    + r"""
for {set i 0} {$i < 50} {incr i} {out produce 0 first}
kafka::producer flush
foreach words {{} 0 {0 \uFFFF} {0 {}} {0 {} {}} {0 x \uFFFF} {\uFFFF x} {0 x y z} {0 {} -headers {a \uFFFF}}} {
    puts [catch [list out produce {*}[subst $words]] result]$result
}
puts [kafka::producer flush]
"""
)


@also_in_tcl9
def test_a_word_that_is_missing_is_another_thing_than_any_word(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    usage = '1wrong # args: should be "out produce partition payload ?key?"'
    no_byte = (
        "1kafka error: Local: Invalid argument or configuration (character U+FFFF at position 0 of the %s"
    )
    refused = [no_byte % what for what in ("payload", "key", "header")]
    expected = [
        usage,
        usage,
        refused[0],
        "0",
        "0",
        refused[1],
        "1expected integer but got ",
        usage,
        refused[2],
    ]
    topic = embedded_cluster.topic()
    *told, left = run_everywhere(FEW_WORDS, topic, brokers=embedded_cluster).stdout.splitlines()
    assert [line[: len(begin)] for line, begin in zip(told, expected)] == expected, told
    assert (left, embedded_cluster.messages_in(topic)) == ("0", 52)
