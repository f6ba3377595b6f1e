"""An environment that was set up for another Python: the package is not concerned."""

from __future__ import annotations

import os
import sysconfig
import venv
from pathlib import Path

import pytest
from fix_tcl import TCLSH, RunTcl

SCRIPT = """
puts [catch {package require kafka} message]:$errorCode
kafka::topic_producer out news
kafka::topic_consumer in news
out produce 0 hello
in start 0 beginning
in consume 0 10000 row
puts $row(payload)
"""
RIGHT = ["0:NONE", "hello"]


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHOME": "{folder}"},
        {"PYTHONHOME": "{folder}", "PYTHONPATH": "{folder}", "PYTHONINSPECT": "1", "PYTHONOPTIMIZE": "2"},
        {
            "PYTHONPLATLIBDIR": "nowhere",
            "PYTHONWARNINGS": "error",
            "PYTHONVERBOSE": "1",
            "PYTHONSAFEPATH": "1",
        },
    ],
    ids=["home", "home and path", "others"],
)
def test_a_sidecar_does_not_mind_variables_of_python(
    variables: dict[str, str], tmp_path: Path, run_tcl: RunTcl
) -> None:
    env = {name: value.format(folder=tmp_path) for name, value in variables.items()}
    assert run_tcl(SCRIPT, env=env, embedded=True, shell=TCLSH).stdout.splitlines() == RIGHT


def with_module(name: str, folder: Path) -> dict[str, str]:
    """The environment in which another program has a module of this name."""
    (folder / "theirs").mkdir()
    (folder / "theirs" / f"{name}.py").write_text("raise RuntimeError('for another program')\n")
    return {"PYTHONPATH": str(folder / "theirs")}


@pytest.mark.parametrize("module", ["selectors", "queue", "uuid", "json", "confluent_kafka", "tkinter"])
def test_modules_of_other_programs_are_in_nobodys_way(
    module: str, tmp_path: Path, run_everywhere: RunTcl
) -> None:
    done = run_everywhere(SCRIPT, env=with_module(module, tmp_path), embedded=True)
    assert done.stdout.splitlines() == RIGHT, done.stderr


def test_nor_is_another_package_of_our_name(tmp_path: Path, run_tcl: RunTcl) -> None:
    done = run_tcl(SCRIPT, env=with_module("kafkatcl", tmp_path), embedded=True, shell=TCLSH)
    assert done.stdout.splitlines() == RIGHT, done.stderr


def test_what_a_sidecar_needs_may_be_on_the_path(tmp_path: Path, run_tcl: RunTcl) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    env = {
        "KAFKATCL_PYTHON": str(tmp_path / "bare" / "bin" / "python"),
        "PYTHONPATH": os.pathsep.join(["", "/nowhere", sysconfig.get_path("purelib")]),
    }
    assert run_tcl(SCRIPT, env=env, embedded=True, shell=TCLSH).stdout.splitlines() == RIGHT
