"""Makes calls in a shell until one of them is answered wrongly, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fuzz.generator import PROBE
from fuzz.oracle import wrong_output, wrong_with
from fuzz.shell import Shell, Stopped

#: How long a call may take; those that ask a broker that is not there wait 5 s.
SECONDS = 30.0


class Failure(NamedTuple):
    """What went wrong: its kind (``fault``, ``died``, ``hung``, ...),
    more about it, and how many calls it took.
    """

    kind: str
    detail: str
    calls: int


@dataclass(frozen=True)
class Target:
    """Where calls are made: the command of a shell, the brokers, what a test adds to
    the driver, and a call's bound.
    """

    command: Sequence[str]
    bootstrap: Sequence[str]
    more: str = ""
    seconds: float = SECONDS

    def first_failure(self, calls: Sequence[str]) -> Failure | None:
        """Make calls in a new shell; the first failure, if there is one."""
        with Shell(self.command, self.bootstrap, self.more) as shell:
            number = 0
            try:
                for number, call in enumerate(calls, 1):
                    wrong = wrong_with(call, shell.call(call, self.seconds))
                    if call == PROBE:
                        wrong = wrong or wrong_output(shell.errors())
                    if wrong:
                        return Failure(*wrong, number)
                status = shell.end()
            except Stopped as stopped:
                return Failure(stopped.how, stopped.detail, number)
            wrong = wrong_output(shell.errors())
            if status not in (0, 1):  # 1: messages were lost
                wrong = ("died", f"it ended with status {status}")
            return Failure(*wrong, number) if wrong else None
