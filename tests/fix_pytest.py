"""A pytest run of its own, for tests of what the plugins and rules
of these tests do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

TESTS = Path(__file__).parent
OURS = {"CI", "KAFKATCL_REQUIRE_KAFKA", "KAFKATCL_BOOTSTRAP"}  # not for an inner run


def inner_pytest(folder: Path, code: str, *options: str, **environment: str) -> subprocess.Popen[str]:
    """Start pytest in ``folder`` on a file with ``code``;
    ``-p`` in ``options`` names plugins of ours.
    """
    (folder / "test_inner.py").write_text(textwrap.dedent(code))
    kept = {name: value for name, value in os.environ.items() if name not in OURS and "PYTEST" not in name}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "test_inner.py"],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(TESTS), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def inner_output(folder: Path, code: str, *options: str, **environment: str) -> str:
    """What :func:`inner_pytest` says until it ends."""
    with inner_pytest(folder, code, *options, **environment) as run:
        return run.communicate()[0]
