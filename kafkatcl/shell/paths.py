"""Where Tcl finds packages and programs, as the ``tclsh`` of the same version would."""

from __future__ import annotations

import os
import sys
from typing import Any


def set_paths(app: Any) -> None:
    """Give ``app`` the package folders of the system's Tcl, and our executable."""
    auto_path = app.splitlist(app.getvar("auto_path"))
    more = [directory for directory in _system_auto_path(app) if directory not in auto_path]
    app.setvar("auto_path", (*auto_path, *more))
    app.setvar("::kafkatcl::shell::executable", executable())


def executable() -> str:
    """The path of ``kafkatclsh``.

    It is empty, as Tcl says it, where only ``python -m kafkatcl.shell`` exists.
    """
    if _is_ours(sys.argv[0]):
        return os.path.abspath(sys.argv[0])
    import sysconfig  # noqa: PLC0415 - it takes its time

    installed = os.path.join(sysconfig.get_path("scripts"), "kafkatclsh")
    return os.path.abspath(installed) if _is_ours(installed) else ""


def _is_ours(program: str) -> bool:
    return os.path.basename(program) == "kafkatclsh" and os.access(program, os.X_OK)


def _system_auto_path(app: Any) -> tuple[str, ...]:
    """``auto_path`` of the system's tclsh, if this Python brought a Tcl of its own.

    Such a Tcl does not know the folders of the system.
    """
    if not _within(str(app.getvar("tcl_library")), sys.base_prefix):
        return ()
    import shutil  # noqa: PLC0415 - they take their time
    import subprocess  # noqa: PLC0415

    tclsh = shutil.which(f"tclsh{app.getvar('tcl_version')}")
    if tclsh is None or _within(tclsh, sys.base_prefix):
        return ()
    try:
        asked = subprocess.run(
            [tclsh], input="puts $auto_path", capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(app.splitlist(asked.stdout.strip()))


def _within(path: str, directory: str) -> bool:
    directory = os.path.realpath(directory)
    return os.path.commonpath((os.path.realpath(path), directory)) == directory
