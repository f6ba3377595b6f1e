"""What tests of the native part need: both ways to run, and a check of its memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hatch_build import NATIVE, compiler
from kafkatcl.native import library

ROOT = Path(__file__).parent.parent
NEEDS_COMPILER = pytest.mark.skipif(not compiler(), reason="there is no C compiler")
WITH, WITHOUT = {library.VARIABLE: "1"}, {library.VARIABLE: "0"}
BOTH = {"native": WITH, "pure": WITHOUT}

SETUP = """
package require kafka
lassign $argv topic
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] linger.ms 0
"""

_SANITIZERS = ("asan", "ubsan")


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the native part is checked at each access to memory."""
    file = tmp_path_factory.mktemp("checked") / "checked.so"
    words = ["-g", "-O1", "-std=gnu11", "-fPIC", "-shared", "-fsanitize=address,undefined"]
    source = str(ROOT / NATIVE / "fastpaths.c")
    subprocess.run([*compiler(), *words, "-fno-sanitize-recover", "-o", str(file), source], check=True)
    found = [
        subprocess.run(
            [*compiler(), f"-print-file-name=lib{name}.so"], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in _SANITIZERS
    ]
    # Python frees little at its end, so what is left then says nothing.
    return {library.VARIABLE: str(file), "LD_PRELOAD": ":".join(found), "ASAN_OPTIONS": "detect_leaks=0"}
