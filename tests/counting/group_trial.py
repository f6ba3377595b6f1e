"""A trial: members of a group join and leave while messages come,
and what they were told and got is checked.

``PYTHONPATH=tests python -m counting.group_trial`` does it by hand, on a real Kafka.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Producer
from fix_async import Live, live
from fix_cluster import Cluster
from fix_kafka_server import KafkaServer
from fix_tcl import KAFKATCLSH

from counting.group_checker import GroupCounts, Life, check, payload, read_life
from counting.trial import HERE, SHELLS

MEMBERS = 3
ANSWER_SECONDS = 60  # for all messages to have come, and for a member to leave

#: Properties of a group by what is said of it: its assignor, or its protocol.
CLASSIC = {"session.timeout.ms": "2000", "heartbeat.interval.ms": "200"}
PROTOCOLS: Mapping[str, Mapping[str, str]] = {
    "range": {**CLASSIC, "partition.assignment.strategy": "range"},
    "roundrobin": {**CLASSIC, "partition.assignment.strategy": "roundrobin"},
    "cooperative-sticky": {**CLASSIC, "partition.assignment.strategy": "cooperative-sticky"},
    "consumer": {"group.protocol": "consumer"},
}


@dataclass(frozen=True)
class GroupPlan:
    """How often a member leaves, or is killed, and another one joins."""

    protocol: str = "range"
    messages: int = 50_000
    rate: int = 1_500  # messages a second
    partitions: int = 6
    changes: int = 20
    kills: float = 0.2  # of all that go, which part is killed
    seed: int = 1
    shell: Sequence[str] = KAFKATCLSH


@dataclass
class GroupOutcome:
    """What was counted, what has happened, and what else went wrong."""

    counts: GroupCounts
    log: list[str]
    complaints: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """What must not be; nothing if all is well."""
        anomalies = self.counts.anomalies()
        return self.complaints + ([str(anomalies)] if anomalies else [])

    def __str__(self) -> str:
        return "\n".join([*self.log, str(self.counts), *self.complaints])


class _Sending:
    """Sends the messages, in a thread of its own: round the partitions, at a rate."""

    def __init__(self, cluster: Cluster, topic: str, plan: GroupPlan) -> None:
        self.sent = 0
        self._plan = plan
        self._topic = topic
        self._producer = Producer(
            {"bootstrap.servers": cluster.bootstrap_servers, "enable.idempotence": True, "linger.ms": 5}
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        begin = time.monotonic()
        while self.sent < self._plan.messages:
            due = min(int((time.monotonic() - begin) * self._plan.rate) + 1, self._plan.messages)
            for number in range(self.sent, due):
                offset, partition = divmod(number, self._plan.partitions)
                self._producer.produce(self._topic, payload(partition, offset), partition=partition)
            self.sent = due
            self._producer.poll(0.01)

    def await_sent(self, count: float) -> None:
        """Wait until so many are sent."""
        deadline = time.monotonic() + ANSWER_SECONDS + self._plan.messages / self._plan.rate
        while self.sent < count:
            assert time.monotonic() < deadline, f"{self.sent} of {count} messages sent"
            time.sleep(0.01)

    def finish(self) -> list[int]:
        """Wait until all are in the log; how many each partition has."""
        self._thread.join()
        assert self._producer.flush(ANSWER_SECONDS) == 0
        each, more = divmod(self._plan.messages, self._plan.partitions)
        return [each + (partition < more) for partition in range(self._plan.partitions)]


class _Group:
    """The members there are, and the lives of all that ever were."""

    def __init__(self, cluster: Cluster, folder: Path, topic: str, plan: GroupPlan) -> None:
        self._cluster, self._folder, self._topic, self._plan = cluster, folder, topic, plan
        self._chance = random.Random(plan.seed)
        self._members: list[tuple[Path, Live]] = []
        self._killed: dict[Path, int] = {}
        self._files: list[Path] = []
        self._scripts = ExitStack()
        self.log: list[str] = []

    def __enter__(self) -> _Group:
        return self

    def __exit__(self, *_: object) -> None:
        self._scripts.close()

    def join(self) -> None:
        """Have another member join, which reads by a callback or by ``consume``."""
        number = len(self._files)
        folder = self._folder / f"member{number}"
        folder.mkdir()
        reading = self._chance.choice(("callback", "consume"))
        properties = [word for each in PROTOCOLS[self._plan.protocol].items() for word in each]
        script = (HERE / "member.tcl").read_text()
        words = (self._topic, str(folder / "told"), reading, *properties)
        member = self._scripts.enter_context(
            live(self._cluster, folder, script, *words, shell=self._plan.shell)
        )
        self._files.append(folder / "told")
        self._members.append((folder / "told", member))
        assert member.says(ANSWER_SECONDS) == "ready"
        self._note(f"member {number} joins ({reading})")

    def go(self) -> None:
        """Have one member leave, or kill it."""
        file, member = self._members.pop(self._chance.randrange(len(self._members)))
        is_killed = self._chance.random() < self._plan.kills
        self._note(f"{file.parent.name} {'is killed' if is_killed else 'leaves'}")
        if is_killed:
            member.process.kill()
            self._killed[file] = time.time_ns() // 1000
        else:
            member.is_told("leave")
        member.process.wait(ANSWER_SECONDS)

    def pause(self) -> float:
        """When the next change comes, as a part of the time that there is for it."""
        return self._chance.uniform(0.2, 0.8)

    def await_got(self, sent: Sequence[int]) -> str:
        """Wait until all messages were told; what is missing, if it takes too long."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while (left := sum(sent) - self._got()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return f"{left} messages not told in {ANSWER_SECONDS} s" if left else ""

    def leave_all(self) -> None:
        """Have all members leave."""
        while self._members:
            file, member = self._members.pop()
            self._note(f"{file.parent.name} leaves")
            member.is_told("leave")
            member.process.wait(ANSWER_SECONDS)

    def lives(self) -> list[Life]:
        """What all members have written; they are gone.  What failed is in the log."""
        lives = [Life(read_life(file), self._killed.get(file)) for file in self._files]
        for file, life in zip(self._files, lives):
            for event in life.events:
                if event.what in ("failed", "error"):
                    when = time.strftime("%H:%M:%S", time.localtime(event.moment / 1e6))
                    self.log.append(f"{when} {file.parent.name}: {event.what} {' '.join(event.words)}")
        return lives

    def _got(self) -> int:
        lives = [read_life(file) for file in self._files]
        return len({tuple(event.words) for life in lives for event in life if event.what == "got"})

    def _note(self, text: str) -> None:
        self.log.append(f"{time.strftime('%H:%M:%S')} {text}")


def run(cluster: Cluster, folder: Path, plan: GroupPlan) -> GroupOutcome:
    """Have members join and leave while messages come; all of them leave at the end."""
    topic = cluster.topic(plan.partitions)
    complaints = []
    with _Group(cluster, folder, topic, plan) as group:
        for _ in range(MEMBERS):
            group.join()
        sending = _Sending(cluster, topic, plan)
        step = plan.messages / (2 * plan.changes + 1)
        for change in range(2 * plan.changes):
            sending.await_sent((change + group.pause()) * step)
            group.join() if change % 2 else group.go()
        sent = sending.finish()
        complaints += [text for text in [group.await_got(sent)] if text]
        group.leave_all()
        lives = group.lives()
    return GroupOutcome(check(sent, lives), group.log, complaints)


@contextmanager
def _kafka() -> Iterator[Cluster]:
    given = os.environ.get("KAFKATCL_BOOTSTRAP")
    if given:
        yield Cluster("kafka", given)
        return
    server = KafkaServer()
    try:
        yield Cluster("kafka", server.bootstrap)
    finally:
        server.stop()


def main() -> int:
    """Run one trial for each protocol, and say how it went; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m counting.group_trial", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same does the same")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--shell", choices=SHELLS, default="kafkatclsh")
    parser.add_argument("--messages", type=int, default=GroupPlan.messages)
    parser.add_argument("--rate", type=int, default=GroupPlan.rate, help="messages a second")
    parser.add_argument("--changes", type=int, default=GroupPlan.changes, help="how often a member goes")
    parser.add_argument(
        "--kills", type=float, default=GroupPlan.kills, help="the part of them that is killed"
    )
    options = parser.parse_args()
    wrong = 0
    with _kafka() as cluster:
        for protocol in options.protocols:
            plan = GroupPlan(
                protocol, options.messages, options.rate, changes=options.changes, kills=options.kills,
                seed=options.seed, shell=SHELLS[options.shell],
            )  # fmt: skip
            with tempfile.TemporaryDirectory(prefix="groups-") as folder:
                found = run(cluster, Path(folder), plan)
            wrong += bool(found.wrong())
            print(f"{protocol} in {options.shell}, seed {options.seed}: {found}\n", flush=True)
    print(f"{wrong} of {len(options.protocols)} trials with anomalies")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
