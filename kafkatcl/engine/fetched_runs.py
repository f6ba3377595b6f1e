"""Runs of messages that are still as librdkafka has given them: mostly they become
fields in C, in the interpreter that gets them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.layouts import FIELDS, Layout, Table
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run
from kafkatcl.librdkafka.errors import DESTROYED, PARTITION_END, error_name, error_text
from kafkatcl.native import fetching
from kafkatcl.native.fetching import Fetched

#: Whether the C part knows all fields that messages have.
KNOWS_FIELDS = tuple(field.name for field in FIELDS) == fetching.FIELDS
_AS_FETCHED = Layout("fetched")


class _Part(NamedTuple):
    """Some of the messages that were fetched."""

    fetched: Fetched
    start: int
    size: int


class FetchedRun(Run):
    """Messages of one partition in their order, of which only what is asked is read."""

    __slots__ = ()
    layout: Layout
    fields: _Part

    @property
    def size(self) -> int:
        return self.fields.size

    @property
    def nbytes(self) -> int:
        return self.fields.fetched.nbytes(self.fields.start, self.fields.size)

    @property
    def first(self) -> int:
        fetched, start, _ = self.fields
        return fetched.offset(start)

    @property
    def last(self) -> int:
        fetched, start, count = self.fields
        return fetched.offset(start + count - 1)

    @property
    def offsets(self) -> tuple[int, ...]:
        fetched, start, count = self.fields
        return tuple(fetched.offset(place) for place in range(start, start + count))

    def part(self, start: int, count: int) -> FetchedRun:
        fetched, begin, _ = self.fields
        return fetched_run(self.topic, self.partition, fetched, begin + start, count)

    def read(self, asked: Collection[str] = ()) -> Run:
        """The same messages, read by now.

        :param asked: the names of fields that they are to have beside the usual ones.
        """
        fetched, start, count = self.fields
        table = Table([fetched[place] for place in range(start, start + count)], asked)
        return Run(self.topic, self.partition, *table.part(0, count, asked))

    def lay_out(self, *, packs: bool) -> int:
        """Have C lay the messages out, see :meth:`Fetched.lay_out`.

        :raises Failure: their client was closed meanwhile.
        """
        try:
            return self.fields.fetched.lay_out(self.fields.start, self.fields.size, packs=packs)
        except ReferenceError as error:
            raise kafka_failure(DESTROYED, str(error)) from error


def fetched_run(topic: str, partition: int, fetched: Fetched, start: int, count: int) -> FetchedRun:
    """A run of ``count`` of the messages, from the one numbered ``start`` on."""
    return tuple.__new__(FetchedRun, (topic, partition, _AS_FETCHED, _Part(fetched, start, count)))


def fetched_items(fetched: Fetched) -> Iterator[Item]:
    """What was fetched, in its order: a run for messages of one partition in a row, and
    an item for each error and each end.
    """
    start = 0
    while start < fetched.count:
        count = fetched.row(start)
        message = fetched[start]
        topic, partition = message.topic(), message.partition()
        if count:
            yield fetched_run(topic, partition, fetched, start, count)
        elif message.error_code() == PARTITION_END:
            yield EndItem(topic, partition, message.offset())
        else:
            code = message.error_code()
            words = error_text(code), error_name(code), message.error_text()
            yield ErrorItem(*words, code, (topic, partition), offset=message.offset())
        start += max(count, 1)
