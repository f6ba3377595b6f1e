"""Configuration objects of librdkafka:
set with its own checks and texts, dumped as it sees them.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.properties import canonical

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_DUMP = ctypes.POINTER(_TEXT)
_OK = 0
_ERROR_TEXT_BYTES = 512
_BLANKS = " \t\n\v\f\r"
_LONG_INT = 40
_BEGINS_AS_NUMBER = r"(?i)[-+]?(?:\.?[0-9]|inf|nan)"
_WHOLE = r"[-+]?(?:0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)"
_DECIMAL = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"

# Clients and topics both have these.  A topic's compression is "inherit" until it is
# set; its automatic commits are those of librdkafka's old consumer, see ConsumerHandle.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md#topic-configuration-properties
_SHARED_PROPERTIES = {
    "auto.commit.interval.ms",
    "compression.codec",
    "compression.level",
    "compression.type",
    "enable.auto.commit",
}

if TYPE_CHECKING:
    Self = TypeVar("Self", bound="_Configuration")


class PropertyError(ValueError):
    """A property or its value was refused; the text is librdkafka's, or ours in its
    words.
    """


class _Functions:
    """The C functions of one kind of configuration object."""

    def __init__(self, prefix: str) -> None:
        setting = [_POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t]
        self.new = function(f"{prefix}_new", _POINTER, [])
        self.dup = function(f"{prefix}_dup", _POINTER, [_POINTER])
        self.destroy = function(f"{prefix}_destroy", None, [_POINTER])
        self.set = function(f"{prefix}_set", ctypes.c_int, setting)
        self.dump = function(f"{prefix}_dump", _DUMP, [_POINTER, ctypes.POINTER(ctypes.c_size_t)])


_dump_free = function("rd_kafka_conf_dump_free", None, [_DUMP, ctypes.c_size_t])


class _Configuration:
    """What global and topic configurations have in common."""

    _functions: _Functions

    def __init__(self, pointer: Any = None) -> None:
        self.pointer = pointer or self._functions.new()
        #: The settings made so far, in order, under the names they were given by.
        self.settings: dict[str, str] = {}

    def __del__(self) -> None:
        if self.pointer:
            self._functions.destroy(self.pointer)

    def set(self, name: str, value: str) -> None:
        """Set one property; an empty value resets it to its default.

        Blanks in front of a value are taken off, as librdkafka does with texts.  The
        empty ``group.id`` that may be left would end the process: librdkafka has no
        queue for a consumer without a group, and the wrapper asserts that there is one.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_conf.c#L2204-L2208
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_queue.c#L1020-L1024
        https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Consumer.c#L1824-L1825

        A property is tried on a copy, as one that is refused leaves traces: for an
        unknown one librdkafka makes a default topic configuration before it says no.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_conf.c#L2631-L2642

        :raises PropertyError: unknown property, bad value, or a number that librdkafka
            would take for another one.
        """
        value = value.lstrip(_BLANKS)  # as the library does: an empty group.id would make the wrapper abort
        if not value and self.knows(name):
            self._reset(name)
            return
        self._check_number(name, value)
        # Tried on a copy: a property that is refused leaves traces.
        twin = self.copy()
        twin._try(name, value)
        self._become(twin)
        self.settings.pop(name, None)
        self.settings[name] = value

    def knows(self, name: str) -> bool:
        """Whether there is a property of this name."""
        try:
            self.copy()._try(name, "")
        except PropertyError as error:
            return not str(error).startswith("No such configuration property")
        return True

    def dump(self) -> list[str]:
        """All properties that have a value, defaults included, as a flat list:
        name, value, name, value, ...
        """
        return list(self._texts())

    def get(self, name: str) -> str | None:
        """The value of a property, or None when it has none.

        :param name: the canonical name; by another name of the property none is found.
        """
        flat = self.dump()
        return dict(zip(flat[::2], flat[1::2])).get(name)

    def copy(self: Self) -> Self:
        """A copy that can be changed without changing this one."""
        twin = type(self)(self._functions.dup(self.pointer))
        twin.settings = dict(self.settings)
        return twin

    def release(self) -> Any:
        """The C object, for a librdkafka function that frees it.

        This object has none from then on, and must not be used any more.
        """
        pointer, self.pointer = self.pointer, None
        return pointer

    def _reset(self, name: str) -> None:
        """Make all other settings anew.

        librdkafka cannot unset a property.  To set it to its default is not the same:
        librdkafka then takes the property for one that the user has chosen.
        """
        fresh = type(self)()
        for other, value in self.settings.items():
            if canonical(other) != canonical(name):
                fresh._try(other, value)
                fresh.settings[other] = value
        self._become(fresh)
        self.settings = fresh.settings

    def _become(self, other: _Configuration) -> None:
        self.pointer, other.pointer = other.pointer, self.pointer

    def _check_number(self, name: str, value: str) -> None:
        """Refuse a number that librdkafka would silently read as another one.

        It takes what ``strtol`` makes of the beginning, as an int: ``1.5`` becomes 1,
        and 1099511627776, which is 2 to the 40th, becomes 0.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_conf.c#L2298-L2321

        :raises PropertyError: the value is such a number.
        """
        try:
            type(self)()._try(name, "")
            return
        except PropertyError as error:
            kind = str(error).partition(" configuration property ")[0]
        # librdkafka itself refuses a value that does not begin as a number.
        text = value.rstrip(_BLANKS)
        if not re.match(_BEGINS_AS_NUMBER, text):
            return
        if kind == "Integer" and not _is_int(text):
            must = "a whole number"
        elif kind == "Float" and not re.fullmatch(_DECIMAL, text):
            must = "a number"
        else:
            return
        raise PropertyError(f'Invalid value "{value}" for configuration property "{name}": must be {must}')

    def _try(self, name: str, value: str) -> None:
        words = (_encode(name, "name"), _encode(value, "value"))
        text = ctypes.create_string_buffer(_ERROR_TEXT_BYTES)
        if self._functions.set(self.pointer, *words, text, _ERROR_TEXT_BYTES) != _OK:
            raise PropertyError(text.value.decode(errors="replace").rstrip())

    def _texts(self) -> Iterator[str]:
        count = ctypes.c_size_t()
        texts = self._functions.dump(self.pointer, ctypes.byref(count))
        try:
            for index in range(count.value):
                yield (texts[index] or b"").decode(errors="replace")
        finally:
            _dump_free(texts, count)


class GlobalConf(_Configuration):
    """Properties of a client (``rd_kafka_conf_t``)."""

    _functions = _Functions("rd_kafka_conf")


class TopicConf(_Configuration):
    """Properties of a topic (``rd_kafka_topic_conf_t``)."""

    _functions = _Functions("rd_kafka_topic_conf")


def is_topic_property(name: str) -> bool:
    """Whether ``name`` is a property of topics alone, not one that clients have too."""
    return name not in _SHARED_PROPERTIES and TopicConf().knows(name)


def _is_int(text: str) -> bool:
    """Whether librdkafka takes the whole of ``text`` as this int."""
    # Python refuses to convert thousands of digits.
    return bool(re.fullmatch(_WHOLE, text)) and len(text) < _LONG_INT and -(2**31) <= int(text, 0) < 2**31


def _encode(text: str, what: str) -> bytes:
    if "\0" in text:
        raise PropertyError(f"the {what} of a configuration property cannot hold a NUL character")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise PropertyError(
            f"the {what} of a configuration property cannot hold half of a character"
        ) from None
