"""Python functions and objects as Tcl commands."""

from __future__ import annotations

import collections
import functools
import gc
import sys
import tkinter
import types
import typing
import weakref
from collections.abc import Iterator
from typing import Any, Callable, Optional

import pytest
from fix_interp import assert_clean

import kafkatcl
from kafkatcl.errors import Failure
from kafkatcl.interp import Interp, TclError


@pytest.fixture
def interp() -> Iterator[Interp]:
    with Interp() as interp:
        yield interp
        assert_clean(interp)


def fails(interp: Interp, script: str) -> TclError:
    """The error of ``script``, which its own ``catch`` sees just so."""
    with pytest.raises(TclError) as caught:
        interp.eval(script)
    seen = interp.call("catch", script, "message", "options", to=int)
    assert (seen, interp["message"]) == (1, caught.value.message)
    assert tuple(interp.eval("dict get $options -errorcode", list)) == caught.value.errorcode
    return caught.value


# -- functions -------------------------------------------------------------------------


def test_a_function_is_a_command_by_its_name_or_another(interp: Interp) -> None:
    @interp.command
    def add(a: int, b: int = 10) -> int:
        return a + b

    @interp.command("some::where::twice")
    def double(text: str) -> str:
        return text * 2

    assert interp.eval("list [add 1 2] [add 0x10] [some::where::twice ab]") == "3 26 abab"
    assert add(1, 2) == 3
    assert double("x") == "xx"
    assert interp.object("add") is add
    assert interp.object("::some::where::twice") is double


def no_words() -> None: ...
def defaults(a, b=1, *args) -> None: ...
def named_rest(first, *topics) -> None: ...
def options(a, *, level="x", to) -> None: ...
def any_option(a, **more) -> None: ...
def positional(a, b=2, /) -> None: ...


@pytest.mark.parametrize(
    ("function", "words", "usage"),
    [
        (no_words, "x", "f"),
        (defaults, "", "f a ?b? ?arg ...?"),
        (named_rest, "", "f first ?topics ...?"),
        (options, "1", "f a ?-level value? -to value"),
        (options, "-to x", "f a ?-level value? -to value"),
        (options, "1 2 -to x", "f a ?-level value? -to value"),
        (any_option, "", "f a ?-option value ...?"),
        (any_option, "1 -a 2", "f a ?-option value ...?"),
        (positional, "1 2 3", "f a ?b?"),
        (functools.partial(defaults, 1), "", None),
        (lambda a, b: None, "1", "f a b"),
    ],
)
def test_a_wrong_number_of_words(
    interp: Interp, function: Callable[..., Any], words: str, usage: str | None
) -> None:
    interp.command("f")(function)
    if usage is None:
        assert interp.eval(f"f {words}") == ""
        return
    error = fails(interp, f"f {words}")
    assert error.message == f'wrong # args: should be "{usage}"'
    assert error.errorcode == ("TCL", "WRONGARGS")


def test_annotations_convert_the_words(interp: Interp) -> None:
    seen: list[object] = []

    @interp.command
    def plain(a: int, b: float, c: bool, d: bytes, *rest: int) -> None:
        seen.extend([a, b, c, d, rest])

    @interp.command
    def composed(
        a: list[str],
        b: dict[str, str],
        c: int | None,
        d: int | None = None,
        e: Unknown = None,  # type: ignore[name-defined]  # noqa: F821
    ) -> None:
        seen.extend([a, b, c, d, e])

    interp.eval(r"plain 0x10 1 yes \xff 5 6; composed {a {b c}} {k v} 3 4 text")
    assert seen == [16, 1.0, True, b"\xff", (5, 6), ["a", "b c"], {"k": "v"}, 3, 4, "text"]


def test_elements_are_converted_as_the_annotation_says(interp: Interp) -> None:
    seen: list[object] = []

    @interp.command
    def f(
        a: list[int],
        b: dict[str, bytes],
        c: tuple[float, ...],
        d: typing.Dict[str, bool] | None,  # noqa: UP006
        e: list[Unknown],  # type: ignore[name-defined]  # noqa: F821
    ) -> None:
        seen.extend([a, b, c, d, e])

    interp.eval(r"f {1 0x2} [dict create k \x00\xff] {1 2.5} {on yes} {a b}")
    assert seen == [[1, 2], {"k": b"\0\xff"}, (1.0, 2.5), {"on": True}, ["a", "b"]]
    error = fails(interp, r"f {} {k \u20ac} {} {} {}")
    assert error.errorcode == ("TCL", "VALUE", "BYTES")


def test_annotations_that_are_no_strings_convert_too(interp: Interp) -> None:
    class Message:
        """Another one."""

    def f(a, b, c, d, e, *rest): ...

    f.__annotations__ = {
        "a": int,
        "b": Optional[float],
        "c": dict[str, bytes],
        "d": Optional[kafkatcl.Message],
        "e": Message,
        "rest": bytes,
    }
    seen: list[object] = []
    interp.command("f")(functools.wraps(f)(lambda *words: seen.extend(words)))
    interp.eval("f 1 2 {k v} {payload p} text x")
    assert seen == [1, 2.0, {"k": b"v"}, kafkatcl.Message(payload=b"p"), "text", b"x"]


@pytest.mark.parametrize(
    ("words", "message", "errorcode"),
    [
        ("x 1 1 a", 'expected integer but got "x"', ("TCL", "VALUE", "INTEGER")),
        ("1.5 1 1 a", 'expected integer but got "1.5"', ("TCL", "VALUE", "INTEGER")),
        ("1 x 1 a", 'expected floating-point number but got "x"', ("TCL", "VALUE", "NUMBER")),
        ("1 1 x a", 'expected boolean value but got "x"', ("TCL", "VALUE", "BOOLEAN")),
        (
            "1 1 1 a\\u20ac",
            "expected byte sequence but character 1 was '€' (U+0020AC)",
            ("TCL", "VALUE", "BYTES"),
        ),
    ],
)
def test_words_of_the_wrong_kind(
    interp: Interp, words: str, message: str, errorcode: tuple[str, ...]
) -> None:
    called: list[object] = []

    @interp.command
    def f(a: int, b: float, c: bool, d: bytes) -> None:
        called.append(a)

    error = fails(interp, f"f {words}")
    assert (error.message, error.errorcode) == (message, errorcode)
    assert not called


def test_a_word_with_a_dash_is_a_value_where_there_are_no_options(interp: Interp) -> None:
    interp.command("f")(lambda *words: words)
    assert interp.eval("f -a -- -5") == "-a -- -5"


def test_keyword_only_parameters_are_options(interp: Interp) -> None:
    @interp.command
    def log(*words: str, level: int = 0, **more: float) -> object:
        return [words, level, more]

    assert interp.eval("log a -level 3 b -5 -x 1 - -- -level") == "{a b -5 - -level} 3 {x 1.0}"
    assert fails(interp, "log -level").message == 'value for "-level" missing'
    assert fails(interp, "log -level x").message == 'expected integer but got "x"'
    assert fails(interp, "log -x x").message == 'expected floating-point number but got "x"'


def test_a_tcl_error_crosses_as_it_is(interp: Interp) -> None:
    @interp.command
    def refuse() -> None:
        raise TclError("not today", ("MY", "own code"))

    error = fails(interp, "refuse")
    assert (error.message, error.errorcode) == ("not today", ("MY", "own code"))
    assert "Traceback" not in error.errorinfo


def test_the_error_of_a_script_crosses_with_its_info(interp: Interp) -> None:
    interp.eval("proc inner {} {error deep {} {A B}}")
    interp.command("outer")(lambda: interp.eval("inner"))
    error = fails(interp, "outer")
    assert (error.message, error.errorcode) == ("deep", ("A", "B"))
    assert error.errorinfo.startswith('deep\n    while executing\n"error deep {} {A B}"\n')
    assert error.errorinfo.endswith('invoked from within\n"outer"')


def test_errors_of_tkinter_and_of_the_engine_cross(interp: Interp) -> None:
    interp.command("native")(lambda: interp.tk.call("nope"))
    assert fails(interp, "native").message == 'invalid command name "nope"'

    @interp.command
    def engine() -> None:
        raise Failure("kafka error: x", ("KAFKA", "X"))

    assert fails(interp, "engine").errorcode == ("KAFKA", "X")


def test_any_other_exception_names_its_type_and_leaves_its_traceback(interp: Interp) -> None:
    @interp.command
    def look() -> str:
        return {"a": "b"}["né\0\ud83d"]

    error = fails(interp, "look")
    assert error.message == "KeyError: 'né\\x00\\ud83d'"
    assert error.errorcode == ("PYTHON", "KeyError")
    assert error.errorinfo.startswith(f"{error.message}\nTraceback (most recent call last):\n")
    assert f'File "{__file__}", line ' in error.errorinfo
    assert "kafkatcl/hosting" not in error.errorinfo
    assert error.errorinfo.endswith('invoked from within\n"look"')


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (ValueError(), "ValueError"),
        (ValueError("a\0\ud83d{"), "ValueError: a\0\ud83d{"),
        (Unprintable(), "Unprintable: (its text cannot be had)"),
        (StopIteration("x"), "StopIteration: x"),
        (tkinter.TclError("plain"), "plain"),
        (ValueError(["a b"]), "ValueError: ['a b']"),
    ],
)
def test_exceptions_of_all_sorts(interp: Interp, raised: Exception, message: str) -> None:
    @interp.command
    def f() -> None:
        raise raised

    assert fails(interp, "f").message == message


def test_a_result_that_cannot_be_had(interp: Interp) -> None:
    looped: list[object] = []
    looped.append(looped)
    interp.command("f")(Unspeakable)
    interp.command("g")(lambda: looped)
    assert fails(interp, "f").message == "ValueError: no text"
    assert fails(interp, "g").message.startswith(
        ("RecursionError: maximum recursion depth", "too many nested")
    )


def test_endless_recursion_ends_in_an_error_with_a_message(interp: Interp) -> None:
    interp.command("again")(lambda: interp.eval("again"))
    error = fails(interp, "again")
    assert error.message == "too many nested evaluations (infinite loop?)"
    assert error.errorcode == ("TCL", "LIMIT", "STACK")
    interp.eval("proc deep {} {deep}")
    interp.command("into_tcl")(lambda: interp.eval("deep"))
    assert fails(interp, "into_tcl").message == "too many nested evaluations (infinite loop?)"
    assert interp.eval("set x alive") == "alive"


def test_a_command_may_be_replaced_and_deleted(interp: Interp) -> None:
    interp.command("f")(lambda: "first")
    interp.command("f")(lambda: "second")
    assert interp.eval("f") == "second"
    interp.eval("rename f g")
    assert interp.eval("g") == "second"
    assert interp.object("g")() == "second"
    interp.delete("g")
    assert fails(interp, "g").message == 'invalid command name "g"'
    with pytest.raises(TclError, match="can't delete \"g\": command doesn't exist"):
        interp.delete("g")


def test_a_command_may_replace_and_delete_itself(interp: Interp) -> None:
    @interp.command
    def f() -> str:
        interp.command("f")(lambda: "new")
        return "old"

    assert interp.eval("list [f] [f]") == "old new"

    @interp.command
    def once() -> str:
        interp.delete("once")
        return "done"

    assert interp.eval("once") == "done"
    assert "invalid command" in fails(interp, "once").message


@pytest.mark.parametrize(
    "script",
    [
        "rename n::thing {}",
        "rename n::thing other; rename other {}",
        "namespace delete n",
        "proc n::thing {} {}",
        "interp alias {} n::thing {} list",
    ],
)
@pytest.mark.parametrize("way", ["command", "expose"])
def test_a_deleted_command_lets_go(interp: Interp, script: str, way: str) -> None:
    class Thing:
        def __call__(self) -> None: ...

    thing = Thing()
    hidden = interp.eval("lsort [info commands ::kafkatcl::python*]", list)
    if way == "command":
        interp.command("n::thing")(thing)
    else:
        interp.expose("n::thing", thing)
    left = weakref.ref(thing)
    del thing
    gc.collect()
    assert left() is not None
    interp.eval(script)
    assert left() is None
    assert interp.eval("lsort [info commands ::kafkatcl::python*]", list) == hidden


# -- objects ---------------------------------------------------------------------------


class Counter:
    """What the tests expose."""

    unit = "piece"

    def __init__(self) -> None:
        self.total = 0
        self.ratio = 0.5
        self.note: str | None = None
        self.tags = ["a"]
        self._secret = 1

    def add(self, amount: int, times: int = 1, *, loud: bool = False) -> str:
        self.total += amount * times
        return f"{self.total}!" if loud else str(self.total)

    def say(self, word: str) -> str:
        return word

    def take(self, *words: str, limit: int = 5) -> object:
        return [words, limit]

    def itself(self) -> Counter:
        return self

    def fail(self) -> None:
        raise OSError("disk on fire")

    def _hidden(self) -> None: ...

    @property
    def double(self) -> int:
        return self.total * 2

    @property
    def level(self) -> int:
        return self._secret

    @level.setter
    def level(self, value: int) -> None:
        if value < 0:
            raise ValueError("too low")
        self._secret = value

    @property
    def broken(self) -> int:
        raise AttributeError("inside")


NAMES = "add, broken, delete, double, fail, itself, level, note, ratio, say, tags, take, total, or unit"


@pytest.fixture
def counter(interp: Interp) -> Counter:
    counter = Counter()
    assert interp.expose("c", counter) == "c"
    return counter


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("c add 2", "2"),
        ("c add -2", "-2"),
        ("c add 0x10 2", "32"),
        ("c add 2 -times 3", "6"),
        ("c add -times 3 -loud yes 2", "6!"),
        ("c add 2 -times -3", "-6"),
        ("c add -- 2", "2"),
        ("c say -5", "-5"),
        ("c say -x", "-x"),
        ("c say --", "--"),
        ("c take a -limit 2 b -1e3 -- -limit", "{a b -1e3 -limit} 2"),
        ("c itself", "c"),
        ("[c itself] add 1", "1"),
    ],
)
def test_methods_are_subcommands(interp: Interp, counter: Counter, script: str, result: str) -> None:
    assert interp.eval(script) == result


@pytest.mark.parametrize(
    ("script", "message", "errorcode"),
    [
        ("c", 'wrong # args: should be "c subcommand ?args?"', "TCL WRONGARGS"),
        ("c nope", f'bad option "nope": must be {NAMES}', "TCL LOOKUP INDEX option nope"),
        ("c {}", f'bad option "": must be {NAMES}', "TCL LOOKUP INDEX option {}"),
        ("c _hidden", f'bad option "_hidden": must be {NAMES}', "TCL LOOKUP INDEX option _hidden"),
        ("c __class__", f'bad option "__class__": must be {NAMES}', "TCL LOOKUP INDEX option __class__"),
        (
            "c add",
            'wrong # args: should be "c add amount ?-times value? ?-loud value?"',
            "TCL WRONGARGS",
        ),
        (
            "c add 1 2 3",
            'wrong # args: should be "c add amount ?-times value? ?-loud value?"',
            "TCL WRONGARGS",
        ),
        (
            "c add 1 2 -times 3",
            'wrong # args: should be "c add amount ?-times value? ?-loud value?"',
            "TCL WRONGARGS",
        ),
        ("c add x", 'expected integer but got "x"', "TCL VALUE INTEGER"),
        ("c add 1 -loud x", 'expected boolean value but got "x"', "TCL VALUE BOOLEAN"),
        ("c add 1 -loud", 'value for "-loud" missing', "TCL ARGUMENT MISSING"),
        (
            "c add 1 -amount 2",
            'bad option "-amount": must be -times or -loud',
            "TCL LOOKUP INDEX option -amount",
        ),
        ("c take -x 2", 'bad option "-x": must be -limit', "TCL LOOKUP INDEX option -x"),
        ("c fail", "OSError: disk on fire", "PYTHON OSError"),
        ("c broken", "AttributeError: inside", "PYTHON AttributeError"),
        ("c total 1 2", 'wrong # args: should be "c total ?value?"', "TCL WRONGARGS"),
        ("c total x", 'expected integer but got "x"', "TCL VALUE INTEGER"),
        ("c double 1", 'can\'t set "double": it is read-only', "TCL WRITE READONLY"),
        ("c level -1", "ValueError: too low", "PYTHON ValueError"),
        ("c delete now", 'wrong # args: should be "c delete"', "TCL WRONGARGS"),
    ],
)
def test_wrong_words(interp: Interp, counter: Counter, script: str, message: str, errorcode: str) -> None:
    error = fails(interp, script)
    assert error.message == message
    assert interp.call("list", *error.errorcode) == errorcode
    assert counter.total == 0


def test_attributes_are_read_and_set(interp: Interp, counter: Counter) -> None:
    assert (
        interp.eval("list [c total] [c ratio] [c note] [c tags] [c unit] [c double]") == "0 0.5 {} a piece 0"
    )
    assert interp.eval("c total 0x10") == "16"
    interp.eval("c ratio 2; c note 7; c tags {x {y z}}; c level 3; c unit box")
    assert [counter.total, counter.ratio, counter.note, counter.tags] == [16, 2.0, "7", ["x", "y z"]]
    assert [type(counter.total), type(counter.ratio), counter.level, counter.unit] == [int, float, 3, "box"]
    assert Counter.unit == "piece"


def test_delete_and_rename(interp: Interp, counter: Counter) -> None:
    assert interp.object("c") is counter
    interp.eval("namespace eval d {}; rename c d::e")
    assert interp.object("d::e") is counter
    assert "wrong # args: should be" in fails(interp, "d::e add").message
    assert interp.eval("d::e itself") == "::d::e"
    interp.eval("d::e delete")
    assert interp.eval("info commands ::d::e") == ""
    with pytest.raises(LookupError, match='no Python object is behind the command "d::e"'):
        interp.object("d::e")


def test_an_object_with_a_delete_of_its_own(interp: Interp) -> None:
    class Table:
        def delete(self, row: int) -> str:
            return f"row {row} is gone"

    interp.expose("table", Table())
    assert interp.eval("table delete 3") == "row 3 is gone"
    assert fails(interp, "table x").message == 'bad option "x": must be delete'


def test_one_object_under_two_names_and_two_under_one(interp: Interp) -> None:
    first, second = Counter(), Counter()
    interp.expose("a", first)
    interp.expose("b", first)
    interp.expose("a", second)
    interp.eval("a add 1; b add 5")
    assert (first.total, second.total) == (5, 1)
    assert interp.object("a") is second
    interp.eval("a delete")
    assert interp.eval("b total") == "5"


@pytest.mark.parametrize(
    ("target", "script", "result"),
    [
        (collections.deque([1, 2]), "o append x; o appendleft 0; o copy", "0 1 2 x"),
        ({"a": 1}, "o get a", "1"),
        ({"a": 1}, "o get b c", "c"),
        ([3, 1, 2], "o sort; o copy", "1 2 3"),
        (types.SimpleNamespace(x=1, f=len), "o x 5; list [o x] [o f abc]", "5 3"),
        (sys, "o byteorder", sys.byteorder),
        ("text", "o upper", "TEXT"),
        (Counter, "o unit", "piece"),
    ],
)
def test_objects_of_all_sorts(interp: Interp, target: object, script: str, result: str) -> None:
    interp.expose("o", target)
    assert interp.eval(script) == result


def test_methods_get_hostile_words_exactly(interp: Interp, counter: Counter) -> None:
    for word in ("} ; set pwned 1 ; {", "[exit]", "$x", "a\0b", "\ud83d", "\U0001f600", "-limit"):
        assert interp.call("c", "say", word) == word
        assert interp.call("c", "take", "--", word, to=list)[0] == interp.call("list", word)
    assert "pwned" not in interp
