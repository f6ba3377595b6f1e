"""What tests of the native part need: both ways to run, and a check of its memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import Finished, RunTcl

from hatch_build import NATIVE, compiler
from kafkatcl.native import library

ROOT = Path(__file__).parent.parent
NEEDS_COMPILER = pytest.mark.skipif(not compiler(), reason="there is no C compiler")
WITH, WITHOUT = {library.VARIABLE: "1"}, {library.VARIABLE: "0"}
BOTH = {"native": WITH, "pure": WITHOUT}

SETUP = """
package require kafka
lassign $argv topic
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 0
"""

# Prints by how many pages a process grows in so many calls of the procedure `round` as
# the variable `rounds` says: the least of four times.  What is kept is so each time;
# what a busy machine frees later is not.
GROWTH = """
proc pages {} {
    set file [open /proc/self/statm]
    set pages [lindex [gets $file] 1]
    close $file
    return $pages
}
for {set i 0} {$i < $rounds} {incr i} {round}
for {set time 0} {$time < 4} {incr time} {
    set before [pages]
    for {set i 0} {$i < $rounds} {incr i} {round}
    lappend grown [expr {[pages] - $before}]
}
puts [lindex [lsort -integer $grown] 0]
exit
"""

_SANITIZERS = ("asan", "ubsan")


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the native part is checked at each access to memory."""
    file = tmp_path_factory.mktemp("checked") / "checked.so"
    words = ["-g", "-O1", "-std=gnu11", "-fPIC", "-shared", "-fsanitize=address,undefined"]
    source = str(ROOT / NATIVE / "fastpaths.c")
    subprocess.run([*compiler(), *words, "-fno-sanitize-recover", "-o", str(file), source], check=True)
    found = [
        subprocess.run(
            [*compiler(), f"-print-file-name=lib{name}.so"], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in _SANITIZERS
    ]
    # Python frees little at its end, so what is left then says nothing.
    return {library.VARIABLE: str(file), "LD_PRELOAD": ":".join(found), "ASAN_OPTIONS": "detect_leaks=0"}


def told_both_ways(run_tcl: RunTcl, cluster: Cluster, script: str, *args: str) -> dict[str, list[str]]:
    """The lines that a script prints in both ways, each with a topic of its own.

    :param args: those behind the topic.
    """
    told = {}
    for way, env in BOTH.items():
        done = run_tcl(script, cluster.topic(partitions=4), *args, brokers=cluster, env=env, timeout=180)
        assert done.status == 0, done.stderr
        told[way] = done.stdout_bytes.decode("latin-1").splitlines()
    return told


def require_sound(done: Finished) -> None:
    """Nothing was wrong where memory was checked."""
    assert done.status == 0, done.stderr
    assert "Sanitizer" not in done.stderr
    assert "runtime error" not in done.stderr
