"""Bridge calls for callbacks: the events of an interpreter.

Where a call takes ``*words`` they are the *remaining counts*: callback id, number,
callback id, number, ... of the events that were taken and have not run.  Of each
callback the last ones are meant, since events of one callback run in their order.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import parse_integer
from kafkatcl.bridge.calls.registry import bridge_call, one_way
from kafkatcl.bridge.records import callback_argument
from kafkatcl.bridge.sessions import events
from kafkatcl.bridge.shapes import Messages
from kafkatcl.engine.messages import Run


@bridge_call
def events_take(session: str, max_count: str) -> tuple[Any, ...]:
    """Take waiting events; those taken before are acknowledged.

    :param max_count: how many notices and messages to take at most.
    :returns: a tuple for each event: for messages :class:`Messages` with the callback
        id as its head, for a notice (callback id, argument).  No event means that the
        bell will ring for the next one.
    """
    return tuple(_event(callback_id, told) for callback_id, told in events(session).take(int(max_count)))


@bridge_call
def events_wait(session: str, timeout_ms: str) -> None:
    """Wait until there are events to take, or the time is over; nothing is taken."""
    events(session).wait(parse_integer(timeout_ms))


@one_way
def events_acknowledge(session: str, *words: str) -> None:
    """Acknowledge the events that were taken, except the remaining ones.

    :param words: the remaining counts.
    """
    events(session).acknowledge(_counts(words))


@bridge_call
def events_requeue(session: str, *words: str) -> None:
    """Acknowledge the events that were taken, and put back the remaining ones.

    :param words: the remaining counts.
    """
    events(session).requeue(_counts(words))


@bridge_call
def events_recalled(session: str) -> tuple[str, ...]:
    """The callback ids whose events are recalled.

    Each is to be answered by :func:`events_answer_recall`; only an empty one, which
    stands for messages that were read ahead without a callback, counts as answered
    already.
    """
    return tuple(events(session).recalled())


@bridge_call
def events_answer_recall(session: str, callback_id: str, waiting: str) -> None:
    """Answer a recall: the callback runs no more of the events that were taken.

    :param waiting: how many of the messages taken have not run, an integer.
    """
    events(session).answer_recall(callback_id, int(waiting))


def _counts(words: tuple[str, ...]) -> dict[str, int]:
    return {callback_id: int(number) for callback_id, number in zip(words[::2], words[1::2])}


def _event(callback_id: str, told: Any) -> tuple[Any, ...]:
    if isinstance(told, Run):
        return Messages.of(callback_id, told, packs=True)
    return (callback_id, callback_argument(told))
