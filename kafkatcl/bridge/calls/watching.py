"""Bridge calls that tell when there is something to read, so that no script waits.

The callback gets an empty text, once.  Nothing is taken for it: who is told reads as
always, and may find that others were quicker.
"""

from __future__ import annotations

from typing import Callable

from kafkatcl.bridge.arguments import parse_count, parse_integer
from kafkatcl.bridge.calls.registry import bridge_call, one_way
from kafkatcl.bridge.sessions import events, find
from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.engine.walks import Walk

#: By callback id, what is watched, and what tells the callback.
_watched: dict[str, tuple[MessageBuffer, Callable[[], None]]] = {}


@bridge_call
def watch(session: str, callback_id: str, source: str, count: str, *words: str) -> None:
    """Tell a callback when a reader of ``source`` has something to read, or never will.

    :param source: the object id of a topic to consume from, a queue, a subscriber or a
        walk.
    :param count: how many messages the reader waits for.
    :param words: for a topic the partition, and how long the reader waits, in ms.
    :raises Failure: for a topic, as :func:`consume`; ``count`` is negative.
    """
    wanted = parse_count(count)
    buffer, queue = _buffer(source, *words), events(session)

    def tell() -> None:
        queue.post(None, callback_id, "")

    _watched[callback_id] = buffer, tell
    buffer.watch(wanted, tell)


@one_way
def unwatch(callback_id: str) -> None:
    """Watch no more for a callback; it may have been told already."""
    buffer, tell = _watched.pop(callback_id, (None, None))
    if buffer and tell:
        buffer.unwatch(tell)


def _buffer(source: str, partition: str = "", timeout_ms: str = "") -> MessageBuffer:
    found = find(source, object)
    if isinstance(found, ConsumerTopic):
        return found.buffer(parse_integer(partition), parse_integer(timeout_ms))
    if isinstance(found, Subscriber):
        found.check()
        return found.messages
    if isinstance(found, Walk):
        return found.buffer
    return find(source, Queue)
