"""What stands in the home directory is not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_tkinter_profiles_are_not_read(run_tcl: Any, tmp_path: Path) -> None:
    """tkinter would run ~/.Tk.tcl and ~/.Tk.py; tclsh does not."""
    for name in (".Tk.tcl", ".Tcl.tcl"):
        (tmp_path / name).write_text("puts profile")
    for name in (".Tk.py", ".__main__.py"):
        (tmp_path / name).write_text("print('profile')")
    result = run_tcl("puts script", env={"HOME": str(tmp_path)})
    assert (result.status, result.stdout) == (0, "script\n")
