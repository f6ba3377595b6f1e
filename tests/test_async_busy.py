"""A script that is too busy for its messages neither grows, nor leaves its group,
nor loses one.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest
from fix_async import Live, fill, filled, live, scaled
from fix_cluster import Cluster

MIB = 2**20
BUSY_SECONDS = scaled(12, 60)
MAX_POLL_MS = scaled(6000, 10_000)  # the session may not be longer, and a broker wants one of 6 s
EACH = scaled(12_500, 50_000)
PARTITIONS = range(4)

# Two subscribers, each of a group of its own: the callback of one is busy for seconds,
# and meanwhile nobody asks the other for messages.  Then both get everything.
BUSY = """
proc note {who message} {
    if {[dict exists $message error]} {
        puts "$who: $message"
        return
    }
    set partition [dict get $message partition]
    if {[dict get $message offset] != [incr ::next($who,$partition)] - 1} {
        puts "$who: offset [dict get $message offset] of $partition, not [expr {$::next($who,$partition) - 1}]"
    }
    incr ::told($who)
}
proc told {message} {
    note called $message
    if {$::told(called) == 1} {
        await_asker
        work
    }
}
proc await_asker {} {
    while {[set message [asker consume 1000]] eq ""} {}
    note asking $message
}
proc work {} {
    puts busy
    set end [expr {[clock milliseconds] + 1000 * $::seconds}]
    while {[clock milliseconds] < $end} {}
    puts done
}
lassign $argv topic group seconds interval count
fconfigure stdout -buffering line
m config session.timeout.ms 6000 max.poll.interval.ms $interval queued.max.messages.kbytes 2048 \
    fetch.queue.backoff.ms 10
m error_callback {apply {{error} {puts "error: $error"}}}
m config group.id $group-asking
m subscriber asker
asker subscribe $topic
m config group.id $group-called
m subscriber called
called callback told
called subscribe $topic
await {[info exists told(called)] && $told(called) >= $count} 120000
while {$told(asking) < $count} {
    note asking [asker consume 10000]
}
after 300 {set rest 1}
vwait rest
puts "$told(called) [asker consume 300] $told(asking)"
"""


def test_a_busy_script_keeps_its_groups_and_its_size_and_loses_nothing(
    kafka_cluster: Cluster, tmp_path: Path
) -> None:
    topic, group = filled(kafka_cluster, {0: 1}), f"group-{uuid.uuid4().hex[:8]}"
    more = dict.fromkeys(PARTITIONS, EACH)
    told = 1 + sum(more.values())
    args = (topic, group, str(BUSY_SECONDS), str(MAX_POLL_MS), str(told))
    with live(kafka_cluster, tmp_path, BUSY, *args) as script:
        assert script.says() == "busy"
        size = script.resident()
        members = members_of(kafka_cluster, group)
        fill(kafka_cluster, topic, more, 1000)
        assert script.says(BUSY_SECONDS + 10) == "done"
        assert members_of(kafka_cluster, group) == members
        growth = script.resident() - size
        assert script.says(120) == f"{told}  {told}"
    # What two handles may hold, of messages that are 1000 bytes each: 10,000 ready for
    # the script, and 2 MiB and the fetch under way in librdkafka.  All of them would be
    # more than 100 MiB.
    assert growth < 60 * MIB, f"{growth / MIB:.0f} MiB"


def members_of(cluster: Cluster, group: str) -> list[tuple[str, str, list[int]]]:
    """State, member and partitions of both groups, by the broker's account."""
    groups = [f"{group}-{who}" for who in ("called", "asking")]
    found = []
    for asked in cluster.admin.describe_consumer_groups(groups).values():
        told = asked.result(20)
        (member,) = told.members
        partitions = sorted(part.partition for part in member.assignment.topic_partitions)
        assert partitions == list(PARTITIONS)
        found.append((str(told.state), member.member_id, partitions))
    return found


# Two handles on the same topic: the callback of one never ends, and of the other a
# message is wanted now and then.
FULL = """
lassign $argv topic
m config queued.max.messages.kbytes 2048 fetch.queue.backoff.ms 10
foreach name {one two} {
    m consumer_creator $name
    $name new_topic from_$name $topic
}
from_two start 0 0
proc told {message} {
    from_two consume 0 15000 row
    puts ready
    flush stdout
    while 1 {
        after 200
        from_two consume 0 0 row
    }
}
from_one start 0 0 told
vwait forever
"""


@pytest.mark.parametrize(("size", "count"), [(100, scaled(300_000, 2_000_000)), (900_000, scaled(250, 1000))])
def test_what_waits_for_a_busy_script_is_bounded(
    size: int, count: int, kafka_cluster: Cluster, tmp_path: Path
) -> None:
    topic = filled(kafka_cluster, {0: 1}, size)
    with live(kafka_cluster, tmp_path, FULL, topic) as script:
        assert script.says() == "ready"
        before = script.resident()
        fill(kafka_cluster, topic, {0: count}, size)
        growth = settled_size(script) - before
    assert growth < 128 * MIB, f"{growth / MIB:.0f} MiB"


def settled_size(script: Live, seconds: float = 20) -> int:
    """The resident memory when it has not grown for a second;
    a failure when that takes too long.
    """
    end = time.monotonic() + seconds
    size, since = script.resident(), time.monotonic()
    while time.monotonic() - since < 1:
        assert time.monotonic() < end, f"it still grows at {size / MIB:.0f} MiB"
        time.sleep(0.05)
        now = script.resident()
        if now > size + MIB:
            size, since = now, time.monotonic()
    return size
