"""A message's fields are rows: one more of them is in all arrays, lists and loops,
over both bridges.

Each test edits one line of a copy of the package.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

ROOT = Path(__file__).parent.parent

# Reads the topic in each way there is, and prints what it has seen of each message.
SCRIPT = """
package require kafka
lassign $argv topic field
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
m producer_creator p
p new_topic out $topic
foreach {payload key} {a {} b k c {} d {} e k f k} {
    out produce 0 $payload {*}[expr {$key eq "" ? {} : [list $key]}]
}
foreach payload {p p p p p p p p} {
    out produce 1 $payload
}
p delete
m consumer_creator c
m config group.id $topic
m subscriber s
c new_topic in $topic

proc show {list} {
    lappend ::seen [dict get $list payload] [expr {[dict exists $list key] ? [dict get $list key] : "-"}] \
        [expr {[dict exists $list $::field] ? [dict get $list $::field] : "-"}]
}
proc show_row {} {
    upvar 1 row row
    show [array get row]
}
proc until_all {body} {
    set ::seen {}
    uplevel 1 [list while {[llength $::seen] < 18} $body]
    puts $::seen
}
proc wait_for_all {} {
    set limit [after 20000 {error late}]
    until_all {vwait ::seen}
    after cancel $limit
}

# What one message has must not be left in the array of another that was read ahead.
in start 0 0
in start 1 0
foreach partition {1 1 1 0 1 0 1 1} {
    in consume $partition 9000 row
    lappend has $row(payload) [info exists row($field)]
}
puts $has

in start 0 0
until_all {in consume 0 9000 row; show_row}
in start 0 0
until_all {in consume_batch 0 9000 3 row show_row}
in start 0 0
until_all {in consume_callback 0 9000 show}
in start 0 0 show
wait_for_all
c create_queue q
in start_queue 0 0 q
until_all {q consume 9000 row; show_row}
s assign [list $topic 0 0]
until_all {show [s consume 9000]}
s assign [list $topic 0 0]
s callback show
wait_for_all
in start 0 0 {lappend names}
while {![info exists names]} {vwait names}
puts [dict keys [lindex $names 0]]
"""

#: A row, and what each message has of its field: of payloads a, c, d and of b, e, f,
#: which have a key.
ROWS = {
    "optional bytes": (
        'Field("big", bytes, lambda messages: [m.value().upper() if m.value() in b"ace" else None for m in messages], '
        "optional=True)",
        ("A", "-", "C", "-", "E", "-"),
    ),
    "optional number": (
        'Field("big", int, lambda messages: [m.offset() << 40 if m.value() in b"bdf" else None for m in messages], '
        "optional=True)",
        ("-", str(1 << 40), "-", str(3 << 40), "-", str(5 << 40)),
    ),
    "in no message": (
        'Field("big", bytes, lambda messages: [None for _ in messages], optional=True)',
        ("-",) * 6,
    ),
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, in the folder that scripts run in,
    where Python and Tcl find it before all others.
    """
    for folder in ("kafkatcl", "pkgIndex"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def add_row(package: Path, row: str) -> None:
    """Add a row behind the last one."""
    source = package / "kafkatcl" / "engine" / "layouts.py"
    text, count = re.subn(r"(?m)^(    Field\(\"key\".*\n)", rf"\1    {row},\n", source.read_text())
    assert count == 1
    source.write_text(text)


@also_in_tcl9
@pytest.mark.parametrize(("row", "values"), ROWS.values(), ids=ROWS)
def test_a_row_is_all_that_a_new_field_needs(
    row: str, values: tuple[str, ...], package: Path, embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    add_row(package, row)
    done = run_everywhere(
        SCRIPT,
        embedded_cluster.topic(),
        "big",
        brokers=embedded_cluster,
        env={"TCLLIBPATH": str(package / "pkgIndex")},
    )
    keys = ("-", "k", "-", "-", "k", "k")
    seen = " ".join(word for message in zip("abcdef", keys, values) for word in message)
    assert done.status == 0, done
    has, *lines, names = done.stdout.splitlines()
    first, second = (int(value != "-") for value in values[:2])
    assert has == f"p 0 p 0 p 0 a {first} p 0 b {second} p 0 p 0", done
    assert lines == [seen] * 7, done
    assert names.split() == [
        "payload",
        *("partition", "offset", "timestamp", "topic"),
        *(["big"] if values[0] != "-" else []),
    ]
