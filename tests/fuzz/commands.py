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
        "delete": [()],
    },
    "producer_topic": {
        "produce": [("partition", "payload"), ("partition", "payload", "key")],
        "produce_batch": [("partition", "rows")],
        "info": [("topic info",), ("=consistent_partition", "key")],
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
        "consume_start_queue": [("partition", "offset", "queue")],
        "stop": [("partition",)],
        "consume_stop": [("partition",)],
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
#: those of s2 join the group of s.
OBJECTS: dict[str, tuple[str, ...]] = {
    "kafka": ("kafka::kafka",),
    "master": ("m", "m", "mn"),
    "handle": ("p", "p", "c", "c", "pn", "cn"),
    "producer_topic": ("tp", "tp", "tp", "tpn"),
    "consumer_topic": ("tc", "tc", "tc", "tcn"),
    "queue": ("q", "q", "qn"),
    "subscriber": ("s", "s", "s2", "sn"),
    "easy": ("",),
    "scene": ("",),
}

#: The subcommands that wait 5 s for a broker, where objects know none.
WAITING = {"watermarks", "offsets"}
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
