"""How stock Tcl shells find the package, and how the package finds its Python."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fix_tcl import TCLSH, RunTcl

from kafkatcl.sidecar.protocol import Kind

ROOT = Path(__file__).parent.parent
ODD = 'a b {c "d$e[f'  # the name of a folder

MakeShell = Callable[..., Path]


def kafkatcl(*arguments: object, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run ``kafkatcl`` as it is in the checkout ``root``; the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "kafkatcl", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )


def tcl_list(elements: Sequence[object]) -> str:
    """A Tcl list of words without blanks, quotes or backslashes,
    but perhaps with those of ``ODD``.
    """
    return " ".join("".join(f"\\{c}" if c in ' {}"$[]' else c for c in str(element)) for element in elements)


def executable(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def make_shell(tmp_path: Path) -> MakeShell:
    """Make a Tcl shell that has no other auto_path than the one given."""

    def make(*auto_path: Path, usual: Sequence[Path] = (), more: str = "") -> Path:
        before = tmp_path / "before.tcl"
        before.write_text(f"""
            set auto_path [list {tcl_list(auto_path)}]
            set tcl_pkgPath [list {tcl_list(usual)}]
            {more}
            source [lindex $argv 0]
        """)
        return executable(tmp_path / "shell", f'exec tclsh "{before}" "$@"')

    return make


def installed(done: subprocess.CompletedProcess[str]) -> Path:
    """The folder that ``kafkatcl install-tcl`` says it has written."""
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.partition(":")[0])


# -- tcl-path --------------------------------------------------------------------------

#: Tells the Python of the sidecar, and what it runs.
WHICH = r"""
    package require kafka
    kafka::kafka create master
    puts [join $::kafkatcl::sidecar::command \n]
"""


CAUGHT = """
    puts [catch {package require kafka} message options]
    puts $message
    puts [dict get $options -errorcode]
"""


def test_tcl_path_is_the_index_of_a_checkout() -> None:
    done = kafkatcl("tcl-path")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{ROOT / 'pkgIndex'}\n", "")


def test_tcl_path_is_an_element_of_a_list_whatever_the_name_of_the_folder(
    tmp_path: Path, run_tcl: RunTcl
) -> None:
    copy = tmp_path / ODD
    for folder in ("kafkatcl", "pkgIndex"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = kafkatcl("tcl-path", root=copy).stdout.rstrip("\n")
    ended = run_tcl(WHICH, shell=TCLSH, env={"TCLLIBPATH": f"{path} /tmp"})
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == str(copy / "kafkatcl" / "sidecar" / "__main__.py")


@pytest.mark.parametrize("link", ["folder", "file"])
def test_a_link_to_the_index_serves(tmp_path: Path, run_tcl: RunTcl, link: str) -> None:
    if link == "folder":
        (tmp_path / "kafka").symlink_to(ROOT / "pkgIndex")
    else:
        (tmp_path / "kafka").mkdir()
        (tmp_path / "kafka" / "pkgIndex.tcl").symlink_to(ROOT / "pkgIndex" / "pkgIndex.tcl")
    ended = run_tcl(WHICH, shell=TCLSH, env={"TCLLIBPATH": str(tmp_path)})
    assert (ended.status, ended.stderr) == (0, "")


def test_a_safe_interpreter_is_refused(run_tcl: RunTcl) -> None:
    script = f"""
        interp alias [safe::interpCreate safe] puts {{}} puts
        safe eval {{{CAUGHT}}}
    """
    code, message, errorcode = run_tcl(script, shell=TCLSH).stdout.splitlines()
    assert (code, errorcode) == ("1", "KAFKA SAFE")
    assert message.endswith("cannot be loaded into a safe interpreter: alias commands of its parent into it")


# -- install-tcl -----------------------------------------------------------------------


def test_a_shell_finds_what_was_installed_and_runs_the_python_that_installed_it(
    tmp_path: Path, run_tcl: RunTcl, make_shell: MakeShell
) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    done = kafkatcl("install-tcl", "--tclsh", make_shell(folder))
    assert (installed(done), done.stderr) == (folder / "kafkatcl", "")
    env = {"TCLLIBPATH": tcl_list([folder]), "KAFKATCL_PYTHON": ""}
    ended = run_tcl(WHICH, shell=TCLSH, env=env)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == sys.executable


def test_the_usual_folders_of_packages_come_first_and_are_made(tmp_path: Path, make_shell: MakeShell) -> None:
    first, usual, gone, file = (tmp_path / name for name in ("first", "usual", "gone/too", "file"))
    first.mkdir()
    file.touch()
    shell = make_shell(file, first, gone, usual, usual=[gone, usual])
    assert installed(kafkatcl("install-tcl", "--tclsh", shell)).parent == usual
    assert not gone.exists()
    assert list(first.iterdir()) == []


def test_without_usual_folders_the_first_of_auto_path_is_taken(tmp_path: Path, make_shell: MakeShell) -> None:
    file, first, second = (tmp_path / name for name in ("file", "first", "second"))
    file.touch()
    first.mkdir()
    second.mkdir()
    shell = make_shell(ROOT / "pkgIndex", file, first, second, usual=[tmp_path / "elsewhere"])
    assert installed(kafkatcl("install-tcl", "--tclsh", shell)).parent == first


def test_installing_again_replaces_what_was_written(tmp_path: Path, make_shell: MakeShell) -> None:
    shell = make_shell(tmp_path)
    index = installed(kafkatcl("install-tcl", "--tclsh", shell)) / "pkgIndex.tcl"
    text = index.read_text()
    index.write_text(text.splitlines()[0] + "\n# of an older version")
    assert installed(kafkatcl("install-tcl", "--tclsh", shell)) == index.parent
    assert index.read_text() == text


def test_removing_leaves_what_is_not_ours(tmp_path: Path, make_shell: MakeShell) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    shell = make_shell(*folders)
    for folder in folders:
        assert installed(kafkatcl("install-tcl", "--dir", folder, "--tclsh", shell)).parent == folder
    (folders[1] / "kafkatcl" / "mine").touch()
    (folders[2] / "kafkatcl" / "pkgIndex.tcl").write_text("# mine")
    done = kafkatcl("install-tcl", "--remove", "--tclsh", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(f"{folder / 'kafkatcl'}: removed\n" for folder in folders[:2])
    left = {str(file.relative_to(tmp_path)) for folder in folders for file in folder.rglob("*")}
    assert left == {"two/kafkatcl", "two/kafkatcl/mine", "three/kafkatcl", "three/kafkatcl/pkgIndex.tcl"}
    again = kafkatcl("install-tcl", "--remove", "--tclsh", shell)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("nothing of `kafkatcl install-tcl` is in the auto_path of ")


def test_removing_from_a_folder_asks_no_shell(tmp_path: Path) -> None:
    assert kafkatcl("install-tcl", "--dir", tmp_path, "--tclsh", "nosuch").returncode == 0
    done = kafkatcl("install-tcl", "--dir", tmp_path, "--tclsh", "nosuch", "--remove")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'kafkatcl'}: removed\n")
    assert list(tmp_path.iterdir()) == []


def test_an_index_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    index = tmp_path / "kafkatcl" / "pkgIndex.tcl"
    index.parent.mkdir()
    index.write_text("# mine")
    done = kafkatcl("install-tcl", "--dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{index} was not written by kafkatcl: remove it, or name another folder with --dir" in done.stderr
    assert index.read_text() == "# mine"


def test_a_folder_that_the_shell_does_not_look_into_is_told(tmp_path: Path, make_shell: MakeShell) -> None:
    shell = make_shell(tmp_path / "known")
    assert kafkatcl("install-tcl", "--dir", tmp_path / "known", "--tclsh", shell).stderr == ""
    done = kafkatcl("install-tcl", "--dir", tmp_path / "other", "--tclsh", shell)
    assert installed(done).parent == tmp_path / "other"
    assert f"does not look into {tmp_path / 'other'}: have it in the environment variable" in done.stderr


def test_shells_that_will_not_do(tmp_path: Path, make_shell: MakeShell) -> None:
    def told(shell: object) -> str:
        done = kafkatcl("install-tcl", "--tclsh", shell)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("kafkatcl install-tcl: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "cannot run 'nosuch' (No such file or directory): install Tcl, or name" in told("nosuch")
    assert "is no Tcl shell that works" in told(sys.executable)
    assert "'true' is no Tcl shell that works (status 0): name another with --tclsh" in told("true")
    old = make_shell(
        tmp_path,
        more="""
        rename info known
        proc info args {
            if {$args eq "patchlevel"} {
                return 8.5.19
            }
            uplevel 1 [linsert $args 0 known]
        }
    """,
    )
    assert "has Tcl 8.5.19, and 8.6 or newer is needed: name another with --tclsh" in told(old)
    nowhere = make_shell(tmp_path / "none" / "such", tmp_path / "shell")
    assert "you may not write into any folder of the auto_path" in told(nowhere)


def test_a_package_that_is_gone_is_told(tmp_path: Path, run_tcl: RunTcl) -> None:
    target = installed(kafkatcl("install-tcl", "--dir", tmp_path))
    index = target / "pkgIndex.tcl"
    index.write_text(index.read_text().replace(f" {ROOT}/", " /gone/"))
    # An index of ours for the whole system would be found, too.
    script = f"set auto_path [list [info library] {tcl_list([tmp_path])}]\n{CAUGHT}"
    code, message, errorcode = run_tcl(script, shell=TCLSH).stdout.splitlines()
    assert (code, errorcode) == ("1", "KAFKA SIDECAR MISSING")
    assert message == (
        "package kafka is no longer in /gone/pkgIndex: install the Python package kafkatcl again and run "
        f'"kafkatcl install-tcl", or delete the folder {target}'
    )
    for path in ([tmp_path, ROOT / "pkgIndex"], [ROOT / "pkgIndex", tmp_path]):
        ended = run_tcl(WHICH, shell=TCLSH, env={"TCLLIBPATH": tcl_list(path)})
        assert (ended.status, ended.stderr) == (0, "")


# -- finding Python --------------------------------------------------------------------


def fake_python(file: Path) -> Path:
    """A Python that refuses to be the sidecar and says where it is."""
    executable(file, f"exec /bin/cat '{file}.refusal'")
    Path(f"{file}.refusal").write_bytes(struct.pack("<ii", len(str(file)), Kind.REFUSED) + str(file).encode())
    return file


LAYOUTS = {
    "venv": ("env/lib/python3.11/site-packages", ["env/bin/python3"], "env/bin/python3"),
    "venv, lib64": ("env/lib64/python3.11/site-packages", ["env/bin/python3"], "env/bin/python3"),
    "Debian": ("usr/lib/python3/dist-packages", ["usr/bin/python3"], "usr/bin/python3"),
    "several in a folder": (
        "usr/local/lib/python3.11/dist-packages",
        ["usr/local/bin/python3.11", "usr/local/bin/python3"],
        "usr/local/bin/python3.11",
    ),
    "user": (".local/lib/python3.11/site-packages", ["path/python3.11", "path/python3"], "path/python3.11"),
    "user, one version": (".local/lib/python3.11/site-packages", ["path/python3"], "path/python3"),
    "checkout": (
        "checkout",
        [".venv/bin/python3", "checkout/.venv/bin/python3"],
        "checkout/.venv/bin/python3",
    ),
    "checkout, another Python far above": (
        "home/code/checkout",
        ["bin/python3", "home/bin/python3", "home/code/checkout/.venv/bin/python3"],
        "home/code/checkout/.venv/bin/python3",
    ),
    "elsewhere": ("opt", ["path/python3.11", "path/python3"], "path/python3"),
}


@pytest.mark.parametrize(("package", "pythons", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_python_is_that_of_the_environment_or_on_path(
    tmp_path: Path, run_tcl: RunTcl, package: str, pythons: list[str], expected: str
) -> None:
    installed_package(tmp_path / package)
    for python in pythons:
        fake_python(tmp_path / python)
    assert started(refused(run_tcl, tmp_path / package, tmp_path / "path")) == tmp_path / expected


def started(message: str) -> Path:
    """Which of the fakes was started."""
    return Path(message.partition(": package kafka needs ")[0])


def installed_package(folder: Path) -> None:
    """The Tcl side of the package in ``folder``, with its index as in a wheel."""
    shutil.copytree(ROOT / "kafkatcl" / "tcl", folder / "kafkatcl" / "tcl")
    shutil.copytree(ROOT / "pkgIndex", folder / "kafkatcl" / "pkgIndex")


def refused(run_tcl: RunTcl, package: Path, path: Path, before: str = "", python: object = "") -> str:
    """What is said when no Python serves the package in this folder;
    ``path`` is PATH.
    """
    env = {"TCLLIBPATH": str(package / "kafkatcl" / "pkgIndex"), "KAFKATCL_PYTHON": str(python)}
    script = f"{before}\nset ::env(PATH) [list {path}]\n{CAUGHT}"
    code, message, errorcode = run_tcl(script, shell=TCLSH, env=env).stdout.splitlines()
    assert (code, errorcode) == ("1", "KAFKA SIDECAR PYTHON")
    return message


def test_the_recorded_python_comes_before_the_environment(tmp_path: Path, run_tcl: RunTcl) -> None:
    package = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    installed_package(package)
    own = fake_python(tmp_path / "env" / "bin" / "python3")
    recorded = fake_python(tmp_path / ODD.replace('"', "") / "python3")
    before = f"namespace eval kafkatcl {{variable python {tcl_list([recorded])}}}"
    assert started(refused(run_tcl, package, tmp_path, before)) == recorded
    recorded.unlink()
    assert started(refused(run_tcl, package, tmp_path, before)) == own


def test_kafkatcl_python_comes_before_all(tmp_path: Path, run_tcl: RunTcl) -> None:
    package = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    installed_package(package)
    fake_python(tmp_path / "env" / "bin" / "python3")
    named = fake_python(tmp_path / ODD.replace('"', "") / "python3")
    assert started(refused(run_tcl, package, tmp_path, python=named)) == named


NEEDED = "package kafka needs Python 3.9 or newer with the Python package confluent-kafka; "
RIGHT = "the Python of the environment that kafkatcl was installed in"
NAME_ONE = f"{NEEDED}set the environment variable KAFKATCL_PYTHON to {RIGHT}"
NAME_ANOTHER = (
    f"{NEEDED}the environment variable KAFKATCL_PYTHON names another: set it to {RIGHT}, or unset it"
)


def test_no_python_at_all_is_told(tmp_path: Path, run_tcl: RunTcl) -> None:
    installed_package(tmp_path)
    (tmp_path / ".venv" / "bin" / "python3").mkdir(parents=True)  # a folder is no program
    assert refused(run_tcl, tmp_path, tmp_path) == f"there is no python3 on PATH: {NAME_ONE}"


Faulty = Callable[[Path], "tuple[Path, str]"]


def missing(folder: Path) -> tuple[Path, str]:
    """No Python, and what is said of it."""
    python = folder / "nosuch"
    return python, f'couldn\'t execute "{python}": no such file or directory'


def too_old(folder: Path) -> tuple[Path, str]:
    """A Python that says that it is an old one."""
    code = "import runpy, sys; sys.version_info = (3, 8, 18); sys.version = '3.8.18 (main)'; "
    python = executable(
        folder / "old",
        f"""exec {sys.executable} -c "{code} runpy.run_path(sys.argv[-1], run_name='__main__')" "$@" """,
    )
    return python, f"{sys.executable}: it is Python 3.8.18, and 3.9 or newer is needed"


def without_confluent_kafka(folder: Path) -> tuple[Path, str]:
    """A Python that lacks what kafkatcl depends on."""
    venv.create(folder / "bare", symlinks=True)
    python = folder / "bare" / "bin" / "python"
    return python, f"{python}: No module named 'confluent_kafka'"


MAIN = ROOT / "kafkatcl" / "sidecar" / "__main__.py"


def broken(folder: Path) -> tuple[Path, str]:
    """A Python that ends before it has said anything."""
    python = executable(folder / "broken", "exit 7")
    return python, f'"{python} -E {MAIN}" ended (status 7) before it was ready'


def talkative(folder: Path) -> tuple[Path, str]:
    """A Python that says something else first, and waits."""
    python = executable(folder / "talkative", "echo welcome to this machine; cat >/dev/null")
    return python, f'"{python} -E {MAIN}" ended (status 0) before it was ready'


@pytest.mark.parametrize("faulty", [missing, too_old, without_confluent_kafka, broken, talkative])
def test_a_python_that_cannot_serve_is_told_and_another_may_follow(
    tmp_path: Path, run_tcl: RunTcl, faulty: Faulty
) -> None:
    python, reason = faulty(tmp_path)
    script = f"""
        {CAUGHT}
        set env(KAFKATCL_PYTHON) {{{sys.executable}}}
        package require kafka
        kafka::kafka create master
        puts [llength [info commands master]]
    """
    ended = run_tcl(script, shell=TCLSH, env={"KAFKATCL_PYTHON": str(python)})
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["1", f"{reason}: {NAME_ANOTHER}", "KAFKA SIDECAR PYTHON", "1"]
