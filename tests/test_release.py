"""What ``make wheels`` looks at in what it has made."""

from __future__ import annotations

import shlex
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from hatch_build import compiled, compiler
from tools.binaries import Needs, needs
from tools.wheels import PLATFORMS, Platform, environment, faults, misfits

ROOT = Path(__file__).parent.parent
GNU, MAC = PLATFORMS[0], PLATFORMS[-1]
NATIVE = ("kafkatcl/native/tcl8.so", "kafkatcl/native/tcl9.so")


def macho(
    machine: int = 0x100000C,
    *,
    library: bytes = b"/usr/lib/libSystem.B.dylib",
    functions: tuple[bytes, ...] = (b"_malloc",),
    macos: tuple[int, int] = (11, 0),
    is_signed: bool = True,
) -> bytes:
    """A Mach-O library that has a function, and calls others."""
    loads = struct.pack("<IIIIII", 0xC, 24 + 32, 24, 0, 0, 0) + library.ljust(32, b"\0")
    build = struct.pack("<IIIIII", 0x32, 24, 1, macos[0] << 16 | macos[1] << 8, 0, 0)
    signature = struct.pack("<IIII", 0x1D, 16, 0, 0) if is_signed else b""
    at = 32 + len(loads + build + signature) + 24
    names = b"\0_kafkatcl_load\0" + b"".join(name + b"\0" for name in functions)
    rows = struct.pack("<IBBHQ", 1, 0x0F, 1, 0, 0x1000)
    for name in functions:
        rows += struct.pack("<IBBHQ", names.index(name), 0x01, 0, 0x100, 0)
    count = len(functions) + 1
    table = struct.pack("<IIIIII", 0x2, 24, at, count, at + len(rows), len(names))
    commands = loads + build + signature + table
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, machine, 0, 6, 4 if is_signed else 3, len(commands), 0, 0)
    return header + commands + rows + names


def elf(
    machine: int = 62,
    *,
    library: bytes = b"libc.so.6",
    functions: tuple[bytes, ...] = (b"malloc",),
    weak: tuple[bytes, ...] = (b"__gmon_start__",),
    versions: tuple[bytes, ...] = (b"GLIBC_2.2.5", b"GLIBC_2.17"),
) -> bytes:
    """An ELF library that has a function, calls others, and may call some."""
    strings = b"\0" + b"".join(name + b"\0" for name in (b"own", library, *functions, *weak, *versions))

    def at(name: bytes) -> int:
        return strings.index(b"\0" + name + b"\0") + 1

    symbols = bytes(24) + struct.pack("<IBBHQQ", at(b"own"), 0x12, 0, 7, 0x1000, 8)
    for binding, names in ((0x12, functions), (0x22, weak)):
        for name in names:
            symbols += struct.pack("<IBBHQQ", at(name), binding, 0, 0, 0, 0)
    dynamic = struct.pack("<qQqQ", 1, at(library), 0, 0)
    needed = struct.pack("<HHIII", 1, len(versions), at(library), 16, 0)
    for number, name in enumerate(versions, 1):
        needed += struct.pack("<IHHII", 0, 0, 2, at(name), 16 if number < len(versions) else 0)
    parts = ((3, strings, 0), (11, symbols, 1), (6, dynamic, 1), (0x6FFFFFFE, needed, 1))
    body, sections = b"", bytes(64)
    for kind, data, link in parts:
        sections += struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, 64 + len(body), len(data), link, 1, 0, 0)
        body += data
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, 5, 0)
    return header + body + sections


LIBRARIES = {
    ("elf", "x86_64"): elf(),
    ("elf", "aarch64"): elf(183),
    ("macho", "x86_64"): macho(0x1000007),
    ("macho", "arm64"): macho(),
}


def test_what_an_elf_library_needs() -> None:
    libraries, versions = {"libc.so.6"}, {"GLIBC_2.2.5", "GLIBC_2.17"}
    assert needs(elf()) == Needs("elf", "x86_64", libraries, {"malloc"}, versions, (0, 0), False)
    assert needs(elf(183, functions=(b"free", b"usleep"))).machine == "aarch64"
    assert needs(elf(40, versions=())).machine == "40"


def test_what_a_mach_o_library_needs() -> None:
    libraries = {"/usr/lib/libSystem.B.dylib"}
    assert needs(macho()) == Needs("macho", "arm64", libraries, {"malloc"}, set(), (11, 0), True)
    found = needs(macho(0x1000007, macos=(12, 3), is_signed=False, functions=(b"_free", b"___bzero")))
    assert found == Needs("macho", "x86_64", libraries, {"free", "__bzero"}, set(), (12, 3), False)


def test_anything_else_is_no_library() -> None:
    with pytest.raises(ValueError, match="neither"):
        needs(b"MZ")


@pytest.mark.skipif(not compiler(), reason="there is no C compiler")
def test_what_is_compiled_here_needs_the_c_library_alone(tmp_path: Path) -> None:
    """As nm, too, says."""
    for file in compiled(ROOT, tmp_path):
        found = needs(file.read_bytes())
        assert len(found.libraries) == 1
        assert {"malloc", "free"} <= found.functions
        if found.form == "elf":
            listed = subprocess.run(
                ["nm", "--dynamic", "--undefined-only", file], capture_output=True, text=True, check=True
            ).stdout
            strong = {line.split()[1].partition("@")[0] for line in listed.splitlines() if " U " in line}
            assert found.functions == strong
            versions = {line.partition("@")[2].strip("@") for line in listed.splitlines()} - {""}
            assert found.versions == versions


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.tag)
def test_a_library_that_fits(platform: Platform) -> None:
    library = platform.library.encode()
    if platform.form == "elf":
        data = elf({"x86_64": 62, "aarch64": 183}[platform.machine], library=library)
    else:
        data = LIBRARIES["macho", platform.machine]
    assert list(misfits(needs(data), platform)) == []


@pytest.mark.parametrize(
    ("data", "platform", "fault"),
    [
        (elf(183), GNU, "it is for elf aarch64"),
        (elf(library=b"libtcl8.6.so"), GNU, "it needs the libraries libtcl8.6.so"),
        (elf(functions=(b"Tcl_Eval", b"free")), GNU, "it calls Tcl_Eval"),
        (elf(versions=(b"GLIBC_2.4", b"GLIBC_2.18", b"GLIBC_3.0")), GNU, "it needs GLIBC_2.18, GLIBC_3.0"),
        (elf(versions=(b"GLIBC_PRIVATE",)), GNU, "it needs GLIBC_PRIVATE"),
        (elf(versions=(b"GCC_3.0",)), GNU, "it needs GCC_3.0"),
        (macho(0x1000007), MAC, "it is for macho x86_64"),
        (macho(library=b"/opt/lib/libtcl.dylib"), MAC, "it needs the libraries /opt/lib/libtcl.dylib"),
        (macho(functions=(b"_rd_kafka_produce",)), MAC, "it calls rd_kafka_produce"),
        (macho(macos=(12, 0)), MAC, "it is for macOS 12.0"),
        (macho(is_signed=False), MAC, "it is not signed"),
    ],
)
def test_a_library_that_does_not_fit_is_told(data: bytes, platform: Platform, fault: str) -> None:
    assert list(misfits(needs(data), platform)) == [fault]


def release() -> dict[str, dict[str, bytes]]:
    """Wheels without a fault."""
    package = {"kafkatcl/__init__.py": b"", "kafkatcl-1.dist-info/WHEEL": b""}
    wheels = {"kafkatcl-1-py3-none-any.whl": package}
    for platform in PLATFORMS:
        data = LIBRARIES[platform.form, platform.machine]
        if platform.library == "libc.so":
            data = elf({"x86_64": 62, "aarch64": 183}[platform.machine], library=b"libc.so", versions=())
        wheels[f"kafkatcl-1-py3-none-{platform.tag}.whl"] = {**package, **dict.fromkeys(NATIVE, data)}
    return wheels


def test_a_release_without_a_fault() -> None:
    assert list(faults(release())) == []


def test_a_wheel_that_is_missing_is_told() -> None:
    wheels = release()
    del wheels[f"kafkatcl-1-py3-none-{GNU.tag}.whl"]
    (fault,) = faults(wheels)
    assert fault.startswith("wheels for any, macosx_11_0_arm64,")


def test_wheels_with_other_files_are_told() -> None:
    wheels = release()
    name = f"kafkatcl-1-py3-none-{GNU.tag}.whl"
    del wheels[name][NATIVE[1]]
    wheels[name]["kafkatcl/fastpaths.c"] = b""
    assert list(faults(wheels)) == [f"{name}: too much or too little: kafkatcl/fastpaths.c, {NATIVE[1]}"]


def test_a_file_that_does_not_fit_is_told_with_its_wheel() -> None:
    wheels = release()
    name = f"kafkatcl-1-py3-none-{GNU.tag}.whl"
    wheels[name][NATIVE[0]] = macho()
    assert next(faults(wheels)) == f"{name}: {NATIVE[0]}: it is for macho arm64"


def test_a_file_that_has_a_path_of_the_machine_in_it_is_told() -> None:
    wheels = release()
    name = f"kafkatcl-1-py3-none-{MAC.tag}.whl"
    wheels[name][NATIVE[1]] += f"{tempfile.gettempdir()}/x/tcl8.so".encode()
    assert list(faults(wheels)) == [f"{name}: {NATIVE[1]}: it tells where it was made"]


def test_a_native_part_for_every_platform_is_told() -> None:
    wheels = release()
    name = "kafkatcl-1-py3-none-any.whl"
    wheels[name] = {**wheels[name], NATIVE[0]: elf()}
    assert next(faults(wheels)) == f"{name}: it has a native part"


def test_the_compiler_is_told_the_platform() -> None:
    env = environment(GNU)
    assert env["KAFKATCL_PLATFORM"] == "manylinux_2_17_x86_64.manylinux2014_x86_64"
    words = shlex.split(env["KAFKATCL_CC"])
    assert words[words.index("-target") + 1] == "x86_64-linux-gnu.2.17"
