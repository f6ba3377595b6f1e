"""Compile the native part, where there is a C compiler.

pip does so when it installs the package from its sources, and whoever builds a wheel.
Without a compiler the package is the same but for that part, and nothing is said.
``python hatch_build.py`` compiles it for the checkout, and complains if it cannot.

Environment variables, for whoever builds for other platforms:

- ``KAFKATCL_CC``: the compiler, a command, which must not fail then; empty for a wheel
  without the native part;
- ``KAFKATCL_PLATFORM``: the platform that the wheel names, or several with dots between
  them, such as ``manylinux_2_17_x86_64.manylinux2014_x86_64``.

``make wheels`` does that for all platforms, see ``tools/wheels.py``.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

NATIVE = Path("kafkatcl") / "native"
_SOURCE = "fastpaths.c"
#: A file for each Tcl that is known, and what the compiler is to define for it.
_FILES = {"tcl8.so": (), "tcl9.so": ("-DTCL9",)}
_FLAGS = ("-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")


def compiler() -> list[str]:
    """The command of the C compiler; nothing if there is none, or none is wanted."""
    chosen = os.environ.get("KAFKATCL_CC")
    if chosen is not None:
        return shlex.split(chosen)
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    return [found] if found else []


def platform() -> str:
    """The platform that a wheel with the native part names.

    It is the one chosen, else this machine, which need not have the C library of any
    other.
    """
    own = (tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))
    return os.environ.get("KAFKATCL_PLATFORM") or next(own)


class CannotCompile(Exception):
    """The compiler fails, and why in its own words."""


def compiled(sources: Path, folder: Path) -> list[Path]:
    """Compile the native part into a folder.

    :param sources: the folder of the project.
    :returns: the files of it; nothing where there is no compiler.
    :raises CannotCompile: the compiler fails.
    """
    command = compiler()
    made = [folder / name for name in _FILES] if command else []
    source = str((sources / NATIVE / _SOURCE).resolve())
    for file, defines in zip(made, _FILES.values()):
        words = [*command, *_FLAGS, *defines, "-o", file.name, source]
        try:
            # In the folder, as a library for macOS has in it what it was called by.
            subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotCompile(getattr(error, "stderr", None) or str(error)) from error
    return made


class NativePart(BuildHookInterface[Any]):
    """What hatchling calls before it builds a wheel, or an editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the checkout for an editable wheel, else into the wheel."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        is_editable = version == "editable"
        self._folder = tempfile.TemporaryDirectory()
        try:
            files = compiled(root, root / NATIVE if is_editable else Path(self._folder.name))
        except CannotCompile:
            if "KAFKATCL_CC" in os.environ:
                raise
            return
        if files and not is_editable:
            build_data["tag"] = f"py3-none-{platform()}"
            build_data["pure_python"] = False
            build_data["force_include"].update({str(file): str(NATIVE / file.name) for file in files})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if self.target_name == "wheel":
            self._folder.cleanup()


if __name__ == "__main__":
    ROOT = Path(__file__).parent.resolve()
    try:
        if not compiled(ROOT, ROOT / NATIVE):
            print("the native part is left out: there is no C compiler", file=sys.stderr)
    except CannotCompile as failure:
        sys.exit(f"the native part cannot be compiled: {failure}")
