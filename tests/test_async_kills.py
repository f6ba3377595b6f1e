"""A consumer that is killed at any moment loses nothing: what is committed has been handed to the script."""

from __future__ import annotations

import random
import time
import uuid
from collections import defaultdict
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from fix_async import filled, live, scaled
from fix_cluster import Cluster
from fix_engine import until

KILLS = scaled(4, 20)
EACH = scaled(2500, 12_000)
PARTITIONS = range(4)
MOST_SECONDS = 2  # before a kill; within one, some offsets are committed

# What it is handed goes to a file, a line at once for each message.  That takes a millisecond, so that more is
# always fetched and waiting; offsets are committed all the time.
SCRIPT = """
proc note {partition offset} {
    puts $::file "$partition $offset"
    after 1
}
proc told {message} {
    note [dict get $message partition] [dict get $message offset]
}
lassign $argv topic group path
set file [open $path a]
fconfigure $file -buffering line
m config group.id $group auto.commit.interval.ms 10
# A static member takes its place again at once.
m config group.instance.id only session.timeout.ms 6000
m topic_config auto.offset.reset earliest
m subscriber s
s callback told
s subscribe $topic
vwait forever
"""


def test_kills_of_a_group_member_lose_nothing(kafka_cluster: Cluster, tmp_path: Path) -> None:
    chance = random.Random(1)
    topic = filled(kafka_cluster, dict.fromkeys(PARTITIONS, EACH))
    group = f"group-{uuid.uuid4().hex[:8]}"
    file = tmp_path / "handed"
    file.touch()
    for _ in range(KILLS):
        before = file.stat().st_size
        with live(kafka_cluster, tmp_path, SCRIPT, topic, group, str(file)):
            assert until(lambda size=before: file.stat().st_size > size), "nothing came"
            time.sleep(chance.uniform(0, MOST_SECONDS))
    handed, repeats = read(file)
    print(f"{repeats} messages were handed over again")
    committed = committed_offsets(kafka_cluster, group, topic)
    for partition in PARTITIONS:
        offsets = handed[partition]
        missing = set(range(max(committed[partition], *offsets, 0))) - offsets
        assert not missing, f"of partition {partition}, committed up to {committed[partition]}"
    assert max(committed.values()) > 0


def read(file: Path) -> tuple[dict[int, set[int]], int]:
    """The offsets of each partition in the file, and how many are there more than once."""
    handed: dict[int, set[int]] = defaultdict(set)
    lines = [line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
    for line in lines:
        partition, offset = map(int, line.split())
        handed[partition].add(offset)
    return handed, len(lines) - sum(map(len, handed.values()))


def committed_offsets(cluster: Cluster, group: str, topic: str) -> dict[int, int]:
    """The committed offset of each partition, asked without our own code; negative where there is none."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": group})
    try:
        wanted = [TopicPartition(topic, partition) for partition in PARTITIONS]
        return {found.partition: found.offset for found in consumer.committed(wanted, timeout=10)}
    finally:
        consumer.close()
