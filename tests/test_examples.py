"""Every example runs, in each shell,
on an embedded broker of its own and on a real Kafka, and does what it says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Callable

import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_interp import display
from fix_tcl import KAFKATCLSH, TCLSH, RunTcl, also_in_tcl9, environment_of

EXAMPLES = Path(__file__).parent.parent / "examples"
#: What producer.tcl, and messages.tcl on an embedded broker, put into a topic.
MESSAGES = [("DAL201", "departed"), ("UAL17", "arrived"), ("SWA3", "diverted")]

#: Run an example with these words and give what it printed.
RunExample = Callable[..., str]


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def kafka(request: pytest.FixtureRequest) -> Cluster | None:
    """The real Kafka, or None where each example gets an embedded broker of its own."""
    if request.param == "embedded":
        return None
    found: Cluster = request.getfixturevalue("kafka_cluster")
    return found


@pytest.fixture
def topic(kafka: Cluster | None) -> str:
    return kafka.topic() if kafka else "test"


@pytest.fixture
def run(kafka: Cluster | None, shell: Sequence[str], run_tcl: RunTcl) -> RunExample:
    def run_example(name: str, *words: str) -> str:
        brokers = [" ".join(kafka.bootstrap)] if kafka else []
        ended = run_tcl(EXAMPLES / name, *words, *brokers, embedded=kafka is None, shell=shell)
        assert ended.status == 0, ended.stderr
        return ended.stdout

    return run_example


@pytest.fixture
def filled(kafka: Cluster | None, topic: str, run: RunExample) -> str:
    """A topic with ``MESSAGES``; on an embedded broker the example sees
    to that itself.
    """
    if kafka:
        run("producer.tcl", topic)
    return topic


def in_kafka(kafka: Cluster, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Keys and payloads of all messages of a topic, read without any KafkaTcl."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": "look",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        return list(_until_ends(consumer, len(partitions)))
    finally:
        consumer.close()


def committed(kafka: Cluster, group: str, topic: str) -> int:
    """The offset that a group has committed in partition 0 of a topic."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": group})
    try:
        return int(consumer.committed([TopicPartition(topic, 0)], timeout=20)[0].offset)
    finally:
        consumer.close()


def _until_ends(consumer: Consumer, ends: int) -> Iterator[tuple[bytes | None, bytes | None]]:
    while ends:
        message = consumer.poll(30)
        assert message is not None, "the end of a partition did not come"
        if message.error() is None:
            yield message.key(), message.value()
        else:
            ends -= 1


@also_in_tcl9
def test_quickstart(run: RunExample, kafka: Cluster | None, topic: str) -> None:
    if kafka:
        run("producer.tcl", topic)  # the tour can be taken on a topic that holds something
    first = len(MESSAGES) if kafka else 0
    steps = re.split(r"^\d\. ", run("quickstart.tcl", topic), flags=re.MULTILINE)
    told = re.findall(r"offset (\d+): (\w+ is \w+)", "".join(steps[3:5]))
    expected = ["apple is red", "banana is yellow", "lime is green", "peach is orange", "plum is purple"]
    assert [(int(offset), text) for offset, text in told] == list(enumerate(expected, first))
    assert re.findall(r"offset (\d+): (\w+ is \w+)", steps[5]) == told
    assert "8 messages of 2 topics: black blue green orange purple red white yellow" in steps[6]
    assert len(steps) == 8


@also_in_tcl9
def test_producer(run: RunExample, kafka: Cluster | None, topic: str) -> None:
    printed = run("producer.tcl", topic)
    assert printed.splitlines() == [f"produced {payload} with key {key}" for key, payload in MESSAGES]
    if kafka:
        expected = [(key.encode(), payload.encode()) for key, payload in MESSAGES]
        assert in_kafka(kafka, topic) == expected


@also_in_tcl9
def test_consumer(run: RunExample, filled: str) -> None:
    lines = run("consumer.tcl", filled).splitlines()
    fields = dict(found for line in lines for found in re.findall(r"^foo\((\w+)\) += (.*)$", line))
    assert len(fields) == len(lines)
    assert int(fields.pop("timestamp")) > 1_600_000_000_000
    assert fields == {
        "key": "DAL201", "offset": "0", "partition": "0", "payload": "departed", "topic": filled
    }  # fmt: skip


@also_in_tcl9
@pytest.mark.parametrize("name", ["consumer_callback.tcl", "queue_callback.tcl"])
def test_callbacks(run: RunExample, filled: str, name: str) -> None:
    printed = run(name, filled)
    told = re.findall(r"^payload (\w+) .* offset (\d+) .* key (\w+)$", printed, re.MULTILINE)
    assert told == [(payload, str(offset), key) for offset, (key, payload) in enumerate(MESSAGES)]
    counts = [int(count) for count in re.findall(r"^(\d+) messages", printed, re.MULTILINE)]
    assert sum(counts) == len(MESSAGES)


@also_in_tcl9
def test_easy(run: RunExample, topic: str) -> None:
    assert run("easy.tcl", topic) == "greeting: the easy way\n"


def test_subscriber(kafka: Cluster | None, shell: Sequence[str], run_tcl: RunTcl, filled: str) -> None:
    brokers = " ".join(kafka.bootstrap) if kafka else "127.0.0.1"
    group = f"of-{filled}"
    ended = run_tcl(EXAMPLES / "subscriber.tcl", filled, brokers, group, embedded=kafka is None, shell=shell)
    assert ended.status == 0, ended.stderr
    expected = [f"partition 0, offset {offset}: {payload}" for offset, (_, payload) in enumerate(MESSAGES)]
    assert ended.stdout.splitlines() == expected
    if kafka:  # an embedded broker is gone with the process
        assert committed(kafka, group, filled) == len(MESSAGES)


def test_group_workers(kafka: Cluster | None, run: RunExample, filled: str) -> None:
    brokers = [] if kafka else ["127.0.0.1"]
    lines = run("group_workers.tcl", filled, *brokers).splitlines()
    assert lines[:4] == [f"assigned: {filled} {partition}" for partition in range(4)]
    assert lines[4:6] == [
        f"revoked: {filled} 0",
        "partition 0: " + " ".join(payload for _, payload in MESSAGES),
    ]
    if kafka:
        assert committed(kafka, "workers", filled) == len(MESSAGES)


def test_share_worker(kafka: Cluster | None, shell: Sequence[str], run_tcl: RunTcl, topic: str) -> None:
    words = (topic, " ".join(kafka.bootstrap) if kafka else "127.0.0.1", f"workers-{topic}")
    ended = run_tcl(EXAMPLES / "share_worker.tcl", *words, embedded=kafka is None, shell=shell)
    assert ended.status == 0, ended.stderr
    assert list(dict.fromkeys(ended.stdout.splitlines())) == [
        "1 + 2, delivery 1: 3, accept",
        "3 * 4, delivery 1: 12, accept",
        "nonsense, delivery 1: no sum, release",
        "nonsense, delivery 2: no sum, release",
        "nonsense, delivery 3: no sum, reject",
    ]


@also_in_tcl9
def test_replay(kafka: Cluster | None, shell: Sequence[str], run_tcl: RunTcl, filled: str) -> None:
    brokers = " ".join(kafka.bootstrap) if kafka else "127.0.0.1"
    for since, expected in (("1 hour ago", MESSAGES), ("1 hour", [])):
        ended = run_tcl(EXAMPLES / "replay.tcl", filled, brokers, since, embedded=kafka is None, shell=shell)
        assert ended.status == 0, ended.stderr
        assert ended.stdout.splitlines() == [
            *(f"partition 0, offset {offset}: {payload}" for offset, (_, payload) in enumerate(expected)),
            f"{len(expected)} messages since {since}",
        ]


@also_in_tcl9
def test_delivery_reports(run: RunExample, topic: str) -> None:
    delivered = sorted(run("delivery_reports.tcl", topic).splitlines())
    assert delivered[0].startswith("not delivered: ")
    assert "Local: Unknown partition" in delivered[0]
    assert delivered[1:] == sorted(
        f"{payload} is at offset {offset} of partition 0"
        for offset, payload in enumerate(["one", "two", "three"])
    )


@also_in_tcl9
def test_batch_copy(run: RunExample, kafka: Cluster | None, filled: str) -> None:
    copy = kafka.topic() if kafka else "copy"
    assert run("batch_copy.tcl", filled, copy) == "3 messages copied\n"
    if kafka:
        assert sorted(in_kafka(kafka, copy)) == sorted(in_kafka(kafka, filled))


@also_in_tcl9
def test_exactly_once(kafka: Cluster | None, shell: Sequence[str], run_tcl: RunTcl, filled: str) -> None:
    copy = kafka.topic() if kafka else "copy"
    brokers = kafka.bootstrap_servers if kafka else "127.0.0.1"
    words = (f"copier-{filled}", filled, copy, brokers, "3")
    ended = run_tcl(EXAMPLES / "exactly_once.tcl", *words, embedded=kafka is None, shell=shell)
    assert (ended.status, ended.stdout) == (0, "3 messages copied\n"), ended.stderr
    if kafka:
        assert sorted(in_kafka(kafka, copy)) == sorted(in_kafka(kafka, filled))


def test_channel_copy(run: RunExample, topic: str, tmp_path: Path) -> None:
    told = run("channel_copy.tcl", str(EXAMPLES / "README.md"), str(tmp_path / "copy"), topic)
    text = (EXAMPLES / "README.md").read_bytes()
    assert (tmp_path / "copy").read_bytes() == text
    lines = text.count(b"\n")
    assert told == f"{len(text)} bytes in {lines} lines\n"


@also_in_tcl9
def test_ask_and_wait(run: RunExample, kafka: Cluster | None, topic: str) -> None:
    told = run("ask_and_wait.tcl", topic, kafka.topic() if kafka else "answers").splitlines()
    assert sorted(told) == ["how are you? HOW ARE YOU", "what is it? WHAT IS IT", "where to? WHERE TO"]


@also_in_tcl9
def test_index_writer(run: RunExample, kafka: Cluster | None, filled: str) -> None:
    found = [f"{key} is at offset {offset}" for offset, (key, _) in enumerate(MESSAGES)]
    assert run("index_writer.tcl", filled).splitlines() == found
    if kafka:
        index = [(key.encode(), b"%d" % offset) for offset, (key, _) in enumerate(MESSAGES)]
        assert in_kafka(kafka, f"{filled}-index") == index


#: Somebody who types two lines into the window, waits until they are shown, takes a
#: picture, types a third line and closes the window at once.
USER = r"""
set argv [lassign $argv example picture]
incr argc -2
source $example
after 30000 {puts stderr "not shown: [.messages get 0 end]"; exit 1}
proc shown {count} {
    while {[.messages size] < $count} {
        after 5 {set tick 1}
        vwait tick
    }
}
update
focus -force .entry
proc type {text} {
    .entry insert end $text
    event generate .entry <Return>
}
type "caf\u00e9 \u20ac"
shown 1
type "the second line"
shown 2
puts [list [.messages get 0 end] [.entry get] [lindex [wm title .] 0]]
flush stdout
package require img::window
update
[image create photo -format window -data .] write $picture -format png
type "the last line"
destroy .
"""


@pytest.mark.parametrize("window_shell", [KAFKATCLSH, ("wish",)], ids=["kafkatclsh", "wish"])
def test_live_list(
    window_shell: Sequence[str], kafka: Cluster | None, topic: str, run_tcl: RunTcl, tmp_path: Path
) -> None:
    picture = tmp_path / "live_list.png"
    brokers = [" ".join(kafka.bootstrap)] if kafka else []
    embedded = {} if kafka else {"KAFKATCL_EMBEDDED": "1"}
    with display() as environment:
        if "DISPLAY" not in environment:
            pytest.skip("no Xvfb")
        ended = run_tcl(
            USER,
            *(str(EXAMPLES / "live_list.tcl"), str(picture), topic, *brokers),
            env={"DISPLAY": environment["DISPLAY"], **environment_of(TCLSH), **embedded},
            shell=window_shell,
        )
    if "can't find package img::window" in ended.stderr:
        pytest.skip("no Img: apt-get install libtk-img")
    assert ended.status == 0, ended.stderr
    assert ended.stdout == f"{{{{café €}} {{the second line}}}} {{}} {topic}\n"
    if kafka:
        lines = ["café €", "the second line", "the last line"]
        assert in_kafka(kafka, topic) == [(None, line.encode()) for line in lines]
    assert picture.read_bytes().startswith(b"\x89PNG")


def python(kafka: Cluster | None, *words: str, **environment: str) -> str:
    """What a Python program prints, with an embedded broker where there is no
    ``kafka``.
    """
    where = {} if kafka else {"KAFKATCL_EMBEDDED": "1"}
    brokers = [" ".join(kafka.bootstrap)] if kafka else []
    done = subprocess.run(
        [sys.executable, *words, *brokers],
        env={**os.environ, **where, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_host(kafka: Cluster | None, topic: str) -> None:
    expected = [b"message 0", b"message 1", b"message 2"]
    assert python(kafka, str(EXAMPLES / "host.py"), topic) == f"{expected}\n"


#: Somebody who types a line into the window, waits until it is shown, and closes the
#: window.
VISITOR = """
import runpy, sys, tkinter

def mainloop(root, n=0):
    lines, entry = root.winfo_children()
    root.update()
    entry.insert(0, "caf\\u00e9 \\u20ac")
    entry.focus_force()
    entry.event_generate("<Return>")
    while not lines.size():
        root.update()
    print(ascii((lines.get(0, "end"), entry.get(), root.title().split()[0])))
    root.destroy()

tkinter.Tk.mainloop = tkinter.Misc.mainloop = mainloop
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_tk_tail(kafka: Cluster | None, topic: str) -> None:
    with display() as environment:
        if "DISPLAY" not in environment:
            pytest.skip("no Xvfb")
        shown = python(
            kafka, "-c", VISITOR, str(EXAMPLES / "tk_tail.py"), topic, DISPLAY=environment["DISPLAY"]
        )
    assert shown == ascii((("caf\u00e9 \u20ac",), "", topic)) + "\n"


def test_every_example_is_tested_and_listed() -> None:
    names = {file.name for file in EXAMPLES.iterdir() if file.suffix in (".tcl", ".py")}
    tests = Path(__file__).read_text()
    listed = set(re.findall(r"\]\((\w+\.\w+)\)", (EXAMPLES / "README.md").read_text()))
    assert listed == names
    assert names == {name for name in names if name in tests}
