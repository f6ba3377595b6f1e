"""A consumer that is killed at any moment loses nothing:
what is committed has been handed to the script.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_async import filled, live, scaled
from fix_cluster import Cluster
from fix_engine import until

KILLS = scaled(4, 20)
EACH = scaled(2500, 12_000)
PARTITIONS = range(4)
MAX_SECONDS = 2  # before a kill; within one, some offsets are committed

# What it is handed goes to a file, a line at once for each message.  That takes a
# millisecond, so that more is always fetched and waiting; offsets are committed all the
# time.
SCRIPT = """
proc note {partition offset} {
    puts $::file "$partition $offset"
    after 1
}
proc told {message} {
    note [dict get $message partition] [dict get $message offset]
}
proc start {args} {
    m consumer_creator c
    c new_topic tc $::topic
    foreach partition {0 1 2 3} {
        tc start $partition stored {*}$args
    }
}
lassign $argv topic way group path
set file [open $path a]
fconfigure $file -buffering line
m config group.id $group auto.commit.interval.ms 10
m topic_config auto.offset.reset earliest
switch $way {
    callback {
        start told
    }
    consume_batch {
        start
        for {set partition 0} 1 {set partition [expr {($partition + 1) % 4}]} {
            tc consume_batch $partition 10 100 row {note $partition $row(offset)}
        }
    }
    member {
        # A static member takes its place again at once.
        m config group.instance.id only session.timeout.ms 6000
        m subscriber s
        s callback told
        s subscribe $topic
    }
}
vwait forever
"""


@pytest.mark.parametrize("way", ["callback", "consume_batch"])
def test_kills_lose_nothing(
    way: str, embedded_cluster: Cluster, shell: Sequence[str], tmp_path: Path
) -> None:
    kill_again_and_again(embedded_cluster, way, shell, tmp_path)


def test_kills_of_a_group_member_lose_nothing(
    kafka_cluster: Cluster, shell: Sequence[str], tmp_path: Path
) -> None:
    kill_again_and_again(kafka_cluster, "member", shell, tmp_path)


def is_longer(file: Path, size: int) -> bool:
    return file.stat().st_size > size


def kill_again_and_again(cluster: Cluster, way: str, shell: Sequence[str], folder: Path) -> None:
    chance = random.Random(way)
    topic = filled(cluster, dict.fromkeys(PARTITIONS, EACH))
    group = f"group-{uuid.uuid4().hex[:8]}"
    file = folder / "handed"
    file.touch()
    for _ in range(KILLS):
        before = file.stat().st_size
        with live(cluster, folder, SCRIPT, topic, way, group, str(file), shell=shell):
            assert until(partial(is_longer, file, before)), "nothing came"
            time.sleep(chance.uniform(0, MAX_SECONDS))
    handed, repeats = read(file)
    print(f"{repeats} messages were handed over again")
    committed = committed_offsets(cluster, group, topic)
    for partition in PARTITIONS:
        offsets = handed[partition]
        missing = set(range(max(committed[partition], *offsets, 0))) - offsets
        assert not missing, f"of partition {partition}, committed up to {committed[partition]}"
    assert max(committed.values()) > 0


def read(file: Path) -> tuple[dict[int, set[int]], int]:
    """The offsets of each partition in the file,
    and how many are there more than once.
    """
    handed: dict[int, set[int]] = defaultdict(set)
    lines = [line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
    for line in lines:
        partition, offset = map(int, line.split())
        handed[partition].add(offset)
    return handed, len(lines) - sum(map(len, handed.values()))


def committed_offsets(cluster: Cluster, group: str, topic: str) -> dict[int, int]:
    """The committed offset of each partition, asked without our own code;
    negative where there is none.
    """
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": group})
    try:
        wanted = [TopicPartition(topic, partition) for partition in PARTITIONS]
        return {found.partition: found.offset for found in consumer.committed(wanted, timeout=10)}
    finally:
        consumer.close()
