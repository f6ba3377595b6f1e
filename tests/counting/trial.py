"""A trial: scripts produce to a topic and read it while something happens
to the cluster, and all is counted.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from confluent_kafka import Consumer, TopicPartition
from fix_async import Live, live
from fix_cluster import Cluster
from fix_tcl import KAFKATCLSH, TCLSH

from counting.checker import Counts, check
from counting.histories import read_got, read_sent

HERE = Path(__file__).parent
ANSWER_SECONDS = 150  # for reports, once all is sent; a message that is not delivered fails before
DRAIN_SECONDS = 60

SHELLS = {"kafkatclsh": KAFKATCLSH, "tclsh": TCLSH}
IDEMPOTENT = {"acks": "all", "enable.idempotence": "true", "message.timeout.ms": "120000", "linger.ms": "5"}


@dataclass(frozen=True)
class Plan:
    """What is done: in each of the ``shells`` a script produces
    and another one reads.
    """

    shells: Sequence[str] = tuple(SHELLS)
    messages: int = 5000  # of each producer
    size: int = 200  # bytes of a payload
    rate: int = 500  # messages a second of each producer; 0: as fast as it can
    partitions: int = 6
    properties: Mapping[str, str] = field(default_factory=lambda: IDEMPOTENT)  # of the producers

    @property
    def total(self) -> int:
        """How many messages all of them send."""
        return self.messages * len(self.shells)


@dataclass
class Outcome:
    """What each of the readers has got, compared with what was sent,
    and what else went wrong.
    """

    counts: dict[str, Counts]
    complaints: list[str]

    def wrong(self, allowed: Collection[str] = ()) -> list[str]:
        """What must not be, but for the ``allowed`` anomalies;
        nothing if all is well.
        """
        found = {reader: counts.anomalies(allowed) for reader, counts in self.counts.items()}
        return self.complaints + [
            f"{reader}: {anomalies}" for reader, anomalies in found.items() if anomalies
        ]

    def __str__(self) -> str:
        return "\n".join([f"{reader}: {counts}" for reader, counts in self.counts.items()] + self.complaints)


class Progress:
    """How far the producers are: what their files say."""

    def __init__(self, topic: str, run: str, files: Sequence[Path], total: int) -> None:
        self.topic = topic
        self.run = run
        self.total = total
        self._files = dict.fromkeys(files, 0)
        self._acked = 0

    def acked(self) -> int:
        """How many messages are acknowledged by now."""
        for file, position in self._files.items():
            if file.exists():
                with file.open("rb") as lines:
                    lines.seek(position)
                    text = lines.read()
                whole = text[: text.rfind(b"\n") + 1]
                self._acked += whole.startswith(b"ack") + whole.count(b"\nack")
                self._files[file] = position + len(whole)
        return self._acked

    def await_acked(self, count: int) -> None:
        """Wait until so many messages are acknowledged;
        TimeoutError when that takes too long.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        while self.acked() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.acked()} of {count} messages acknowledged in {ANSWER_SECONDS} s")
            time.sleep(0.02)


def run(
    cluster: Cluster, folder: Path, plan: Plan, happens: Callable[[Progress], None] = lambda _: None
) -> Outcome:
    """Produce and read; ``happens`` does to the cluster what it wants,
    and is through when all is well again.
    """
    topic, name_of_run = cluster.topic(plan.partitions), uuid.uuid4().hex[:8]
    sent = {f"in_{shell}": folder / f"sent-{shell}" for shell in plan.shells}
    read = {shell: folder / f"read-{shell}" for shell in plan.shells}
    complaints: list[str] = []
    with ExitStack() as scripts:

        def start(script: str, shell: str, *arguments: object) -> Live:
            place = folder / f"{script}-{shell}"
            place.mkdir()
            text = (HERE / f"{script}.tcl").read_text()
            words = map(str, arguments)
            return scripts.enter_context(live(cluster, place, text, topic, *words, shell=SHELLS[shell]))

        readers = {
            shell: start("reader", shell, file, plan.partitions, "fetch.wait.max.ms", 50)
            for shell, file in read.items()
        }
        properties = [word for setting in plan.properties.items() for word in setting]
        counts = (plan.partitions, plan.messages, plan.size, plan.rate)
        producers = [
            start("producer", shell, file, name_of_run, name, *counts, *properties)
            for shell, (name, file) in zip(plan.shells, sent.items())
        ]
        happens(Progress(topic, name_of_run, list(sent.values()), plan.total))
        seconds = plan.messages / plan.rate if plan.rate else 0
        for producer in producers:
            _says(producer, "answered", seconds + ANSWER_SECONDS, complaints)
        ends = " ".join(map(str, _ends(cluster, topic, plan.partitions)))
        for reader in readers.values():
            reader.is_told(ends)
        for reader in readers.values():
            _says(reader, "drained", DRAIN_SECONDS, complaints)
    history = read_sent(name_of_run, sent)
    return Outcome({shell: check(history, read_got([file])) for shell, file in read.items()}, complaints)


def _says(script: Live, line: str, seconds: float, complaints: list[str]) -> None:
    """Wait for a line.  Where it does not come,
    the counts are of interest all the same.
    """
    try:
        assert script.says(seconds) == line
    except AssertionError as error:
        complaints.append(f"{line} not told: {error}")


def _ends(cluster: Cluster, topic: str, partitions: int) -> list[int]:
    """The end offset of each partition."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "ends", "log_level": 0})
    try:
        wanted = [TopicPartition(topic, partition) for partition in range(partitions)]
        return [consumer.get_watermark_offsets(each, timeout=20)[1] for each in wanted]
    finally:
        consumer.close()
