"""What a message holds: one row for each field.

All that knows the fields of messages is made from these rows.  To add a field is to add
a row behind the others; scripts then have it in arrays and in lists, over both bridges.
The bridge tells Tcl the rows when the package is loaded, and ``tcl/layouts.tcl`` makes
the texts of all loops over messages from them.  Only a type that no field has had
before needs more: a way through the pipe of a sidecar, in ``sidecar/columns.py`` and
``tcl/sidecar/frames.tcl``.

Messages of one partition in a row are one flat tuple, and a layout says which fields it
has of each of them.  Mostly that is the same for all: ``plain`` messages have what
every message has, others a key, headers, or both besides.  Where messages are not
alike, or have more, they are ``mixed``: the tuple has every field of each, and in front
of the optional ones a number whose bits say which of them the message has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any, Callable, NamedTuple

from kafkatcl.engine import headers

_Column = list[Any]
#: Up to so many bytes of headers in a message, on an average, do not count.
_SMALL = 256
# What kind of timestamp a message has: its producer's, or that of the broker that
# has appended it.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L230-L236
_CREATE_TIME, _APPEND_TIME = 1, 2


class Fetched:
    """Messages of confluent-kafka, with what several fields are read from.

    What few messages have is noticed in passing: one more look at each would cost more
    than the field.
    """

    def __init__(self, messages: Sequence[Any]) -> None:
        self._messages = messages
        #: Those whose payload is null or empty.
        self.empty: list[Any] = []
        note = self.empty.append
        self.payloads = [m.value() or note(m) or b"" for m in messages]
        #: Those with a timestamp that is not their producer's, or with none.
        self.unusual: list[Any] = []
        note = self.unusual.append
        #: In ms since 1970, -1 for none.
        self.timestamps = [
            found[1] if (found := m.timestamp())[0] == _CREATE_TIME else note(m) or found[1] for m in messages
        ]
        #: None if no message has any.
        self.headers = headers.read(messages)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._messages)


#: Reads a field from each of several messages.  An optional field is None where a
#: message is without it, and there is no column where all of them are.
Reader = Callable[[Fetched], "_Column | None"]
#: The bytes of all values in a column.
Counter = Callable[[Sequence[Any]], int]


class Field(NamedTuple):
    """A field, under the name that scripts know it by."""

    name: str
    #: The type of its values: bytes, str, int for a number of 64 bits, or tuple for a
    #: list of these.
    type: type[Any]
    #: None: it is the same in all messages of a partition, and told once for all of
    #: them.
    read: Reader | None = None
    #: Whether messages may be without it.  Then scripts do not see it.
    optional: bool = False
    #: Whether it is read for scripts that have asked for it only.
    asked: bool = False
    #: Where its bytes count among those that are held.
    nbytes: Counter | None = None


def _nbytes(column: Sequence[bytes]) -> int:
    return sum(map(len, column))


def _nbytes_of_lists(column: Sequence[Sequence[Any]]) -> int:
    return sum(map(len, chain.from_iterable(column)))


def _tombstones(messages: Fetched) -> _Column | None:
    return [1 if m.value() is None else None for m in messages] if messages.empty else None


def _timestamp_types(messages: Fetched) -> _Column | None:
    if not messages.unusual:
        return None
    return ["append" if m.timestamp()[0] == _APPEND_TIME else None for m in messages]


def _headers(messages: Fetched) -> _Column | None:
    return messages.headers.rows if messages.headers else None


def _null_headers(messages: Fetched) -> _Column | None:
    return messages.headers.null_places if messages.headers else None


def _delivery_counts(messages: Sequence[Any]) -> list[Any]:
    # All messages are of one client, so the first one tells.
    if not messages or messages[0].delivery_count() is None:
        return [None] * len(messages)
    return [message.delivery_count() for message in messages]


#: In the order of the lists that callbacks get: first what every message has.
FIELDS = (
    Field("payload", bytes, lambda messages: messages.payloads, nbytes=_nbytes),
    Field("partition", int),
    Field("offset", int, lambda messages: [m.offset() for m in messages]),
    Field("timestamp", int, lambda messages: messages.timestamps),
    Field("topic", str),
    Field("key", bytes, lambda messages: [m.key() for m in messages], optional=True, nbytes=_nbytes),
    Field("headers", tuple, _headers, optional=True, nbytes=_nbytes_of_lists),
    Field("null_headers", tuple, _null_headers, optional=True),
    Field("tombstone", int, _tombstones, optional=True),
    Field("timestamp_type", str, _timestamp_types, optional=True),
    Field("leader_epoch", int, lambda messages: [m.leader_epoch() for m in messages], True, asked=True),
    Field("delivery_count", int, lambda messages: [m.delivery_count() for m in messages], True, asked=True),
)
#: What messages have only where a script asks for it.
ASKED = frozenset(field.name for field in FIELDS if field.asked)

_REQUIRED = tuple(field for field in FIELDS if field.read and not field.optional)
_OPTIONAL = tuple(field for field in FIELDS if field.optional)


class Layout:
    """Which fields a tuple has of each message, in their order.

    :param counts_all: whether the bytes of headers count, too.
    """

    def __init__(self, name: str, *columns: Field, counts_all: bool = False) -> None:
        self.name = name
        self.columns = columns
        #: How many fields a message has.
        self.width = len(columns)
        #: The places of fields whose bytes count, and what counts them.
        self.counters = [
            (place, field.nbytes)
            for place, field in enumerate(columns)
            if field.nbytes and (counts_all or field.type is not tuple)
        ]
        #: The same for messages with large headers.
        self.heavy = self if counts_all else Layout(name, *columns, counts_all=True)
        #: The places of fields that are text.
        self.texts = [place for place, field in enumerate(columns) if field.type is str]

    def place(self, name: str) -> int:
        """Where a message has the field of this name."""
        return [field.name for field in self.columns].index(name)

    def __repr__(self) -> str:
        return f"<Layout {self.name}>"


def _with(*names: str) -> tuple[Field, ...]:
    """What every message has, and these optional fields."""
    return (*_REQUIRED, *(field for field in _OPTIONAL if field.name in names))


PLAIN = Layout("plain", *_with())
KEYED = Layout("keyed", *_with("key"))
HEADED = Layout("headed", *_with("headers"))
KEYED_HEADED = Layout("keyed_headed", *_with("key", "headers"))
#: ``present`` is a sum: 1 if the message has the first optional field, 2 for the
#: second, 4 for the third, and so on.  A field that it has not is empty, or 0.
MIXED = Layout("mixed", *_REQUIRED, Field("present", int), *_OPTIONAL)
LAYOUTS = (PLAIN, KEYED, HEADED, KEYED_HEADED, MIXED)
#: The layout of messages that all have the same, by their fields.
_UNIFORM = {layout.columns: layout for layout in LAYOUTS}


class Table:
    """The fields of messages as they were fetched, to be laid out part by part.

    :param asked: the names of fields that are to be read beside the usual ones.
    """

    def __init__(self, messages: Sequence[Any], asked: Collection[str] = ()) -> None:
        fetched = Fetched(messages)
        self._required: list[Any] = [field.read(fetched) for field in _REQUIRED if field.read]
        self._optional: dict[Field, _Column] = {}
        for field in _OPTIONAL:
            column = field.read(fetched) if field.read and (not field.asked or field.name in asked) else None
            if column is not None and column.count(None) < len(column):
                self._optional[field] = column
        #: Whether some may be errors, which have no timestamp.
        self.may_have_errors = bool(fetched.unusual)
        # To count the bytes of headers takes as long as to read them, and small ones
        # make no difference.
        self._is_heavy = bool(fetched.headers and fetched.headers.nbytes > _SMALL * len(messages))
        #: Where all messages are alike, their layout and all fields in it.
        self._layout = _common_layout(self._optional)
        self._fields = _woven(self._layout, self._required, self._optional) if self._layout else ()

    def part(self, start: int, end: int, asked: Collection[str] = ASKED) -> tuple[Layout, tuple[Any, ...]]:
        """The layout of the messages from ``start`` up to, but without, ``end``, and
        their fields, message by message.

        :param asked: of the fields that were asked for, those that these messages are
            to have.
        """
        if self._layout:
            width = self._layout.width
            return self._weighed(self._layout), self._fields[start * width : end * width]
        required = [column[start:end] for column in self._required]
        optional = {
            field: column[start:end]
            for field, column in self._optional.items()
            if not field.asked or field.name in asked
        }
        optional = {field: column for field, column in optional.items() if column.count(None) < end - start}
        layout = _common_layout(optional) or MIXED
        return self._weighed(layout), _woven(layout, required, optional)

    def _weighed(self, layout: Layout) -> Layout:
        return layout.heavy if self._is_heavy else layout


def _common_layout(optional: dict[Field, _Column]) -> Layout | None:
    """The layout of messages that have the same fields; None if they have not, or have
    fields that only mixed messages have.

    :param optional: the columns of those that any of them has.
    """
    if any(None in column for column in optional.values()):
        return None
    return _UNIFORM.get((*_REQUIRED, *optional))


def _woven(layout: Layout, required: list[Any], optional: dict[Field, _Column]) -> tuple[Any, ...]:
    """The fields of a layout, message by message."""
    width, count = layout.width, len(required[0])
    columns = [*required, *(_mixed(optional, count) if layout is MIXED else optional.values())]
    fields: _Column = [None] * (width * count)
    for place, column in enumerate(columns):
        fields[place::width] = column
    return tuple(fields)


def _mixed(optional: dict[Field, _Column], count: int) -> list[_Column]:
    """The column ``present`` and the optional ones, with no None in them any more."""
    present, filled = [0] * count, []
    for place, field in enumerate(_OPTIONAL):
        empty = field.type()
        column = optional.get(field)
        if column is None:
            filled.append([empty] * count)
            continue
        bit = 1 << place
        present = [bits if value is None else bits | bit for bits, value in zip(present, column)]
        filled.append([empty if value is None else value for value in column])
    return [present, *filled]
