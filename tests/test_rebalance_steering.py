"""What a script may do while partitions come and go, and what that does to batches."""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl
from test_rebalance import SETUP, properties

_PROTOCOLS = ("range", "cooperative-sticky", "consumer")


@pytest.mark.parametrize("protocol", _PROTOCOLS)
def test_a_seek_in_the_callback_holds(run_everywhere: RunTcl, kafka_cluster: Cluster, protocol: str) -> None:
    script = """
    proc seeking {name kind partitions} {
        if {$kind eq "assigned"} {
            foreach partition $partitions {$name seek {*}[lrange $partition 0 1] 7}
        }
    }
    fill 40
    member s1 seeking
    until {[llength $got] == 12} s1
    s1 consume 300
    puts [lsort -integer $got]
    puts [lmap p {0 1 2 3} {lindex [s1 offsets [list $topic $p]] 0 2}]
    """
    done = run_everywhere(SETUP + script, kafka_cluster.topic(), *properties(protocol), brokers=kafka_cluster)
    assert done.stdout.splitlines() == [" ".join(map(str, range(28, 40))), "10 10 10 10"]


@pytest.mark.parametrize("protocol", _PROTOCOLS)
def test_a_transaction_in_the_callback_commits_what_was_read(
    run_everywhere: RunTcl, kafka_cluster: Cluster, protocol: str
) -> None:
    script = """
    kafka::kafka create m2
    m2 logger none
    m2 config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] transactional.id tx-$topic
    m2 producer_creator tp
    tp new_topic copy $topic-copy
    proc transacting {name kind partitions} {
        told $name $kind $partitions
        if {$kind eq "revoked" && $name eq "s1" && ![info exists ::done]} {
            set ::done [list [catch {tp transaction -timeout 10000 -offsets s1 {copy produce 0 x}} message] $message]
            set ::committed [lmap place [s1 offsets -committed {*}$partitions] {lindex $place 2}]
        }
    }
    fill 40
    member s1 transacting
    until {[llength $got] == 40} s1
    member s2
    until {[regexp {s2 assigned \\d} $notices]} s1 s2
    puts [list $done [lsort -unique $committed]]
    """
    done = run_everywhere(SETUP + script, kafka_cluster.topic(), *properties(protocol), brokers=kafka_cluster)
    assert done.stdout == "{0 {}} 10\n"


def test_the_batch_in_which_partitions_are_revoked_ends(
    run_everywhere: RunTcl, kafka_cluster: Cluster
) -> None:
    script = """
    fill 4000
    set rows 0
    member s1 committing
    until {[llength $got] == 1} s1
    member s2 committing
    while {![regexp {s1 revoked} $notices]} {
        s1 consume_batch 100 4000 row {
            incr rows
            lappend notices "s1 got $row(partition)"
            if {$rows % 50 == 0} {
                after 20 {set ::waited 1}
                vwait ::waited
            }
        }
    }
    until {[llength $got] + $rows == 4000} s1 s2
    puts [llength [lsearch -all -inline $notices {s1 got *}]]
    puts [join $notices \\n]
    """
    done = run_everywhere(
        SETUP + script, kafka_cluster.topic(), *properties("cooperative-sticky"), brokers=kafka_cluster
    )
    count, *notices = done.stdout.splitlines()
    held: set[str] = set()
    foreign = []
    for name, what, *parts in (line.split() for line in notices):
        if name == "s1" and what == "assigned":
            held.update(parts)
        elif name == "s1" and what == "revoked":
            held.difference_update(parts)
        elif name == "s1" and what == "got":
            foreign += [part for part in parts if part not in held]
    assert int(count) > 0
    assert foreign == []
    assert not [line for line in notices if line.startswith("failed")]
