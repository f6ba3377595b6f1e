"""The package in every kind of interpreter:
of threads, with Itcl, children of each other, run by other programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import Consumer, TopicPartition
from fix_async import live
from fix_cluster import Cluster
from fix_engine import until
from fix_tcl import KAFKATCLSH, RunTcl

#: How many sidecars a shell has for its main interpreter.
OWN_SIDECARS = {True: 0, False: 1}

# Four threads, each of which produces to its partition and is told of what comes from
# that of the next thread.
THREADS = """
package require Thread
set worker {
    package require kafka
    kafka::kafka create m
    m logger none
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10
    m producer_creator p
    p new_topic out $topic
    m consumer_creator c
    c new_topic in $topic
    proc work {partition count} {
        set ::got {}
        in start [expr {($partition + 1) % 4}] 0 {apply {message {lappend ::got [dict get $message payload]}}}
        for {set i 0} {$i < $count} {incr i} {
            out produce $partition $i
            if {$i % 50 == 0} {update}
        }
        while {[llength $::got] < $count} {vwait ::got}
        return $::got
    }
}
lassign $argv topic count
set threads {}
for {set i 0} {$i < 4} {incr i} {
    set thread [thread::create]
    lappend threads $thread
    thread::send $thread [list set topic $topic]
    thread::send $thread $worker
}
for {set i 0} {$i < 4} {incr i} {
    thread::send -async [lindex $threads $i] [list work $i $count] got($i)
}
await {[array size got] == 4} 60000
foreach i [lsort [array names got]] {
    puts $got($i)
}
puts working
flush stdout
gets stdin
foreach thread $threads {
    puts [thread::release -wait $thread]
    flush stdout
    gets stdin
}
"""


def test_threads(shell: Sequence[str], embedded_cluster: Cluster, tmp_path: Path) -> None:
    count = 2000
    topic = embedded_cluster.topic()
    own = OWN_SIDECARS[shell == KAFKATCLSH]
    with live(embedded_cluster, tmp_path, THREADS, topic, str(count), shell=shell) as script:
        for _ in range(4):
            assert script.says(60) == " ".join(map(str, range(count)))
        assert script.says() == "working"
        assert len(script.usage.children()) == own + 4
        for left in (3, 2, 1, 0):
            script.is_told("release")
            assert script.says() == "0"
            assert until(lambda: len(script.usage.children()) == own + left)  # noqa: B023
        script.is_told("end")
        assert script.process.wait(30) == 0, script.errors()
    for partition in range(4):
        assert contents(embedded_cluster, topic, partition) == [b"%d" % number for number in range(count)]


def contents(cluster: Cluster, topic: str, partition: int) -> list[bytes | None]:
    """The payloads of a partition, read without any KafkaTcl."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "look"})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        consumer.assign([TopicPartition(topic, partition, 0)])
        return [message.value() for message in consumer.consume(end, 20)] if end else []
    finally:
        consumer.close()


# -- Itcl ------------------------------------------------------------------------------

ITCL = """
package require Itcl
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
m producer_creator p
m consumer_creator c
itcl::class Pair {
    private variable topic
    private variable told {}
    constructor {name} {
        p new_topic $this.out $name
        c new_topic $this.in $name
        $this.in start 0 beginning [itcl::code $this arrived]
    }
    destructor {
        $this.out delete
        $this.in delete
    }
    method send {args} {
        foreach text $args {$this.out produce 0 $text}
    }
    private method arrived {message} {
        lappend told [dict get $message payload]
        if {[llength $told] == 3} {
            set ::told $told
            itcl::delete object $this
        }
    }
}
proc bgerror {message} {puts "background error: $message"}
Pair pair [lindex $argv 0]
pair send one two three four five
vwait told
after 300 {set done 1}
vwait done
puts [list $told [info commands pair*]]
"""


def test_methods_as_callbacks_of_an_object_that_deletes_itself(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    done = run_tcl(ITCL, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "{one two three} {}\n", "")


# -- children --------------------------------------------------------------------------

# The child `early` is older than the package in its parent, `late` is not.
CHILDREN = """
interp create early
package require kafka
interp create late
set side {
    package require kafka
    kafka::kafka create m
    m logger none
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 300
    m producer_creator p
    p new_topic out $topic
    m consumer_creator c
    c new_topic in $topic
}
foreach interp {{} early late} {
    interp eval $interp [list set topic [lindex $argv 0]]
    interp eval $interp $side
}
"""
THERE_AND_BACK = """
foreach {interp partition} {{} 0 early 1 late 2} {
    interp eval $interp [list set partition $partition]
    interp eval $interp {
        in start $partition beginning
        out produce $partition "from $partition"
        in consume $partition 10000 row
        puts $row(payload)
    }
}
"""
DELETED = """
proc bgerror {message} {puts "background error: $message"}
proc told {interp message} {
    lappend ::told($interp) [dict get $message payload]
    if {[llength $::told($interp)] == 3} {
        interp delete $interp
        incr ::deleted
    }
}
foreach {interp partition} {early 0 late 1} {
    interp alias $interp told {} told $interp
    interp eval $interp [list in start $partition beginning told]
    for {set i 0} {$i < 500} {incr i} {out produce $partition $i}
}
while {[incr deleted 0] < 2} {vwait deleted}
in start 0 beginning {lappend all}
while {[incr count] < 500} {vwait all}
puts [list $told(early) $told(late) [lsearch -all -inline -not [interp children] ::kafkatcl::*]]
"""


def test_children_older_and_younger_than_the_package(
    shell: Sequence[str], cluster: Cluster, run_tcl: RunTcl
) -> None:
    done = run_tcl(CHILDREN + THERE_AND_BACK, cluster.topic(), brokers=cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "from 0\nfrom 1\nfrom 2\n", "")


def test_children_deleted_in_their_callbacks(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    topic = embedded_cluster.topic()
    done = run_tcl(CHILDREN + DELETED, topic, brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (0, "{0 1 2} {0 1 2} {}\n", "")


@pytest.mark.parametrize("child", ["early", "late"])
def test_exit_in_a_child_ends_the_script_and_loses_nothing(
    child: str, shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    topic = embedded_cluster.topic()
    end = f"""
        foreach {{interp partition}} {{{{}} 0 early 1 late 2}} {{
            for {{set i 0}} {{$i < 1000}} {{incr i}} {{interp eval $interp [list out produce $partition $i]}}
        }}
        {child} eval {{exit 3}}
        puts "still here"
    """
    done = run_tcl(CHILDREN + end, topic, brokers=embedded_cluster, shell=shell)
    assert (done.status, done.stdout, done.stderr) == (3, "", "")
    everything = [b"%d" % number for number in range(1000)]
    for partition in range(3):
        # A sidecar whose interpreter did not wait for it delivers all the same.
        assert until(lambda: contents(embedded_cluster, topic, partition) == everything)  # noqa: B023


# -- other programs --------------------------------------------------------------------

HOSTS = {
    "kafkatclsh": [*KAFKATCLSH, "s.tcl"],
    "install": [
        sys.executable,
        "-c",
        "import kafkatcl, tkinter; tcl = tkinter.Tcl(); kafkatcl.install(tcl); tcl.eval('source s.tcl')",
    ],
    "Interp": [sys.executable, "-c", "import kafkatcl; kafkatcl.Interp().run('s.tcl')"],
}
HOST = """
puts [exec tclsh << {
    puts [package require kafka],$env(TCLLIBPATH),$env(KAFKATCL_PYTHON)
    puts [kafka::kafka version]
}]
"""


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("given", [{}, {"TCLLIBPATH": "/a {/b c}", "KAFKATCL_PYTHON": sys.executable}])
def test_a_tclsh_that_a_host_runs_finds_the_package(host: str, given: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "s.tcl").write_text(HOST)
    unset = {
        name: value for name, value in os.environ.items() if name not in ("TCLLIBPATH", "KAFKATCL_PYTHON")
    }
    done = subprocess.run(
        HOSTS[host],
        env={**unset, **given},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.returncode == 0, done.stderr
    index = Path(__file__).parent.parent / "pkgIndex"
    expected = f"{given.get('TCLLIBPATH', '')} {index}".strip()
    assert done.stdout.splitlines() == [f"2.5,{expected},{sys.executable}", confluent_kafka.libversion()[0]]
