"""Setting properties, and errors about them that show no secret: a script may have put
one where another value or a name belongs.

librdkafka's texts repeat what they refuse.  They are kept where that is a number or a
short plain word and the property has nothing to do with security; else the error names
the property and what it allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kafkatcl.engine import secrets
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.hints import allows, listed, meant
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import GlobalConf, PropertyError, TopicConf
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT
from kafkatcl.librdkafka.properties import allowed, canonical, names

#: A property of our own, under the name Kafka's Java client has for it: how long
#: ``produce`` waits for room.
#: https://kafka.apache.org/documentation/#producerconfigs_max.block.ms
MAX_BLOCK = "max.block.ms"

# librdkafka takes any text, and looks at it when a client is made:
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_sasl.c#L376-L411
_MECHANISMS = ("GSSAPI", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1", "OAUTHBEARER")
_MECHANISM = ("sasl.mechanism", "sasl.mechanisms")

_UNKNOWN = "No such configuration property"
_OUTSIDE = " is outside allowed range "
_NAME = r"[a-z]+([._-][a-z]+)*"
_UNITS = "e[-+]?[0-9]{1,2}|%|[mun]?s|secs?|m|mins?|h|d|b|[kmg]i?b?"
_PLAIN = rf"[-+]?[0-9.,_]{{1,20}} ?(?i:{_UNITS})?|[a-z]{{1,8}}([,._-][a-z]{{1,8}})*"
_ADDRESSES = {"bootstrap.servers", "metadata.broker.list", "client.id", "group.id"}
_SECURITY = ("security.", "sasl.", "ssl.", "https.", "enable.ssl.", "enable.sasl.")
_PARTS = r"[,;\s]+"
# Enough of a value to find it in a text of librdkafka, which may be cut off.
_ENOUGH = 40


def set_property(conf: GlobalConf | TopicConf, name: str, value: str) -> None:
    """Set one property of a configuration;
    ``[redacted]`` stands for a secret that was shown so.

    :raises Failure: with librdkafka's text, unless that could show a secret.  Scripts
        know these texts, so they are kept with the name that librdkafka gives the
        property, and without what it allows; the context of the errorCode says that.
    """
    value = secrets.given(name, value)
    secrets.note(name, value)
    if name in _MECHANISM and value and value not in _MECHANISMS:
        raise _failure(_refused(name, listed(_MECHANISMS)))
    try:
        conf.set(name, value)
    except PropertyError as error:
        text = str(error)
        if text.startswith(_UNKNOWN):
            raise _failure(*_unknown(conf, name, value, text)) from None
        raise _failure(_told(name, value, text), f"{name} {allows(name)}" if allows(name) else "") from None


def choices(name: str) -> tuple[str, ...]:
    """The words that a property allows, or none if it is no enumeration."""
    return _MECHANISMS if name in _MECHANISM else allowed(name)


def milliseconds(name: str, value: str, maximum: int) -> int:
    """The value of a property of our own, in ms; an empty one is 0.

    :raises Failure: it is no number from 0 to ``maximum``.
    """
    if not value.strip():
        return 0
    if value.isascii() and value.isdigit() and len(value) < 11 and int(value) <= maximum:
        return int(value)
    shown = f' "{value}"' if _is_plain(name, value) else ""
    raise _failure(f'Invalid value{shown} for configuration property "{name}": a number of ms from 0 on')


def creation_text(text: str, settings: Mapping[str, Any]) -> str:
    """What librdkafka says of settings that make no client,
    without values that could be secrets.

    :param text: librdkafka's.
    :param settings: those of the client, by name; callbacks among them are passed over.
    """
    for name, value in settings.items():
        if isinstance(value, str) and not (_is_plain(name, value) or _is_path(name, value)):
            for part in _parts(value):
                text = text.replace(part, secrets.MARKER)
    return secrets.scrub(text)


def shown_words(words: Sequence[str], settings_from: int) -> Iterator[str]:
    """The words of a command that failed, as they can be shown.

    :param settings_from: the place from which on they are names and values of
        properties in turn; -1 if the command takes none.
    """
    for place, word in enumerate(words):
        offset = place - settings_from
        if settings_from < 0 or offset < 0:
            hidden = place > 0 and secrets.is_hidden(words[place - 1])
        elif offset % 2:
            name = words[place - 1]
            hidden = not _is_property(name) or not (name in _ADDRESSES or _is_plain(name, word))
        else:
            following = words[place + 1] if place + 1 < len(words) else ""
            hidden = not (_is_property(word) or re.fullmatch(_NAME, word)) or (
                not _is_property(word) and _is_property(following)
            )
        yield secrets.MARKER if word and hidden else secrets.scrub(word)


def _failure(message: str, hint: str = "") -> Failure:
    return Failure(message, kafka_failure(INVALID_ARGUMENT, hint).errorcode)


def _told(name: str, value: str, text: str) -> str:
    """What to tell of a value that was refused with librdkafka's text."""
    if _repeats(text, value) and not _is_plain(canonical(name), value):
        # Our own text (of librdkafka/conf.py) says behind the value what it must be.
        must = text.rpartition(": must be ")[2] if ": must be " in text else listed(choices(name))
        return _refused(name, must)
    if _OUTSIDE in text and canonical(name) != name:
        return f'{text} ("{name}" is another name of it)'
    close = meant(value, allowed(name))
    return f'{text} (did you mean "{close}"?)' if close and close != value else text


def _unknown(conf: GlobalConf | TopicConf, name: str, value: str, text: str) -> tuple[str, str]:
    """The error about an unknown property name, and a hint, which may be empty."""
    of_topics = isinstance(conf, TopicConf)
    if _is_property(value):
        secrets.note_secret(name)
        return f'{_UNKNOWN}: "{secrets.MARKER}": the name comes first, but "{value}" stands behind it', ""
    close = meant(name, names(of_topics=of_topics) | names(of_topics=True) | {MAX_BLOCK})
    if close and not secrets.is_secret(name):
        hint = f'did you mean "{close}"?'
        return f'{_UNKNOWN}: "{name}" ({hint})', hint
    if name and (secrets.is_secret(name) or not re.fullmatch(_NAME, name)):
        return f'{_UNKNOWN}: "{secrets.MARKER}" (it is no name, and may be a secret)', ""
    if of_topics and name in names(of_topics=False):
        return text, f"{name} is a property of clients: it is set by the config of a master"
    return text, ""


def _refused(name: str, must: str) -> str:
    return f'Invalid value for configuration property "{name}"' + (f": must be {must}" if must else "")


def _is_plain(name: str, value: str) -> bool:
    """Whether a value can be shown in an error."""
    if not value:
        return True
    if secrets.is_hidden(name) or secrets.is_secret(value):
        return False
    return bool(re.fullmatch(_PLAIN, value)) and not (
        name.startswith(_SECURITY) and value not in allowed(name)
    )


def _is_path(name: str, value: str) -> bool:
    return ("location" in name or "path" in name) and "/" in value and not secrets.is_secret(value)


def _is_property(name: str) -> bool:
    return name == MAX_BLOCK or GlobalConf().knows(name) or TopicConf().knows(name)


def _parts(value: str) -> list[str]:
    """The parts of a value that librdkafka may repeat, longest first."""
    parts = {part[:_ENOUGH] for part in (value, *re.split(_PARTS, value)) if len(part) > 1}
    return sorted(parts, key=len, reverse=True)


def _repeats(text: str, value: str) -> bool:
    """Whether a text of librdkafka has the value in it,
    or the number that it begins with.
    """
    number = re.match(r"[-+]?\d+", value)
    return value in text or any(part in text for part in [*_parts(value), *([number[0]] if number else [])])
