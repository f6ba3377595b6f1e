"""Modules that nobody uses are not imported,
and those that somebody does are there as ever.
"""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from kafkatcl.postponed import postpone

postpone("asyncio")
import asyncio
import asyncio as same
assert "asyncio.events" not in sys.modules

async def number():
    await same.sleep(0)
    return 42

print(asyncio.run(number()))
from asyncio import run
print(run(number()))
import asyncio.events
print(sys.modules["asyncio"].run is run)
postpone("asyncio")
print(sys.modules["asyncio"].run is run)
"""


def test_a_module_is_imported_when_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("42\n42\nTrue\nTrue\n", "")
