"""The package in interpreters of all kinds:
twice, several, children, safe ones, with windows, and dropped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tkinter
from collections.abc import Iterator

import pytest
from fix_cluster import Cluster
from fix_engine import until

import kafkatcl
from kafkatcl.bridge.install import kafka_object
from kafkatcl.engine.master import Master


def python(program: str, **options: float) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=options.get("timeout", 60),
        check=False,
    )


@pytest.fixture
def tcl() -> tkinter.Misc:
    made = tkinter.Tcl()
    kafkatcl.install(made)
    return made


@pytest.mark.parametrize(
    ("words", "provided"),
    [
        ("kafka", "2.5"),
        ("kafka 1", "1.9"),
        ("kafka 1.0", "1.9"),
        ("kafka 2", "2.5"),
        ("kafka 2.4", "2.5"),
        ("kafka 2.4.3", "2.5"),
        ("-exact kafka 2.5", "2.5"),
        ("kafka 1 2", "2.5"),
    ],
)
def test_versions(words: str, provided: str, tcl: tkinter.Misc) -> None:
    assert tcl.tk.eval(f"package require {words}") == provided
    assert tcl.tk.eval("kafka::kafka create m") == "m"


@pytest.mark.parametrize("words", ["kafka 3", "kafka 2.6", "-exact kafka 2.4"])
def test_versions_that_are_not_there(words: str, tcl: tkinter.Misc) -> None:
    with pytest.raises(tkinter.TclError, match=r"version conflict|can't find package"):
        tcl.tk.eval(f"package require {words}")


def test_nothing_is_loaded_before_it_is_required(tcl: tkinter.Misc) -> None:
    assert tcl.tk.eval("info commands ::kafka::*; namespace exists ::kafka") in ("0", 0)


def test_installing_again_changes_nothing(tcl: tkinter.Misc) -> None:
    tcl.tk.eval("package require kafka; kafka::kafka create m; m config client.id me")
    traces = tcl.tk.eval("trace info execution ::interp")
    kafkatcl.install(tcl)
    kafkatcl.install(tcl.tk)
    assert tcl.tk.eval("package require kafka; dict get [m config] client.id") == "me"
    assert tcl.tk.eval("trace info execution ::interp") == traces
    assert tcl.tk.eval("interp create c; c eval {package require kafka; kafka::kafka create m}") == "m"


def test_interpreters_do_not_share_objects() -> None:
    both = [tkinter.Tcl(), tkinter.Tcl()]
    for number, interp in enumerate(both):
        kafkatcl.install(interp)
        interp.tk.eval(f"package require kafka; kafka::kafka create m; m config client.id id{number}")
    assert [interp.tk.eval("dict get [m config] client.id") for interp in both] == ["id0", "id1"]
    both[0].tk.eval("m delete")
    assert both[1].tk.eval("dict get [m config] client.id") == "id1"


CHILD = "package require kafka; kafka::kafka create m; info commands m"


@pytest.mark.parametrize("path", ["c", "c d", "c d e"])
def test_children(path: str, tcl: tkinter.Misc) -> None:
    words = path.split()
    for depth in range(1, len(words) + 1):
        tcl.tk.call("interp", "create", words[:depth])
    assert tcl.tk.splitlist(tcl.tk.call("interp", "eval", words, CHILD)) == ("m",)
    assert tcl.tk.eval("info commands m") == ""


def test_children_made_before_the_package_is_required(tcl: tkinter.Misc) -> None:
    tcl.tk.eval("interp create c")
    tcl.tk.eval("package require kafka; kafka::kafka create m")
    assert tcl.tk.eval("c eval {package require kafka; info commands m}") == ""


def test_children_create_their_own_children(tcl: tkinter.Misc) -> None:
    assert (
        tcl.tk.eval(
            "interp create c; c eval {interp create d; d eval {package require kafka; kafka::kafka create m}}"
        )
        == "m"
    )


def test_child_callbacks_run_in_the_child(tcl: tkinter.Misc, embedded_cluster: Cluster) -> None:
    tcl.tk.call("set", "brokers", embedded_cluster.bootstrap_servers)
    tcl.tk.call("set", "topic", embedded_cluster.topic())
    tcl.tk.eval(
        """
        interp create c
        c eval [list set brokers $brokers]
        c eval [list set topic $topic]
        c eval {
            package require kafka
            kafka::kafka create m
            m config bootstrap.servers $brokers
            m delivery_report callback {apply {report {lappend ::seen [dict get $report payload]}}}
            m producer_creator p
            p new_topic t $topic
            t produce 0 hello
        }
        """
    )
    assert until(lambda: tcl.tk.eval("update; c eval {info exists seen}") in ("1", 1))
    assert tcl.tk.eval("c eval {set seen}") == "hello"
    assert tcl.tk.eval("info exists ::seen") in ("0", 0)
    tcl.tk.eval("c eval {p delete}; interp delete c")


@pytest.mark.parametrize("path", ["s", "c s"])
def test_safe_interpreters_get_nothing(path: str, tcl: tkinter.Misc) -> None:
    if path == "c s":
        tcl.tk.eval("interp create c")
    tcl.tk.call("interp", "create", "-safe", path.split())
    with pytest.raises(tkinter.TclError):
        tcl.tk.call("interp", "eval", path.split(), "package require kafka")
    found = tcl.tk.call(
        "interp", "eval", path.split(), "list [namespace exists ::kafkatcl] [interp aliases {}]"
    )
    assert "kafka" not in str(found)


def test_the_object_behind_a_command(tcl: tkinter.Misc) -> None:
    tcl.tk.eval(
        "package require kafka; kafka::kafka create m; namespace eval n {}; kafka::kafka create ::n::o"
    )
    assert isinstance(kafka_object(tcl, "m"), Master)
    assert kafka_object(tcl, "n::o") is kafka_object(tcl, "::n::o") is not kafka_object(tcl, "m")
    tcl.tk.eval("rename m moved")
    assert isinstance(kafka_object(tcl, "moved"), Master)
    for name in ("m", "set", "", "::kafka::kafka", "no such"):
        with pytest.raises(LookupError):
            kafka_object(tcl, name)


# -- threads and ends ------------------------------------------------------------------


def test_only_the_thread_of_the_interpreter_installs() -> None:
    done = python(
        """
        import threading, tkinter, kafkatcl
        tcl = tkinter.Tcl()
        def install():
            try:
                kafkatcl.install(tcl)
            except RuntimeError as error:
                print("refused:", error)
        thread = threading.Thread(target=install)
        thread.start()
        thread.join()
        kafkatcl.install(tcl)
        print(tcl.eval("package require kafka"))
        """
    )
    assert done.returncode == 0, done.stderr
    refused, provided = done.stdout.splitlines()
    assert refused.startswith("refused:")
    assert provided == "2.5"


def test_interpreters_can_live_in_any_thread() -> None:
    done = python(
        """
        import threading, tkinter, kafkatcl
        def work():
            tcl = tkinter.Tcl()
            kafkatcl.install(tcl)
            tcl.eval("package require kafka; kafka::kafka create m; m producer_creator p")
            print(tcl.eval("p delete; m delete; list done"))
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    )
    assert (done.returncode, done.stdout.count("done")) == (0, 4), done.stderr


def test_dropped_interpreters_do_not_abort() -> None:
    done = python(
        """
        import gc, threading, tkinter, kafkatcl
        stop = threading.Event()
        def collect():
            while not stop.wait(0.001):
                gc.collect()
        thread = threading.Thread(target=collect)
        thread.start()
        for number in range(60):
            tcl = tkinter.Tcl()
            kafkatcl.install(tcl)
            tcl.eval("package require kafka; kafka::kafka create m")
            if number % 3 == 0:
                tcl.eval("m delivery_report callback list; m producer_creator p; p new_topic t x; t produce 0 x")
            if number % 6 == 0:
                tcl.eval("m delete; p delete; interp create c; c eval {package require kafka}")
            del tcl
        stop.set()
        thread.join()
        print("alive")
        """
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


# -- windows ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server without a screen."""
    try:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x8"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("there is no Xvfb (Debian: apt-get install xvfb)")
    assert server.stdout is not None
    try:
        yield f":{server.stdout.readline().strip()}"
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def test_windows(display: str, embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("BROKERS", embedded_cluster.bootstrap_servers)
    monkeypatch.setenv("TOPIC", embedded_cluster.topic())
    done = python(
        """
        import tkinter, kafkatcl
        root = tkinter.Tk()
        label = tkinter.Label(root)
        label.pack()
        kafkatcl.install(label)
        root.after(20000, root.destroy)
        root.tk.call("set", "label", str(label))
        root.tk.eval('''
            package require kafka
            kafka::kafka create m
            m config bootstrap.servers $env(BROKERS)
            m delivery_report callback {apply {report {$::label configure -text [dict get $report payload]; leave}}}
            m producer_creator p
            p new_topic pt $env(TOPIC)
            m consumer_creator c
            c new_topic ct $env(TOPIC)
            ct start 0 beginning {apply {message {append ::seen [dict get $message payload]; leave}}}
            proc leave {} {
                set ::shown [$::label cget -text]
                if {$::shown ne "" && [info exists ::seen]} {
                    destroy .
                }
            }
            pt produce 0 hello
        ''')
        root.mainloop()
        print(root.tk.eval("set ::seen"), root.tk.eval("set ::shown"))
        """
    )
    assert (done.returncode, done.stdout) == (0, "hello hello\n"), done.stderr


@pytest.mark.parametrize("last", ["", "namespace delete ::kafkatcl::bridge"])
def test_a_closed_interpreter_leaves_no_descriptor_and_no_client(last: str) -> None:
    def use() -> None:
        with kafkatcl.Interp() as interp:
            interp.eval(
                "package require kafka; kafka::kafka create m; m producer_creator p; m consumer_creator c"
            )
            interp.eval("interp create child; child eval {package require kafka; kafka::kafka create m}")
            interp.eval(last)

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    use()
    before = descriptors()
    for _ in range(5):
        use()
    assert until(lambda: descriptors() <= before)
