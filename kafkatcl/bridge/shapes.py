"""What the engine fetched, in the form the Tcl side knows."""

from __future__ import annotations

from typing import Any, NamedTuple

from kafkatcl.bridge.texts import text_to_tcl
from kafkatcl.engine.fetched_runs import FetchedRun
from kafkatcl.engine.forms import UnconvertedItem
from kafkatcl.engine.layouts import FIELDS, LAYOUTS, Layout
from kafkatcl.engine.messages import EndItem, ErrorItem, Item, Run


class Messages(NamedTuple):
    """Messages of one partition in a row.

    Where C has laid them out the layout is ``fetched``, and the fields are the number
    by which ``::kafkatcl::bridge::fetched`` has both, see ``native/fastpaths.c``.
    """

    #: ``messages``, or the callback id of the callback they are for.
    head: str
    topic: str
    partition: int
    #: The name of the layout of ``fields``, in which are those of all messages.
    layout: str
    fields: Any

    @classmethod
    def of(cls, head: str, run: Run, *, packs: bool = False) -> Messages:
        """Those of a run, under this head.

        :param packs: see :meth:`Fetched.lay_out`.
        """
        topic, partition, layout, fields = run
        if isinstance(run, FetchedRun):
            number = run.lay_out(packs=packs)
            if number:
                return tuple.__new__(cls, (head, topic, partition, "fetched", number))
            layout, fields = run.read()[2:]
        if layout.texts:
            fields = _to_tcl(layout, fields)
        # For each small batch, so without the function that names the fields.
        return tuple.__new__(cls, (head, topic, partition, layout.name, fields))


def item_shape(item: Item, *, packs: bool = False) -> tuple[Any, ...]:
    """The form in which a command that reads gets an item.

    :param packs: see :meth:`Messages.of`.
    :returns: messages as :class:`Messages`, an error as ("error", pairs), the end of a
        partition as ("end", pairs).
    """
    if isinstance(item, Run):
        return Messages.of("messages", item, packs=packs)
    return ("error", error_pairs(item)) if isinstance(item, ErrorItem) else ("end", end_pairs(item))


def error_pairs(error: ErrorItem) -> tuple[Any, ...]:
    """An error in the place of a message: name, value, name, value, ..."""
    pairs = ("error", error.error, "code", error.code, "message", error.message)
    if not isinstance(error, UnconvertedItem):
        return pairs
    topic, partition = error.topic_partition or ("", -1)
    return (*pairs, "topic", topic, "partition", partition, "offset", error.offset)


def end_pairs(end: EndItem) -> tuple[Any, ...]:
    """The end of a partition in the place of a message: name, value, ..."""
    return ("end", 1, "topic", end.topic, "partition", end.partition, "offset", end.offset)


def _to_tcl(layout: Layout, fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same fields with texts as a bridge takes them."""
    made = list(fields)
    for place in layout.texts:
        made[place :: layout.width] = map(text_to_tcl, fields[place :: layout.width])
    return tuple(made)


def message_pairs(message: Run) -> tuple[Any, ...]:
    """A run of one message: name, value, name, value, ... of what it has."""
    _, topic, partition, _, fields = Messages.of("", message)
    layout = message.layout
    values = {"topic": topic, "partition": partition, **dict(zip(_names(layout), fields))}
    present = values.pop("present", -1)
    for place, name in enumerate(field.name for field in FIELDS if field.optional):
        if not present >> place & 1:
            values.pop(name, None)
    return tuple(
        part for field in FIELDS if field.name in values for part in (field.name, values[field.name])
    )


def message_layouts() -> tuple[Any, ...]:
    """What messages hold, for Tcl.

    :returns: the names of all fields in the order of the lists that callbacks get; and
        a flat tuple of each layout's name and the names of its fields, as ("plain",
        ("payload", "offset", "timestamp"), "keyed", ...).
    """
    columns = (part for layout in LAYOUTS for part in (layout.name, _names(layout)))
    return (tuple(field.name for field in FIELDS), tuple(columns))


def _names(layout: Layout) -> tuple[str, ...]:
    return tuple(field.name for field in layout.columns)
