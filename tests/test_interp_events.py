"""kafkatcl.Interp: script files, events and interruptions."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Callable

import pytest

from kafkatcl.interp import Interp, TclError

# -- script files ----------------------------------------------------------------------


def test_run_gives_the_script_its_arguments(interp: Interp, tmp_path: Path) -> None:
    script = tmp_path / "a script.tcl"
    script.write_text("list $argv0 $argv $argc [info script] é", encoding="utf-8")
    assert interp.run(script, ["a b", 1]) == f"{{{script}}} {{{{a b}} 1}} 2 {{{script}}} é"
    assert interp.run(str(script)) == f"{{{script}}} {{}} 0 {{{script}}} é"


def test_run_reads_another_encoding(interp: Interp, tmp_path: Path) -> None:
    script = tmp_path / "old.tcl"
    script.write_bytes(b"set x caf\xe9")
    assert interp.run(script, encoding="iso8859-1") == "café"


def test_an_error_in_a_script_file_names_the_line(interp: Interp, tmp_path: Path) -> None:
    script = tmp_path / "bad.tcl"
    script.write_text("set x 1\nnope $x\n")
    with pytest.raises(TclError, match='invalid command name "nope"') as caught:
        interp.run(script)
    assert caught.value.errorcode == ("TCL", "LOOKUP", "COMMAND", "nope")
    assert f'(file "{script}" line 2)' in caught.value.errorinfo


def test_a_script_file_that_is_not_there(interp: Interp, tmp_path: Path) -> None:
    with pytest.raises(TclError, match=r"couldn't read file .*no such file or directory") as caught:
        interp.run(tmp_path / "none.tcl")
    assert caught.value.errorcode[:2] == ("POSIX", "ENOENT")


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit", 0),
        ("exit 3; set after 1", 3),
        ("proc f {} {exit 4}; f; set after 1", 4),
        ("after 1 {exit 5}; vwait forever; set after 1", 5),
        ("after 1 {catch {exit 6}}; vwait forever; set after 1", 6),
    ],
)
def test_exit_of_a_script_is_an_exception_to_its_host(
    interp: Interp, tmp_path: Path, script: str, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.tcl").write_text(script)
    with pytest.raises(SystemExit) as caught:
        interp.run(tmp_path / "s.tcl")
    assert caught.value.code == status
    assert "after" not in interp
    interp.update()
    assert capfd.readouterr().err == ""


def test_exit_with_a_bad_status(interp: Interp) -> None:
    with pytest.raises(TclError, match='expected integer but got "now"'):
        interp.eval("exit now")


# -- events ----------------------------------------------------------------------------


def test_vwait_tells_whether_the_variable_was_written(interp: Interp) -> None:
    interp["x"] = 1
    interp.eval("after 5 {set x 1; after 5 {unset x}}")
    assert interp.vwait("x")
    assert interp.vwait("x")
    assert not interp.vwait("x", timeout=0.02)
    assert not interp.vwait("x", timeout=0)


def test_vwait_in_scripts_is_that_of_tcl(interp: Interp) -> None:
    script = """
        after 1 {after 20 {set ::inner 1}; vwait inner; lappend ::order inner; set ::outer 1}
        namespace eval n {vwait outer}
        lappend order outer
    """
    assert interp.eval(script) == "inner outer"
    with pytest.raises(TclError, match='wrong # args: should be "vwait name"'):
        interp.eval("vwait")


def test_vwait_refuses_a_name_that_cannot_be(interp: Interp) -> None:
    with pytest.raises(TclError, match="parent namespace doesn't exist"):
        interp.vwait("no::such::place")


def test_update_handles_what_is_there(interp: Interp) -> None:
    interp.eval("after 0 {set x done}; after idle {set y done}")
    interp.update()
    assert (interp["x"], interp["y"]) == ("done", "done")


def test_mainloop_ends_by_quit_and_goes_again(interp: Interp) -> None:
    interp.command("stop")(interp.quit)
    for _ in range(2):
        interp.eval("after 1 {lappend ran x; stop}")
        interp.mainloop()
    assert interp["ran"] == "x x"


def test_an_error_in_a_callback_goes_to_bgerror(interp: Interp) -> None:
    interp.command("fail")(lambda: 1 / 0)
    interp.eval("proc bgerror message {set ::told [list $message $::errorCode]}; after 1 fail")
    assert interp.vwait("told", 5)
    assert interp["told"] == "{ZeroDivisionError: division by zero} {PYTHON ZeroDivisionError}"


# -- interruptions ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interruption_in_a_command_reaches_the_host(interp: Interp, kind: type[BaseException]) -> None:
    raised = kind("now")

    @interp.command
    def stop() -> None:
        raise raised

    with pytest.raises(kind) as caught:
        interp.eval("catch stop message; set code $errorCode; set after 1")
    assert caught.value is raised
    assert interp["message"] == f"{kind.__name__}: now"
    assert interp["code"] == f"PYTHON {kind.__name__}"
    assert interp.eval("set after") == "1"  # it is raised once


def test_an_interruption_crosses_nested_calls(interp: Interp) -> None:
    interp.command("outer")(lambda: interp.eval("exit 7"))
    with pytest.raises(SystemExit) as caught:
        interp.eval("outer")
    assert caught.value.code == 7


def test_an_interruption_ends_mainloop(interp: Interp) -> None:
    interp.eval("after 1 {exit 8}")
    with pytest.raises(SystemExit) as caught:
        interp.mainloop()
    assert caught.value.code == 8


def test_a_host_that_catches_an_interruption_keeps_its_mainloop(interp: Interp) -> None:
    @interp.command
    def plugin() -> None:
        with contextlib.suppress(SystemExit):
            interp.eval("exit 1")

    interp.command("stop")(interp.quit)
    interp.eval("after 1 plugin; after 30 {set late 1; stop}")
    interp.mainloop()
    assert interp["late"] == "1"


@pytest.mark.parametrize(
    "wait",
    [
        lambda interp: interp.mainloop(),
        lambda interp: interp.vwait("forever", timeout=20),
        lambda interp: interp.eval("vwait forever"),
    ],
    ids=["mainloop", "vwait", "script"],
)
def test_ctrl_c_ends_waiting(interp: Interp, wait: Callable[[Interp], object]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    press = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            wait(interp)
    finally:
        press.join()
        signal.signal(signal.SIGINT, before)
