"""pytest plugin: what a pytest-xdist worker that has crashed was doing,
told at the end of the test run.

Each worker has a file for the tests it begins, and for what faulthandler writes behind
them when the process dies.
"""

from __future__ import annotations

import contextlib
import faulthandler
import tempfile
from pathlib import Path
from typing import Any, Optional, TextIO

import pytest

TESTS_BEFORE = 30  # that are told: what one has left behind may end a later one
FATAL = "Fatal Python error"

_FOLDER = pytest.StashKey["tempfile.TemporaryDirectory[str]"]()
_FILE = pytest.StashKey[Optional[TextIO]]()


@pytest.hookimpl(trylast=True)  # pytest's own faulthandler comes before
def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    if worker is None:
        config.stash[_FOLDER] = tempfile.TemporaryDirectory(prefix="kafkatcl-crashes-")
        return
    file = Path(worker["crashes"], worker["workerid"])
    config.stash[_FILE] = kept = file.open("w", buffering=1)
    config.add_cleanup(kept.close)
    faulthandler.enable(kept)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["crashes"] = node.config.stash[_FOLDER].name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    if file := item.config.stash.get(_FILE, None):
        file.write(f"{item.nodeid}\n")
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for file in sorted(Path(config.stash[_FOLDER].name).iterdir()):
        lines = file.read_text(errors="replace").splitlines()
        fatal = next((at for at, line in enumerate(lines) if FATAL in line), None)
        if fatal is not None:
            terminalreporter.section(f"worker {file.name} has crashed; the last test it began was its last")
            terminalreporter.write_line("\n".join(lines[max(0, fatal - TESTS_BEFORE) :]))


def pytest_unconfigure(config: pytest.Config) -> None:
    if _FOLDER in config.stash:
        with contextlib.suppress(OSError):
            config.stash[_FOLDER].cleanup()
