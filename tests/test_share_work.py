"""Work that is shared out: nothing is left undone, and nothing done twice,
though a worker is killed.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Producer
from fix_async import live, scaled
from fix_cluster import Cluster
from fix_engine import until
from fix_share import share_group
from fix_tcl import KAFKATCLSH, TCLSH

MESSAGES = scaled(1000, 5000)
KILLS = scaled(1, 3)
BATCH = 20
SECONDS = 60

#: A worker writes down which message it has got, and that it is done when the broker
#: has confirmed the acknowledgement.
WORKER = """
lassign $argv topic group file
m config group.id $group share.acknowledgement.mode explicit
m share_subscriber s
s subscribe $topic
set log [open $file w]
fconfigure $log -buffering line
while {1} {
    set got {}
    s consume_batch 1000 BATCH row {
        puts $log "got $row(payload)"
        lappend got $row(payload)
        s acknowledge [list $row(topic) $row(partition) $row(offset)]
    }
    s commit -timeout 20000
    foreach payload $got {puts $log "done $payload"}
}
""".replace("BATCH", str(BATCH))


class Log:
    """What a worker has written down so far."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def said(self, what: str) -> list[str]:
        """The messages it says this of."""
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{what} ")]


@pytest.mark.parametrize("seed", [5], ids="seed {}".format)
def test_all_is_done_once_though_workers_are_killed(
    kafka_cluster: Cluster, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    topic, group = kafka_cluster.topic(3), share_group(kafka_cluster)
    produce(kafka_cluster, topic)
    logs = [Log(tmp_path / f"log{number}") for number in range(3 + KILLS)]
    killed = logs[:KILLS]
    with ExitStack() as stack:

        def work(number: int) -> object:
            folder = tmp_path / str(number)
            folder.mkdir()
            shell = (KAFKATCLSH, TCLSH)[number % 2]
            words = (topic, group, str(tmp_path / f"log{number}"))
            return stack.enter_context(live(kafka_cluster, folder, WORKER, *words, shell=shell))

        workers = [work(number) for number in range(3)]
        for number in range(KILLS):
            enough = draw.randrange(1, MESSAGES // 10)
            assert until(lambda: len(logs[number].said("got")) >= enough, SECONDS)  # noqa: B023
            workers[number].end()  # type: ignore[attr-defined]
            workers.append(work(3 + number))

        def undone() -> set[str]:
            return set(map(str, range(MESSAGES))) - {message for log in logs for message in log.said("done")}

        assert until(lambda: undone() <= unknown(killed), SECONDS), sorted(undone(), key=int)[:20]
        until(lambda: not undone(), 3)
    done = Counter(message for log in logs for message in log.said("done"))
    assert [message for message, times in done.items() if times > 1] == []
    # Who is killed between the broker's answer and the word of it has done a batch.
    assert undone() <= unknown(killed)
    assert len(undone()) <= BATCH * KILLS
    assert sum(1 for log in logs if log.said("done")) > 1


def unknown(killed: list[Log]) -> set[str]:
    """What the killed had got and, for all we know, not done."""
    return {message for log in killed for message in set(log.said("got")) - set(log.said("done"))}


def produce(cluster: Cluster, topic: str) -> None:
    """The numbers from 0 on, in small batches."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "batch.num.messages": 5})
    for number in range(MESSAGES):
        producer.produce(topic, str(number), partition=number % 3)
    assert producer.flush(SECONDS) == 0
