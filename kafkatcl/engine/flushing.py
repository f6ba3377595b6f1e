"""Waiting until a producer has delivered all, while a script goes on hearing of it."""

from __future__ import annotations

from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.own_reports import CALLBACK_ID
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.waiting import deadline_after, remaining

#: How long to wait at most before looking whether there are reports to tell.
_SLICE_SECONDS = 0.02


def flush(producer: ProducerHandle, timeout_ms: int, *, until_reports: bool = False) -> int:
    """Wait until all messages are delivered, or have failed (any thread).

    What lingers is sent at once.

    :param timeout_ms: how long at most; for ever if negative.
    :param until_reports: wait no longer than until there are reports to tell.
    :returns: how many messages are left.
    :raises Failure: the handle was deleted, perhaps meanwhile.
    """
    deadline = deadline_after(timeout_ms)
    while True:
        if until_reports and producer.events.waits(lambda *report: _is_of(producer, *report)):
            return producer.left()
        left = remaining(deadline)
        count = producer.flush_for(_SLICE_SECONDS if left is None else min(left, _SLICE_SECONDS))
        if not count or left == 0:
            return count


def take_reports(events: EventQueue, producer: ProducerHandle, count: int) -> list[Event]:
    """Take up to ``count`` delivery reports of a producer, and no other events."""
    return events.take_notices(lambda *report: _is_of(producer, *report), count)


def _is_of(producer: ProducerHandle, owner: object, callback_id: str) -> bool:
    """Whether a notice is a delivery report of a producer."""
    if callback_id == CALLBACK_ID:
        return owner is producer.own_reports
    return owner is producer and callback_id == producer.report_callback_id
