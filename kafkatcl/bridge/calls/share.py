"""Bridge calls for share subscribers.

Errors of Kafka have their bare text here, without ``kafka error:`` in front of it.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import parse_count, parse_integer, parse_position
from kafkatcl.bridge.calls.registry import bridge_call, one_way
from kafkatcl.bridge.sessions import find, register
from kafkatcl.bridge.shapes import error_pairs, item_shape, message_pairs
from kafkatcl.engine.acquired import ACKNOWLEDGEMENTS, Place
from kafkatcl.engine.hints import listed
from kafkatcl.engine.messages import Run
from kafkatcl.engine.share_subscriber import ShareSubscriber
from kafkatcl.errors import Failure


@bridge_call
def share_subscribe(subscriber: str, *topics: str) -> None:
    """Join the share group for these topics; nothing is waited for.

    :raises Failure: there is no topic; a name cannot be, or is a pattern.
    """
    find(subscriber, ShareSubscriber).subscribe(list(topics))


@bridge_call
def share_subscription(subscriber: str) -> tuple[str, ...]:
    """The topics that were given to :func:`share_subscribe`, sorted."""
    return tuple(find(subscriber, ShareSubscriber).subscription())


@bridge_call
def share_unsubscribe(subscriber: str) -> None:
    """Leave the share group; what was fetched and not read is released."""
    find(subscriber, ShareSubscriber).unsubscribe()


@bridge_call
def share_consume(subscriber: str, timeout_ms: str) -> tuple[Any, ...] | None:
    """Read the next message; with implicit acknowledgement the one before is accepted.

    :returns: name, value, name, value, ... of the message, or of an error in its place;
        None where nothing came in time.
    :raises Failure: there is no subscription; messages are not acknowledged yet.
    """
    timeout = parse_integer(timeout_ms)
    item = find(subscriber, ShareSubscriber).consume(timeout)
    if item is None:
        return None
    return message_pairs(item) if isinstance(item, Run) else error_pairs(item)  # type: ignore[arg-type]


@bridge_call
def share_consume_batch(subscriber: str, timeout_ms: str, max_count: str) -> tuple[Any, ...]:
    """Read the messages that are there, as soon as there are any.

    :returns: the object id of the batch for :func:`batch_end`, how many messages and
        errors it has, and its items in the form of :func:`item_shape`.
    :raises Failure: as :func:`share_consume`; ``max_count`` is negative.
    """
    timeout, limit = parse_integer(timeout_ms), parse_count(max_count)
    batch = find(subscriber, ShareSubscriber).consume_batch(limit, timeout)
    return (register(subscriber, "b", lambda _: batch), batch.size, *map(item_shape, batch.items))


@bridge_call
def share_listen(subscriber: str, wanted: str) -> None:
    """Give messages to a callback, or keep them for readers again.

    The callback id is the object id of the subscriber.
    """
    find(subscriber, ShareSubscriber).listen(subscriber if wanted == "1" else None)


@one_way
def share_failed(subscriber: str, topic: str, partition: str, offset: str) -> None:
    """The callback has failed at a message: with implicit acknowledgement it is
    released.

    :param subscriber: one that is gone does nothing.
    """
    found = find(subscriber, object)
    if isinstance(found, ShareSubscriber):
        found.has_failed(Place(topic, parse_integer(partition), parse_position(offset)))


@bridge_call
def share_acknowledge(subscriber: str, topic: str, partition: str, offset: str, how: str) -> None:
    """Acknowledge a message that was read; nothing is sent yet.

    :param how: ``accept``, ``release`` or ``reject``.
    :raises Failure: ``how`` is none of these words; acknowledgement is implicit; the
        message was not read, or is acknowledged already.
    """
    if how not in ACKNOWLEDGEMENTS:
        raise Failure(
            f'bad acknowledgement "{how}": must be {listed(ACKNOWLEDGEMENTS)}',
            ("TCL", "LOOKUP", "INDEX", "acknowledgement", how),
        )
    place = Place(topic, parse_integer(partition), parse_position(offset))
    find(subscriber, ShareSubscriber).acknowledge(place, how)


@bridge_call
def share_commit(subscriber: str, wait: str, timeout_ms: str) -> None:
    """Send the acknowledgements to the broker.

    :param wait: ``1`` waits for its answer, up to ``timeout_ms``.
    :raises Failure: with ``wait``: no answer came in time; the broker has refused an
        acknowledgement since the last time.
    """
    find(subscriber, ShareSubscriber).commit(wait=wait == "1", timeout_ms=parse_integer(timeout_ms))
