"""Hints for errors about properties: which name was meant, and which values a property
allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kafkatcl.librdkafka import properties

#: Names are compared as sequences of characters: 0 has nothing in common, 1 is the
#: same.
_CLOSE = 0.8


def meant(name: str, known: Iterable[str]) -> str:
    """The ``known`` name that ``name`` is most like; empty if there is no similar one.

    Case, blanks around it, and ``_`` in the place of ``.`` make no difference.
    """
    import difflib  # noqa: PLC0415 - it takes its time, and only a wrong name needs it

    plain = {other.replace("_", "."): other for other in known}
    found = difflib.get_close_matches(name.strip().lower().replace("_", "."), plain, 1, _CLOSE)
    return plain[found[0]] if found else ""


def allows(name: str) -> str:
    """What a property must be, in words such as ``must be true or false``;
    empty if librdkafka does not tell.

    :param name: as librdkafka has it, or another name that librdkafka has for it.
    """
    words, limits = properties.allowed(name), properties.limits(name)
    if limits:
        return f"must be a number from {limits[0]} to {limits[1]}"
    if name == "debug":
        return f"must be one or more of {', '.join(words)}, with commas between them"
    return f"must be {listed(words)}" if words else ""


def listed(words: Sequence[str]) -> str:
    """Words as errors list them: ``a``, ``a or b``, ``a, b, or c``."""
    if len(words) < 3:
        return " or ".join(words)
    return f"{', '.join(words[:-1])}, or {words[-1]}"
