"""kafkatcl.Interp: scripts, values, variables, events and the end."""

from __future__ import annotations

import _tkinter
import contextlib
import gc
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tkinter
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from fix_cluster import Cluster

from kafkatcl.interp import Interp, Message, TclError

ALL_BYTES = bytes(range(256))
HOSTILE = [
    "",
    " ",
    "a b",
    "{",
    "}",
    '"',
    "\\",
    "$x",
    "[exit]",
    "; exit",
    "#",
    "} ; set pwned 1 ; {",
    "a\nb",
    "-flag",
    "{*}",
    "é€",
    "a\0b",
    "é\0",
    "\0",
    "\U0001f600",
    "x\ud83dz",
    "\udcff",
    "\ude00\ud83d",
]


@pytest.fixture
def interp() -> Iterator[Interp]:
    """An interpreter that a test must leave clean: nothing raised in it comes out of a later event loop."""
    with Interp() as interp:
        yield interp
        assert_clean(interp)


def assert_clean(interp: Interp) -> None:
    interp.tk.call("after", 0, "set ::ran_on 1")
    interp.tk.dooneevent(_tkinter.DONT_WAIT)
    interp.command("::leave_mainloop")(interp.tk.quit)
    interp.tk.call("after", 0, "::leave_mainloop")
    interp.tk.mainloop(-1)


def test_the_check_for_a_clean_interpreter_can_fail() -> None:
    with Interp() as raw:
        raw.tk.createcommand("poison", lambda: 1 / 0)
        raw.eval("catch poison")
        with pytest.raises(ZeroDivisionError):
            assert_clean(raw)


# -- values ------------------------------------------------------------------------------------------------


def test_a_value_is_a_string_unless_something_else_is_asked_for(interp: Interp) -> None:
    assert interp.eval("expr {6 * 7}") == "42"
    assert interp.eval("list a {b c}") == "a {b c}"
    assert interp.eval("set x 0x10; incr x 0; set x 0x10") == "0x10"


@pytest.mark.parametrize(
    ("script", "kind", "value"),
    [
        ("expr 6*7", int, 42),
        ("set x { 0x10 }", int, 16),
        ("expr 2**70", int, 2**70),
        ("set x 1.5", float, 1.5),
        ("set x yes", bool, True),
        ("set x 0", bool, False),
        ("binary format H* 00ff80", bytes, b"\0\xff\x80"),
        ("set x caf\\u00e9", bytes, b"caf\xe9"),
        ("list a {b c} {} \\0", list, ["a", "b c", "", "\0"]),
        ("set x {}", list, []),
        ("list 1 2", tuple, ("1", "2")),
        ("dict create a 1 b {x y}", dict, {"a": "1", "b": "x y"}),
        ("binary format H* 00ff80", str, "\0\xff\x80"),
        (
            r"list payload \x00\xff partition 3 offset 7 timestamp 12 topic t key {a b} further x",
            Message,
            Message("t", 3, 7, b"a b", b"\0\xff", 12),
        ),
        ("list offset invalid topic t payload {}", Message, Message("t")),
        ("list error E code C message M", Message, Message(error="E", code="C", message="M")),
    ],
)
def test_a_value_as_another_kind(interp: Interp, script: str, kind: type, value: object) -> None:
    result = interp.eval(script, kind)
    assert result == value
    assert type(result) is kind


@pytest.mark.parametrize(
    ("text", "kind", "message", "errorcode"),
    [
        ("x", int, 'expected integer but got "x"', ("TCL", "VALUE", "INTEGER")),
        ("1\0", int, 'expected integer but got "1\0"', ("TCL", "VALUE", "INTEGER")),
        ("\ud83d", int, 'expected integer but got "\ud83d"', ("TCL", "VALUE", "INTEGER")),
        ("x", float, 'expected floating-point number but got "x"', ("TCL", "VALUE", "NUMBER")),
        ("2", bool, 'expected boolean value but got "2"', ("TCL", "VALUE", "BOOLEAN")),
        (
            "a€",
            bytes,
            "expected byte sequence but character 1 was '€' (U+0020AC)",
            ("TCL", "VALUE", "BYTES"),
        ),
        ("{a", list, "unmatched open brace in list", ("TCL", "VALUE", "LIST")),
        ("a b c", dict, "missing value to go with key", ("TCL", "VALUE", "DICTIONARY")),
        ("topic t", Message, 'expected message but got "topic t"', ("TCL", "VALUE", "MESSAGE")),
        ("payload p offset x", Message, 'expected integer but got "x"', ("TCL", "VALUE", "INTEGER")),
    ],
)
def test_a_value_of_the_wrong_kind(
    interp: Interp, text: str, kind: type, message: str, errorcode: tuple[str, ...]
) -> None:
    with pytest.raises(TclError) as caught:
        interp.call("set", "x", text, to=kind)
    assert (caught.value.message, caught.value.errorcode) == (message, errorcode)


def test_a_message_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Message().payload = b""  # type: ignore[misc]


def test_a_kind_that_tcl_values_have_not(interp: Interp) -> None:
    with pytest.raises(TypeError, match="choose one of str, bytes, int, float, bool, list, tuple, dict"):
        interp.eval("set x 1", set)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_words_arrive_exactly(interp: Interp, text: str) -> None:
    assert interp.call("set", "x", text) == text
    assert interp.get("x") == text
    assert interp.call("list", text, [text, [text]], to=list)[0] == text
    assert interp.call("lindex", [text, [text]], 1, 0) == text
    assert interp.call("string", "equal", text, interp["x"], to=bool)
    seen: list[str] = []
    interp.command("seen")(seen.append)
    interp.eval("seen $x")
    assert seen == [text]
    interp.command("echo")(lambda word: word)
    assert interp.eval("string equal [echo $x] $x", bool)
    assert "pwned" not in interp


def test_strings_are_those_of_tcl(interp: Interp) -> None:
    assert interp.call("string", "equal", "a\0é", interp.eval('set x "a\\0\\u00e9"'), to=bool)
    interp["x"] = "a\0b"
    assert interp.eval('string equal $x "a\\0b"', bool)
    interp["x"] = "\ud83d"
    assert interp.eval('string equal $x "\\ud83d"', bool)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (-7, "-7"),
        (2**70, str(2**70)),
        (1.5, "1.5"),
        (math.inf, "Inf"),
        (["a b", 1, None, ["x", []]], "{a b} 1 {} {x {}}"),
        (("a",), "a"),
        (range(3), "0 1 2"),
        ({"k": [1, 2], "é x": {"y": b"z"}}, "k {1 2} {é x} {y z}"),
        ({"only"}, "only"),
        (bytearray(b"\x00\xff"), "\x00\xff"),
        (memoryview(b"ab"), "ab"),
        (Path("/tmp/a b"), "/tmp/a b"),
    ],
)
def test_python_values_as_words_and_as_results(interp: Interp, value: object, text: str) -> None:
    interp.call("set", "x", value)
    interp.command("give")(lambda: value)
    assert interp["x"] == text
    assert interp.eval("give") == text
    interp["y"] = [value]
    assert interp.eval("lindex $y 0") == text


def test_all_bytes_go_through_in_both_directions(interp: Interp) -> None:
    seen: list[bytes] = []

    @interp.command
    def turn(data: bytes) -> bytes:
        seen.append(data)
        return data[::-1]

    interp["x"] = ALL_BYTES
    assert interp.get("x", bytes) == ALL_BYTES
    assert interp.eval("binary scan $x H* hex; set hex") == ALL_BYTES.hex()
    assert interp.eval("turn $x", bytes) == ALL_BYTES[::-1]
    assert interp.call("turn", ALL_BYTES, to=bytes) == ALL_BYTES[::-1]
    assert interp.eval("binary scan [turn $x] H* hex; set hex") == ALL_BYTES[::-1].hex()
    assert seen == [ALL_BYTES] * 3


# -- errors ------------------------------------------------------------------------------------------------


def test_an_error_has_message_code_and_info(interp: Interp) -> None:
    with pytest.raises(TclError) as caught:
        interp.eval("proc f {} {error boom {} {MY {own code}}}\nf")
    error = caught.value
    assert (error.message, str(error), error.code) == ("boom", "boom", 1)
    assert error.errorcode == ("MY", "own code")
    assert error.errorinfo == (
        'boom\n    while executing\n"error boom {} {MY {own code}}"\n'
        '    (procedure "f" line 1)\n    invoked from within\n"f"'
    )
    assert isinstance(error, tkinter.TclError)


def test_an_error_of_a_called_command(interp: Interp) -> None:
    with pytest.raises(TclError, match='can\'t read "no such": no such variable') as caught:
        interp.call("set", "no such")
    assert caught.value.errorcode == ("TCL", "LOOKUP", "VARNAME", "no such")
    assert caught.value.errorinfo.endswith('while executing\n"set {no such}"')


def test_the_error_of_an_earlier_script_is_not_seen(interp: Interp) -> None:
    interp.eval("catch {error old {} OLD}")
    with pytest.raises(TclError) as caught:
        interp.eval("return -code error new")
    assert (caught.value.message, caught.value.errorcode, caught.value.errorinfo) == ("new", ("NONE",), "new")


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("break", 3, 'invoked "break" outside of a loop'),
        ("continue", 4, 'invoked "continue" outside of a loop'),
        ("return -code 7 x", 7, "command returned bad code: 7"),
        ("return -level 2 -code error x", 2, "command returned bad code: 2"),
    ],
)
def test_a_script_that_ends_in_another_way(interp: Interp, script: str, code: int, message: str) -> None:
    with pytest.raises(TclError) as caught:
        interp.eval(script)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_script_may_end_by_return(interp: Interp) -> None:
    assert interp.eval("return five; error no") == "five"


def test_scripts_are_evaluated_at_global_level(interp: Interp) -> None:
    @interp.command
    def level() -> int:
        interp["seen"] = "global"
        return int(interp.eval("info level", int))

    assert interp.eval("proc f {} {set seen local; return [list [level] $seen]}; f") == "0 local"
    assert interp["seen"] == "global"


# -- variables ---------------------------------------------------------------------------------------------


def test_variables_and_array_elements(interp: Interp) -> None:
    interp["row(a b)"] = b"\xff"
    assert "row(a b)" in interp
    assert interp.get("row(a b)", bytes) == b"\xff"
    assert interp.eval("array names row", list) == ["a b"]
    del interp["row(a b)"]
    assert "row(a b)" not in interp
    with pytest.raises(TclError, match="no such element in array"):
        interp["row(a b)"]
    with pytest.raises(TclError, match="no such variable"):
        del interp["none"]


# -- script files ------------------------------------------------------------------------------------------


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


# -- events ------------------------------------------------------------------------------------------------


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


# -- interruptions -----------------------------------------------------------------------------------------


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


# -- threads, other interpreters, the end ------------------------------------------------------------------


def in_thread(function: Callable[[], object]) -> BaseException | None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(0.5)  # tkinter would wait a second for the owner
    assert not thread.is_alive()
    return caught[0] if caught else None


@pytest.mark.parametrize(
    "use",
    [
        lambda interp: interp.eval("set x 1"),
        lambda interp: interp.call("set", "x", 1),
        lambda interp: interp.run("x.tcl"),
        lambda interp: interp["x"],
        lambda interp: interp.vwait("x", 0),
        lambda interp: interp.mainloop(),
        lambda interp: interp.expose("x", 1),
        lambda interp: interp.command("x")(print),
        lambda interp: interp.object("x"),
        lambda interp: interp.close(),
        lambda interp: interp.quit(),
        lambda interp: Interp(interp.root),
    ],
)
def test_another_thread_is_refused_at_once(interp: Interp, use: Callable[[Interp], object]) -> None:
    error = in_thread(lambda: use(interp))
    assert isinstance(error, RuntimeError)
    assert "belongs to another thread" in str(error)
    assert "queue or an event" in str(error)


def test_an_interpreter_may_live_in_another_thread() -> None:
    def use() -> None:
        with Interp() as interp:
            assert interp.eval("expr 1 + 1") == "2"
        del interp

    assert in_thread(use) is None


def test_an_interpreter_that_is_there_already() -> None:
    root = tkinter.Tcl()
    root.eval("set x old; proc vwait args {return mine}")
    interp = Interp(root)
    assert interp.root is root
    assert interp["x"] == "old"
    assert interp.eval("vwait y") == "mine"
    assert interp.eval("info commands exit") == ""
    interp.command("added")(lambda: None)
    interp.close()
    assert root.eval("info commands added") == ""
    assert root.eval("set x") == "old"


def test_what_is_no_interpreter() -> None:
    with pytest.raises(TypeError, match=r"takes a tkinter\.Tcl\(\), a tkinter\.Tk\(\) or a widget, not 42"):
        Interp(42)


def test_a_closed_interpreter() -> None:
    interp = Interp()
    interp.close()
    interp.close()
    for use in (lambda: interp.eval("set x"), lambda: interp.command("x")(print), interp.quit):
        with pytest.raises(RuntimeError, match="this Interp is closed"):
            use()


def test_close_from_inside_is_refused(interp: Interp) -> None:
    interp.command("finish")(interp.close)
    with pytest.raises(TclError, match="called from inside Tcl"):
        interp.eval("finish")
    assert interp.eval("set x alive") == "alive"


def test_close_cancels_timers(capfd: pytest.CaptureFixture[str]) -> None:
    kept = Interp()
    app = kept.tk
    kept.eval("after 0 {puts late}; after idle {puts late}")
    kept.close()
    assert app.dooneevent(_tkinter.DONT_WAIT) == 0
    assert capfd.readouterr() == ("", "")


def test_close_lets_everything_go() -> None:
    interp = Interp()

    def function() -> None: ...

    interp.command("f")(function)
    interp.eval("namespace eval n {proc p {} {}}")
    function_left, interp_left = weakref.ref(function), weakref.ref(interp)
    interp.close()
    del function, interp
    gc.collect()
    assert function_left() is None
    assert interp_left() is None


def test_exceptions_kept_after_close_do_not_keep_the_interpreter() -> None:
    """Tcl aborts the process when another thread lets go of an interpreter, so this runs in one of its own."""
    program = """
import threading
from kafkatcl.interp import Interp

kept = []
def keep(function):
    try:
        function()
    except Exception as error:
        kept.append(error)

with Interp() as interp:
    class Thing:
        def act(self, number: int): raise ValueError(number)
    interp.expose("thing", Thing())
    interp.command("f")(lambda number: 1 / 0)
    for script in ("error x", "f 1", "f", "thing act x", "thing act 1", "thing", "thing no", "break", "thing act -x"):
        keep(lambda: interp.eval(script))
    keep(lambda: interp.eval("set x a", int))
    keep(lambda: interp.eval("set x \\{", list))
    keep(lambda: interp.object("nothing"))
    keep(lambda: interp.vwait("no::such::place"))
    keep(lambda: interp.run("no such file"))
    assert len(kept) == 14, kept
keep(lambda: interp.eval(""))
thread = threading.Thread(target=kept.clear)
thread.start()
thread.join()
print("alive")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


def test_a_main_window() -> None:
    """Where there is no program that gives a display, the error is shown that says so."""
    program = """
import tkinter
from kafkatcl.interp import Interp, Message, TclError

try:
    with Interp(tk=True) as interp:
        label = tkinter.Label(interp.root)
        with Interp(label) as second:
            print(second.eval("winfo class ."), second.call("winfo", "exists", label))
    print(tkinter._default_root)
    with Interp(tk=True) as interp:
        interp.eval("label .l -text hello; pack .l; after 1 {set seen [winfo exists .l]; destroy .}")
        interp.mainloop()
        print(interp["seen"])
except TclError as error:
    print(error)
"""
    with display() as environment:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    no_display = "no display name and no $DISPLAY environment variable\n"
    expected = "Tk 1\nNone\n1\n" if "DISPLAY" in environment else no_display
    assert done.stdout == expected


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """The environment for a display server of its own, or without a display where there is no such program."""
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    if not shutil.which("Xvfb"):
        yield environment
        return
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield {**environment, "DISPLAY": f":{server.stdout.readline().strip()}"}
        finally:
            server.terminate()


# -- kafka -------------------------------------------------------------------------------------------------


def test_the_package_is_there(interp: Interp) -> None:
    assert interp.eval("package require kafka") == "2.5"


def test_the_object_behind_a_kafka_command(interp: Interp) -> None:
    interp.eval("package require kafka; kafka::kafka create master")
    assert type(interp.object("master")).__name__ == "Master"
    with pytest.raises(LookupError, match='no Python object is behind the command "none"'):
        interp.object("none")
    with pytest.raises(LookupError, match='no Python object is behind the command "puts"'):
        interp.object("puts")


def in_mainloop(interp: Interp) -> None:
    interp.eval("trace add variable seen write {apply {args leave}}")
    interp.command("leave")(lambda *names: interp.quit())
    interp.mainloop()


def in_vwait(interp: Interp) -> None:
    assert interp.vwait("seen", 30)


def in_vwait_of_a_script(interp: Interp) -> None:
    interp.eval("vwait seen")


def in_update(interp: Interp) -> None:
    end = time.monotonic() + 30
    while "seen" not in interp and time.monotonic() < end:
        interp.update()


@pytest.mark.parametrize("wait", [in_mainloop, in_vwait, in_vwait_of_a_script, in_update])
def test_callbacks_of_kafka_arrive(
    interp: Interp, embedded_cluster: Cluster, wait: Callable[[Interp], None]
) -> None:
    """The handles are left open: close() ends them."""
    topic, payload = embedded_cluster.topic(), ALL_BYTES

    @interp.command
    def arrived(message: dict[str, str]) -> None:
        interp["seen"] = message["payload"]

    interp["brokers"], interp["topic"], interp["payload"] = embedded_cluster.bootstrap_servers, topic, payload
    interp.eval("""
        package require kafka
        kafka::kafka create kafka
        kafka config metadata.broker.list $brokers fetch.wait.max.ms 10
        kafka producer_creator producer
        kafka consumer_creator consumer
        producer new_topic out $topic
        consumer new_topic in $topic
        in consume_start 0 beginning arrived
        out produce 0 $payload
    """)
    assert type(interp.object("out")).__name__ == "ProducerTopic"
    wait(interp)
    assert interp.get("seen", bytes) == payload


def test_callbacks_get_messages_and_reports_with_their_bytes(
    interp: Interp, embedded_cluster: Cluster
) -> None:
    topic = embedded_cluster.topic()
    told: list[Any] = []

    @interp.command
    def arrived(message: Message) -> None:
        told.append(message)
        interp["arrived"] = 1

    @interp.command
    def reported(report: dict[str, bytes]) -> None:
        told.append(report)
        interp["reported"] = 1

    interp["brokers"], interp["topic"] = embedded_cluster.bootstrap_servers, topic
    interp.eval("""
        package require kafka
        kafka::kafka create kafka
        kafka config metadata.broker.list $brokers fetch.wait.max.ms 10
        kafka delivery_report callback reported
        kafka producer_creator producer
        producer new_topic out $topic
    """)
    interp.call("out", "produce", 0, ALL_BYTES, ALL_BYTES)
    assert interp.vwait("reported", 30)
    interp.eval("""
        kafka consumer_creator consumer
        consumer new_topic in $topic
        in consume_start 0 beginning arrived
    """)
    assert interp.vwait("arrived", 30)
    report, message = told
    assert report == {
        "payload": ALL_BYTES, "partition": b"0", "offset": b"0", "topic": topic.encode(), "key": ALL_BYTES
    }  # fmt: skip
    assert message == Message(topic, 0, 0, ALL_BYTES, ALL_BYTES, message.timestamp)
    assert message.timestamp > 0
