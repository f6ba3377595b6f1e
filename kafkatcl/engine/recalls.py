"""Recalls: events that an interpreter has taken,
and whose callbacks must not run any more.

Partitions of a group are revoked within the call that fetches, while an interpreter may
be running callbacks for their messages.  The poll thread, where it fetches, waits a
moment: the partitions stay ours until the running callback has ended, and no further
one begins.  A reader does not wait: it may be the interpreter's own thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Callable

from kafkatcl.engine.waiting import deadline_after, remaining

#: The callback id of messages that were read ahead, which have no callback.
READ_AHEAD = ""


class _Recall:
    """How many messages had not been told, when that is known."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_awaited = True


class Recalls:
    """The recalls of one interpreter, by callback id; ``ring`` is called, from any
    thread, when there is a new one.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._changed = threading.Condition()
        self._recalls: dict[str, _Recall] = {}

    def recall(self, callback_id: str, seconds: float) -> int | None:
        """Wait until the events of a callback are given back; how many messages had not
        run, or None if the wait takes longer.
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
        """The callback ids of the recalls there are;
        READ_AHEAD counts as answered when this returns.
        """
        with self._changed:
            callback_ids = list(self._recalls)
        if READ_AHEAD in callback_ids:
            self.answer({}, [READ_AHEAD])
            self.withdraw(READ_AHEAD)
        return callback_ids

    def answer(self, waiting: Mapping[str, int], callback_ids: Iterable[str] | None = None) -> None:
        """The callbacks of these ids, or of all, run no more;
        ``waiting`` messages of each have not run.
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
        """End a recall; whether there was one, which nobody waits for any more."""
        with self._changed:
            return self._recalls.pop(callback_id, None) is not None
