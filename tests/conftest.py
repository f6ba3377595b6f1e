"""What holds for every test: the fixtures, the header,
and that nothing is skipped on CI or left behind.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, Union

import confluent_kafka
import fix_process
import psutil
import pytest

from kafkatcl.bridge.fronts import status
from kafkatcl.bridge.inprocess import new_application

pytest_plugins = [
    "fix_buffer",
    "fix_cluster",
    "fix_consumer",
    "fix_crash",
    "fix_interp",
    "fix_kafka",
    "fix_mock",
    "fix_screen",
    "fix_tcl",
    "fix_native",
]

Report = Union[pytest.TestReport, pytest.CollectReport]

SECONDS_TO_END = 5  # for threads and processes that were told to
SECONDS_TO_STOP = 60  # for a test whose time is over
GARBAGE = 20_000  # objects that may wait to be looked through

#: The variables of ours that are for test runs; all others, and those of Tcl and
#: Python, are the user's business.
FOR_TESTS = {"KAFKATCL_BOOTSTRAP", "KAFKATCL_NATIVE", "KAFKATCL_REQUIRE_KAFKA", "KAFKATCL_SOAK"}
_home = tempfile.mkdtemp(prefix="kafkatcl-home-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)


def _clean_environment() -> None:
    for name in set(os.environ) - FOR_TESTS:
        if name.startswith(("KAFKATCL_", "TCL", "PYTHON", "XDG_")):
            del os.environ[name]
    os.environ["HOME"] = _home


_clean_environment()
# Garbage is collected in whatever thread makes the next object, a librdkafka thread or
# a poll thread perhaps; Tcl aborts the process when another thread than its own lets
# go of an interpreter (https://github.com/python/cpython/issues/83274).  So here it is
# collected between tests.
gc.disable()


_stderr = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_stderr] = os.dup(2)  # which pytest has not redirected yet


# A test that hangs in C never sees the signal that its time is over.
@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, bool, bool]:
    faulthandler.dump_traceback_later(
        settings.timeout + SECONDS_TO_STOP, exit=True, file=item.config.stash[_stderr]
    )
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_timeout_cancel_timer() -> Generator[None, bool, bool]:
    faulthandler.cancel_dump_traceback_later()
    return (yield)


def pytest_report_header() -> str:
    tcl = new_application().eval("info patchlevel")
    return f"Tcl: {tcl}, librdkafka: {confluent_kafka.libversion()[0]}, {status()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Report, Report]:
    return _unskipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Report, Report]:
    return _unskipped((yield))


def _unskipped(report: Report) -> Report:
    """``report``, failed where it was skipped on CI:
    what CI leaves out, nobody runs.
    """
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"CI=true lets nothing be skipped: {report.longrepr[2]}"  # type: ignore[index]
    return report


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """A test ends the threads and processes that it started."""
    before = _alive()
    yield
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := _alive() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"left behind: {left}"


@pytest.fixture(autouse=True)
def _garbage() -> Iterator[None]:
    """The garbage of tests goes in the main thread."""
    yield
    if gc.get_count()[0] > GARBAGE:
        gc.collect()


def _alive() -> set[threading.Thread | psutil.Process]:
    threads = {thread for thread in threading.enumerate() if thread.name.startswith("kafkatcl-")}
    processes = {child for child in psutil.Process().children() if child.pid not in fix_process.running}
    return threads | processes
