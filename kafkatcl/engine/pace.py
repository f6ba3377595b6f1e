"""How many messages a member of a share group fetches at once.

Nobody else gets what it has fetched.  And a message whose lock runs out before the
script has taken it was delivered once more for the broker, which gives it up after five
times (``group.share.delivery.count.limit``).  So a script that is slow fetches little.
"""

from __future__ import annotations

import time

#: After a fetch that the script takes within so many seconds comes a larger one, and
#: after one that it does not a smaller one.  Locks last 30 s.
_QUICK_SECONDS, _SLOW_SECONDS = 0.5, 5.0
_FACTOR = 4


class Pace:
    """That of one member.

    :param limit: the most that is ever fetched.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._wanted = 1
        self._fetched_at = self._taken_at = 0.0  # by time.monotonic
        self._is_measured = True  # whether the last fetch has changed how many are wanted

    def fetched(self) -> None:
        """Messages have come."""
        self._fetched_at = self._taken_at = time.monotonic()
        self._is_measured = False

    def taken(self) -> None:
        """The script has taken some of them."""
        self._taken_at = time.monotonic()

    def age(self) -> float:
        """How many seconds ago they came."""
        return time.monotonic() - self._fetched_at

    def wanted(self) -> int:
        """How many to fetch, now that all are taken."""
        seconds = self._taken_at - self._fetched_at
        if not self._is_measured and seconds < _QUICK_SECONDS:
            self._wanted = min(self._wanted * _FACTOR, self._limit)
        elif not self._is_measured and seconds > _SLOW_SECONDS:
            self._wanted = max(self._wanted // _FACTOR, 1)
        self._is_measured = True
        return self._wanted
