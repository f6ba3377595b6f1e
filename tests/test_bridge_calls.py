"""Bridge calls answer whatever they are given: no Python exception crosses into Tcl."""

from __future__ import annotations

import inspect
import os
import socket
import tkinter
from collections.abc import Iterator
from typing import Any

import pytest
from fix_cluster import Cluster

import kafkatcl
from kafkatcl.bridge.calls import BRIDGE_CALLS
from kafkatcl.bridge.inprocess import define_call, define_command, on_readable

HOSTILE: list[Any] = [
    *(
        "",
        " ",
        "-1",
        "-2",
        "0",
        "2147483647",
        "2147483648",
        "-2147483649",
        "18446744073709551616",
        "9" * 10_000,
    ),
    *(
        "1e3",
        "NaN",
        "abc",
        "{",
        "a b {c",
        "[exit]",
        "$x",
        "\\",
        "\n",
        "nul\0nul",
        "é",
        "\u20ac",
        "x" * 65_536,
    ),
    *(
        b"\xed\xa0\x80 lone surrogate",
        b"\xff\x00\xfe",
        b"",
        ("a", ("b", "c")),
        5,
        1.5,
        True,
        "::set",
        "#auto",
        "%s",
    ),
]

#: Waiting so long would be no failure, but no test either.
LONG_WAITS = ("-1", "-2", "2147483647")

# What is given for a parameter while another one gets a hostile value; the identifiers
# are filled in.
PLAIN = {
    "prefix": "p",
    "kind": "error",
    "wanted": "0",
    "interval": "1",
    "partitioner": "random",
    "logger": "none",
    "level": "info",
    "code": "-185",
    "reason": "text",
    "name": "t",
    "key": "k",
    "partition": "0",
    "payload": "x",
    "start_offset": "0",
    "callback_id": "",
    "text": "1",
    "timeout_ms": "0",
    "max_count": "1",
    "wait": "0",
    "rest": "0",
    "waiting": "0",
    "cached": "1",
    "to_seek": "0",
    "number": "0",
    "brokers": "127.0.0.1:1",
    "topics": "x",
    "offset": "0",
    "how": "accept",
    "settings": "client.id",
    "settings_from": "2",
    "singles": "x" * 256,
    "texts": "x",
    "words": "x",
    "object_id": "none",
    "batch": "none",
    "walk": "none",
    "delivery": "none",
    "until": "end",
    "count": "1",
    "keep": "0",
    "until_reports": "0",
    "queued": "0",
    "in_flight": "0",
}
# A message to produce in a batch, and a position, have several words.
MORE_WORDS = {"produce": ("x",), "subscriber": ("0", "0"), "reader": ("0", "0")}
# What only our own Tcl gives, never a script: a wrong one is a fault of ours, and told
# as such.
OURS = {
    "session": set(),
    "kind": {"handle_create"},
    "max_count": {"events_take", "events_take_reports"},
    "count": {"produce_message", "read_batch"},
    "number": {"events_requeue"},
    "singles": {"encoding_table"},
    "words": {"events_acknowledge", "produce_batch", "produce_message", "encoding_table"},
    "settings_from": {"shown_call"},
    "rest": {"batch_end"},
    "waiting": {
        "events_answer_recall",
        "read_acknowledge",
        "read_requeue",
        "read_batch",
        "walk_acknowledge",
        "walk_requeue",
        "walk_end",
    },
    "batch": {"batch_end"},
}


class Bridge:
    """The bridge calls of an interpreter, and an object of each kind."""

    def __init__(self, cluster: Cluster) -> None:
        self.app = tkinter.Tcl().tk
        kafkatcl.install(self.app)
        self.app.eval("package require kafka")
        session = self.app.eval("set ::kafkatcl::session")
        master = self.value("master_create", session)
        settings = (
            "bootstrap.servers",
            cluster.bootstrap_servers,
            "group.id",
            "hostile",
            "fetch.wait.max.ms",
            "5",
        )
        self.answer("master_config", master, *settings)
        kinds = ("producer", "consumer", "subscriber", "share_subscriber")
        self.handles = {kind: self.value("handle_create", session, master, kind) for kind in kinds}
        topic = cluster.topic()
        self.spare = self.value("handle_create", session, self.value("master_create", session), "producer")
        self.topics = {
            kind: self.value("topic_create", self.handles[kind], topic)[0]
            for kind in ("producer", "consumer")
        }
        self.known = {
            "session": session,
            "master": self.value("master_create", session),
            "handle": self.handles["producer"],
            "queue": self.value("queue_create", self.handles["consumer"]),
            "subscriber": self.handles["subscriber"],
            "topic": self.topics["producer"],
            "source": self.topics["consumer"],
            "reader": self.topics["consumer"],
        }

    def answer(self, name: str, *words: Any) -> tuple[Any, ...]:
        """What a bridge call answers; an exception
        that crosses into Tcl is an error with an empty message.
        """
        found = self.app.call(f"::kafkatcl::bridge::{name}", *words)
        return found if isinstance(found, tuple) else tuple(self.app.splitlist(found))

    def value(self, name: str, *words: Any) -> Any:
        status, value = self.answer(name, *words)
        assert status == 0
        return value

    def plain(self, name: str) -> list[tuple[str, str]]:
        """The parameters of a bridge call, and harmless words for them."""
        consumes = name in {"start", "start_queue", "stop", "consume", "consume_batch"}
        known = {**PLAIN, **self.known, **({"topic": self.topics["consumer"]} if consumes else {})}
        if name == "handle_add_brokers":  # a client with bad brokers takes long to answer
            known["handle"] = self.spare
        elif name == "handle_create":
            known["kind"] = "none"
        elif name == "produce_batch":
            known["words"] = "1"
        elif name.startswith("share_"):
            known["subscriber"] = self.handles["share_subscriber"]
        parameters = list(inspect.signature(BRIDGE_CALLS[name]).parameters)
        given = [(parameter, known[parameter]) for parameter in parameters]
        if parameters[-1:] == ["words"]:
            given += [("words", word) for word in MORE_WORDS.get(name.partition("_")[0], ())]
        return given

    def close(self) -> None:
        for object_id in (*self.topics.values(), *self.handles.values(), self.spare):
            self.answer("delete", object_id)


@pytest.fixture(scope="module")
def bridge(embedded_cluster: Cluster) -> Iterator[Bridge]:
    made = Bridge(embedded_cluster)
    yield made
    made.close()


def check(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """An answer is nothing, a value, or a failure with a text and an errorCode."""
    if answer == ():
        return answer
    assert answer[0] in (0, 1)
    if answer[0] == 1:
        assert str(answer[1])
        assert "Traceback" not in str(answer[1])
        assert str(answer[2][0]) in {"KAFKA", "TCL", "ARITH", "NONE"}
    return answer


def is_address(word: Any) -> bool:
    """Whether ``word`` is a number that stands for a host:
    1.5 is 1.0.0.5, where this test has no business.
    """
    try:
        socket.inet_aton(str(word).strip())
    except (OSError, UnicodeError, ValueError):
        return False
    return True


def is_fault(answer: tuple[Any, ...]) -> bool:
    return len(answer) > 2 and [str(word) for word in answer[2][:2]] == ["KAFKA", "INTERNAL"]


def assert_nothing_pending(app: Any) -> None:
    """An exception that had crossed into Tcl would come out of the next mainloop,
    of any interpreter.
    """
    for loop in (app, tkinter.Tcl().tk):
        loop.createcommand("leave_loop", loop.quit)
        loop.call("after", 1, "leave_loop")
        loop.mainloop(-1)


@pytest.mark.parametrize("name", BRIDGE_CALLS)
def test_hostile_words(name: str, bridge: Bridge, capfd: pytest.CaptureFixture[str]) -> None:
    parameters = bridge.plain(name)
    for position, (parameter, _) in enumerate(parameters):
        for hostile in HOSTILE:
            if parameter == "timeout_ms" and hostile in LONG_WAITS:
                continue
            if parameter == "brokers" and is_address(hostile):
                continue
            words: list[Any] = [word for _, word in parameters]
            words[position] = hostile
            answer = check(bridge.answer(name, *words))
            ours = parameter == "session" or name in OURS.get(parameter, ())
            assert ours or name == "batch_end" or not is_fault(answer), (words, answer)
    assert_nothing_pending(bridge.app)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("name", BRIDGE_CALLS)
def test_wrong_counts(name: str, bridge: Bridge) -> None:
    words = [word for _, word in bridge.plain(name)]
    for count in range(len(words)):
        check(bridge.answer(name, *words[:count]))
    for more in (1, 2, 3, 1000):
        check(bridge.answer(name, *words, *["x"] * more))
    assert_nothing_pending(bridge.app)


def test_the_objects_have_survived(bridge: Bridge) -> None:
    answer = bridge.answer("produce", bridge.topics["producer"], "0", "still here")
    assert answer == ()
    assert (
        bridge.value(
            "handle_partitions",
            bridge.handles["consumer"],
            bridge.value("topic_name", bridge.topics["consumer"]),
        )
        == 4
    )


@pytest.fixture
def fresh_bridge(embedded_cluster: Cluster) -> Iterator[Bridge]:
    """One whose objects nobody has used."""
    made = Bridge(embedded_cluster)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["topic", "queue", "subscriber"])
def test_what_was_read_ahead_can_be_given_back(kind: str, fresh_bridge: Bridge) -> None:
    bridge, topic = fresh_bridge, fresh_bridge.topics["consumer"]
    for _ in range(50):
        assert bridge.answer("produce", bridge.topics["producer"], "0", "x") == ()
    consume: tuple[str, ...]
    if kind == "topic":
        source, consume = topic, ("consume", topic, "0", "10000")
        bridge.answer("start", topic, "0", "0", "")
    elif kind == "queue":
        source = bridge.known["queue"]
        consume = ("queue_consume", source, "10000")
        bridge.answer("start_queue", topic, "0", "0", source)
    else:
        source = bridge.known["subscriber"]
        consume = ("subscriber_consume", source, "10000")
        bridge.answer("subscriber_assign", source, bridge.value("topic_name", topic), "0", "0")

    def offsets() -> list[int]:
        item = bridge.app.call("::kafkatcl::layouts::Received", bridge.value(*consume))
        what, _, partition, layout, fields = item
        assert (what, partition, layout) == ("messages", 0, "plain")
        return [int(offset) for offset in fields[1::3]]

    found = offsets()
    assert found == [0]
    while len(found) < 3:
        found = offsets()
    assert bridge.answer("read_acknowledge", source, "0", "2") == ()
    assert bridge.answer("read_requeue", source, "0", "2") == ()
    assert offsets() == found[-2:-1]
    assert offsets() == found[-1:]
    bridge.answer("stop", topic, "0")
    for gone in (source, "gone"):  # nothing is put back
        for name in ("read_acknowledge", "read_requeue"):
            assert bridge.answer(name, gone, "0", "1") == ()


ERRORS = [
    ValueError("x"),
    KeyboardInterrupt(),
    SystemExit(3),
    RecursionError(),
    MemoryError(),
    GeneratorExit(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_a_function_raises_is_an_answer(error: BaseException) -> None:
    def raising(*_words: str) -> None:
        raise error

    app = tkinter.Tcl().tk
    define_call(app, "primitive", raising)
    assert app.call("primitive")[0] == 1
    define_command(app, "command", raising)
    assert (
        app.eval(
            "list [catch {command} text options] [expr {$text ne {}}] [lindex [dict get $options -errorcode] 0]"
        )[:3]
        == "1 1"
    )
    assert_nothing_pending(app)


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"], ids=ascii)
def test_texts_that_tkinter_cannot_pass_are_an_answer(value: str) -> None:
    def raising() -> None:
        raise ValueError(value)

    app = tkinter.Tcl().tk
    define_call(app, "primitive", raising)
    assert app.call("primitive")[0] == 1
    assert_nothing_pending(app)


def test_a_file_event_that_raises_is_silent() -> None:
    app = tkinter.Tcl().tk
    reading, writing = os.pipe()
    seen = []

    def readable() -> None:
        seen.append(os.read(reading, 1))
        raise ValueError("x")

    on_readable(app, reading, readable)
    os.write(writing, b"1")
    app.call("update")
    assert seen == [b"1"]
    assert_nothing_pending(app)
    app.deletefilehandler(reading)
    os.close(reading)
    os.close(writing)
