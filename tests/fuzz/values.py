"""The values of the grammar: Tcl source text of one word each,
by the kind of what a position takes.

A kind has usual values, with which a call succeeds, and others.  To be extended: add a
kind here, and name it in ``commands.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuzz import words


@dataclass(frozen=True)
class Kind:
    """What a position of a call takes: usual values, and hostile ones."""

    usual: tuple[str, ...]
    hostile: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "partition": Kind(
        ("0", "0", "1", "2", "3"), ("-1", "-2", "-3", "4", "99", "2147483647", *words.INTEGERS)
    ),
    "timeout": Kind(words.TIMES, words.INTEGERS),
    "count": Kind(("0", "1", "10", "100"), ("-1", "-2147483648", "2147483647", *words.INTEGERS)),
    "interval": Kind(("0", "1", "3", "-1"), ("2147483647", "-2147483648", *words.INTEGERS)),
    "code number": Kind(("-185", "0", "1", "-1", "7", "99999"), ("2147483647", *words.INTEGERS)),
    "offset": Kind(
        ("0", "1", "beginning", "end", "-1", "-5", "@0", "@1700000000000"),
        (
            *("stored", "invalid", "-1001", "-2000", "-1000000", "100000", "9223372036854775807"),
            *(
                "-4611686018427387904",
                "beg",
                "END",
                "@",
                "@-1",
                "@x",
                "@9223372036854775807",
                *words.INTEGERS,
            ),
        ),
    ),
    "payload": Kind(
        ("x", "hello", "[binary format H* 00ff]"),
        (*words.TEXTS, "[string repeat x 1000001]", "[string repeat x 5000000]"),
    ),
    "key": Kind(("k", "key", "{}"), words.TEXTS),
    "encoding": Kind(
        ("utf-8", "cp1252", "iso8859-1"),
        ("shiftjis", "unicode", "iso2022-jp", "ascii", "UTF-8", "none", *words.TEXTS),
    ),
    "fields": Kind(
        ("{}", "end", "leader_epoch", "{end leader_epoch}"),
        ("delivery_count", "{end end}", "key", "{end x}", *words.LISTS, *words.TEXTS),
    ),
    "headers": Kind(
        ("{a b}", "{a 1 a 2 b {}}", "{}", "[list \\u20ac [binary format H* 00ff]]"),
        (
            "{a}",
            '"a \\{"',
            "[list a\\u0000b c]",
            "[list a \\u20ac]",
            "[lrepeat 2000 x]",
            *words.LISTS,
            *words.TEXTS,
        ),
    ),
    "places": Kind(("{}", "0", "{2 1}"), ("{0 0}", "-1", "99", "x", *words.LISTS, *words.INTEGERS)),
    "timestamp": Kind(
        ("0", "1700000000000"), ("-1", "9223372036854775807", "9223372036854775808", "1e3", *words.INTEGERS)
    ),
    "boolean": Kind(("yes", "0", "true"), ("perhaps", "2", *words.TEXTS)),
    "messages": Kind(
        ("{{payload a}}", "{{payload a key k partition 1 headers {a b}} {key k tombstone 1}}", "{}"),
        (
            *(
                "{{payload a nosuch b}}",
                "{{payload a partition 99}}",
                "{{payload a headers {a}}}",
                "{{key k}}",
            ),
            *(
                "[lrepeat 5000 {payload x timestamp 5}]",
                "{{payload a tag \\u20ac}}",
                "{{payload a timestamp -9}}",
            ),
            *("[list [dict create payload {a b} headers {a b}]]", "{{payload}}", "{{}}"),
            *words.LISTS,
            *words.TEXTS,
        ),
    ),
    "rows": Kind(
        ("{a b}", "{{a k} b}", "[lrepeat 20 x]", "[list [list {a b} k]]"),
        (*words.LISTS, *words.TEXTS, "[lrepeat 100000 x]"),
    ),
    "topic": Kind(
        ("$topic", "$topic", "fuzz.other"),
        (
            *map(words.word, words.TOPIC_CHARACTERS),
            *(
                "[string repeat x 249]",
                "[string repeat x 250]",
                "[string repeat x 512]",
                "[string repeat x 513]",
            ),
            *words.TEXTS,
        ),
    ),
    "position": Kind(
        (
            "[list $topic 0]",
            "[list $topic 1 0]",
            "[list $topic 2 beginning]",
            "[list $topic 3 end]",
            "[list $topic 0 @0]",
            "[list $topic 1 5 metadata]",
            "$topic",
        ),
        (
            *(
                "[list $topic 0 0]",
                "[list $topic 99 5]",
                "[list $topic -1]",
                "[list $topic 0 invalid]",
                "^fuzz.*",
            ),
            *("[list {} 0 0]", "[list $topic 0x1 1e3]", "[list $topic {} {}]", "[list $topic 0 -1000000]"),
            *(
                "[list $topic 2147483647 0]",
                "[list $topic 0 stored more]",
                "[list $topic 0 @later]",
                r'[list $topic 0 5 "a\u0000b"]',
                "[list $topic 0 5 [string repeat x 5000]]",
                "^[list $topic]",
                *words.LISTS,
                *words.TEXTS,
            ),
        ),
    ),
    "until": Kind(("end", "@1", "@0"), ("@", "@x", "@-1", "@99999999999999", "END", *words.INTEGERS)),
    "array": Kind(("row", "row", "other"), words.ARRAYS),
    "code": Kind(("{incr fuzz::count}", "{}"), words.CODES),
    "callback": Kind(("fuzz::Note", "{fuzz::Note more}"), words.CALLBACKS),
    "name": Kind(("x", "#auto", "y"), words.NAMES),
    "member": Kind(("st", "::st"), ("s", "p", "tc", "nosuch", *words.NAMES)),
    "queue": Kind(("q", "::q"), ("tc", "m", "nosuch", *words.NAMES)),
    "brokers": Kind(
        ("$brokers", "[lindex $brokers 0]"), ("{}", "{{}}", '"a \\{"', r'"a\u0000b"', "{,}", "{ }")
    ),
    "stray brokers": Kind(("127.0.0.1:1",), words.BROKERS),
    "global property": Kind(
        ("client.id", "linger.ms", "retries"), (*words.PROPERTIES, *words.MORE_PROPERTIES, *words.TEXTS)
    ),
    "topic property": Kind(
        ("acks", "compression.codec", "message.timeout.ms"),
        (*words.PROPERTIES, *words.MORE_PROPERTIES, *words.TEXTS),
    ),
    "property value": Kind(
        ("1", "10", "gzip", "true", "consumer"),
        (
            *words.INTEGERS,
            *words.TEXTS,
            "1099511627776",
            "10s",
            "5min",
            "[string repeat x 100000]",
            "ssl",
            "debug",
            "all",
        ),
    ),
    "log level": Kind(("emerg", "alert", "info", "debug"), ("7", "INFO", "inf", *words.TEXTS)),
    "partitioner": Kind(("random", "consistent"), ("murmur2", "rand", *words.TEXTS)),
    "logger": Kind(("none", "callback"), ("stderr", "syslog", "file", *words.TEXTS)),
    "acknowledgement": Kind(("accept", "release", "reject"), ("renew", "acc", *words.TEXTS)),
    "report option": Kind(("callback", "sample", "every"), ("ever", *words.TEXTS)),
    "topic info": Kind(
        ("name", "partitions", "output_queue_length", "consistent_partition"), ("part", *words.TEXTS)
    ),
    "handle info": Kind(("topics", "brokers", "partitions"), ("top", *words.TEXTS)),
    "meta": Kind(("refresh",), ("print", "refres", *words.TEXTS)),
    "group": Kind(("fuzzers",), words.TEXTS),
    "creator words": Kind(
        ("name", "{*}{info topics}", "{*}{log_level info}"),
        (
            "{*}{new_topic x fuzz.more}",
            "{*}{create_queue x}",
            "{*}{info}",
            "{*}{poll 0}",
            "nosuch",
            "{*}{meta x}",
            *words.TEXTS,
        ),
    ),
    "easy options": Kind(("{*}[list -brokers $brokers]",), ("-brokers", "{*}{-x y}", "x", *words.TEXTS)),
    "text": Kind(("text", "{some text}"), words.TEXTS),
    "child script": Kind(
        ("{kafka::kafka create m; m producer_creator p; p new_topic t x; t produce 0 x}",),
        (
            "{kafka::kafka create set}",
            "{kafka::kafka create m; m producer_creator list}",
            "{kafka::kafka create exit}",
            "{kafka::kafka create m; m consumer_creator c; c new_topic proc x}",
            "{kafka::kafka create m; namespace delete ::kafkatcl}",
            "{kafka::kafka create m; m consumer_creator c; rename m {}; c name}",
            "{kafka::kafka create m; m error_callback {interp delete {}}; m producer_creator p}",
            "{proc ::kafka::kafka {args} {}; kafka::kafka create m}",
            "{rename ::kafka::kafka other; other create m; m consumer_creator c}",
            "{interp limit {} commands -value 1; kafka::kafka create m}",
            "{interp recursionlimit {} 5; kafka::kafka create m; m producer_creator p}",
        ),
    ),
    "child end": Kind(("delete",), ("rename", "delete-in", "forget")),
    "child kind": Kind(("plain",), ("safe", "nested")),
}
