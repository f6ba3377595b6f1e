"""The ``kafkatcl`` command line: what one needs around scripts, which ``kafkatclsh`` runs.

A command is a function that adds its parser to the others and is listed in ``_COMMANDS``.  What a command
needs is imported when it runs, so that help comes at once and no command pays for another.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kafkatcl import __version__

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kafkatcl`` with ``arguments`` (the process's own by default) and give the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.version:
        return _version()
    if given.command is None:
        parser.print_help()
        return 0
    from kafkatcl.engine.errors import Failure  # noqa: PLC0415

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
    parser.add_argument("--version", action="store_true", help="show the versions of kafkatcl and librdkafka")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return parser


def _version() -> int:
    from kafkatcl.librdkafka.library import version  # noqa: PLC0415

    print(f"kafkatcl {__version__}, librdkafka {version()}")
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
        "--bootstrap-file",
        metavar="FILE",
        help="also write the list to FILE once the brokers answer; removed at the end",
    )
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends, too")
    parser.set_defaults(run=_run_broker)


def _run_broker(given: argparse.Namespace) -> None:
    from kafkatcl.broker import serve  # noqa: PLC0415

    serve(given.brokers, given.partitions, given.bootstrap_file, until_eof=given.until_eof)


_COMMANDS = (_add_broker,)
