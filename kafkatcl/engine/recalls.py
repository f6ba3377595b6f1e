"""What was taken to be told, and must not be told any more:
it is recalled from the interpreter.

Partitions of a group are taken away within the call that fetches, while an interpreter
tells what it took of them.  Where the owner thread fetches, it waits a moment, so that
they are still ours for the message that is being told, and no other one is.  A reader
does not wait: it may be the interpreter's own thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Callable

from kafkatcl.engine.waiting import deadline, remaining

#: The token of what was read ahead, which no callback is told.
READ_AHEAD = ""


class _Recall:
    """How many messages had not been told, when that is known."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_awaited = True


class Recalls:
    """What one interpreter is to give back, by token; ``ring`` is called, from any
    thread, when there is something.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._changed = threading.Condition()
        self._recalls: dict[str, _Recall] = {}

    def recall(self, token: str, seconds: float) -> int | None:
        """Wait until all of a token is given back;
        how many messages that were, or None if it takes longer.
        """
        with self._changed:
            recall = self._recalls[token] = _Recall()
        self._ring()
        end = deadline(int(seconds * 1000))
        with self._changed:
            while recall.left is None and self._changed.wait(remaining(end)):
                pass
            recall.is_awaited = False
            return recall.left

    def wanted(self) -> list[str]:
        """The tokens of what is to be given back;
        it is the same with READ_AHEAD when this returns.
        """
        with self._changed:
            tokens = list(self._recalls)
        if READ_AHEAD in tokens:
            self.answer({}, [READ_AHEAD])
            self.withdraw(READ_AHEAD)
        return tokens

    def answer(self, waiting: Mapping[str, int], tokens: Iterable[str] | None = None) -> None:
        """Nothing of these tokens, or of any, is told any more,
        and so many messages of each were not told.
        """
        with self._changed:
            for token in list(self._recalls) if tokens is None else tokens:
                recall = self._recalls.get(token)
                if recall is not None and recall.is_awaited:
                    recall.left = waiting.get(token, 0)
                    del self._recalls[token]
            self._changed.notify_all()

    def answer_told(self, waiting: Mapping[str, int]) -> None:
        """All is told but for so many messages of each token."""
        self.answer({}, [token for token in list(self._recalls) if not waiting.get(token)])

    def withdraw(self, token: str) -> bool:
        """Whether a recall was there that nobody waits for; it is over."""
        with self._changed:
            return self._recalls.pop(token, None) is not None
