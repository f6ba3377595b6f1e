"""Two hundred partitions cost one client:
they start in seconds, on as many threads as one partition.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest
from fix_async import filled, live, scaled
from fix_cluster import Cluster

PARTITIONS = 200
EACH = scaled(10, 500)
SECONDS = 15  # for all to start and to be told

# The messages of one partition, and then those of all.
MANY = """
proc told {message} {
    incr ::told([dict get $message partition])
    incr ::total
}
proc say {word} {
    puts $word
    flush stdout
    gets stdin
}
namespace eval by {
    proc topic {partitions} {
        for {set partition 0} {$partition < $partitions} {incr partition} {
            tc start $partition 0 told
        }
    }
    proc queue {partitions} {
        for {set partition 0} {$partition < $partitions} {incr partition} {
            tc start_queue $partition 0 q
        }
    }
    proc subscriber {partitions} {
        for {set partition 0} {$partition < $partitions} {incr partition} {
            lappend positions [list $::topic $partition 0]
        }
        s assign {*}$positions
    }
}
lassign $argv topic way partitions each group
m config group.id $group
if {$way eq "subscriber"} {
    m subscriber s
    s callback told
} else {
    m consumer_creator c
    c new_topic tc $topic
    c create_queue q
    q consume_callback told
}
set total 0
by::$way 1
await {$total == $each}
say one
set total 0
array unset told
by::$way $partitions
await {$total == $partitions * $each} 60000
say all
for {set partition 0} {$partition < $partitions} {incr partition} {
    if {$told($partition) != $each} {
        puts "$told($partition) of partition $partition"
    }
}
say end
"""


@pytest.fixture(scope="module")
def topic(kafka_cluster: Cluster) -> str:
    """A topic with ``EACH`` messages in each of ``PARTITIONS`` partitions."""
    return filled(kafka_cluster, dict.fromkeys(range(PARTITIONS), EACH), 100, PARTITIONS)


@pytest.mark.parametrize("way", ["topic", "queue", "subscriber"])
def test_many_partitions_start_soon_on_few_threads(
    way: str, kafka_cluster: Cluster, topic: str, tmp_path: Path
) -> None:
    args = (topic, way, str(PARTITIONS), str(EACH), f"group-{uuid.uuid4().hex[:8]}")
    with live(kafka_cluster, tmp_path, MANY, *args) as script:
        assert script.says() == "one"
        threads, began = script.usage.num_threads(), time.monotonic()
        script.is_told("go on")
        assert script.says(60) == "all"
        assert time.monotonic() - began < SECONDS
        assert abs(script.usage.num_threads() - threads) <= 2
        script.is_told("go on")
        assert script.says() == "end"
