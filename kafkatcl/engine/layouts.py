"""What a message holds: one row for each field.

All that knows the fields of messages is made from these rows.  To add a field is to add
a row behind the others; scripts then have it in arrays and in lists, over both bridges.
The bridge tells Tcl the rows when the package is loaded, and ``tcl/layouts.tcl`` makes
the texts of all loops over messages from them.  Only a type that no field has had
before needs more: a way through the pipe of a sidecar, in ``sidecar/columns.py`` and
``tcl/sidecar/frames.tcl``.

Messages of one partition in a row are one flat tuple, and a layout says which fields it
has of each of them.  Mostly that is the same for all: ``plain`` messages have what
every message has, ``keyed`` ones a key besides.  Where messages are not alike they are
``mixed``: the tuple has every field of each, and in front of the optional ones a number
whose bits say which of them the message has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

#: Reads a field from each of several messages of confluent-kafka.
Reader = Callable[[Sequence[Any]], list[Any]]


class Field(NamedTuple):
    """A field, under the name that scripts know it by."""

    name: str
    #: The type of its values: bytes, or int for a number of 64 bits.
    type: type[Any]
    #: None: it is the same in all messages of a partition, and told once for all of
    #: them.
    read: Reader | None = None
    #: Whether messages may be without it.  Then None is read, and scripts do not see
    #: it.
    optional: bool = False


def _delivery_counts(messages: Sequence[Any]) -> list[Any]:
    # All messages are of one client, so the first one tells.
    if not messages or messages[0].delivery_count() is None:
        return [None] * len(messages)
    return [message.delivery_count() for message in messages]


#: In the order of the lists that callbacks get: first what every message has.
FIELDS = (
    Field("payload", bytes, lambda messages: [message.value() or b"" for message in messages]),
    Field("partition", int),
    Field("offset", int, lambda messages: [message.offset() for message in messages]),
    # In ms since 1970, -1 for none.
    Field("timestamp", int, lambda messages: [message.timestamp()[1] for message in messages]),
    Field("topic", str),
    Field("key", bytes, lambda messages: [message.key() for message in messages], optional=True),
    # Of share groups alone.
    Field("delivery_count", int, _delivery_counts, optional=True),
)

_REQUIRED = tuple(field for field in FIELDS if field.read and not field.optional)
_OPTIONAL = tuple(field for field in FIELDS if field.optional)
_READ_REQUIRED = [field.read for field in _REQUIRED if field.read]
_READ_OPTIONAL = [field.read for field in _OPTIONAL if field.read]

_Column = list[Any]


class Layout:
    """Which fields a tuple has of each message, in their order."""

    def __init__(self, name: str, *columns: Field) -> None:
        self.name = name
        self.columns = columns
        #: How many fields a message has.
        self.width = len(columns)
        #: The places of fields that are bytes.
        self.bytes_places = [place for place, field in enumerate(columns) if field.type is bytes]

    def place(self, name: str) -> int:
        """Where a message has the field of this name."""
        return [field.name for field in self.columns].index(name)

    def __repr__(self) -> str:
        return f"<Layout {self.name}>"


PLAIN = Layout("plain", *_REQUIRED)
KEYED = Layout("keyed", *_REQUIRED, *_OPTIONAL[:1])
#: ``present`` is a sum: 1 if the message has the first optional field, 2 for the
#: second, 4 for the third, and so on.  A field that it has not is empty, or 0.
MIXED = Layout("mixed", *_REQUIRED, Field("present", int), *_OPTIONAL)
LAYOUTS = (PLAIN, KEYED, MIXED)


class Table:
    """The fields of messages as they were fetched, to be laid out part by part."""

    def __init__(self, messages: Sequence[Any]) -> None:
        self._required = [read(messages) for read in _READ_REQUIRED]
        self._optional = [read(messages) for read in _READ_OPTIONAL]
        #: Where all messages are alike, their layout and all fields in it.
        self._layout = _common_layout(self._optional)
        self._fields = _woven(self._layout, self._required, self._optional) if self._layout else ()

    def part(self, start: int, end: int) -> tuple[Layout, tuple[Any, ...]]:
        """The layout of the messages from ``start`` up to, but without, ``end``, and
        their fields, message by message.
        """
        if self._layout:
            width = self._layout.width
            return self._layout, self._fields[start * width : end * width]
        required = [column[start:end] for column in self._required]
        optional = [column[start:end] for column in self._optional]
        layout = _common_layout(optional)
        if layout is None:
            layout, optional = MIXED, _mixed(optional)
        return layout, _woven(layout, required, optional)


def _common_layout(optional: list[_Column]) -> Layout | None:
    """The layout of messages that have the same fields: plain or keyed; None if they
    have not, or have an optional field beyond the key.
    """
    count = len(optional[0])
    without = [column.count(None) for column in optional]
    if any(number < count for number in without[1:]):
        return None
    return {0: KEYED, count: PLAIN}.get(without[0])


def _mixed(optional: list[_Column]) -> list[_Column]:
    """The column ``present`` and the optional ones, with no None in them any more."""
    present = [
        sum(1 << place for place, value in enumerate(row) if value is not None) for row in zip(*optional)
    ]
    filled = [
        [field.type() if value is None else value for value in column]
        for field, column in zip(_OPTIONAL, optional)
    ]
    return [present, *filled]


def _woven(layout: Layout, required: list[_Column], optional: list[_Column]) -> tuple[Any, ...]:
    """The fields of a layout, message by message."""
    width = layout.width
    fields: _Column = [None] * (width * len(required[0]))
    for place, column in enumerate([*required, *optional][:width]):
        fields[place::width] = column
    return tuple(fields)
