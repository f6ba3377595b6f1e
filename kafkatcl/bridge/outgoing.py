"""Messages to produce, as scripts give them: names and values.

This is where the words of messages become bytes.  All of them are looked at before any
message is sent.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from kafkatcl.bridge.arguments import byte_string, integer_or_none, parse_integer, payload_bytes
from kafkatcl.bridge.texts import echoed, text_from_tcl
from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, UNKNOWN_PARTITION
from kafkatcl.librdkafka.sending import NO_HEADERS, Headers, OutgoingMessage, OutgoingMessages

#: What a message may have that is sent; the places of headers in the first one are
#: those of the second.
SENT = ("payload", "key", "partition", "timestamp", "headers", "null_headers", "tombstone", "tag")
#: What consumed messages have that is not: it is where they come from, and what a
#: cluster has done with them.
PASSED_OVER = ("topic", "offset", "timestamp_type", "leader_epoch", "delivery_count")
_KNOWN = frozenset((*SENT, *PASSED_OVER))
#: Names whose values are numbers, so that it does not matter how they are written.
_NUMBERS = frozenset(("partition", "timestamp", "tombstone", *PASSED_OVER))
_LISTS = ("headers", "null_headers")
_NONE = type(None)
#: Printable characters, none of which means anything in a list but a blank.
_PLAIN_LIST = re.compile(r"[ !#-Z^-z|~\]]*")
#: The types that come over a bridge; any other value has its string.
_TYPED = frozenset((str, bytes, int, float, bool, tuple))
#: The types of texts in messages that came as they are, and in those that are certain;
#: those of numbers, and of lists.
_STRING, _STRING_OR_BYTES = frozenset((str, _NONE)), frozenset((str, bytes, _NONE))
_NUMERIC, _LISTED = frozenset((str, bytes, int, bool, _NONE)), frozenset((tuple, _NONE))
_names_of = itemgetter(slice(None, None, 2))
_UNASSIGNED = -1
#: How many combinations of names are kept.
_MAX_NAMES = 1000
_LAST_TIMESTAMP = 2**63 - 1
#: A number as it is mostly written.
_DECIMAL = re.compile(r"[1-9][0-9]{0,18}")
_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off", ""))

#: A message: name, value, name, value, ...  A str is the string that the script sees,
#: and so are bytes once the message is certain.  Headers are a tuple.
Row = Sequence[Any]
_Column = Sequence[Any]


class Uncertain(Exception):
    """A value may have another string than its type tells."""


def outgoing(
    rows: Sequence[Row], *, partition: str = "", is_certain: bool, encoding: Encoding | None = None
) -> OutgoingMessages:
    """The messages of rows.

    :param partition: that of all messages; empty for that which each one names.
    :param is_certain: whether bytes in the rows are what the script sees.
    :param encoding: that of payloads and keys; None: they are bytes.
    :raises Uncertain: they may not be what the script sees.
    :raises Failure: a message cannot be sent as it is; the error says which, and why.
    """
    columns = _columns(rows)
    if is_certain:
        columns = {name: [_settled(value) for value in column] for name, column in columns.items()}
    if partition:
        columns["partition"] = [parse_integer(partition)] * len(rows)
    _require_certain(columns, _STRING_OR_BYTES if is_certain else _STRING)
    return _Reader(columns, len(rows), encoding).messages()


def one_outgoing(row: Row, partition: str, encoding: Encoding | None = None) -> OutgoingMessages:
    """The message of a row that is certain; errors do not say which it is.

    :param encoding: as of :func:`outgoing`.

    :raises Failure: it cannot be sent as it is.
    """
    columns = {name: (value,) for name, value in zip(row[::2], row[1::2])}
    return _Reader({**columns, "partition": (partition,)}, 1, encoding, names_place=False).messages()


def with_headers(partition: int, data: Sequence[str], words: Sequence[str]) -> OutgoingMessage:
    """A message with headers that was looked at already.

    :param data: the payload and perhaps a key, one character for each byte.
    :param words: names and values; the values as ``data``.
    """
    payload, key = (*(text.encode("latin-1") for text in data), None)[:2]
    values = tuple([value.encode("latin-1") for value in words[1::2]])
    return partition, payload, key, 0, Headers(header_names[tuple(words[::2])], values), None


def _columns(rows: Sequence[Row]) -> dict[str, _Column]:
    """The values of each name, None for a message that has not the name.

    :raises Failure: a name is none that a message may have.
    """
    try:
        shapes = set(map(_names_of, rows))
    except TypeError:  # a name has a type of its own, such as that of names of variables
        return _columns(
            [tuple([value if type(value) in _TYPED else str(value) for value in row]) for row in rows]
        )
    if not all(map(_KNOWN.issuperset, shapes)):
        _refuse_unknown(rows)
    if len(shapes) == 1:
        return dict(zip(shapes.pop(), [*zip(*rows)][1::2]))
    messages = [dict(zip(row[::2], row[1::2])) for row in rows]
    names = dict.fromkeys(chain.from_iterable(shapes))
    return {name: [message.get(name) for message in messages] for name in names}


def _refuse_unknown(rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        unknown = [name for name in row[::2] if name not in _KNOWN]
        if any(type(name) is not str for name in unknown):
            raise Uncertain
        if unknown:
            named = " and ".join(f'"{echoed(name)}"' for name in dict.fromkeys(unknown))
            may = ", ".join((*SENT, *PASSED_OVER))
            raise kafka_failure(INVALID_ARGUMENT, f"message {place} has {named}: it may have {may}")


def _settled(value: Any) -> Any:
    """A value that is certain.  An empty string may have kept the type of a list: that
    of an empty one.
    """
    if value == ():
        return ""
    return tuple(map(_settled, value)) if type(value) is tuple else value


@functools.lru_cache(maxsize=256)  # headers are often the same
def split(text: str) -> tuple[str, ...]:
    """The words of a list that has no more than blanks between them.

    :raises Uncertain: it may have more.
    """
    if not _PLAIN_LIST.fullmatch(text):
        raise Uncertain
    return tuple(text.split())


def _require_certain(columns: dict[str, _Column], textual: frozenset[Any]) -> None:
    """Refuse values whose string is not certain, but for numbers, whatever their form.
    Lists that are texts become tuples.

    :param textual: the types that are certain.
    :raises Uncertain: there is one of another type.
    """
    for name, column in columns.items():
        if name in _LISTS:
            lists = [split(value) if type(value) is str else value for value in column]
            columns[name] = lists
            if not _LISTED.issuperset(map(type, lists)):
                raise Uncertain
            types = set(map(type, chain.from_iterable(filter(None, lists))))
        else:
            types = set(map(type, column))
        if not (_NUMERIC if name in _NUMBERS else textual).issuperset(types):
            raise Uncertain


class _Reader:
    """Reads the columns of messages.

    :param columns: of each name that some message has, a value or None for each.
    :param encoding: that of payloads and keys; None: they are bytes.
    :param names_place: whether errors say which message is meant.
    """

    def __init__(
        self, columns: dict[str, _Column], count: int, encoding: Encoding | None, *, names_place: bool = True
    ) -> None:
        self._columns = columns
        self._count = count
        self._encoding = encoding
        self._names_place = names_place

    def messages(self) -> OutgoingMessages:
        """All of them.

        :raises Failure: one cannot be sent as it is.
        """
        columns = self._columns
        return OutgoingMessages(
            self._payloads(),
            self._bytes("key"),
            self._partitions() if "partition" in columns else (),
            self._timestamps() if "timestamp" in columns else (),
            self._headers() if "headers" in columns or "null_headers" in columns else (),
            tags=list(map(_text, columns["tag"])) if "tag" in columns else (),
        )

    def _payloads(self) -> Sequence[bytes | None]:
        """The payloads, None for tombstones."""
        payloads = self._bytes("payload")
        if "tombstone" in self._columns:
            payloads = list(
                map(self._unless_tombstone, payloads, self._columns["tombstone"], range(self._count))
            )
        elif None in payloads:
            raise self._failure(payloads.index(None), "there is no payload")
        return payloads

    def _unless_tombstone(self, payload: bytes | None, tombstone: Any, place: int) -> bytes | None:
        text = str(tombstone or "").lower()
        if text in _TRUE:
            if payload:
                raise self._failure(place, "a tombstone has no payload")
            return None
        if text not in _FALSE:
            raise self._failure(place, f'expected boolean value but got "{echoed(text)}" for tombstone')
        if payload is None:
            raise self._failure(place, "there is no payload")
        return payload

    def _partitions(self) -> Sequence[int]:
        column = self._columns["partition"]
        numbers = [
            text if type(text) is int else _UNASSIGNED if text is None else parse_integer(_text(text))
            for text in column
        ]
        if min(numbers) < _UNASSIGNED:
            place = next(place for place, number in enumerate(numbers) if number < _UNASSIGNED)
            more = f"partition {numbers[place]}" + (f" of message {place}" if self._names_place else "")
            raise kafka_failure(UNKNOWN_PARTITION, more)
        return numbers

    def _timestamps(self) -> Sequence[int]:
        """The timestamps; nothing where all messages get the time of their sending."""
        column = self._columns["timestamp"]
        numbers = list(map(_timestamp, column))
        # Consumed messages without a timestamp have -1.
        least = -1 if self._names_place else 0
        for place, number in enumerate(numbers):
            if number is None or number < least:
                text = echoed(str(column[place]))
                raise self._failure(place, f'timestamp "{text}" is no number of ms since 1970')
        times = [max(number or 0, 0) for number in numbers]
        return times if any(times) else ()

    def _headers(self) -> Sequence[Headers]:
        """The headers; nothing where no message has any."""
        headers, nulls = self._column("headers"), self._column("null_headers")
        found = [
            self._headers_of(place, words, null) if words or null else NO_HEADERS
            for place, (words, null) in enumerate(zip(headers, nulls))
        ]
        return found if found.count(NO_HEADERS) < self._count else ()

    def _column(self, name: str) -> _Column:
        return self._columns.get(name) or [None] * self._count

    def _bytes(self, name: str) -> Sequence[bytes | None]:
        """Payloads or keys: this is where what a script has given becomes bytes."""
        column = self._columns.get(name)
        if column is None:
            return [None] * self._count
        if self._encoding:
            return [self._converted(place, value, name) for place, value in enumerate(column)]
        try:
            return [text.encode("latin-1") for text in column]
        except (AttributeError, UnicodeEncodeError):  # not all are str, or not all are bytes
            return [self._encoded(place, value, name) for place, value in enumerate(column)]

    def _encoded(self, place: int, value: str | bytes | None, what: str) -> bytes | None:
        if not isinstance(value, str):
            return value
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            return byte_string(value, f"{what} of message {place}" if self._names_place else what)

    def _converted(self, place: int, value: str | bytes | None, what: str) -> bytes | None:
        text = _text(value)
        what = f"{what} of message {place}" if self._names_place else what
        return None if text is None else payload_bytes(text, what, self._encoding)

    def _headers_of(self, place: int, words: Any, nulls: Any) -> Headers:
        words = words or ()
        if len(words) % 2:
            raise self._failure(place, f"headers has {len(words)} words: a name and a value for each header")
        try:
            names = header_names[words[::2]]
        except UnicodeError:
            raise self._failure(
                place, "the name of a header can have no NUL, and no half of a character"
            ) from None
        try:
            values = tuple([value.encode("latin-1") for value in words[1::2]])
        except (AttributeError, UnicodeEncodeError):
            values = tuple([self._encoded(place, value, "header") for value in words[1::2]])
        return Headers(names, self._with_nulls(place, values, nulls) if nulls else values)

    def _with_nulls(
        self, place: int, values: tuple[bytes | None, ...], nulls: Any
    ) -> tuple[bytes | None, ...]:
        found = list(values)
        for text in map(str, nulls.split() if type(nulls) is str else nulls):
            at = integer_or_none(text)
            if at is None or not 0 <= at < len(found):
                raise self._failure(
                    place, f'null_headers has "{echoed(text)}", which is no place of a header'
                )
            if found[at]:
                raise self._failure(place, f"header {at} is null, and has a value")
            found[at] = None
        return tuple(found)

    def _failure(self, place: int, why: str) -> Failure:
        return kafka_failure(INVALID_ARGUMENT, f"message {place}: {why}" if self._names_place else why)


class _Names(dict[tuple[Any, ...], tuple[bytes, ...]]):
    """Names of headers for C: UTF-8, and a NUL behind it.  Mostly they are the same in
    all messages, and kept.
    """

    def __missing__(self, names: tuple[Any, ...]) -> tuple[bytes, ...]:
        texts = [text_from_tcl(_text(name) or "") for name in names]
        if any("\0" in text for text in texts):
            raise UnicodeError
        if len(self) >= _MAX_NAMES:
            self.clear()
        encoded = self[names] = tuple([text.encode() + b"\0" for text in texts])
        return encoded


header_names = _Names()


def _text(value: Any) -> str | None:
    """A value that may be anything, as the bridge gives and takes texts."""
    if value is None:
        return None
    return echoed(value.decode("latin-1") if type(value) is bytes else str(value or ""))


def _timestamp(value: Any) -> int | None:
    """A timestamp; 0 for none, None for a text that is no number of 63 bits."""
    if value is None:
        return 0
    text = str(value)
    number = int(text) if _DECIMAL.fullmatch(text) else integer_or_none(text)
    return number if number is not None and number <= _LAST_TIMESTAMP else None
