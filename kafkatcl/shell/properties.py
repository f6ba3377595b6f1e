"""What Tab offers where properties are set: their names, and the values they allow."""

from __future__ import annotations

from kafkatcl.engine import settings
from kafkatcl.librdkafka.properties import Property, described
from kafkatcl.shell.offers import Candidate, plain

_OURS = Property(
    settings.MAX_BLOCK, False, "0 .. 2147483647", "0", "How long produce waits for room, in ms.", False
)


def properties() -> list[Property]:
    """All that can be set: those of librdkafka, and ours."""
    return [*described(), _OURS]


def names(*, topics_only: bool) -> list[Candidate]:
    """The names of properties, with what they may be and what they are."""
    return [Candidate(each.name, _about(each)) for each in properties() if each.is_topics or not topics_only]


def values(name: str, begun: str) -> list[Candidate]:
    """The values that a property allows, if these are words.

    :param begun: what was typed of the value.
    """
    choices = settings.choices(name)
    if any(each.is_list for each in described() if each.name == name):
        head = begun[: begun.rfind(",") + 1]
        return [Candidate(head + word, is_whole=False) for word in choices]
    return plain(choices)


def _about(each: Property) -> str:
    return f"{each.range or 'text'}{f' (default {each.default})' if each.default else ''}"
