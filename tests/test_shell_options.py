"""What kafkatclsh has beyond tclsh:
its own options, its place, and the package kafka.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from fix_tcl import KAFKATCLSH, RunTcl

from kafkatcl.bridge.inprocess import new_application
from kafkatcl.shell.options import Options, parse
from kafkatcl.shell.paths import set_paths

PARSED = {
    (): Options(),
    ("s.tcl", "-encoding", "--help"): Options(script="s.tcl", arguments=("-encoding", "--help")),
    ("--embedded",): Options(embedded=True),
    ("--embedded", "s.tcl", "--embedded"): Options(embedded=True, script="s.tcl", arguments=("--embedded",)),
    ("--embedded", "-encoding", "utf-8", "s.tcl"): Options(embedded=True, encoding="utf-8", script="s.tcl"),
    ("--embedded", "--help"): Options(action="help"),
    ("--version", "s.tcl"): Options(action="version"),
    ("-encoding", "utf-8"): Options(arguments=("-encoding", "utf-8")),
    ("-encoding", "utf-8", "-"): Options(arguments=("-encoding", "utf-8", "-")),
    ("-",): Options(arguments=("-",)),
    ("--", "--help"): Options(arguments=("--", "--help")),
    ("",): Options(script=""),
}


@pytest.mark.parametrize("words", PARSED, ids=" ".join)
def test_parse(words: tuple[str, ...]) -> None:
    assert parse(words) == PARSED[words]


def test_help_and_version(run_tcl: RunTcl) -> None:
    shown = run_tcl("", shell=(*KAFKATCLSH, "--help"))
    assert (shown.status, shown.stderr) == (0, "")
    assert shown.stdout.startswith("usage: kafkatclsh [--embedded]")
    shown = run_tcl("", shell=(*KAFKATCLSH, "--version"))
    assert (shown.status, shown.stderr) == (0, "")
    assert shown.stdout.startswith("kafkatclsh ")
    assert ", Tcl 8.6" in shown.stdout or ", Tcl 9" in shown.stdout


def test_embedded_reaches_the_script_and_its_children(run_tcl: RunTcl) -> None:
    script = "puts [list $env(KAFKATCL_EMBEDDED) [exec sh -c {echo $KAFKATCL_EMBEDDED}]]"
    assert run_tcl(script, embedded=True).stdout == "1 1\n"


def test_package_is_loaded_when_required_only(run_tcl: RunTcl) -> None:
    script = "puts [info commands ::kafka::kafka]; package require kafka; puts [info commands ::kafka::kafka]"
    assert run_tcl(script).stdout == "\n::kafka::kafka\n"


def test_its_executable_runs_scripts(run_tcl: RunTcl, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "kafkatclsh"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom kafkatcl.shell import main\nmain()\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    inner = tmp_path / "inner.tcl"
    inner.write_text("#!/usr/bin/env kafkatclsh\nputs $argv\n")
    inner.chmod(0o700)
    script = f"""
        puts [info nameofexecutable]
        puts [exec [info nameofexecutable] {inner} a]
        puts [exec {inner} b]
        interp create c; puts [c eval {{info nameofexecutable}}]
        catch {{info nameofexecutable x}} text; puts $text
    """
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    finished = run_tcl(script, shell=(str(program),), env={"PATH": path})
    assert finished.stderr == ""
    assert finished.stdout.splitlines() == [
        str(program),
        "a",
        "b",
        str(program),
        'wrong # args: should be "info nameofexecutable"',
    ]


def test_a_tcl_of_pythons_own_finds_the_systems_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = new_application()
    app.eval("namespace eval ::kafkatcl::shell {}")
    own = Path(str(app.getvar("tcl_library"))).parent
    tclsh = tmp_path / f"tclsh{app.getvar('tcl_version')}"
    tclsh.write_text(f"#!/bin/sh\necho '/system/lib {{/system/with space}} {own}'\n")
    tclsh.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    before = app.splitlist(app.getvar("auto_path"))
    set_paths(app)
    assert app.splitlist(app.getvar("auto_path")) == before  # the system's Tcl it is

    monkeypatch.setattr(sys, "base_prefix", str(own))
    set_paths(app)
    assert app.splitlist(app.getvar("auto_path")) == (*before, "/system/lib", "/system/with space")
