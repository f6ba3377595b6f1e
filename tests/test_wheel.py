"""The wheel holds all that scripts need: installed alone, it runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.tags import platform_tags

from hatch_build import compiler

ROOT = Path(__file__).parent.parent


#: The files of the native part; which of them is in use depends on the Tcl of tkinter.
NATIVE = {"kafkatcl/native/tcl8.so", "kafkatcl/native/tcl9.so"}
#: How environments without and with a C compiler are called, in the names of tests.
WITHOUT, WITH = "without a compiler", "with one"

needs_compiler = pytest.mark.skipif(not compiler(), reason="there is no C compiler")
both = pytest.mark.parametrize("how", [WITHOUT, pytest.param(WITH, marks=needs_compiler)])


def path(how: str, empty: Path) -> dict[str, str]:
    """A PATH with or without a C compiler."""
    return {"PATH": os.environ["PATH"] if how == WITH else str(empty)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, with the native part if there is a compiler."""
    return built("--wheel", tmp_path_factory.mktemp("wheel"), path(WITH, Path()))


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout where there is no compiler."""
    folder = tmp_path_factory.mktemp("pure")
    return built("--wheel", folder, path(WITHOUT, folder))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout."""
    return built("--sdist", tmp_path_factory.mktemp("sdist"), {})


def built(what: str, folder: Path, env: dict[str, str]) -> Path:
    run(sys.executable, "-m", "build", what, "--no-isolation", "--outdir", folder, ROOT, env=env)
    (file,) = folder.iterdir()
    return file


def native_files(wheel: Path) -> set[str]:
    """What of the native part is in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.endswith((".so", ".c"))}


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of nothing but the wheel and, linked from here,
    what it depends on.
    """
    return installed(wheel, tmp_path_factory.mktemp("environment"))


def installed(wheel: Path, folder: Path) -> Path:
    """A virtual environment that has a wheel and what that depends on."""
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python"]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    link("confluent-kafka", folder)
    if sys.version_info < (3, 11):
        link("typing-extensions", folder)  # which confluent-kafka needs there
    return folder


def link(distribution: str, environment: Path) -> None:
    """Make an installed distribution importable in another environment,
    without the network.
    """
    target = Path(sysconfig.get_path("purelib", vars={"base": environment, "platbase": environment}))
    found = metadata.distribution(distribution)
    for name in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
        (target / name).symlink_to(Path(str(found.locate_file(name))))


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What ``command`` writes, run with no way back to this checkout."""
    done = finished(*command, cwd=cwd, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def finished(
    *command: object, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, env=env or {}, capture_output=True, text=True, check=False)


def test_the_wheel_holds_every_tcl_file(wheel: Path) -> None:
    """The ones beside the modules, and the package index
    that stock tclsh is pointed at.
    """
    beside = {file.relative_to(ROOT).as_posix() for file in (ROOT / "kafkatcl").rglob("*.tcl")}
    index = {f"kafkatcl/pkgIndex/{file.name}" for file in (ROOT / "pkgIndex").glob("*.tcl")}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.endswith(".tcl")}
    assert beside
    assert held == beside | index


@needs_compiler
def test_a_wheel_has_the_native_part_and_names_its_platform(wheel: Path) -> None:
    assert native_files(wheel) == NATIVE
    platform = wheel.stem.partition("-py3-none-")[2]
    assert platform in set(platform_tags())
    assert not platform.startswith(("manylinux", "musllinux"))  # which it was not compiled for


def test_a_wheel_without_the_native_part_is_for_every_platform(pure: Path) -> None:
    assert native_files(pure) == set()
    assert pure.stem.endswith("-py3-none-any")


@needs_compiler
def test_wheels_have_the_same_files_but_for_the_native_part(wheel: Path, pure: Path) -> None:
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(pure) as other:
        assert set(one.namelist()) ^ set(other.namelist()) == NATIVE


@pytest.mark.parametrize("chosen", ["linux_test64", "manylinux_2_17_x86_64.manylinux2014_x86_64"])
@needs_compiler
def test_the_platform_that_is_named_can_be_chosen(chosen: str, tmp_path: Path) -> None:
    wheel = built("--wheel", tmp_path, {**path(WITH, tmp_path), "KAFKATCL_PLATFORM": chosen})
    assert wheel.stem.endswith(f"-py3-none-{chosen}")
    with zipfile.ZipFile(wheel) as archive:
        (file,) = [name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
        lines = archive.read(file).decode().splitlines()
    assert {f"Tag: py3-none-{one}" for one in chosen.split(".")} <= set(lines)


def test_a_compiler_that_was_chosen_must_not_fail(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    done = finished(*command, env={"KAFKATCL_CC": "no-such-compiler"})
    assert done.returncode != 0
    assert "no-such-compiler" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_sdist_has_the_source_and_nothing_compiled(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"kafkatcl/native/fastpaths.c", "kafkatcl/native/reading.h", "hatch_build.py"} <= names
    assert not NATIVE & names


@both
def test_the_sdist_can_be_installed(how: str, sdist: Path, tmp_path: Path) -> None:
    """As pip does it: by way of a wheel; of the compiler nothing is said."""
    made, empty = tmp_path / "made", tmp_path / "empty"
    empty.mkdir()
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir")
    command = (sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", made, sdist)
    done = finished(*command, env=path(how, empty))
    assert done.returncode == 0
    assert not re.search("error|warning|compil|native", done.stdout + done.stderr, re.IGNORECASE)
    (wheel,) = made.iterdir()
    assert native_files(wheel) == (NATIVE if how == WITH else set())
    folder = installed(wheel, tmp_path / "environment")
    _, _, told = (
        run(folder / "bin" / "kafkatcl", "--version", cwd=tmp_path).rstrip().partition("native part: ")
    )
    if how == WITH:
        assert Path(told).is_relative_to(folder)
    else:
        assert told == "not used, it was not compiled here"


@needs_compiler
def test_the_native_part_of_the_wheel_is_in_use(environment: Path, tmp_path: Path) -> None:
    file = tmp_path / "script.tcl"
    file.write_text("package require kafka; puts $::kafkatcl::fronts")
    assert (
        run(environment / "bin" / "kafkatclsh", file, cwd=tmp_path)
        == "producer_topic consumer_topic queue subscriber\n"
    )
    told = run(environment / "bin" / "kafkatcl", "--version", cwd=tmp_path)
    assert Path(told.rstrip().partition("native part: ")[2]).is_relative_to(environment)


def test_the_installed_package_is_the_one_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = "import kafkatcl, kafkatcl.shell; print(kafkatcl.__file__, kafkatcl.shell.__file__, sep='\\n')"
    for file in run(environment / "bin" / "python", "-c", code, cwd=tmp_path).splitlines():
        assert Path(file).is_relative_to(environment)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script that prints a message that it produced."""
    file = tmp_path / "script.tcl"
    file.write_text("""
        package require kafka
        kafka::kafka create master
        master producer_creator producer
        producer new_topic out wheel
        out produce 0 "from the wheel"
        master consumer_creator consumer
        consumer new_topic in wheel
        in consume_start 0 beginning
        in consume 0 20000 message
        puts $message(payload)
    """)
    return file


def test_an_installed_kafkatclsh_runs_a_script(environment: Path, tmp_path: Path, script: Path) -> None:
    told = run(environment / "bin" / "kafkatclsh", "--embedded", script, cwd=tmp_path)
    assert told == "from the wheel\n"


def test_a_stock_tclsh_runs_a_script_by_way_of_tcl_path(
    environment: Path, tmp_path: Path, script: Path
) -> None:
    index = run(environment / "bin" / "kafkatcl", "tcl-path", cwd=tmp_path).rstrip("\n")
    assert Path(index).is_relative_to(environment)
    told = run(
        str(shutil.which("tclsh")), script, cwd=tmp_path, env={"TCLLIBPATH": index, "KAFKATCL_EMBEDDED": "1"}
    )
    assert told == "from the wheel\n"
