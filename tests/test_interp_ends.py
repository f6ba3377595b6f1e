"""kafkatcl.Interp: threads, other interpreters, and the end."""

from __future__ import annotations

import _tkinter
import gc
import subprocess
import sys
import threading
import tkinter
import weakref
from typing import Callable

import pytest
from fix_interp import display

from kafkatcl.interp import Interp, TclError


def in_thread(function: Callable[[], object]) -> str | None:
    """What ``function`` raises in another thread:
    text, as an exception's frames would keep the interpreter.

    Garbage is collected in any thread, and Tcl aborts the process where that lets go of
    an interpreter.
    """
    caught: list[str] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            caught.append(f"{type(error).__name__}: {error}")

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
    assert error is not None
    assert error.startswith("RuntimeError: ")
    assert "belongs to another thread" in error
    assert "queue or an event" in error


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
    """Tcl aborts the process when another thread lets go of an interpreter,
    so this runs in one of its own.
    """
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
    """Where there is no program that gives a display,
    the error is shown that says so.
    """
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
