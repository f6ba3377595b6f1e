"""The wheel holds all that scripts need: installed alone, it runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of nothing but the wheel and, linked from here,
    what it depends on.
    """
    folder = tmp_path_factory.mktemp("environment")
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
    installed = metadata.distribution(distribution)
    for name in {
        file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")
    }:
        (target / name).symlink_to(Path(str(installed.locate_file(name))))


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What ``command`` writes, run with no way back to this checkout."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env or {}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
    path = run(environment / "bin" / "kafkatcl", "tcl-path", cwd=tmp_path).rstrip("\n")
    assert Path(path).is_relative_to(environment)
    told = run(
        str(shutil.which("tclsh")), script, cwd=tmp_path, env={"TCLLIBPATH": path, "KAFKATCL_EMBEDDED": "1"}
    )
    assert told == "from the wheel\n"
