"""Copies of a topic, made by transactions while copiers and leaders are killed:
a reader of committed messages is to find each message once, and in order.

``PYTHONPATH=tests python -m counting.copying`` makes a trial by hand.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from fix_async import Live, live
from fix_cluster import Cluster
from fix_kafka_nodes import KafkaNodes
from fix_kafka_three import ThreeNodes

from counting.checker import Counts, check
from counting.faults import kill_leader
from counting.histories import Got, Read, Sent
from counting.message import Id, payload
from counting.trial import HERE, SHELLS

#: For all to be copied once nothing is killed any more, and from one kill to the next.
PATIENCE_SECONDS = 240
#: How many of the kills kill the sidecar as well.
_SIDECAR_SHARE = 0.5
#: Of the copiers: what they leave is soon for others to have.
PROPERTIES = {
    "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "1000",
    "transaction.timeout.ms": "20000",
    "fetch.wait.max.ms": "50",
    "auto.offset.reset": "earliest",
}


@dataclass(frozen=True)
class Plan:
    """What is copied, and how many copiers and leaders are killed meanwhile.

    Each of the ``shells`` has a copier.
    """

    shells: Sequence[str] = tuple(SHELLS)
    messages: int = 100_000
    kills: int = 10
    leader_kills: int = 3
    size: int = 200  # bytes of a payload
    rate: int = 500  # messages a second of each copier, at most
    partitions: int = 6
    way: str = "transaction"  # or "commit": at least once, which is to be found


@dataclass
class Copied:
    """How a trial went: what a reader of committed messages has found, and what the
    copiers say that they have done.
    """

    counts: Counts
    transactions: int = 0
    aborted: int = 0  # messages that only a reader of uncommitted ones finds
    failed: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """What must not be; nothing if all is well."""
        anomalies = self.counts.anomalies()
        return self.complaints + ([str(anomalies)] if anomalies else [])

    def __str__(self) -> str:
        words = [
            f"{self.transactions} transactions, {len(self.failed)} failed; {self.aborted} messages aborted",
            str(self.counts),
        ]
        return "\n".join([*self.happened, *words, *sorted(set(self.failed)), *self.complaints])


class Copiers:
    """The running copiers, by their names, and their files."""

    def __init__(self, cluster: Cluster, folder: Path, topics: Sequence[str], plan: Plan) -> None:
        self._cluster = cluster
        self._folder = folder
        self._topics = topics
        self._plan = plan
        self._stacks: dict[str, ExitStack] = {}
        self._running: dict[str, Live] = {}
        self.files = {shell: folder / f"copied-{shell}" for shell in plan.shells}

    def start(self, name: str) -> None:
        """Start the copier of a shell, perhaps another life of it."""
        (source, target), stack = self._topics, ExitStack()
        properties = [word for setting in PROPERTIES.items() for word in setting]
        words = (target, str(self.files[name]), name, self._plan.way, str(self._plan.rate), *properties)
        place = self._folder / uuid.uuid4().hex
        place.mkdir()
        text = (HERE / "copier.tcl").read_text()
        self._running[name] = stack.enter_context(
            live(self._cluster, place, text, source, *words, shell=SHELLS[name])
        )
        self._stacks[name] = stack

    def kill(self, name: str, *, sidecar: bool = True) -> None:
        """``kill -9``, of the sidecar too, if there is one; without that it ends by
        itself.
        """
        children = self._running.pop(name).usage.children() if sidecar else []
        for child in children:
            child.kill()
        self._stacks.pop(name).close()

    def end(self) -> list[str]:
        """Have all end by themselves; what they did not do."""
        complaints = []
        for copier in self._running.values():
            copier.is_told("end")
        for name, copier in self._running.items():
            try:
                assert copier.says(60) == "ended"
            except AssertionError as error:
                complaints.append(f"copier {name} did not end: {error}")
        return complaints

    def close(self) -> None:
        """Kill those that are left."""
        for name in list(self._stacks):
            self.kill(name)

    def lines(self) -> list[list[str]]:
        """What they have written: words."""
        texts = [file.read_text(errors="replace") for file in self.files.values() if file.exists()]
        return [line.split(maxsplit=2) for text in texts for line in text.splitlines()]

    def copied(self) -> int:
        """How many messages they have committed, as far as they could say so."""
        return sum(int(words[1]) for words in self.lines() if words[0] == "copied")


def run(cluster: Cluster, folder: Path, plan: Plan, seed: int) -> Copied:
    """Fill a topic, have it copied while copiers and, of three nodes, leaders are
    killed, and look at the copy; ``seed`` says what is killed when.
    """
    source, target = cluster.topic(plan.partitions), cluster.topic(plan.partitions)
    sent = _fill(cluster, source, plan)
    copiers = Copiers(cluster, folder, (source, target), plan)
    with _reader(cluster, target, plan, "read_committed") as reader:
        try:
            for shell in plan.shells:
                copiers.start(shell)
            happened = _faults(cluster, target, copiers, plan, random.Random(seed))
            read = _await_all(reader, plan)
            complaints = copiers.end()
        finally:
            copiers.close()
        _read_on(reader, read, plan)
    with _reader(cluster, target, plan, "read_uncommitted") as reader:
        everything = Read()
        _read_on(reader, everything, plan)
    lines = copiers.lines()
    outcome = Copied(check(sent, read), happened=happened, complaints=complaints)
    outcome.aborted = len(everything.messages) - len(read.messages)
    outcome.transactions = sum(words[0] == "copied" and words[1] != "0" for words in lines)
    outcome.failed = [" ".join(words[1:]) for words in lines if words[0] == "failed"]
    return outcome


def _fill(cluster: Cluster, topic: str, plan: Plan) -> Sent:
    """Fill a topic; what is in it then counts as acknowledged at any place."""
    producer = Producer({
        "bootstrap.servers": cluster.bootstrap_servers, "enable.idempotence": True, "linger.ms": 20, "log_level": 0
    })  # fmt: skip
    sent, name = Sent(), uuid.uuid4().hex[:8]
    for number in range(plan.messages):
        identity = Id(name, "in", number % plan.partitions, number // plan.partitions)
        sent.reports[identity] = [-1]
        producer.produce(topic, payload(identity, plan.size), partition=identity.partition)
        producer.poll(0)
    assert producer.flush(60) == 0
    return sent


def _faults(cluster: Cluster, topic: str, copiers: Copiers, plan: Plan, chance: random.Random) -> list[str]:
    """Kill copiers and leaders, each when so much is copied; what was done when.

    A leader is started again while the copying, and the killing of copiers, goes on.
    """
    kinds = ["copier"] * plan.kills + ["leader"] * plan.leader_kills
    chance.shuffle(kinds)
    happened: list[str] = []
    mending: list[Future[None]] = []
    with ThreadPoolExecutor(1) as mender:
        for number, kind in enumerate(kinds):
            share = (number + chance.uniform(0.1, 0.6)) / (len(kinds) + 1)
            name, partition = chance.choice(plan.shells), chance.randrange(plan.partitions)
            pause, with_sidecar = chance.uniform(0, 0.2), chance.random() < _SIDECAR_SHARE
            _await_copied(copiers, int(plan.messages * share))
            time.sleep(pause)
            if kind == "leader":
                for earlier in mending:
                    earlier.result()
                assert isinstance(cluster, ThreeNodes)
                mending.append(mender.submit(kill_leader, cluster, topic, partition))
            else:
                copiers.kill(name, sidecar=with_sidecar)
                copiers.start(name)
            whom = f"copier {name}" if kind == "copier" else f"leader of {partition}"
            happened.append(f"{whom} at {copiers.copied()} of {plan.messages}")
        for each in mending:
            each.result()
    return happened


def _await_copied(copiers: Copiers, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while copiers.copied() < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{copiers.copied()} of {count} copied: {copiers.lines()[-20:]}")
        time.sleep(0.02)


@contextmanager
def _reader(cluster: Cluster, topic: str, plan: Plan, isolation: str) -> Iterator[Consumer]:
    """A reader of all partitions, from the first message on."""
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap_servers,
            "group.id": f"reader-{topic}",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(plan.partitions)])
        yield consumer
    finally:
        consumer.close()


def _await_all(reader: Consumer, plan: Plan) -> Read:
    """Read until there are as many different messages as there should be."""
    read = Read()
    different: set[bytes] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(different) < plan.messages and time.monotonic() < deadline:
        for message in reader.consume(1000, 0.2):
            if message.error() is None:
                read.messages.append(_got(message))
                different.add(read.messages[-1].payload)
    return read


def _read_on(reader: Consumer, read: Read, plan: Plan) -> None:
    """Read on, to the end of each partition as it is now."""
    positions = reader.position(reader.assignment())
    reader.assign([TopicPartition(each.topic, each.partition, max(each.offset, 0)) for each in positions])
    ended: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(ended) < plan.partitions and time.monotonic() < deadline:
        message = reader.poll(0.2)
        if message is None:
            continue
        error = message.error()
        if error is None:
            read.messages.append(_got(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition() or 0)


def _got(message: Message) -> Got:
    return Got(1, message.partition() or 0, message.offset() or 0, message.value() or b"")


def main() -> int:
    """Make a trial on three nodes, and say how it went; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m counting.copying", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same does the same")
    for name in ("messages", "kills", "leader_kills", "size", "rate"):
        default = getattr(Plan, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, dest=name)
    parser.add_argument("--shells", nargs="+", choices=SHELLS, default=list(SHELLS))
    parser.add_argument("--way", choices=["transaction", "commit"], default=Plan.way)
    options = vars(parser.parse_args())
    seed = options.pop("seed")
    print(f"seed {seed}", flush=True)
    begin = time.monotonic()
    server = KafkaNodes()
    try:
        with tempfile.TemporaryDirectory(prefix="copying-") as folder, ThreeNodes(server.address) as nodes:
            outcome = run(nodes, Path(folder), Plan(**options), seed)
    finally:
        server.stop()
    print(f"{outcome}\n{time.monotonic() - begin:.0f} s, wrong: {outcome.wrong()}")
    return bool(outcome.wrong())


if __name__ == "__main__":
    sys.exit(main())
