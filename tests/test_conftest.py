"""The rules that conftest.py keeps are kept:
each test here runs a pytest of its own that breaks one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_pytest import inner_output
from fix_tcl import RunTcl

SKIPPED_TEST = """
import pytest

def test_it():
    pytest.skip("no tclsh")
"""
SKIPPED_FILE = """
import pytest

pytest.skip("no tclsh", allow_module_level=True)
"""


def _output(folder: Path, code: str, *options: str, **environment: str) -> str:
    return inner_output(folder, code, "-p", "conftest", "-rA", *options, **environment)


@pytest.mark.parametrize("code", [SKIPPED_TEST, SKIPPED_FILE])
def test_ci_lets_nothing_be_skipped(tmp_path: Path, code: str) -> None:
    assert "1 skipped" in _output(tmp_path, code)
    told = _output(tmp_path, code, CI="true")
    assert "CI=true lets nothing be skipped: Skipped: no tclsh" in told
    assert "1 failed" in told or "1 error" in told


def test_ci_takes_expected_failures(tmp_path: Path) -> None:
    code = """
    import pytest

    @pytest.mark.xfail(strict=True)
    def test_it():
        assert False
    """
    assert "1 xfailed" in _output(tmp_path, code, CI="true")


def test_what_the_user_has_set_does_not_reach_tests(tmp_path: Path) -> None:
    code = """
    import os

    def test_it():
        set_for_us = {name for name in os.environ if name.startswith(("KAFKATCL_", "TCL", "PYTHON", "XDG_"))}
        assert set_for_us - {"KAFKATCL_NATIVE"} == {"KAFKATCL_SOAK"}
        assert os.listdir(os.environ["HOME"]) == []
    """
    given = {
        "TCLLIBPATH": "{",
        "KAFKATCL_EMBEDDED": "perhaps",
        "KAFKATCL_SOAK": "0",
        "XDG_STATE_HOME": "/none",
    }
    assert "1 passed" in _output(tmp_path, code, **given, HOME="/none")


def test_a_process_left_behind_is_an_error(tmp_path: Path) -> None:
    code = """
    import conftest, subprocess

    conftest.SECONDS_TO_END = 0.1

    def test_it():
        test_it.process = subprocess.Popen(["sleep", "100"])

    def teardown_module():
        test_it.process.kill()
        test_it.process.wait()
    """
    told = _output(tmp_path, code)
    assert "left behind" in told
    assert "name='sleep'" in told


def test_a_thread_left_behind_is_an_error(tmp_path: Path) -> None:
    code = """
    import conftest, threading

    conftest.SECONDS_TO_END = 0.1
    end = threading.Event()

    def test_it():
        threading.Thread(target=end.wait, name="kafkatcl-pump").start()

    def teardown_module():
        end.set()
    """
    told = _output(tmp_path, code)
    assert "left behind" in told
    assert "kafkatcl-pump" in told


def test_a_script_gets_what_it_is_run_with(run_tcl: RunTcl, tmp_path: Path) -> None:
    brokers = Cluster("embedded", "one:1,two:2")
    script = """
    foreach broker $env(KAFKATCL_TEST_BROKERS) {puts $broker}
    puts [list $argv $env(EXTRA) [pwd]]
    puts -nonewline stderr [read stdin]
    exit 3
    """
    done = run_tcl(script, "a", "b c", brokers=brokers, env={"EXTRA": "é"}, stdin="ü")
    assert done.stdout == f"one:1\ntwo:2\n{{a {{b c}}}} é {tmp_path}\n"
    assert (done.status, done.stderr, done.stderr_bytes) == (3, "ü", "ü".encode())


def test_a_script_that_does_not_end_is_killed_and_told(tmp_path: Path) -> None:
    code = """
    def test_it(run_tcl):
        run_tcl("puts {got here}; flush stdout; vwait forever", timeout=5)
    """
    told = _output(tmp_path, code)
    assert "did not end within 5 s" in told
    assert "stdout: got here" in told


def test_garbage_is_collected_in_the_main_thread_only(tmp_path: Path) -> None:
    code = """
    import gc, threading, weakref
    import conftest

    class Cycle:
        def __init__(self):
            self.itself = self
            weakref.finalize(self, lambda: ended.append(threading.current_thread()))

    ended = []
    conftest.GARBAGE = 1000

    def test_in_another_thread_nothing_is_collected():
        Cycle()
        thread = threading.Thread(target=lambda: [[number] for number in range(100_000)])
        thread.start()
        thread.join()
        assert ended == []
        kept.extend([number] for number in range(2000))

    kept = []

    def test_between_tests_it_is():
        assert ended == [threading.main_thread()]
    """
    assert "2 passed" in _output(tmp_path, code)


def test_a_worker_that_crashes_tells_where_and_which_tests_it_ran(tmp_path: Path) -> None:
    code = """
    import os, signal

    def test_before():
        pass

    def test_that_crashes():
        os.kill(os.getpid(), signal.SIGABRT)
    """
    told = _output(tmp_path, code, "-n", "1", "--max-worker-restart", "0")
    _, _, crash = told.partition("worker gw0 has crashed; the last test it began was its last")
    lines = crash.splitlines()
    assert lines[1:4] == [
        "test_inner.py::test_before",
        "test_inner.py::test_that_crashes",
        "Fatal Python error: Aborted",
    ]
    assert any("test_inner.py" in line and "in test_that_crashes" in line for line in lines)
