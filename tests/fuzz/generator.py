"""Draws calls from the grammar: the same seed, the same calls.

Half of the calls sweep through every value at every position in a random order; the
others are drawn freely, several hostile values at once, wrong counts of words, and
within callbacks and children.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import cycle, islice

from fuzz.commands import BROKERLESS, OBJECTS, RARE, WAITING, Signature, signatures
from fuzz.values import KINDS

#: Makes the objects anew.
FRESH = "fuzz::Fresh"
#: Produces and consumes one message with objects of its own.
PROBE = "fuzz::Probe"
#: After how many calls that is done.
PROBE_EVERY = 1000

_FRESH_EVERY = 80
_FRESH_AFTER_DELETE = 10
_NUMBER = re.compile(r"-?\d+")

# Every value there is, but for numbers that would make a call wait long where it takes
# them for a time, and names of Tcl's commands, which an object of that name would
# replace.
_ALL = sorted({value for kind in KINDS.values() for value in (*kind.usual, *kind.hostile)})
_TCL = {"break", "continue", "file", "info", "rename", "return", "update"}
#: Values for positions of any kind.
ANY = [
    value
    for value in _ALL
    if (not _NUMBER.fullmatch(value) or 0 <= int(value) <= 20)
    and value not in _TCL
    and not value.startswith("{*}")
]


def calls(seed: int, count: int) -> list[str]:
    """So many calls, each the source of one Tcl command in one line;
    probes come on top of them.
    """
    return list(Generator(seed).calls(count))


class Generator:
    """Draws calls."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._subcommands = {kind: list(signatures(kind).items()) for kind in OBJECTS}
        sweep = list(self._positions())
        self._random.shuffle(sweep)
        self._sweep = cycle(sweep)

    def calls(self, count: int) -> Iterator[str]:
        """So many calls, between those that keep objects there, and probes."""
        left = 0
        for number in range(count):
            if left <= 0:
                yield FRESH
                left = _FRESH_EVERY
            call = self._wrapped(self._swept() if self._random.random() < 0.5 else self._free())
            yield call
            left = min(left - 1, _FRESH_AFTER_DELETE) if "delete" in call or "Kill" in call else left - 1
            if (number + 1) % PROBE_EVERY == 0 or number + 1 == count:
                yield PROBE

    def _positions(self) -> Iterator[tuple[str, str, Signature, int, str]]:
        """Every value at every position of every signature of every command."""
        for kind, subcommands in self._subcommands.items():
            for name, known in subcommands:
                if RARE.get(name, 1.0) < 1.0:
                    continue
                for signature in known:
                    for position, part in enumerate(signature):
                        if part in KINDS:
                            values = KINDS[part]
                            for value in dict.fromkeys((*values.usual, *values.hostile)):
                                yield kind, name, signature, position, value

    def _swept(self) -> str:
        kind, name, signature, position, value = next(self._sweep)
        words = [self._usual(part) for part in signature if part != "..."]
        words[position] = value
        return self._call(kind, name, words)

    def _free(self) -> str:
        kind = self._random.choice(list(self._subcommands))
        names = self._subcommands[kind]
        name, known = self._random.choices(names, [RARE.get(name, 1.0) for name, _ in names])[0]
        words = [self._drawn(part) for part in self._expanded(self._random.choice(known))]
        if self._random.random() < 0.1:
            name, words = self._miscounted(name, words)
        return self._call(kind, name, words)

    def _expanded(self, signature: Signature) -> list[str]:
        """The parts of a signature with those that repeat as often as is drawn."""
        if "..." not in signature:
            return list(signature)
        parts = list(signature[:-1])
        repeated = [part for part in parts if not part.startswith("=")][-2:]
        return parts + list(islice(cycle(repeated), self._random.choice((0, 1, 2, 3, 8))))

    def _usual(self, part: str) -> str:
        if part.startswith("="):
            return part[1:]
        return self._random.choice(KINDS[part].usual if part in KINDS else ANY)

    def _drawn(self, part: str) -> str:
        luck = self._random.random()
        if part not in KINDS or (luck < 0.03 and not part.startswith("=")):
            return part[1:] if part.startswith("=") else self._random.choice(ANY)
        return self._random.choice(KINDS[part].hostile) if luck < 0.25 else self._usual(part)

    def _miscounted(self, name: str, words: list[str]) -> tuple[str, list[str]]:
        """A call with wrong words: too few, too many, many, another subcommand,
        or none.
        """
        way = self._random.randrange(8)
        if way == 0:
            return name, words[:-1]
        if way == 1:
            return name, [*words, "x"]
        if way == 2:
            return name, ["{*}[lrepeat 10000 x]"]
        if way == 3:
            return name[:-1], words
        if way == 4:
            return self._random.choice(ANY), words
        if way == 5:
            return "", []
        if way == 6:
            return name.upper(), words
        return name, []

    def _call(self, kind: str, name: str, words: list[str]) -> str:
        target = self._random.choice(OBJECTS[kind])
        if target in BROKERLESS and name in WAITING:
            words = ["-timeout 5", *words]
        return " ".join(part for part in (target, name, *words) if part) or "list"

    def _wrapped(self, call: str) -> str:
        luck = self._random.random()
        if call.startswith("fuzz::") or luck >= 0.06:
            return call
        return f"fuzz::{'InCallback' if luck < 0.03 else 'InKid'} {{{call}}}"
