"""``kafkatcl install-tcl``: an index of the package where a Tcl shell looks for one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from kafkatcl.errors import Failure
from kafkatcl.pkgindex import index_folder, tcl_word

_PACKAGE = Path(__file__).parent
_FOLDER = "kafkatcl"  # of our index, in a folder of auto_path
_SECONDS = 20  # that a Tcl shell has to tell its paths
_OURS = (
    b"# pkgIndex.tcl -- written by `kafkatcl install-tcl`, taken away by `kafkatcl install-tcl --remove`\n"
)

# Once the Python package is gone, the index says so, unless another index has the
# package.
_INDEX = rb"""#
#   The package kafka, as the Python package kafkatcl has it.

apply {{written dir python} {
    if {[interp issafe]} {
        return
    }
    if {[file readable [file join $dir pkgIndex.tcl]]} {
        source -encoding utf-8 [file join $dir pkgIndex.tcl]
    } elseif {[package ifneeded kafka 2.5] eq ""} {
        package ifneeded kafka 2.5 [list error "package kafka is no longer in $dir: install the Python package\
            kafkatcl again and run \"kafkatcl install-tcl\", or delete the folder $written" \
            {} {KAFKA SIDECAR MISSING}]
    }
}} $dir %b %b
"""


class Shell(NamedTuple):
    """What a Tcl shell tells of itself.

    ``auto_path`` has its folders in the order in which to try to install.
    """

    command: str
    version: str
    auto_path: list[Path]


def ask(command: str) -> Shell:
    """Run the Tcl shell ``command`` for its version and folders, 20 s at most.

    :raises Failure: it is no Tcl shell, or older than Tcl 8.6.
    """
    other = "name another with --tclsh"
    try:
        done = subprocess.run(
            [command, str(_PACKAGE / "tcl" / "paths.tcl")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise Failure(f"cannot run '{command}' ({error.strerror}): install Tcl, or {other}") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"'{command}' did not tell its auto_path within {_SECONDS} s: {other}") from None
    version, *folders = done.stdout.split(b"\0")[:-1] or [b""]
    found = re.match(rb"(\d+)\.(\d+)", version)
    if done.returncode or not found:
        told = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise Failure(
            f"'{command}' is no Tcl shell that works ({told or f'status {done.returncode}'}): {other}"
        )
    if (int(found[1]), int(found[2])) < (8, 6):
        raise Failure(f"'{command}' has Tcl {version.decode()}, and 8.6 or newer is needed: {other}")
    return Shell(command, version.decode(), [Path(os.fsdecode(folder)) for folder in folders])


def install(folder: Path) -> Path:
    """Write an index of this kafkatcl into a subfolder of ``folder``; the subfolder.

    An earlier index of ours is replaced.

    :raises Failure: the index there is not ours, or cannot be written.
    """
    target = folder / _FOLDER
    index = target / "pkgIndex.tcl"
    if index.exists() and not _is_ours(index):
        raise Failure(f"{index} was not written by kafkatcl: remove it, or name another folder with --dir")
    text = _OURS + _INDEX % (tcl_word(index_folder()), tcl_word(sys.executable))
    try:
        target.mkdir(parents=True, exist_ok=True)
        index.write_bytes(text)
    except OSError as error:
        raise Failure(
            f"cannot write {index} ({error.strerror}): name a folder that you may write into with --dir"
        ) from None
    return target


def remove(folder: Path) -> Path | None:
    """Remove what :func:`install` wrote into ``folder``; the subfolder, or None.

    :raises Failure: it cannot be removed.
    """
    target = folder / _FOLDER
    index = target / "pkgIndex.tcl"
    if not _is_ours(index):
        return None
    try:
        index.unlink()
        if not any(target.iterdir()):
            target.rmdir()
    except OSError as error:
        raise Failure(f"cannot remove {index} ({error.strerror}): have it removed by its owner") from None
    return target


def folder_for(shell: Shell) -> Path:
    """The first folder of the shell's auto_path that can be written into, or made.

    :raises Failure: there is none.
    """
    for folder in shell.auto_path:
        existing = folder if folder.exists() else folder.parent
        is_own = os.path.realpath(folder) == os.path.realpath(index_folder())
        if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK) and not is_own:
            return folder
    raise Failure(
        f"you may not write into any folder of the auto_path of {shell.command}: run this as root, or name a folder "
        "of yours with --dir and have it in the environment variable TCLLIBPATH"
    )


def finds(shell: Shell, folder: Path) -> bool:
    """Whether the shell looks for packages in ``folder``."""
    return os.path.realpath(folder) in map(os.path.realpath, shell.auto_path)


def _is_ours(index: Path) -> bool:
    try:
        return index.read_bytes().startswith(_OURS)
    except OSError:
        return False
