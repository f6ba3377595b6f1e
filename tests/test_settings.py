"""Values of properties: numbers that are none, and the way back to the default."""

from __future__ import annotations

from typing import Any

import pytest
from fix_tcl import RunTcl

from kafkatcl.engine.settings import set_property
from kafkatcl.librdkafka.conf import GlobalConf, PropertyError, TopicConf

NO_WHOLE_NUMBERS = (
    *("1e4", "1.0e2", "1.5", "1.0", "10s", "5min", "5 min", "1M", "50m", "1,000", "10_000", "1'000", "1 000"),
    *("010", "0b11", "0x", "0x1G", "1-", "1+1", "inf", "nan", "2147483648", "99999999999999999999"),
    "9" * 5000,
)


def with_integers() -> list[tuple[type[GlobalConf | TopicConf], str]]:
    """All properties that have a number, hidden ones too."""
    found = []
    for conf in (GlobalConf, TopicConf):
        dump = conf().dump()
        for name, value in zip(dump[::2], dump[1::2]):
            if value.lstrip("-").isdigit() and name != "queue.buffering.max.ms":
                found.append((conf, name))
    return found


@pytest.mark.parametrize("value", NO_WHOLE_NUMBERS, ids=lambda value: value[:20])
def test_an_integer_property_takes_whole_numbers_only(value: str) -> None:
    assert len(with_integers()) > 60
    for conf, name in with_integers():
        made = conf()
        before = made.dump()
        with pytest.raises(
            PropertyError, match=f'for configuration property "{name}": must be a whole number'
        ):
            made.set(name, value)
        assert (made.dump(), made.settings) == (before, {})


@pytest.mark.parametrize("value", ["5min", "1,000", "10_000", "0.5s", "nan", "inf", "0x1", "1e", "1.5.2"])
def test_a_property_of_a_fraction_takes_numbers_only(value: str) -> None:
    with pytest.raises(PropertyError, match=r'property "linger\.ms": must be a number'):
        GlobalConf().set("linger.ms", value)


@pytest.mark.parametrize(
    ("conf", "name", "value", "canonical", "shown"),
    [
        (GlobalConf, "linger.ms", "1e2", "queue.buffering.max.ms", "100"),
        (GlobalConf, "linger.ms", ".5 ", "queue.buffering.max.ms", "0.5"),
        (GlobalConf, "linger.ms", "0.50", "queue.buffering.max.ms", "0.5"),
        (GlobalConf, "session.timeout.ms", " 6000\n", "session.timeout.ms", "6000"),
        (GlobalConf, "session.timeout.ms", "+6000", "session.timeout.ms", "6000"),
        (GlobalConf, "session.timeout.ms", "0x10", "session.timeout.ms", "16"),
        (TopicConf, "acks", "all", "request.required.acks", "-1"),
        (TopicConf, "acks", "-1", "request.required.acks", "-1"),
        (TopicConf, "acks", "0", "request.required.acks", "0"),
    ],
)
def test_numbers_that_are_taken(conf: Any, name: str, value: str, canonical: str, shown: str) -> None:
    made = conf()
    made.set(name, value)
    assert made.get(canonical) == shown


def test_a_text_may_be_no_number() -> None:
    made = GlobalConf()
    made.set("client.id", "10s")
    assert made.get("client.id") == "10s"


@pytest.mark.parametrize("conf", [GlobalConf, TopicConf])
def test_an_empty_value_sets_the_default_of_every_property(conf: type[GlobalConf | TopicConf]) -> None:
    made = conf()
    made.set("compression.codec", "gzip")
    before = made.dump()
    for name in before[::2]:
        if name != "compression.codec":
            set_property(made, name, "")
    assert (made.dump(), made.settings) == (before, {"compression.codec": "gzip"})


@pytest.mark.parametrize(
    ("conf", "name", "value", "other"),
    [
        (GlobalConf, "linger.ms", "100", "queue.buffering.max.ms"),
        (GlobalConf, "queue.buffering.max.ms", "100", "linger.ms"),
        (GlobalConf, "bootstrap.servers", "a:1", "metadata.broker.list"),
        (GlobalConf, "group.id", "g", "group.id"),
        (GlobalConf, "enable.idempotence", "true", "enable.idempotence"),
        (GlobalConf, "security.protocol", "ssl", "security.protocol"),
        (GlobalConf, "debug", "all", "debug"),
        (TopicConf, "acks", "1", "request.required.acks"),
        (TopicConf, "compression.type", "gzip", "compression.codec"),
        (TopicConf, "partitioner", "random", "partitioner"),
    ],
)
def test_and_as_if_it_had_never_been_set(conf: Any, name: str, value: str, other: str) -> None:
    made = conf()
    made.set("compression.level" if conf is TopicConf else "client.id", "1")
    before, settings = made.dump(), dict(made.settings)
    made.set(name, value)
    assert made.dump() != before
    made.set(other, " ")
    assert (made.dump(), made.settings) == (before, settings)


SCRIPT = """
package require kafka
kafka::kafka create m
m config session.timeout.ms 6000 max.block.ms 5 group.id g session.timeout.ms {} max.block.ms {}
m topic_config acks 1 acks {}
puts [dict get [m config] session.timeout.ms]
puts [dict exists [m config] max.block.ms]
puts [dict get [m topic_config] request.required.acks]
foreach {name value} {session.timeout.ms 10s session.timeout.ms 0 no.such {} sasl.mechanism {} {} {}} {
    puts [catch {m config $name $value} message]:$message.
}
"""


def test_they_are_so_for_scripts(run_everywhere: RunTcl) -> None:
    assert run_everywhere(SCRIPT).stdout.splitlines() == [
        "45000",
        "0",
        "-1",
        '1:Invalid value "10s" for configuration property "session.timeout.ms": must be a whole number.',
        '1:Configuration property "session.timeout.ms" value 0 is outside allowed range 1..3600000.',
        '1:No such configuration property: "no.such".',
        "0:.",
        '1:No such configuration property: "".',
    ]
