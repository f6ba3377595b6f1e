"""What a sidecar says first is all that a Tcl shell knows of it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import TCLSH, RunTcl

from kafkatcl.sidecar import __main__ as main
from kafkatcl.sidecar.protocol import HEADER, PROTOCOL, Kind
from kafkatcl.version import TCL_VERSION


def python_that(change: str, folder: Path) -> dict[str, str]:
    """The environment of a sidecar that runs some code before it starts."""
    start = "import runpy, sys; runpy.run_path(sys.argv[-1], run_name='__main__')"
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(change + start)} "$@"\n')
    python.chmod(0o755)
    return {"KAFKATCL_PYTHON": str(python)}


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (
            "from kafkatcl.sidecar import protocol; protocol.PROTOCOL = 77; ",
            f"has protocol 77 instead of {PROTOCOL}: ",
        ),
        (
            "import kafkatcl.version; kafkatcl.version.TCL_VERSION = '9.7'; ",
            f"has version 9.7 instead of {TCL_VERSION}: ",
        ),
    ],
)
def test_another_version_is_refused_and_both_are_named(
    change: str, differs: str, tmp_path: Path, run_tcl: RunTcl
) -> None:
    done = run_tcl(
        """
        puts [catch {package require kafka} message options]
        puts $message
        puts [dict get $options -errorcode]
        """,
        shell=TCLSH,
        env=python_that(change, tmp_path),
    )
    failed, message, code = done.stdout.splitlines()
    assert (failed, code) == ("1", "KAFKA SIDECAR VERSION")
    assert message.startswith(f"the sidecar of package kafka {differs}package kafka needs ")


#: All that Tcl is told gets another value, but for what the first frame is read by.
OTHER_NUMBERS = """
from enum import IntEnum
from struct import Struct
from kafkatcl.sidecar import credit, protocol
protocol.Op = IntEnum("Op", {op.name: 90 - op for op in protocol.Op})
protocol.Kind = IntEnum("Kind", {
    kind.name: kind if kind.name in ("LIST", "REFUSED") else 70 - kind for kind in protocol.Kind})
protocol.OBJECT_ID = 16
protocol.PRODUCE = Struct("<16sii")
credit.LARGEST = 50
"""


def test_no_number_of_the_protocol_stands_in_tcl(
    embedded_cluster: Cluster, tmp_path: Path, run_tcl: RunTcl
) -> None:
    """Where all of them are others, all works:
    messages both ways, callbacks, the end.
    """
    done = run_tcl(
        """
        package require kafka
        kafka::kafka create m
        m logger none
        m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
        m producer_creator p
        p new_topic t $env(TOPIC)
        trace add execution ::kafkatcl::sidecar::Ask enter {apply {{command op} {incr ::asked([lindex $command 1])}}}
        set asked(PRODUCE) 0
        for {set i 0} {$i < 200} {incr i} {
            t produce 0 $i k$i
        }
        puts [expr {$asked(PRODUCE) < 100}]
        set asked(PRODUCE) 0
        for {set i 0} {$i < 50} {incr i} {
            t produce 0 [string repeat x 51]
        }
        puts $asked(PRODUCE)
        t produce_batch 0 {a {b key}}
        m consumer_creator c
        c new_topic tc $env(TOPIC)
        tc start 0 0
        for {set i 0} {$i < 252} {incr i} {
            tc consume 0 10000 row
        }
        puts "$row(payload) $row(key)"
        tc stop 0
        proc told {message} {incr ::got}
        tc start 0 0 told
        set got 0
        while {$got < 252} {
            vwait got
        }
        puts $got
        m config bootstrap.servers 127.0.0.1:1
        m producer_creator lost
        lost new_topic tl t
        tl produce 0 x
        exit
        """,
        shell=TCLSH,
        brokers=embedded_cluster,
        env={
            "TOPIC": embedded_cluster.topic(),
            "KAFKATCL_FLUSH_TIMEOUT_MS": "500",
            **python_that(OTHER_NUMBERS, tmp_path),
        },
    )
    assert done.stdout.splitlines() == ["1", "50", "b key", "252"], done.stderr
    assert done.status == 1  # a message was lost


def test_the_file_that_runs_under_any_python_knows_how_to_refuse() -> None:
    assert main._REFUSED == Kind.REFUSED
    assert HEADER.format == main._HEADER
