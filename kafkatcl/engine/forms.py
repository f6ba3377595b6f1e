"""The form in which a script wants the messages that it reads."""

from __future__ import annotations

from functools import cache

from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.fetched_runs import FetchedRun
from kafkatcl.engine.layouts import ASKED, Layout
from kafkatcl.engine.messages import ErrorItem, Item, Run
from kafkatcl.librdkafka.errors import KEY_NOT_CONVERTED, VALUE_NOT_CONVERTED, error_name, error_text

#: Fields that are text where there is an encoding.
_TEXTS = {"payload": VALUE_NOT_CONVERTED, "key": KEY_NOT_CONVERTED}


#: Has ends of partitions told.
_END = "end"
#: What a script may ask for by name.
MAY_BE_ASKED = tuple(sorted((*ASKED, _END)))


class Form:
    """What a script has asked for, for a topic, a queue or a subscriber."""

    def __init__(self) -> None:
        #: Of MAY_BE_ASKED.
        self.names: frozenset[str] = frozenset()
        #: Of payloads and keys; None: they are bytes.
        self.encoding: Encoding | None = None

    @property
    def asked(self) -> frozenset[str]:
        """The names of fields that messages have beside the usual ones."""
        return self.names & ASKED

    def shown(self, item: Item) -> Item:
        """An item as the script gets it; all of its messages can be converted."""
        if not isinstance(item, Run):
            return item
        run = self.with_fields(item)
        return converted(run, self.encoding)[0] if self.encoding else run

    def with_fields(self, run: Run) -> Run:
        """A run with the fields that were asked for, and read where it is to be
        converted.
        """
        if isinstance(run, FetchedRun) and (self.encoding or self.asked):
            return run.read(self.asked)
        return run

    @property
    def tells_ends(self) -> bool:
        """Whether ends of partitions are told as items."""
        return _END in self.names


class UnconvertedItem(ErrorItem):
    """What a script is told of a message that is no text in its encoding.

    The message itself stays where it is.
    """


@cache
def as_text(layout: Layout) -> Layout:
    """The layout of the same messages when they are text."""
    return Layout(
        layout.name,
        *(field._replace(type=str) if field.name in _TEXTS else field for field in layout.columns),
    )


def converted(run: Run, encoding: Encoding) -> tuple[Run, UnconvertedItem | None]:
    """The first messages of a run as text, and what is told of the one behind them, if
    that cannot be converted.
    """
    topic, partition, layout, fields = run
    made = list(fields)
    end, failed = run.size, None
    for place, field in enumerate(layout.columns):
        if field.name not in _TEXTS:
            continue
        for number in range(end):
            at = number * layout.width + place
            try:
                made[at] = encoding.decode(fields[at])
            except UnicodeDecodeError as error:
                end = number
                failed = _unconverted(run.part(number, 1), field.name, encoding, error.start)
                break
    return Run(topic, partition, as_text(layout), tuple(made[: end * layout.width])), failed


def _unconverted(message: Run, field: str, encoding: Encoding, at: int) -> UnconvertedItem:
    code = _TEXTS[field]
    topic, partition, _, _ = message
    return UnconvertedItem(
        error_text(code),
        error_name(code),
        f"the {field} of the message at offset {message.first} of partition {partition} of topic '{topic}' "
        f"is no {encoding.name} at byte {at}: encoding binary reads it as it is",
        code,
        message.topic_partition,
        offset=message.first,
    )
