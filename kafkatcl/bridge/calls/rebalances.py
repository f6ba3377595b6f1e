"""Bridge calls for the rebalance callbacks of subscribers.

A script that has one is told of each rebalance by :func:`subscriber_rebalance`.  There
is something to be told when its callback id has an event, and when a call that waits
for messages, or for the end of a membership, fails with ``KAFKA REBALANCE DUE``; that
call is to be made again behind the callback.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import offset_text
from kafkatcl.bridge.calls.registry import bridge_call, one_way
from kafkatcl.bridge.sessions import find
from kafkatcl.engine.subscriber import Subscriber


@bridge_call
def subscriber_rebalance_callback(subscriber: str, wanted: str) -> None:
    """Have a callback told of rebalances, or none any more.

    The callback id is that of the subscriber with ``.rebalance`` behind it.  A callback
    that comes in the place of none is told first what the group has assigned.
    """
    found = find(subscriber, Subscriber)
    found.tell_rebalances(f"{subscriber}.rebalance" if wanted == "1" else "")


@bridge_call
def subscriber_rebalance(subscriber: str) -> tuple[Any, ...] | None:
    """What the callback is to be told now; the group may wait until
    :func:`subscriber_rebalanced` is called.

    What was taken and has not run must have been requeued.

    :returns: ``assigned``, ``revoked`` or ``lost``, and the partitions, each a tuple
        (topic, partition, offset): that of the next message to read, ``stored`` where
        none was read.  None: nothing, or the callback runs.
    """
    told = find(subscriber, Subscriber).next_rebalance()
    if told is None:
        return None
    return told.kind, tuple((topic, part, offset_text(offset)) for topic, part, offset in told.partitions)


@one_way
def subscriber_rebalanced(subscriber: str) -> None:
    """The callback has handled what it was told; one of a subscriber that is gone does
    nothing.
    """
    found = find(subscriber, object)
    if isinstance(found, Subscriber):
        found.end_rebalance()


@bridge_call
def subscriber_retire(subscriber: str) -> None:
    """Read nothing more, as the subscriber is about to be deleted; its callback is told
    that its partitions are revoked.

    :raises Failure: it is to be told now.
    """
    find(subscriber, Subscriber).retire()
