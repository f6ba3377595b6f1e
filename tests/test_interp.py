"""kafkatcl.Interp: values, errors and variables."""

from __future__ import annotations

import math
import tkinter
from pathlib import Path

import pytest
from fix_interp import ALL_BYTES, assert_clean

from kafkatcl.interp import Interp, Message, TclError

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


def test_the_check_for_a_clean_interpreter_can_fail() -> None:
    with Interp() as raw:
        raw.tk.createcommand("poison", lambda: 1 / 0)
        raw.eval("catch poison")
        with pytest.raises(ZeroDivisionError):
            assert_clean(raw)


# -- values ----------------------------------------------------------------------------


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


# -- errors ----------------------------------------------------------------------------


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


# -- variables -------------------------------------------------------------------------


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
