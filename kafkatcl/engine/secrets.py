"""Values that are never shown: which they are, the marker that stands for them,
and text without them.

A process remembers the secrets of all its masters: what a script is shown in their
place can be given to any master.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence

from kafkatcl.errors import Failure

#: What is shown in the place of a value.
MARKER = "[redacted]"

# librdkafka marks these as sensitive, beside those whose names say so.  Its table of
# properties has the mark, _RK_SENSITIVE:
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_conf.c#L859-L1190
_MARKED = {"sasl.username", "ssl.key.location", "sasl.oauthbearer.config"}
_HIDDEN_PREFIXES = ("ssl.keystore.", "sasl.oauthbearer.assertion.private.key.")
_TELLING = "(?i)passw|passphrase|secret|token|pem|credential|private.?key|jaas|api.?key"
_KNOWN_TO_BE_NONE = {
    "enable.sasl.oauthbearer.unsecure.jwt",
    "oauthbearer_token_refresh_cb",
    "sasl.oauthbearer.token.endpoint.url",
}
# Not shown, but no secrets that could not be in a text.
_PLACES_AND_NAMES = r"sasl\.username|.*\.(location|file)"

_WITH_IDENTITY = re.escape(MARKER) + r"#(\d+)"
#: Characters of a secret, from which on it is looked for in texts at all, and also
#: within a word.
_SHORTEST = 4
_LONG = 8
#: So many secrets are looked for in texts, the newest ones.
_LOOKED_FOR = 500


class _Memory:
    """The secrets of this process; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pattern: re.Pattern[str] | None = None
        self._secrets: dict[str, None] = {}  # a set that keeps its order
        self._numbers: dict[str, int] = {}
        self._shown: dict[str, set[str]] = {}

    def note(self, value: str) -> None:
        with self._lock:
            if value and value not in self._secrets:
                self._secrets[value] = None
                if len(self._secrets) > _LOOKED_FOR:
                    del self._secrets[next(iter(self._secrets))]
                self._pattern = _pattern(self._secrets)

    def pattern(self) -> re.Pattern[str] | None:
        return self._pattern

    def holds(self, text: str) -> bool:
        with self._lock:
            return text in self._secrets

    def mark(self, name: str, value: str) -> str:
        """The marker with the number of a value, which is always the same, and a note
        that it was shown for the property ``name``.
        """
        with self._lock:
            self._shown.setdefault(name, set()).add(value)
            number = self._numbers.setdefault(value, len(self._numbers) + 1)
        return f"{MARKER}#{number}"

    def find(self, name: str, number: str) -> list[str]:
        """The values that a marker may stand for: those with ``number``, or, where that
        is empty, all that were shown for the property ``name``.
        """
        with self._lock:
            if number:
                return [value for value, known in self._numbers.items() if known == int(number)]
            return list(self._shown.get(name, ()))


_memory = _Memory()


def is_hidden(name: str) -> bool:
    """Whether the value of a property is not to be shown,
    be the property known or not.
    """
    if name in _KNOWN_TO_BE_NONE:
        return False
    return name in _MARKED or name.startswith(_HIDDEN_PREFIXES) or bool(re.search(_TELLING, name))


def note(name: str, value: str) -> None:
    """Remember what a property is set to, if it is a secret that no text may show."""
    if is_hidden(name) and not re.fullmatch(_PLACES_AND_NAMES, name):
        _memory.note(value)


def note_secret(text: str) -> None:
    """Remember a secret that was found where none should be."""
    _memory.note(text)


def is_secret(text: str) -> bool:
    """Whether a property was set to this as a secret."""
    return _memory.holds(text)


def scrub(text: str) -> str:
    """``text`` with the marker in the place of every secret known.

    A secret of less than eight characters is looked for as a word, one of less than
    four not at all.
    """
    pattern = _memory.pattern()
    return pattern.sub(MARKER, text) if pattern else text


def scrub_json(text: str) -> str:
    """The same for JSON, whose numbers stay: a secret of digits may be any of them."""
    pattern = _memory.pattern()
    return pattern.sub(lambda found: found[0] if found[0].isdigit() else MARKER, text) if pattern else text


def shown(dump: Sequence[str]) -> tuple[str, ...]:
    """Properties as they can be shown: a hidden value is a marker with its number,
    ``[redacted]#3``.

    :param dump: name, value, name, value, and so on; the result is the same.
    """
    words: list[str] = []
    for name, value in zip(dump[::2], dump[1::2]):
        words += (name, _memory.mark(name, value) if value and is_hidden(name) else value)
    return tuple(words)


def given(name: str, value: str) -> str:
    """The value that a script means for a property:
    its own word, or what a marker stands for.

    :raises Failure: nobody knows what the marker stands for, or the property would show
        the value.
    """
    found = re.fullmatch(_WITH_IDENTITY, value)
    if not found and not (value == MARKER and is_hidden(name)):
        return value
    if not is_hidden(name):
        raise Failure(f'the value behind "{MARKER}" is a secret, and "{name}" would show it')
    values = _memory.find(name, found[1] if found else "")
    if len(values) == 1:
        return values[0]
    if not values:
        raise Failure(f'"{MARKER}" stands for no value of "{name}" that was shown: set the value itself')
    raise Failure(
        f'"{MARKER}" may stand for several values of "{name}": use the word that config gave, '
        "not a copy of its text, or set the value itself"
    )


def _pattern(known: Iterable[str]) -> re.Pattern[str] | None:
    choices = [
        re.escape(secret) if len(secret) >= _LONG else rf"(?<!\w){re.escape(secret)}(?!\w)"
        for secret in sorted(known, key=len, reverse=True)
        if len(secret) >= _SHORTEST
    ]
    return re.compile("|".join(choices)) if choices else None
