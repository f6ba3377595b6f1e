"""What must not reach the package, or its pipe:
safe interpreters, programs that are run, forked processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import TCLSH, RunTcl

PRELUDE = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
m producer_creator p
p new_topic out [lindex $argv 0]
m consumer_creator c
c new_topic in [lindex $argv 0]
in start 0 beginning
"""

SAFE = """
%s
foreach turn {1 2} {
    set code [catch {interp eval $child {package require kafka}} message options]
    puts [list $code $message [dict get $options -errorcode]]
}
puts [interp eval $child {
    list [info commands ::kafka::*] [info procs ::kafkatcl::*] [namespace exists ::kafkatcl::bridge]
}]
interp alias $child send {} out produce 0
interp alias $child receive {} in consume 0 10000 row
interp eval $child {send "from the child"; receive}
puts $row(payload)
"""
NOT_FOUND = "1 {can't find package kafka} {TCL PACKAGE UNFOUND}"
REFUSED = (
    "1 {package kafka cannot be loaded into a safe interpreter: "
    "alias commands of its parent into it} {KAFKA SAFE}"
)


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("made", ["interp create -safe", "safe::interpCreate"])
def test_safe_interpreters_have_what_their_host_gives_them(
    made: str, order: str, shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    child = f"set child [{made}]"
    script = child + PRELUDE + SAFE % "" if order == "before" else PRELUDE + SAFE % child
    # Only the Safe Base lets a child look for packages.
    refusal = REFUSED if shell == TCLSH and made == "safe::interpCreate" else NOT_FOUND
    done = run_tcl(script, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell)
    assert done.stdout.splitlines() == [refusal, refusal, "{} {} 0", "from the child"]
    assert (done.status, done.stderr) == (0, "")


# -- programs that are run -------------------------------------------------------------

# The descriptors of a program that is run, before there is anything of ours, and with
# connections and callbacks.
DESCRIPTORS = """
proc descriptors {} {
    list [exec sh -c {ls /proc/$$/fd; true}] [exec sh -c {readlink /proc/$$/fd/*; true}]
}
lassign [descriptors] numbers
%s
out produce 0 one
in consume 0 10000 row
in stop 0
in start 0 beginning {lappend told}
for {set i 0} {$i < 200} {incr i} {out produce 0 $i}
while {[incr count] <= 201} {vwait told}
foreach found [list $numbers {*}[descriptors]] {
    puts [join $found]
}
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux shows descriptors in /proc")
def test_programs_that_are_run_inherit_no_descriptor(
    shell: Sequence[str], embedded_cluster: Cluster, run_tcl: RunTcl
) -> None:
    done = run_tcl(
        DESCRIPTORS % PRELUDE, embedded_cluster.topic(), brokers=embedded_cluster, shell=shell, timeout=30
    )
    assert (done.status, done.stderr) == (0, "")
    before, after, files = done.stdout.splitlines()
    assert "socket:" not in files
    if shell == TCLSH:  # librdkafka lets programs inherit some pipes of its own
        assert after == before


# -- fork ------------------------------------------------------------------------------

FORK = """
package require Tclx
%s
out produce 0 before
if {[set child [fork]] == 0} {
    foreach command {{out produce 0 child} {in consume 0 100 row} {kafka::kafka create other} {m config}} {
        puts [list [catch $command message] $message $errorCode]
    }
    flush stdout
    exit 5
}
puts [lrange [wait $child] 1 2]
out produce 0 after
foreach turn {1 2} {
    in consume 0 10000 row
    puts $row(payload)
}
"""


def test_a_forked_process_is_refused_and_its_parent_goes_on(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    done = run_everywhere(FORK % PRELUDE, embedded_cluster.topic(), brokers=embedded_cluster)
    if "can't find package Tclx" in done.stderr:
        pytest.skip("no Tclx: apt-get install tclx8.4")
    refusal = (
        "1 {package kafka cannot be used in a process forked from the one that loaded it: load it after the fork}"
        " {KAFKA FORKED}"
    )
    assert done.stdout.splitlines() == [refusal] * 4 + ["EXIT 5", "before", "after"], (
        done.stdout + done.stderr
    )
    assert (done.status, done.stderr) == (0, "")
