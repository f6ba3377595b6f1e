"""Payloads and keys as text: strict, the same in every Tcl, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_fields import Sent, produce
from fix_tcl import TCLSH, TCLSH9, RunTcl, also_in_tcl9

import kafkatcl
from kafkatcl.engine import encodings
from kafkatcl.engine.encodings import UNDEFINED, Encoding
from kafkatcl.librdkafka.wrapper import consistent

# -- encodings -------------------------------------------------------------------------


def known(name: str) -> Encoding:
    found = encodings.find(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "data", "at"),
    [
        ("utf-8", b"ab\xff", 2),
        ("utf-8", b"\xc3", 0),
        ("utf-8", b"a\xc0\x80", 1),
        ("utf-8", b"\xed\xa0\x80", 0),
        ("utf-8", b"\xf4\x90\x80\x80", 0),
        ("ascii", b"abc\x80", 3),
        ("utf-16le", b"a\0b", 2),
        ("iso2022-jp", b"\x1b(Ba", 0),
    ],
)
def test_what_is_no_text_says_where(name: str, data: bytes, at: int) -> None:
    with pytest.raises(UnicodeDecodeError) as raised:
        known(name).decode(data)
    assert raised.value.start == at


@pytest.mark.parametrize("name", ["utf-8", "unicode", "utf-16be", "utf-32", "iso2022-jp"])
def test_text_comes_back(name: str) -> None:
    text = "a \u65e5\u672c"
    assert known(name).decode(known(name).encode(text)) == text


def test_a_table_is_strict_both_ways() -> None:
    encodings.define("test-bytes", "ab" + UNDEFINED * 253 + "\xe9", {})
    made = known("test-bytes")
    assert made.decode(b"\0\1\xff") == "ab\xe9"
    assert made.encode("\xe9ba") == b"\xff\1\0"
    with pytest.raises(UnicodeDecodeError) as undecoded:
        made.decode(b"\0\2")
    with pytest.raises(UnicodeEncodeError) as unencoded:
        made.encode("abc")
    assert (undecoded.value.start, unencoded.value.start) == (1, 2)


def test_a_table_of_pairs_is_strict_both_ways() -> None:
    row = UNDEFINED * 10 + "\u65e5\u672c" + UNDEFINED * 244
    encodings.define("test-pairs", UNDEFINED * 10 + "\n" + UNDEFINED * 245, {0x5D: row, 0x80: row[::-1]})
    made = known("test-pairs")
    assert made.decode(b"\n\x5d\n\x80\xf4") == "\n\u65e5\u672c"
    assert made.encode("\u65e5\n") == b"\x80\xf5\n"
    for data, at in ((b"\n\x5d", 1), (b"\n\n\x5d\x5d", 2), (b"a", 0)):
        with pytest.raises(UnicodeDecodeError) as undecoded:
            made.decode(data)
        assert undecoded.value.start == at
    with pytest.raises(UnicodeEncodeError) as unencoded:
        made.encode("\nx")
    assert unencoded.value.start == 1


def test_tables_are_those_of_tcl(interp: kafkatcl.Interp) -> None:
    interp.eval("""
        package require kafka
        # What bytes are as text, where the text gives these bytes back.
        proc expected {name bytes} {
            set text [encoding convertfrom $name $bytes]
            if {[encoding convertto $name $text] eq $bytes} {return $text}
            return none
        }
    """)
    for name in ("koi8-r", "macRoman", "cp437", "euc-jp", "big5", "ebcdic", "jis0208"):
        interp.eval(f"::kafkatcl::forms::Require {name}")
        made = known(name)
        for first in range(0, 256, 5):
            for data in (bytes((first,)), *(bytes((first, second)) for second in range(0, 256, 17))):
                expected = interp.call("expected", name, data)
                if any(0x80 <= byte < 0xA0 and chr(byte) == text for byte, text in zip(data, expected)):
                    expected = "none"  # Tcl 8.6 has filled holes so
                try:
                    text = made.decode(data)
                except UnicodeDecodeError:
                    text = "none"
                assert text == expected, (name, data)
                if text != "none":
                    assert made.encode(text) == data


TABLES = """
package require kafka
foreach name [lsort [encoding names]] {
    if {![lindex [::kafkatcl::bridge::encoding_is_known $name] 1]} {
        puts $name=[zlib crc32 [encoding convertto utf-8 [::kafkatcl::forms::Table $name]]]
    }
}
"""


def test_tables_are_the_same_in_tcl_9(run_tcl: RunTcl) -> None:
    if not Path(TCLSH9[0]).exists():
        pytest.skip("no Tcl 9: tools/setup.sh programs")
    older, newer = (
        dict(line.split("=") for line in run_tcl(TABLES, shell=shell).stdout.splitlines())
        for shell in (TCLSH, TCLSH9)
    )
    both = older.keys() & newer.keys()
    assert len(both) > 35
    assert {name: older[name] for name in both} == {name: newer[name] for name in both}


# -- what scripts send and read --------------------------------------------------------

BEGIN = """
package require kafka
lassign $argv topic
fconfigure stdout -encoding utf-8
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id $topic fetch.wait.max.ms 10
m producer_creator p
p new_topic out $topic
m consumer_creator c
c new_topic in $topic
m subscriber s
proc got {list} {
    incr ::count
    if {[dict exists $list error]} {
        puts "[dict get $list code] at [dict get $list offset]: [dict get $list message]"
    } else {
        puts [list [dict get $list payload] {*}[expr {[dict exists $list key] ? [list [dict get $list key]] : ""}]]
    }
}
proc row {} {
    upvar 1 row row
    got [array get row]
}
proc await {condition} {
    set limit [after 20000 {error late}]
    while {![uplevel 1 [list expr $condition]]} {vwait ::count}
    after cancel $limit
}
proc failing {script} {
    puts [expr {[catch {uplevel 1 $script} result] ? "$result: [lindex $::errorCode 1]" : "no error"}]
}
set count 0
"""

SENT = r"""
out encoding utf-8
out produce 0 "gr\u00fc\u00df \u20ac" k\u00e9
out produce 0 "nul\0 \ud83d\ude00"
out produce_batch 0 [list [list \u65e5 \u672c] [list plain]]
failing {out produce 0 "ab\ud800c"}
failing {out produce 0 x "\ud800"}
failing {out produce_batch 0 [list [list fine] [list \ud800]]}
puts [out info consistent_partition k\u00e9]
out encoding cp1252
out produce 0 "\u20ac"
failing {out produce 0 "x\u0416"}
out encoding shiftjis
out produce 0 "\u65e5\u672c"
failing {out produce 0 "\u00e9"}
out encoding binary
out produce 0 "\u00e9"
failing {out produce 0 "\u20ac"}
puts [out encoding]
while {[p output_queue_length]} {p poll 100}
"""


@also_in_tcl9
def test_what_is_produced_is_text_in_the_encoding(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(BEGIN + SENT, topic, brokers=embedded_cluster)
    assert done.status == 0, done
    text = (
        "kafka error: Local: Invalid argument or configuration (character U+{} at position {} of the {} {}): "
        + ("RD_KAFKA_RESP_ERR__INVALID_ARG")
    )
    assert done.stdout.splitlines() == [
        text.format("D800", 2, "payload", "is not in utf-8"),
        text.format("D800", 0, "key", "is not in utf-8"),
        text.format("D800", 0, "payload", "is not in utf-8"),
        str(consistent("k\xe9".encode(), 4)),
        text.format("0416", 1, "payload", "is not in cp1252"),
        text.format("00E9", 0, "payload", "is not in shiftjis"),
        text.format(
            "20AC",
            0,
            "payload",
            "is no byte: encode text first, as with encoding convertto utf-8",
        ),
        "binary",
    ]
    assert stored(embedded_cluster, topic, 7) == [
        ("gr\xfc\xdf \u20ac".encode(), "k\xe9".encode()),
        ("nul\0 \U0001f600".encode(), None),
        ("\u65e5".encode(), "\u672c".encode()),
        (b"plain", None),
        (b"\x80", None),
        ("\u65e5\u672c".encode("shift_jis"), None),
        (b"\xe9", None),
    ]


ALL_THAT_IS_SENT = r"""
out encoding utf-8
out produce 0 \u00e9 k\u00e9 -headers [list h\u00e9 \xe9]
out produce 0 \u00e9 k\u00e9
out tombstone 0 \u20ac
out produce_messages [list [dict create payload \u20ac key \u00e9] [dict create payload \u00e9]] -partition 0
puts [expr {[out info partition_for \u00e9] == [out info consistent_partition \u00e9]}]
foreach call {
    {out produce_messages [list [dict create payload x] [dict create payload \u00e9\ud800]]}
    {out produce 0 x \ud800 -tag 1}
} {
    catch $call message
    puts $message
}
p flush
"""


@also_in_tcl9
def test_messages_of_all_kinds_are_sent_in_the_encoding(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(BEGIN + ALL_THAT_IS_SENT, topic, brokers=embedded_cluster)
    assert done.status == 0, done
    text = (
        "kafka error: Local: Invalid argument or configuration "
        "(character U+D800 at position {} of the {} is not in utf-8)"
    )
    assert done.stdout.splitlines() == ["1", text.format(1, "payload of message 1"), text.format(0, "key")]
    one = "\xe9".encode()
    assert stored(embedded_cluster, topic, 5) == [
        (one, b"k" + one),
        (one, b"k" + one),
        (None, "\u20ac".encode()),
        ("\u20ac".encode(), one),
        (one, None),
    ]


def stored(cluster: Cluster, topic: str, count: int) -> list[tuple[bytes | None, bytes | None]]:
    """The payloads and keys of partition 0."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "look", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = [message for _ in range(count) for message in consumer.consume(1, 20)]
    consumer.close()
    return [(message.value(), message.key()) for message in messages]


READ = {
    "consume": """
        in encoding utf-8
        in start 0 0
        while {$count < 3} {in consume 0 20000 row; row}
        failing {in consume 0 20000 row}
        puts [array size row]
        failing {in consume 0 20000 row}
        in encoding binary
        in consume 0 20000 row; row
        in encoding utf-8
        in consume 0 20000 row; row
    """,
    "consume_batch": """
        in encoding utf-8
        in start 0 0
        puts [in consume_batch 0 20000 9 row row]
        puts [in consume_batch 0 20000 9 row {row; break}]
        in encoding binary
        puts [in consume_batch 0 20000 1 row row]
        in encoding utf-8
        puts [in consume_batch 0 20000 1 row row]
    """,
    "consume_callback": """
        in encoding utf-8
        in start 0 0
        while {$count < 4} {in consume_callback 0 20000 got}
        in encoding binary
        while {$count < 6} {in consume_callback 0 20000 got}
    """,
    "callback": """
        in encoding utf-8
        in start 0 0 got
        await {$count == 4}
        set tick [after 200 {incr count}]
        await {$count == 5}
        in encoding binary
        await {$count == 7}
    """,
    "queue": """
        c create_queue q
        q encoding utf-8
        in start_queue 0 0 q
        while {$count < 3} {q consume 20000 row; row}
        failing {q consume 20000 row}
        q encoding binary
        q consume 20000 row; row
        q encoding utf-8
        q consume 20000 row; row
    """,
    "queue_callback": """
        c create_queue q
        q encoding utf-8
        q consume_callback got
        in start_queue 0 0 q
        await {$count == 4}
        q encoding binary
        await {$count == 6}
    """,
    "subscriber": """
        s encoding utf-8
        s assign [list $topic 0 0]
        while {$count < 5} {got [s consume 20000]}
        puts [lrange [lindex [s offsets [list $topic 0]] 0] 2 end]
        s encoding binary
        got [s consume 20000]
        s encoding utf-8
        got [s consume 20000]
    """,
    "subscriber_callback": """
        s encoding utf-8
        s callback {apply {list {
            got $list
            # The pattern of the manual: bytes for the one that is no text.
            s encoding [expr {[dict exists $list error] ? "binary" : "utf-8"}]
        }}}
        s assign [list $topic 0 0]
        await {$count == 6}
    """,
}
TEXTS = [
    Sent("\xe9".encode()),
    Sent("\U0001f600".encode(), "\u20ac".encode()),
    Sent(None),
    Sent(b"ab\xff"),
    Sent(b"last"),
]
ERROR = (
    "the payload of the message at offset 3 of partition 0 of topic '{}' is no utf-8 at byte 2: "
    "encoding binary reads it as it is"
)


@also_in_tcl9
@pytest.mark.parametrize("way", READ)
def test_what_is_no_text_stays_until_it_is_read_as_bytes(
    way: str, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    topic = embedded_cluster.topic()
    produce(embedded_cluster.bootstrap_servers, topic, TEXTS)
    done = run_everywhere(BEGIN + READ[way], topic, brokers=embedded_cluster)
    assert done.status == 0, done
    text = ERROR.format(topic)
    told = f"RD_KAFKA_RESP_ERR__VALUE_DESERIALIZATION at 3: {text}"
    raised = (
        f"kafka error: Local: Value deserialization error ({text}): RD_KAFKA_RESP_ERR__VALUE_DESERIALIZATION"
    )
    fine, bytes_, last = ["\xe9", "\U0001f600 \u20ac", "{}"], "ab\xff", "last"
    expected = {
        "consume": [*fine, raised, "0", raised, bytes_, last],
        "consume_batch": [*fine, told, "4", told, "1", bytes_, "1", last, "1"],
        "queue": [*fine, raised, bytes_, last],
        "subscriber": [*fine, told, told, "3", bytes_, last],
    }
    assert done.stdout.splitlines() == expected.get(way, [*fine, told, bytes_, last])


def test_a_key_is_told_of_too(embedded_cluster: Cluster, run_tcl: RunTcl) -> None:
    topic = embedded_cluster.topic()
    produce(embedded_cluster.bootstrap_servers, topic, [Sent(b"x", b"\xff")])
    done = run_tcl(BEGIN + "in encoding utf-8; in start 0 0; failing {in consume 0 20000 row}", topic,
                   brokers=embedded_cluster)  # fmt: skip
    assert "Local: Key deserialization error (the key of the message at offset 0" in done.stdout
