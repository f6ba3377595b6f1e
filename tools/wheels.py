"""Build what a release consists of, for all platforms on one machine: ``make wheels``.

That is the sdist, a wheel without the native part, and a wheel with it for each of
:data:`PLATFORMS`, for which Zig's C compiler compiles.  What was made is looked at, and
what pip chooses of it for this machine is installed and asked whether it works.

It takes a Python that has hatchling, ziglang, and for the installation tkinter.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hatch_build import NATIVE
from tools.binaries import Needs, needs

ROOT = Path(__file__).resolve().parent.parent
_FILES = {(NATIVE / name).as_posix() for name in ("tcl8.so", "tcl9.so")}


class Platform(NamedTuple):
    """A platform that wheels are for."""

    #: What the wheel is called by:
    #: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    tag: str
    #: What Zig calls it, with the oldest version of the C library or of macOS.
    target: str
    form: str
    machine: str
    #: The only library that is needed: the C library.
    library: str


#: The second tag of a manylinux wheel is the one that pip knows which comes with the
#: oldest Python.  Zig's musl is newer than 1.1, whose functions suffice: FUNCTIONS.
PLATFORMS = (
    Platform(
        "manylinux_2_17_x86_64.manylinux2014_x86_64", "x86_64-linux-gnu.2.17", "elf", "x86_64", "libc.so.6"
    ),
    Platform(
        "manylinux_2_17_aarch64.manylinux2014_aarch64",
        "aarch64-linux-gnu.2.17",
        "elf",
        "aarch64",
        "libc.so.6",
    ),
    Platform("musllinux_1_1_x86_64", "x86_64-linux-musl", "elf", "x86_64", "libc.so"),
    Platform("musllinux_1_1_aarch64", "aarch64-linux-musl", "elf", "aarch64", "libc.so"),
    Platform("macosx_11_0_x86_64", "x86_64-macos.11.0", "macho", "x86_64", "/usr/lib/libSystem.B.dylib"),
    Platform("macosx_11_0_arm64", "aarch64-macos.11.0", "macho", "arm64", "/usr/lib/libSystem.B.dylib"),
)
#: What may be called: all of these C libraries have had them for longer than the
#: versions of the tags.  The last four are what macOS has for memset, memcpy and calls.
FUNCTIONS = {
    *("abort", "calloc", "free", "getpid", "gettimeofday", "malloc", "memcmp", "memcpy", "memmove", "memset"),
    *("snprintf", "strcmp", "strlen", "strncmp", "strpbrk", "usleep", "bzero", "__bzero"),
    *("__memcpy_chk", "dyld_stub_binder"),
}
_GLIBC = (2, 17)
_MACOS = (11, 0)


def main(folder: Path) -> None:
    """Build all of it into a folder, in place of what is there.

    :raises SystemExit: something is wrong with what was made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (sdist,) = folder.iterdir()
    for env in ({"KAFKATCL_CC": ""}, *map(environment, PLATFORMS)):
        print("building for", env.get("KAFKATCL_PLATFORM", "any platform"))
        words = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
        _pip(sys.executable, *words, "--wheel-dir", folder, sdist, env={**os.environ, **env})
    wrong = list(faults({wheel.name: contents(wheel) for wheel in folder.glob("*.whl")}))
    if wrong:
        sys.exit("\n".join(wrong))
    print(_tried(folder))


def environment(platform: Platform) -> dict[str, str]:
    """What ``hatch_build.py`` is to be told to compile for a platform.

    ``-s``: without names and paths for debuggers.
    """
    command = [sys.executable, "-m", "ziglang", "cc", "-target", platform.target, "-s"]
    return {"KAFKATCL_CC": shlex.join(command), "KAFKATCL_PLATFORM": platform.tag}


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def faults(wheels: Mapping[str, Mapping[str, bytes]]) -> Iterator[str]:
    """What is wrong with wheels.

    :param wheels: for each name its files.
    """
    wanted = ("any", *[platform.tag for platform in PLATFORMS])
    found = {name.rpartition("-none-")[2].removesuffix(".whl"): name for name in wheels}
    if set(found) != set(wanted) or len(found) != len(wheels):
        yield f"wheels for {', '.join(sorted(found))} instead of {', '.join(sorted(wanted))}"
        return
    pure = _package(wheels[found["any"]])
    if pure & _FILES:
        yield f"{found['any']}: it has a native part"
    for platform in PLATFORMS:
        name = found[platform.tag]
        if (others := _package(wheels[name]) ^ (pure | _FILES)) != set():
            yield f"{name}: too much or too little: {', '.join(sorted(others))}"
        for file in sorted(_FILES & set(wheels[name])):
            data = wheels[name][file]
            for fault in misfits(needs(data), platform):
                yield f"{name}: {file}: {fault}"
            if tempfile.gettempdir().encode() in data:
                yield f"{name}: {file}: it tells where it was made"


def _package(files: Mapping[str, bytes]) -> set[str]:
    return {name for name in files if ".dist-info/" not in name}


def misfits(found: Needs, platform: Platform) -> Iterator[str]:
    """Why a file of the native part will not do for a platform."""
    if (found.form, found.machine) != (platform.form, platform.machine):
        yield f"it is for {found.form} {found.machine}"
    if found.libraries != {platform.library}:
        yield f"it needs the libraries {', '.join(sorted(found.libraries))}"
    if strange := found.functions - FUNCTIONS:
        yield f"it calls {', '.join(sorted(strange))}"
    newer = {version for version in found.versions if not _is_old_enough(version)}
    if newer:
        yield f"it needs {', '.join(sorted(newer))}"
    if platform.form == "macho" and found.macos != _MACOS:
        yield f"it is for macOS {'.'.join(map(str, found.macos))}"
    if platform.machine == "arm64" and not found.is_signed:
        yield "it is not signed"


def _is_old_enough(version: str) -> bool:
    numbers = re.fullmatch(r"GLIBC_(\d+)\.(\d+)[.\d]*", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) <= _GLIBC


def _pip(python: str, command: str, *words: object, env: Mapping[str, str] | None = None) -> None:
    begin = [python, "-m", "pip", command, "--quiet", "--disable-pip-version-check"]
    subprocess.run([*begin, *map(str, words)], check=True, env=env)


def _tried(folder: Path) -> str:
    """Install what pip chooses for this machine.

    :returns: what the package says of itself then.
    :raises SystemExit: the native part is not in use.
    """
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run([sys.executable, "-m", "venv", temporary], check=True)
        programs = Path(temporary) / "bin"
        python = str(programs / "python")
        _pip(python, "install", "--no-index", "--no-deps", "--find-links", folder, "kafkatcl")
        _pip(python, "install", "kafkatcl")  # what it depends on
        told = subprocess.run(
            [programs / "kafkatcl", "--version"], cwd=temporary, check=True, capture_output=True, text=True
        ).stdout
        if f"native part: {Path(temporary).resolve()}" not in told:
            sys.exit(f"the wheel for this machine does without its native part: {told}")
        return told.rstrip()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
