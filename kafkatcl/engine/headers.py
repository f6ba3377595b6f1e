"""Headers of consumed messages, as the list of names and values that scripts get.

confluent-kafka gives them as a list of pairs, a name and the bytes of a value or None.
Names are text to it.  Where one is no UTF-8, ``headers()`` fails once, and then gives
the list with nothing in the place of that name, which ends the process if it is
touched; the error has the bytes of the first such name of the message.
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.c#L2007-L2037
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from itertools import chain
from typing import Any, Optional, Union

Pair = tuple[str, Optional[bytes]]
#: Name, value, name, value, ...
Row = tuple[Union[str, bytes, None], ...]

_UNKNOWN = "\ufffd"
#: Up to so many pairs, adding them up is quicker than a chain of them.
_FEW = 8


class Headers:
    """The headers of several messages, in two columns.

    In both, None stands for a message that has no such thing; and a column is None if
    all messages are without it.
    """

    def __init__(self, found: Sequence[list[Pair] | None]) -> None:
        rows = [
            (sum(pairs, ()) if len(pairs) <= _FEW else tuple(chain.from_iterable(pairs))) if pairs else None
            for pairs in found
        ]
        #: Names and values of each message in a row, empty values for null ones.
        self.rows: list[Row | None] = rows
        #: Which of them, counted from 0, have null values.
        self.null_places: list[tuple[int, ...] | None] | None = None
        try:
            self.nbytes = _nbytes(rows)
        except TypeError:  # mostly no value is null
            self.null_places = [_null_places(row) if row else None for row in rows]
            self.rows = [row and tuple([b"" if word is None else word for word in row]) for row in rows]
            self.nbytes = _nbytes(self.rows)


def read(messages: Sequence[Any]) -> Headers | None:
    """The headers of messages; None if no message has any."""
    try:
        if not [1 for message in messages if message.headers()]:
            return None
        return Headers([message.headers() for message in messages])
    except SystemError as error:
        name = _bad_name(error)
    return Headers([_mended(message, name) for message in messages])


def _nbytes(rows: Sequence[Row | None]) -> int:
    """The bytes of all names and values together.

    :raises TypeError: a value is null.
    """
    return sum(map(len, chain.from_iterable(filter(None, rows))))  # type: ignore[arg-type]


def _null_places(row: Row) -> tuple[int, ...] | None:
    return tuple([place for place, value in enumerate(row[1::2]) if value is None]) or None


def _mended(message: Any, name: str) -> list[Pair] | None:
    """The headers of a message in whose fetch some name is no UTF-8.

    :param name: what is known of a name if ``headers()`` has failed before.
    """
    try:
        headers = message.headers()
    except SystemError as error:
        name = _bad_name(error)
        headers = message.headers()
    if headers is None:
        return None
    mended: list[Pair] = []
    for pair in headers:
        # What a pair leads to can be asked for without touching its places.
        found = gc.get_referents(pair)
        if len(found) == len(pair):
            mended.append(pair)
        else:
            mended.append((name, found[0]))
            name = _UNKNOWN
    return mended


def _bad_name(error: SystemError) -> str:
    """The first name that ``headers()`` failed for, with ``\\xff`` and its like
    for bytes that are no UTF-8.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, UnicodeDecodeError):
        cause = cause.__cause__
    if cause is None:
        raise error
    return cause.object.decode("utf-8", "backslashreplace")
