"""``make demo`` and ``make test`` on machines that lack something:
they install it, or say what to install.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEEDED = ("sh", "make", "touch", "cp", "sed")  # what set-up uses; the rest of the machine is kept away


def program(file: Path, script: str) -> None:
    """Make ``file`` a program: a shell script."""
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


class Machine:
    """A PATH of our own: the programs set-up needs, a user,
    and whatever else a test puts there.
    """

    def __init__(self, folder: Path, user: int) -> None:
        self.folder = folder
        self.path = folder / "bin"
        self.venv = folder / "venv"
        self.path.mkdir()
        for name in NEEDED:
            found = shutil.which(name)
            assert found
            (self.path / name).symlink_to(found)
        program(self.path / "id", f"echo {user}")
        program(self.path / "apt-get", f'echo "$@" >> {self.folder}/apt.log')

    def python(self, *, without: str, name: str = "python3") -> None:
        """A Python that is whole but for one module."""
        block = self.folder / f"without-{without}"
        block.mkdir()
        (block / f"{without}.py").write_text(f"raise ImportError('no {without}')")
        program(self.path / name, f'PYTHONPATH={block} exec {sys.executable} "$@"')

    def good_python(self, file: Path, *, pip: str = "exit 0") -> None:
        """A Python that lacks nothing; in the environments it makes,
        pip only notes that it was called.
        """
        inside = self.folder / "inside" / "bin"
        inside.mkdir(parents=True, exist_ok=True)
        program(
            inside / "python",
            f"""case "$*" in
                *"pip install"*) echo "$@" >> {self.folder}/pip.log; {pip};;
                "-m kafkatcl.launch --embedded "*) echo the demo runs;;
                hatch_build.py) echo the native part is compiled;;
            esac""",
        )
        program(file, f'case "$*" in "-m venv --clear "*) cp -R {inside.parent} "$4";; esac')

    def installations(self) -> list[str]:
        """What pip was asked to install, each time."""
        return [
            line.rpartition("--disable-pip-version-check ")[2]
            for line in (self.folder / "pip.log").read_text().splitlines()
        ]

    def asked_of_apt(self) -> list[str]:
        log = self.folder / "apt.log"
        return log.read_text().splitlines() if log.exists() else []

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.path), **variables}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", f"VENV={self.venv}", *arguments, **variables)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A Debian machine on which we are an ordinary user."""
    return Machine(tmp_path, user=1000)


@pytest.fixture
def root_machine(tmp_path: Path) -> Machine:
    """A machine on which we are root; its apt-get only notes what it is asked for."""
    return Machine(tmp_path, user=0)


@pytest.mark.parametrize("target", ["demo", "test"])
@pytest.mark.parametrize(
    ("module", "fault", "package"),
    [
        ("tkinter", "has no tkinter", "python3-tk"),
        ("ensurepip", "has no venv", "python3-venv"),
        ("venv", "has no venv", "python3-venv"),
    ],
)
def test_an_unfit_python_is_told_with_what_to_install(
    machine: Machine, target: str, module: str, fault: str, package: str
) -> None:
    machine.python(without=module)
    done = machine.make(target)
    assert done.returncode != 0
    assert f"{machine.path}/python3 {fault} (Debian, Ubuntu: apt-get install {package}" in done.stderr
    assert "sudo apt-get install python3 python3-venv python3-tk" in done.stderr
    assert "brew install python python-tk" in done.stderr
    assert "Traceback" not in done.stderr
    assert not machine.venv.exists()
    assert machine.asked_of_apt() == []


def test_no_python_at_all(machine: Machine) -> None:
    done = machine.make("demo")
    assert done.returncode != 0
    assert "no python3 with all of" in done.stderr


def test_an_old_python_is_refused(machine: Machine) -> None:
    program(machine.path / "python3", "exit 1")
    assert "python3 is not Python 3.9 or newer" in machine.make("demo").stderr


def test_packages_of_the_python_that_was_named(machine: Machine) -> None:
    machine.python(without="tkinter", name="python3.12")
    done = machine.make("demo", "PYTHON=python3.12")
    assert "sudo apt-get install python3.12 python3.12-venv python3-tk" in done.stderr


def test_the_next_python_on_path_serves(machine: Machine, tmp_path: Path) -> None:
    machine.python(without="tkinter")
    other = tmp_path / "other"
    other.mkdir()
    machine.good_python(other / "python3")
    done = machine.make("demo", PATH=f"{machine.path}:{other}")
    assert "has no tkinter (Debian, Ubuntu: apt-get install python3-tk" in done.stderr
    assert "the demo runs" in done.stdout, done.stderr
    assert done.returncode == 0


def test_set_up_is_done_once_until_its_ground_changes(machine: Machine) -> None:
    machine.good_python(machine.path / "python3")
    for _ in range(2):
        assert machine.make("demo").returncode == 0
    assert len(machine.installations()) == 1
    assert machine.make("demo", "--assume-new=pyproject.toml").returncode == 0
    assert len(machine.installations()) == 2


def test_the_demo_waits_for_what_the_project_depends_on_and_no_more(machine: Machine) -> None:
    (dependency,) = re.findall(
        r'^dependencies = \["(.*)"\]$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    machine.good_python(machine.path / "python3")
    assert machine.make("demo").returncode == 0
    assert machine.installations() == [dependency]
    machine.make("check")
    assert machine.installations() == [dependency, "--editable .[dev,shell]"]
    assert machine.make("demo").returncode == 0
    assert len(machine.installations()) == 2


def test_the_native_part_is_compiled_once_until_its_source_changes(machine: Machine, tmp_path: Path) -> None:
    machine.good_python(machine.path / "python3")
    file = tmp_path / "native.so"

    def make(*options: str) -> bool:
        done = machine.make(f"NATIVE={file}", str(file), *options)
        assert done.returncode == 0, done.stderr
        return "the native part is compiled" in done.stdout

    assert make()
    file.touch()
    assert not make()
    assert make("--assume-new=kafkatcl/native/fastpaths.c")
    assert make("--assume-new=hatch_build.py")


def test_set_up_that_was_broken_off_is_done_again(machine: Machine) -> None:
    machine.good_python(machine.path / "python3", pip="exit 1")
    assert machine.make("demo").returncode != 0
    program(machine.venv / "bin" / "python", "exit 0")
    assert machine.make("demo").returncode == 0


def test_root_on_debian_installs_what_python_lacks(root_machine: Machine) -> None:
    root_machine.python(without="tkinter")
    done = root_machine.make("demo")
    assert root_machine.asked_of_apt() == [
        "-qq update",
        "-qq install --no-install-recommends python3 python3-venv python3-tk",
    ]
    assert "installing with apt-get: python3 python3-venv python3-tk" in done.stderr
    assert "no python3 with all of" in done.stderr  # since this apt-get mends nothing


def test_apt_is_not_asked_to_mend_a_python_that_is_not_its_own(root_machine: Machine) -> None:
    root_machine.python(without="tkinter")
    done = root_machine.make("demo", f"PYTHON={root_machine.path}/python3")
    assert done.returncode != 0
    assert root_machine.asked_of_apt() == []


TCL_PACKAGES = "tcl tcl-itcl4 tcl-thread tcllib tclx8.4 tk libtk-img xvfb gcc libc6-dev"


def test_missing_tcl_programs_are_told(machine: Machine) -> None:
    done = machine.run("sh", "tools/setup.sh", "programs")
    assert done.returncode == 0
    assert f"sudo apt-get install {TCL_PACKAGES})" in done.stderr
    assert "left out" in done.stderr
    assert not any("install" in asked for asked in machine.asked_of_apt())


def test_missing_tcl_programs_fail_ci(machine: Machine) -> None:
    done = machine.run("sh", "tools/setup.sh", "programs", CI="true")
    assert done.returncode == 1
    assert "with CI=true no test may be left out" in done.stderr


def test_root_on_debian_installs_missing_tcl_programs(root_machine: Machine) -> None:
    root_machine.run("sh", "tools/setup.sh", "programs")
    assert f"-qq install --no-install-recommends {TCL_PACKAGES}" in root_machine.asked_of_apt()


def test_a_machine_without_tcl_9_is_told_why(machine: Machine, tmp_path: Path) -> None:
    done = machine.run("sh", "tools/tcl9.sh", str(tmp_path / "tcl9"))
    assert (done.returncode, done.stderr) == (1, "no Tcl 9: apt knows no mirror of Debian\n")
