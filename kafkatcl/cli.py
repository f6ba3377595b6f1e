"""The ``kafkatcl`` command line: what one needs around scripts.

``kafkatclsh`` runs the scripts.

A command is a function that adds its parser to the others and is listed in
``_COMMANDS``.  What a command needs is imported when it runs, so that help comes at
once and no command pays for another.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kafkatcl import __version__

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kafkatcl``; the exit status: 0, or 2 for an error, told on stderr.

    :param arguments: the process's own by default.
    :raises SystemExit: argparse has shown help, or refused the arguments.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.version:
        return _version()
    if given.command is None:
        parser.print_help()
        return 0
    from kafkatcl.errors import Failure  # noqa: PLC0415

    try:
        given.run(given)
    except Failure as failure:
        print(f"kafkatcl {given.command}: {failure.message}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kafkatcl",
        description="KafkaTcl: Kafka for Tcl scripts. Scripts are run by kafkatclsh.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="store_true", help="show the versions, and whether the native part is used"
    )
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return parser


def _version() -> int:
    from kafkatcl.librdkafka.version import version  # noqa: PLC0415

    print(f"kafkatcl {__version__}, librdkafka {version()}")
    try:
        from kafkatcl.bridge.fronts import status  # noqa: PLC0415
    except ImportError:  # there is no tkinter
        return 0
    print(status())
    return 0


def _add_broker(commands: Commands) -> None:
    parser = commands.add_parser(
        "broker",
        help="run a Kafka broker for trying out and testing",
        description="Run a Kafka broker for trying out and testing: in memory, on free ports of 127.0.0.1. "
        "It prints its bootstrap list as one line and runs until Ctrl-C or SIGTERM, which end it with status "
        "0 (2: it could not start).",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--brokers", type=int, default=1, metavar="N", help="brokers of the cluster, 1 to 32 (1)"
    )
    parser.add_argument(
        "--partitions", type=int, default=4, metavar="N", help="partitions of a new topic, 1 to 1000 (4)"
    )
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="have the cluster answer on this port, too, such as 9092"
    )
    parser.add_argument(
        "--bootstrap-file",
        metavar="FILE",
        help="also write the list to FILE once the brokers answer; removed at the end",
    )
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends, too")
    parser.set_defaults(run=_run_broker)


def _run_broker(given: argparse.Namespace) -> None:
    from kafkatcl.broker import serve  # noqa: PLC0415

    serve(given.brokers, given.partitions, given.bootstrap_file, port=given.port, until_eof=given.until_eof)


def _add_tcl_path(commands: Commands) -> None:
    parser = commands.add_parser(
        "tcl-path",
        help="print the folder for TCLLIBPATH, where tclsh and wish find the package",
        description="Print the folder where tclsh, wish and other programs with Tcl find package kafka, as an element "
        'of a Tcl list: TCLLIBPATH="$(kafkatcl tcl-path)" tclsh script.tcl',
        allow_abbrev=False,
    )
    parser.set_defaults(run=_run_tcl_path)


def _run_tcl_path(_given: argparse.Namespace) -> None:
    from kafkatcl.pkgindex import index_folder, tcl_word  # noqa: PLC0415

    _print(tcl_word(index_folder()))


def _add_install_tcl(commands: Commands) -> None:
    parser = commands.add_parser(
        "install-tcl",
        help="have tclsh and wish find the package, without TCLLIBPATH",
        description="Have tclsh, wish and other programs with Tcl find package kafka: write an index of it, which "
        "names this Python, into the first folder of the auto_path of tclsh that can be written into.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="write into DIR instead; it is made if need be"
    )
    parser.add_argument(
        "--tclsh",
        default="tclsh",
        metavar="COMMAND",
        help="the Tcl shell that is asked for its auto_path (tclsh)",
    )
    parser.add_argument("--remove", action="store_true", help="remove what was written there, and only that")
    parser.set_defaults(run=_run_install_tcl)


def _run_install_tcl(given: argparse.Namespace) -> None:
    folder = None if given.dir is None else given.dir.absolute()
    (_remove_tcl if given.remove else _install_tcl)(folder, given.tclsh)


def _install_tcl(folder: Path | None, tclsh: str) -> None:
    from kafkatcl.errors import Failure  # noqa: PLC0415
    from kafkatcl.install_tcl import ask, finds, folder_for, install  # noqa: PLC0415

    if folder is None:
        _print(f"{install(folder_for(ask(tclsh)))}: package kafka for {tclsh}")
        return
    _print(f"{install(folder)}: package kafka")
    try:
        is_found = finds(ask(tclsh), folder)
    except Failure as failure:  # a program that embeds Tcl needs no shell
        print(f"kafkatcl install-tcl: {failure.message}", file=sys.stderr)
        is_found = False
    if not is_found:
        print(
            f"kafkatcl install-tcl: {tclsh} does not look into {folder}: have it in the environment variable "
            "TCLLIBPATH, or have scripts append it to auto_path",
            file=sys.stderr,
        )


def _remove_tcl(folder: Path | None, tclsh: str) -> None:
    from kafkatcl.install_tcl import ask, remove  # noqa: PLC0415

    removed = [remove(one) for one in (ask(tclsh).auto_path if folder is None else [folder])]
    for one in filter(None, removed):
        _print(f"{one}: removed")
    if not any(removed):
        _print(f"nothing of `kafkatcl install-tcl` is in {folder or f'the auto_path of {tclsh}'}")


def _print(line: str | bytes) -> None:
    """Print what may have the name of a file in it, whatever bytes that has."""
    sys.stdout.buffer.write(os.fsencode(line) + b"\n")
    sys.stdout.flush()


_COMMANDS = (_add_broker, _add_tcl_path, _add_install_tcl)
