"""The ``kafkatcl`` command line: help, versions, arguments and their errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import confluent_kafka
import pytest

from kafkatcl import __version__, cli
from kafkatcl.bridge.fronts import status

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with ``arguments``; the finished process."""
    return subprocess.run(
        [sys.executable, *arguments], env=ENVIRONMENT, text=True, capture_output=True, timeout=20, check=False
    )


def test_version_tells_package_and_library(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    library = confluent_kafka.libversion()[0]
    shown = capsys.readouterr().out.splitlines()
    assert shown == [f"kafkatcl {__version__}, librdkafka {library}", status()]


def test_help_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: kafkatcl ")
    assert "broker" in out
    assert err == ""


def test_help_of_broker_tells_options_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["broker", "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for word in (
        "--brokers",
        "--partitions",
        "--bootstrap-file",
        "--port",
        "--until-eof",
        "Ctrl-C",
        "status 0",
    ):
        assert word in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "invalid choice: 'nosuch'"),
        (["broke"], "invalid choice: 'broke'"),
        (["--vers"], "unrecognized arguments: --vers"),
        (["broker", "extra"], "unrecognized arguments: extra"),
        (["broker", "--broker", "2"], "unrecognized arguments: --broker 2"),
        (["broker", "--brokers"], "argument --brokers: expected one argument"),
        (["broker", "--brokers", "two"], "argument --brokers: invalid int value: 'two'"),
        (["broker", "--partitions", "1.5"], "argument --partitions: invalid int value: '1.5'"),
        (["broker", "--partitions", ""], "argument --partitions: invalid int value: ''"),
        (["тема"], "invalid choice: 'тема'"),
        (["broker", "\U0001f600"], "unrecognized arguments: \U0001f600"),
    ],
)
def test_wrong_arguments(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--brokers", "0"], "brokers must be a whole number from 1 to 32, got 0"),
        (["--brokers", "-3"], "brokers must be a whole number from 1 to 32, got -3"),
        (["--brokers", "99999999999999999999"], "got 99999999999999999999"),
        (["--partitions", "0"], "partitions must be a whole number from 1 to 1000, got 0"),
        (["--partitions", "1001"], "partitions must be a whole number from 1 to 1000, got 1001"),
        (["--port", "0"], "port must be a whole number from 1 to 65535, got 0"),
        (["--port", "65536"], "port must be a whole number from 1 to 65535, got 65536"),
    ],
)
def test_numbers_out_of_range(arguments: list[str], message: str) -> None:
    done = python("-m", "kafkatcl", "broker", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kafkatcl broker: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("argument", [b"\xff\xfe", b"\xed\xa0\x80", "тема".encode(), b"%s%n"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_any_bytes_as_an_argument(argument: bytes, locale: str) -> None:
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"kafkatcl", argument],
        env={**ENVIRONMENT, "LC_ALL": locale},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert b"invalid choice" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_module_runs_as_a_program() -> None:
    done = python("-m", "kafkatcl", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"kafkatcl {__version__}, librdkafka ")


WITHOUT_TKINTER = "import sys\nsys.modules['_tkinter'] = None\n"
LACKING = (
    f"{sys.executable} has no tkinter: install python3-tk (Debian, Ubuntu), python3-tkinter (Fedora) or python-tk "
    "(Homebrew); a stock tclsh needs none, see `kafkatcl install-tcl`"
)


def test_the_version_is_told_where_there_is_no_tkinter() -> None:
    done = python("-c", f"{WITHOUT_TKINTER}from kafkatcl import cli\ncli.main(['--version'])")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"kafkatcl {__version__}, librdkafka ")
    assert done.stdout.count("\n") == 1


def test_kafkatclsh_says_in_a_line_what_to_install_where_there_is_no_tkinter() -> None:
    run = "import runpy\nrunpy.run_module('kafkatcl.launch', run_name='__main__')"
    done = python("-c", WITHOUT_TKINTER + run)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"kafkatclsh: {LACKING}\n")


@pytest.mark.parametrize("name", ["Interp", "TclError", "install"])
def test_so_do_the_names_for_python_programs_that_need_tkinter(name: str) -> None:
    done = python("-c", f"{WITHOUT_TKINTER}import kafkatcl\nprint(kafkatcl.__version__)\nkafkatcl.{name}")
    assert done.stdout == f"{__version__}\n"
    assert done.stderr.splitlines()[-1] == f"ImportError: {LACKING}"
    assert "During handling" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "[]",
        "['broker', '--brokers', '0']",
        "['tcl-path']",
        "['install-tcl', '--remove', '--dir', '/none/such']",
    ],
)
def test_tkinter_is_not_imported(arguments: str) -> None:
    done = python(
        "-c",
        f"import sys\nfrom kafkatcl import cli\ncli.main({arguments})\nassert '_tkinter' not in sys.modules",
    )
    assert done.returncode == 0, done.stderr


def test_help_does_not_load_the_library() -> None:
    done = python(
        "-c",
        "import sys\nfrom kafkatcl import cli\ncli.main([])\nassert 'confluent_kafka' not in sys.modules",
    )
    assert done.returncode == 0, done.stderr
