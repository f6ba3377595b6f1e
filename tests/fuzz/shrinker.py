"""Finds the few calls that a failure takes, and writes them down as a script."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from fuzz.generator import FRESH
from fuzz.runner import Failure, Target
from fuzz.shell import program

#: How long to look for fewer calls.
SECONDS = 240.0
_TAILS = (1, 5, 30, 200, 2000)


class Shrinker:
    """Takes calls away from a list that fails,
    as long as the rest fails in the same way.
    """

    def __init__(self, target: Target, failure: Failure, seconds: float = SECONDS) -> None:
        self._target = target
        self._kind = failure.kind
        self._end = time.monotonic() + seconds

    def shrunk(self, calls: Sequence[str]) -> list[str]:
        """The calls that are left; ``calls`` end with the one that failed."""
        found = self._tail(list(calls))
        size = max(len(found) // 2, 1)
        while time.monotonic() < self._end:
            for rest in _without(found, size):
                if self._fails(rest):
                    found = rest
                    break
            else:
                if size == 1:
                    break
                size = max(size // 2, 1)
            size = min(size, max(len(found) // 2, 1))
        return found

    def _tail(self, calls: list[str]) -> list[str]:
        """The shortest end of the calls that fails by itself, with new objects."""
        for length in _TAILS:
            if length < len(calls):
                tail = [FRESH, *calls[-length:]]
                if self._fails(tail):
                    return tail
        return calls

    def _fails(self, calls: list[str]) -> bool:
        if not calls or time.monotonic() >= self._end:
            return False
        failure = self._target.first_failure(calls)
        return failure is not None and failure.kind == self._kind


def _without(calls: list[str], size: int) -> Iterator[list[str]]:
    """The calls without so many of them, from the first on."""
    for at in range(0, len(calls), size):
        yield calls[:at] + calls[at + size :]


def script(calls: Sequence[str], failure: Failure, origin: str) -> str:
    """A script that makes these calls, to be run in the shell they failed in."""
    told = "\n".join(f"# {line}" for line in f"{origin}\n{failure.kind}: {failure.detail}".splitlines())
    made = "\n".join(calls)
    return f"{told}\n" + program("::fuzz::Replay {\n" + made + "\n}")
