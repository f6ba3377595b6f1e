"""Messages that were not delivered and whose failure no callback got:
counted, logged, and reported at the end.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from typing import Callable

from kafkatcl.engine.telling import printable, say
from kafkatcl.librdkafka.errors import PURGED_IN_FLIGHT, PURGED_IN_QUEUE, error_text

#: Seconds between log lines about the same topic and error.
_INTERVAL = 60.0
_FACILITY = "UNDELIVERED"
#: How many topics and errors the line at the end names.
_NAMED = 5

_Loss = tuple[str, str]  # the topic, and why


class _Process:
    """Whether anything was lost in this process."""

    has_lost = False


def has_lost() -> bool:
    """Whether a message of this process was lost, by any of its producers."""
    return _Process.has_lost


def _forget() -> None:
    _Process.has_lost = False  # what a parent has lost is no concern of its child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Losses:
    """What one producer has lost.  Any thread may use it.

    :param name: the client's name.
    :param log: takes the facility and the text of a log line.
    """

    def __init__(self, name: str, log: Callable[[str, str], None]) -> None:
        self._name = name
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[_Loss] = Counter()
        self._unlogged: Counter[_Loss] = Counter()
        self._logged_at: dict[_Loss, float] = {}
        self._end_reason = ""
        self._is_told = False

    @property
    def total(self) -> int:
        """How many messages."""
        return sum(self._counts.values())

    def ending(self, reason: str) -> None:
        """From now on, messages that are purged are so for this reason.

        librdkafka itself only tells those that were queued from those that were sent:
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L5179-L5189
        """
        self._end_reason = reason

    def count(self, topic: str, code: int, number: int = 1) -> None:
        """Count ``number`` messages of a topic that failed with an error code, and log
        what is due.
        """
        loss = (topic, self._reason(code))
        _Process.has_lost = True
        with self._lock:
            self._counts[loss] += number
            self._unlogged[loss] += number
        self.log()

    def log(self) -> None:
        """Log losses: the first of a topic and error at once, then their number, once a
        minute.  Without a loss since the last line it does nothing.
        """
        if not self._unlogged:
            return
        now = time.monotonic()
        with self._lock:
            due = [
                (loss, number)
                for loss, number in self._unlogged.items()
                if now - self._logged_at.get(loss, now - _INTERVAL) >= _INTERVAL
            ]
            for loss, _ in due:
                self._logged_at[loss] = now
                del self._unlogged[loss]
        for (topic, reason), number in due:
            were = "1 message was" if number == 1 else f"{number} messages were"
            text = f"{self._name}: topic {printable(topic)}: {were} not delivered: {reason}"
            self._log(_FACILITY, text)

    def report(self) -> str:
        """Say on stderr, once, how many messages of which topics were lost, and why.

        :returns: the words, or an empty text where there is nothing to say any more.
        """
        with self._lock:
            if self._is_told or not self._counts:
                return ""
            self._is_told = True
            counts = self._counts.most_common()
        # The number leads, in the same words for one message: programs look for it.
        words = f"{self.total} messages of {self._name} were not delivered: {_listed(counts)}"
        say(f"kafkatcl: {words}")
        return words

    def _reason(self, code: int) -> str:
        if self._end_reason and code == PURGED_IN_QUEUE:
            return self._end_reason
        if self._end_reason and code == PURGED_IN_FLIGHT:
            return f"sent, but not acknowledged; {self._end_reason}"
        return error_text(code)


def _listed(counts: list[tuple[_Loss, int]]) -> str:
    named = [f"{number} of {printable(topic)} ({reason})" for (topic, reason), number in counts[:_NAMED]]
    rest = sum(number for _, number in counts[_NAMED:])
    return ", ".join([*named, *([f"{rest} of others"] if rest else [])])
