"""The commands of the grammar: for each kind of object its subcommands,
and the kinds of values each takes.

To be extended: add a line to ``SIGNATURES``.  A subcommand that a kind declares and
that is not here gets words of any kind; ``test_fuzz.py`` says which those are.  A
signature that ends with ``...`` takes its last two kinds again and again.
"""

from __future__ import annotations

import re
from pathlib import Path

TCL = Path(__file__).parents[2] / "kafkatcl" / "tcl"

Signature = tuple[str, ...]

_INFO: list[Signature] = [("handle info",), ("=partitions", "topic")]
_META: list[Signature] = [("meta",)]
_CONFIG: list[Signature] = [
    (),
    ("topic property", "property value"),
    ("topic property", "property value", "..."),
]
_ENCODING: list[Signature] = [(), ("encoding",), ("=binary",)]
_FIELDS: list[Signature] = [(), ("fields",)]
_ANY: Signature = ("any", "...")
_START: list[Signature] = [("partition", "offset"), ("partition", "offset", "callback")]

#: kind -> subcommand -> signatures.  A part that begins with = is a word as it stands.
SIGNATURES: dict[str, dict[str, list[Signature]]] = {
    "kafka": {"create": [("name",)], "version": [()]},
    "master": {
        "config": [(), ("global property", "property value"), ("global property", "property value", "...")],
        "topic_config": _CONFIG,
        "producer_creator": [("name",)],
        "consumer_creator": [("name",)],
        "subscriber": [("name",)],
        "share_subscriber": [("name",)],
        "partitioner": [("partitioner",)],
        "delivery_report": [
            ("report option",),
            ("=callback", "callback"),
            ("=every", "interval"),
            ("=every",),
            ("=sample",),
        ],
        "delivery_report_callback": [("callback",)],
        "error_callback": [("callback",)],
        "statistics_callback": [("callback",)],
        "logger": [("logger",), ("=callback", "callback")],
        "add_brokers": [("brokers",)],
        "delete": [()],
    },
    "handle": {
        "name": [()],
        "new_topic": [("name", "topic")],
        "log_level": [("log level",)],
        "add_brokers": [("brokers",)],
        "create_queue": [("name",)],
        "output_queue_length": [()],
        "meta": _META,
        "info": _INFO,
        "config": _CONFIG,
        "partitioner": [("partitioner",)],
        "poll": [(), ("timeout",)],
        "assignment": [()],
        "transaction": [
            ("code",),
            ("=-timeout", "timeout", "code"),
            ("=-offsets", "member", "code"),
            ("=-offsets", "member", "=-timeout", "timeout", "code"),
        ],
        "init_transactions": [(), ("timeout",)],
        "begin_transaction": [()],
        "send_offsets": [("member",), ("member", "position"), ("member", "position", "...")],
        "commit_transaction": [(), ("timeout",)],
        "abort_transaction": [(), ("timeout",)],
        "flush": [("timeout",), ("=-command", "callback", "timeout")],
        "purge": [(), ("=-queued", "boolean"), ("=-in_flight", "boolean")],
        "delete": [()],
    },
    "producer_topic": {
        "produce": [
            ("partition", "payload"),
            ("partition", "payload", "key"),
            ("partition", "payload", "=-headers", "headers"),
            ("partition", "payload", "key", "=-headers", "headers", "=-null_headers", "places"),
            (
                "partition",
                "payload",
                "key",
                "=-timestamp",
                "timestamp",
                "=-tag",
                "text",
                "=-callback",
                "callback",
            ),
        ],
        "tombstone": [("partition", "key"), ("partition", "key", "=-callback", "callback")],
        "produce_messages": [
            ("messages",),
            ("messages", "=-partition", "partition"),
            ("messages", "=-callback", "callback"),
        ],
        "produce_batch": [("partition", "rows")],
        "info": [("topic info",), ("=consistent_partition", "key"), ("=partition_for", "key")],
        "encoding": _ENCODING,
        "creator": [(), ("creator words",)],
        "config": _CONFIG,
        "channel": [(), ("=-partition", "partition"), ("=-key", "key")],
        "delete": [()],
    },
    "consumer_topic": {
        "consume": [("partition", "timeout", "array")],
        "consume_batch": [("partition", "timeout", "count", "array", "code")],
        "consume_callback": [("partition", "timeout", "callback")],
        "start": _START,
        "consume_start": _START,
        "start_queue": [("partition", "offset", "queue")],
        "fields": _FIELDS,
        "encoding": _ENCODING,
        "consume_start_queue": [("partition", "offset", "queue")],
        "stop": [("partition",)],
        "consume_stop": [("partition",)],
        "pause": [("partition",), ("partition", "partition", "...")],
        "resume": [("partition",), ("partition", "partition", "...")],
        "paused": [()],
        "seek": [("partition", "offset"), ("partition", "offset", "=-timeout", "timeout")],
        "position": [("partition",)],
        "info": [("topic info",), ("=consistent_partition", "key")],
        "creator": [(), ("creator words",)],
        "config": _CONFIG,
        "channel": [
            (),
            ("=-partition", "partition", "=-from", "offset"),
            ("=-until", "until"),
        ],
        "delete": [()],
    },
    "queue": {
        "consume": [("timeout", "array")],
        "consume_batch": [("timeout", "count", "array", "code")],
        "consume_callback": [(), ("callback",), ("timeout", "callback")],
        "fields": _FIELDS,
        "encoding": _ENCODING,
        "delete": [()],
    },
    "subscriber": {
        "subscribe": [(), ("topic",), ("position", "...")],
        "unsubscribe": [()],
        "assign": [(), ("position",), ("position", "...")],
        "assignment": [()],
        "commit": [(), ("position",), ("=-async",), ("=-async", "position", "...")],
        "consume": [(), ("timeout",)],
        "foreach": [
            ("array", "=-timeout", "timeout", "=-count", "count", "code"),
            ("array", "=-timeout", "timeout", "=-until", "until", "code"),
        ],
        "channel": [(), ("=-until", "until")],
        "callback": [(), ("callback",)],
        "offsets": [
            ("position", "..."),
            ("=-committed", "position"),
            ("=-timeout", "timeout", "position"),
            ("=-committed", "=-timeout", "timeout", "position", "..."),
        ],
        "pause": [(), ("position",), ("position", "...")],
        "resume": [(), ("position",), ("position", "...")],
        "paused": [()],
        "consume_batch": [("timeout", "count", "array", "code")],
        "seek": [("topic", "partition", "offset"), ("topic", "partition", "offset", "=-timeout", "timeout")],
        "offsets_for_times": [("position", "..."), ("=-timeout", "timeout", "position", "...")],
        "store": [("position",), ("position", "...")],
        "lag": [(), ("=-timeout", "timeout")],
        "incremental_assign": [("position",), ("position", "...")],
        "incremental_unassign": [("position",), ("position", "...")],
        "member_id": [()],
        "rebalance_callback": [(), ("callback",)],
        "fields": _FIELDS,
        "encoding": _ENCODING,
        "watermarks": [
            ("topic", "partition"),
            ("=-cached", "topic", "partition"),
            ("=-timeout", "timeout", "topic", "partition"),
        ],
        "meta": _META,
        "info": _INFO,
        "error": [("code number", "text")],
        "delete": [()],
    },
    "share_subscriber": {
        "subscribe": [(), ("topic",), ("topic", "topic")],
        "unsubscribe": [()],
        "subscription": [()],
        "consume": [(), ("timeout",)],
        "consume_batch": [("timeout", "count", "array", "code")],
        "callback": [(), ("callback",)],
        "acknowledge": [("position",), ("position", "acknowledgement")],
        "commit": [(), ("=-async",), ("=-timeout", "timeout")],
        "error": [("code number", "text")],
        "delete": [()],
    },
    # The procedures of the easy way: the subcommand is the procedure.
    "easy": {
        "kafka::handle_args": [("rows",)],
        "kafka::brokers": [("brokers",)],
        "kafka::setup": [(), ("easy options",)],
        "kafka::setup_producer": [(), ("easy options",)],
        "kafka::setup_consumer": [(), ("easy options",)],
        "kafka::topic_producer": [("name", "topic")],
        "kafka::topic_consumer": [("name", "topic")],
        "kafka::subscriber": [("group",)],
        "kafka::logger": [("text",)],
    },
    # Whole scenes in driver.tcl, of a master whose settings nobody needs, and of
    # children.
    "scene": {
        "fuzz::Configured": [("global property", "property value"), ("topic property", "property value")],
        "fuzz::Astray": [("stray brokers",)],
        "fuzz::Child": [("child kind", "child script", "child end")],
        "fuzz::Forever": [("=topic",), ("=batch",), ("=queue",), ("=subscriber",), ("=poll",)],
    },
}

#: The commands of the objects that driver.tcl makes.  Those with n have no brokers,
#: those of s2 join the group of s, and hx acknowledges for itself.
OBJECTS: dict[str, tuple[str, ...]] = {
    "kafka": ("kafka::kafka",),
    "master": ("m", "m", "mn"),
    "handle": ("p", "p", "c", "c", "pn", "cn", "pt", "pt"),
    "producer_topic": ("tp", "tp", "tp", "tpn", "tpt"),
    "consumer_topic": ("tc", "tc", "tc", "tcn"),
    "queue": ("q", "q", "qn"),
    "subscriber": ("s", "s", "s2", "sn"),
    "share_subscriber": ("h", "h", "hx"),
    "easy": ("",),
    "scene": ("",),
}

#: The subcommands that wait 5 s for a broker, where objects know none.
WAITING = {"watermarks", "offsets", "offsets_for_times", "lag"}
BROKERLESS = {"sn"}

#: What makes an end to the objects that others need, or takes long: drawn less often.
RARE = {"delete": 0.2, "fuzz::Forever": 0.1, "fuzz::Child": 0.3, "fuzz::Astray": 0.1, "fuzz::Configured": 1.0}


def declared() -> dict[str, list[str]]:
    """The subcommands of each kind of object, as the table of the package has them."""
    table = (TCL / "commands.tcl").read_text()
    found: dict[str, list[str]] = {}
    for kind, name in re.findall(r"^Row (\w+) (\w+) ", table, re.MULTILINE):
        found.setdefault(kind, []).append(name)
    return {kind: names for kind, names in found.items() if kind != "easy"}


def signatures(kind: str) -> dict[str, list[Signature]]:
    """The signatures of all subcommands of a kind;
    those that are not written down take anything.
    """
    known = SIGNATURES.get(kind, {})
    unknown = {name: [_ANY] for name in declared().get(kind, ()) if name not in known}
    return {**known, **unknown}
