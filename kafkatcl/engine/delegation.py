"""A client that several threads call,
also while the one that polls it is within a rebalance callback of its.

confluent-kafka lets one thread at a time into a consumer, whatever it calls.  While one
is in ``consume``, and there in ``on_revoke``, every call of another thread waits until
that has ended.  Only the thread in the callback may call, and what it calls returns at
once.  So other threads hand their calls to it, for as long as it waits there for a
script.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Callable

from kafkatcl.engine.waiting import remaining

#: What only the thread that polls or closes the client calls: never handed over.
_ITS_OWN = frozenset(("consume", "poll", "close"))


class _Call:
    """A call that another thread makes; ``is_over`` once it has run, or will not."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._value: Any = None
        self._error: BaseException | None = None
        self.has_run = self.is_over = False

    def run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:  # raised in the thread that waits, whatever it is
            self._error = error
        self.has_run = self.is_over = True

    def outcome(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


class Delegation:
    """Where the calls of one client run.

    :param lock: of the handle.  Its poll thread has it while it is in the client, and
        gives it up only in :meth:`serve`: so whoever has the lock finds the client
        free, or served.
    :param on_free: called when no call is under way that :meth:`is_busy` told of.
    """

    def __init__(self, lock: threading.Condition, on_free: Callable[[], None]) -> None:
        self._lock = lock
        self._on_free = on_free
        self._server: int | None = None
        self._calls: deque[_Call] = deque()
        self._under_way = 0
        self._is_missed = False

    def run(self, function: Callable[[], Any]) -> Any:
        """Call ``function`` here, or in the thread that serves (any thread; waits).

        :raises BaseException: what the function raises.
        """
        with self._lock:
            while self._server not in (None, threading.get_ident()):
                call = self._hand_over(function)
                if call.has_run:
                    return call.outcome()
            self._under_way += 1
        try:
            return function()
        finally:
            with self._lock:
                self._under_way -= 1
                if self._is_missed and not self._under_way:
                    self._is_missed = False
                    self._on_free()

    def is_busy(self) -> bool:
        """Whether a call is under way, so that the poll thread would have to wait in
        the client, with the lock (lock held).
        """
        self._is_missed = self._under_way > 0
        return self._is_missed

    def serve(self, is_over: Callable[[], bool], deadline: float) -> bool:
        """Run the calls of other threads in this one, which is in a callback of the
        client, until something is over (lock held, and given up meanwhile).

        :param deadline: by ``time.monotonic``.
        :returns: whether it is over; False if ``deadline`` has come.
        """
        self._server = threading.get_ident()
        try:
            while not is_over():
                if self._calls:
                    self._calls.popleft().run()
                    self._lock.notify_all()
                elif not self._lock.wait(remaining(deadline)):
                    break
            return is_over()
        finally:
            self._server = None
            for call in self._calls:
                call.is_over = True
            self._calls.clear()
            self._lock.notify_all()

    def _hand_over(self, function: Callable[[], Any]) -> _Call:
        call = _Call(function)
        self._calls.append(call)
        self._lock.notify_all()
        while not call.is_over:
            self._lock.wait()
        return call


class DelegatedClient:
    """A confluent-kafka client whose calls run where a :class:`Delegation` says."""

    def __init__(self, client: Any, delegation: Delegation) -> None:
        self._client = client
        self._delegation = delegation

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name in _ITS_OWN:
            return method
        run = self._delegation.run
        return lambda *args, **options: run(lambda: method(*args, **options))
