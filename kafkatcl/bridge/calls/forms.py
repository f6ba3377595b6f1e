"""Bridge calls for the form in which scripts have messages: their fields and encoding.

``source`` is the object id of a topic to consume from, a queue, or a subscriber.
"""

from __future__ import annotations

from kafkatcl.bridge.calls.registry import bridge_call
from kafkatcl.bridge.sessions import find
from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.engine import encodings
from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.forms import MAY_BE_ASKED
from kafkatcl.engine.hints import listed
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import DESTROYED

#: What stands for no encoding.
_BINARY = "binary"


@bridge_call
def message_fields(source: str, wanted: str, *words: str) -> tuple[str, ...] | None:
    """Show or set which fields messages have beside the usual ones.

    :param wanted: ``1`` sets them.
    :param words: their names, for messages that are fetched from now on; ``end`` has
        ends of partitions told.
    :returns: those that are set, sorted, where none are to be.
    :raises Failure: a name is none of those that may be asked for.
    """
    form = _reader(source).form
    if wanted != "1":
        return tuple(sorted(form.names))
    for name in words:
        if name not in MAY_BE_ASKED:
            raise Failure(
                f'bad field "{name}": must be {listed(MAY_BE_ASKED)}',
                ("TCL", "LOOKUP", "INDEX", "field", name),
            )
    form.names = frozenset(words)
    _reader(source).reform()
    return None


@bridge_call
def text_encoding(source: str, *name: str) -> str | None:
    """Show or set the encoding of payloads and keys.

    :param source: may be a topic to produce to as well.
    :param name: ``binary``, or one for which :func:`encoding_is_known`.
    :returns: the name, where none is to be set.
    """
    found = find(source, object)
    user = found if isinstance(found, ProducerTopic) else _reader(source).form
    if not name:
        return user.encoding.name if user.encoding else _BINARY
    user.encoding = encodings.find(name[0])
    if not isinstance(found, ProducerTopic):
        _reader(source).reform()
    return None


@bridge_call
def encoding_is_known(name: str) -> int:
    """Whether an encoding need not be told by :func:`encoding_table`."""
    return int(name == _BINARY or encodings.find(name) is not None)


@bridge_call
def encoding_table(name: str, singles: str, *words: str) -> None:
    """Tell the table of an encoding, with U+FFFE for what means nothing.

    :param singles: the characters of the 256 bytes.
    :param words: for each byte that begins a pair its number, and the characters of the
        256 pairs.
    """
    rows = {int(number): text_from_tcl(row) for number, row in zip(words[::2], words[1::2])}
    encodings.define(name, text_from_tcl(singles), rows)


def _reader(source: str) -> ConsumerTopic | MessageBuffer:
    """Find what has the form of a script's messages."""
    found = find(source, object)
    if isinstance(found, Subscriber):
        return found.messages
    if isinstance(found, (ConsumerTopic, MessageBuffer)):
        return found
    raise kafka_failure(DESTROYED, "the object was deleted")
