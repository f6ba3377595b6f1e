"""A run of the fuzzer: so many calls of a seed in a shell, and if one fails,
a script of the few that matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuzz.generator import calls
from fuzz.runner import Target
from fuzz.shrinker import Shrinker, script


def campaign(command: Sequence[str], bootstrap: Sequence[str], seed: int, count: int) -> str | None:
    """Make the calls; None, or what failed and a script that shows it."""
    return search(Target(command, bootstrap), calls(seed, count), f"seed {seed} in {' '.join(command)}")


def search(target: Target, made: Sequence[str], origin: str) -> str | None:
    """The same with calls of one's own, from where ``origin`` says."""
    failure = target.first_failure(made)
    if failure is None:
        return None
    few = Shrinker(target, failure).shrunk(made[: failure.calls])
    return script(few, failure, f"{origin}, call {failure.calls}: {made[failure.calls - 1] if made else ''}")
