"""Compile the native part, where there is a C compiler.

pip does so when it installs the package from its sources, and whoever builds a wheel.
Without a compiler the package is the same but for that part, and nothing is said.
``python hatch_build.py`` compiles it for the checkout, and complains if it cannot.

Environment variables, for whoever builds for other platforms:

- ``KAFKATCL_CC``: the compiler, a command; empty for a wheel without the native part;
- ``KAFKATCL_PLATFORM``: the platform that the wheel names, such as
  ``manylinux_2_17_x86_64``.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

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


def compiled(sources: Path, folder: Path) -> list[Path]:
    """Compile the native part into a folder: all files of it.

    :param sources: the folder of the project.
    :raises OSError: there is no compiler.
    :raises subprocess.CalledProcessError: it fails; what it said is in ``stderr``.
    """
    command = compiler()
    if not command:
        raise FileNotFoundError("no C compiler was found")
    made = [folder / name for name in _FILES]
    for file, defines in zip(made, _FILES.values()):
        words = [*command, *_FLAGS, *defines, "-o", str(file), str(sources / NATIVE / _SOURCE)]
        subprocess.run(words, check=True, capture_output=True, text=True)
    return made


class NativePart(BuildHookInterface[Any]):
    """What hatchling calls before it builds a wheel, or an editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the checkout for an editable wheel, else into the wheel."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        self._folder = root / NATIVE if version == "editable" else Path(tempfile.mkdtemp())
        try:
            files = compiled(root, self._folder)
        except (OSError, subprocess.CalledProcessError):
            return
        if version != "editable":
            platform = os.environ.get("KAFKATCL_PLATFORM") or sysconfig.get_platform()
            build_data["tag"] = f"py3-none-{platform.replace('-', '_').replace('.', '_')}"
            build_data["pure_python"] = False
            build_data["force_include"].update({str(file): str(NATIVE / file.name) for file in files})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if self.target_name == "wheel" and version != "editable":
            shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        ROOT = Path(__file__).parent
        compiled(ROOT, ROOT / NATIVE)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"the native part cannot be compiled: {getattr(error, 'stderr', None) or error}")
