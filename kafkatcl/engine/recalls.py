"""Recalls: events that an interpreter has taken,
and whose callbacks must not run any more.

Partitions of a group are revoked within the call that fetches, while an interpreter may
be running callbacks for their messages.  The poll thread, where it fetches, waits a
moment: the partitions stay ours until the running callback has ended, and no further
one begins.  Any other thread does not wait: a reader may be the interpreter's own
thread, which alone could answer.
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Consumer.c#L1378-L1394
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Callable

from kafkatcl.engine.waiting import deadline_after, remaining

#: The callback id of messages that were read ahead, which have no callback.
READ_AHEAD = ""


class _Recall:
    """A recall: ``left`` is how many messages have not run, None until the interpreter
    has answered; ``is_awaited`` says whether the recalling thread still waits.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_awaited = True


class Recalls:
    """The recalls of one interpreter, by callback id.

    :param ring: is called, in the thread that recalls, when there is a new one.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._changed = threading.Condition()
        self._recalls: dict[str, _Recall] = {}

    def recall(self, callback_id: str, seconds: float) -> int | None:
        """Wait until the interpreter has given the events of a callback back (any
        thread but the interpreter's, unless ``seconds`` is 0).

        :param seconds: how long to wait.
        :returns: how many messages have not run; None if there was no answer in time.
        """
        with self._changed:
            recall = self._recalls[callback_id] = _Recall()
        self._ring()
        deadline = deadline_after(int(seconds * 1000))
        with self._changed:
            while recall.left is None and self._changed.wait(remaining(deadline)):
                pass
            recall.is_awaited = False
            return recall.left

    def wanted(self) -> list[str]:
        """The callback ids of the recalls there are (the interpreter's thread).

        READ_AHEAD counts as answered when this returns: what it stands for does not run
        by itself.
        """
        with self._changed:
            callback_ids = list(self._recalls)
        if READ_AHEAD in callback_ids:
            self.answer({}, [READ_AHEAD])
            self.withdraw(READ_AHEAD)
        return callback_ids

    def answer(self, waiting: Mapping[str, int], callback_ids: Iterable[str] | None = None) -> None:
        """The callbacks of these ids, or of all, run no more (interpreter's thread).

        :param waiting: by callback id, how many messages have not run.
        """
        with self._changed:
            for callback_id in list(self._recalls) if callback_ids is None else callback_ids:
                recall = self._recalls.get(callback_id)
                if recall is not None and recall.is_awaited:
                    recall.left = waiting.get(callback_id, 0)
                    del self._recalls[callback_id]
            self._changed.notify_all()

    def answer_told(self, waiting: Mapping[str, int]) -> None:
        """Answer the recalls of callbacks whose events have all run;
        those in ``waiting`` have some left.
        """
        self.answer({}, [callback_id for callback_id in list(self._recalls) if not waiting.get(callback_id)])

    def withdraw(self, callback_id: str) -> bool:
        """End a recall that nobody waits for any more; whether there was one."""
        with self._changed:
            return self._recalls.pop(callback_id, None) is not None
