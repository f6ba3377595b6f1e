"""The transactions of one producer.

A commit that did not come to its end in time is under way all the same, and nothing
else can be done before it was called again and has told how it ends.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Callable

from kafkatcl.engine.errors import kafka_failure, worded
from kafkatcl.engine.handover import Handed, Handover
from kafkatcl.engine.transaction_calls import ANEW, DELETED, TransactionCalls
from kafkatcl.engine.waiting import deadline_after
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import CONFLICT, FATAL, NOT_CONFIGURED, NOT_STARTED

#: How long closing waits for an abort, which the cluster makes by itself otherwise.
_CLOSING_SECONDS = 5.0
_OUTSIDE = "a transactional producer produces within transactions only: begin one before"


class State(enum.Enum):
    """Where a producer is with its transactions; the value tells it."""

    NEW = "the producer has no transactions yet: call init_transactions before"
    READY = "no transaction is under way: call begin_transaction before"
    OPEN = "a transaction is under way already: they cannot be nested"
    BROKEN = "the transaction has failed: call abort_transaction"
    COMMITTING = "the last commit has not come to its end: call commit_transaction again"
    ABORTING = "the last abort has not come to its end: call abort_transaction again"
    FAILED = ANEW
    CLOSED = DELETED


_UNDER_WAY = (State.OPEN, State.BROKEN, State.COMMITTING, State.ABORTING)


class Transactions:
    """The transactions of a producer, if it has a ``transactional.id``.

    Commands are for the thread of the interpreter, or that of a call in the background;
    a second one is refused while one is under way.  Their ``timeout_ms`` is negative to
    wait for ever, and None for ``transaction.timeout.ms``.

    :param client: the ``confluent_kafka.Producer``.
    :param setting: gives the value of a property.
    :param why: says what is known of brokers that cannot be reached.
    :param on_end: is called where the producer accepts no more messages, until the next
        transaction.
    """

    def __init__(
        self, client: Any, setting: Callable[[str], str], why: Callable[[], str], on_end: Callable[[], None]
    ) -> None:
        self._calls = TransactionCalls(client, why)
        self._on_end = on_end
        self.are_configured = bool(setting("transactional.id"))
        self._default_ms = int(setting("transaction.timeout.ms"))
        self._state = State.NEW
        self._turn = threading.Lock()  # held by the command that is under way
        #: Of the transaction that is under way: the errors of messages that the script
        #: takes for queued, the subscribers it concerns, and what was sent of them.
        self._failed: list[int] = []
        self._members: set[Handover] = set()
        self._sent: list[Handed] = []

    def refusal(self, more: str) -> Failure:
        """The failure where librdkafka refuses a message: there is no transaction,
        or it has failed already.

        :param more: what is known besides.
        """
        if self._state is State.OPEN:
            return worded(_refused(more, State.BROKEN.value), "abortable")
        return _refused(more, _OUTSIDE)

    def failed(self, code: int) -> bool:
        """A message failed that the script takes for queued (any thread).

        :returns: whether the script is told, as the transaction cannot be committed,
            or was to be aborted.
        """
        if not self.are_configured:
            return False
        self._failed.append(code)
        return code != NOT_STARTED or self._state is State.OPEN

    # -- commands ----------------------------------------------------------------------

    def init(self, timeout_ms: int | None = None) -> None:
        """Get ready: what another producer of this ``transactional.id`` has begun is
        ended, and that one can do nothing more.

        :raises Failure: it was done, or is refused.
        """
        with self._command(timeout_ms) as deadline:
            self._init(deadline)

    def begin(self) -> None:
        """Begin a transaction; nothing is waited for.

        :raises Failure: there is one already, or :meth:`init` was not called.
        """
        with self._command():
            self._begin()

    def open(self, member: Handover | None, timeout_ms: int | None = None) -> None:
        """Begin a transaction, when all is done that must be before.

        :param member: the subscriber whose positions go with it, if any.
        :raises Failure: as :meth:`init` and :meth:`begin`.  Nothing was begun and
            errorCode says ``abortable`` where a subscriber had to go back, as it turns
            out only now that an earlier transaction has come to nothing, or may have.
        """
        with self._command(timeout_ms) as deadline:
            if self._state is State.NEW:
                self._init(deadline)
            self._settle(deadline)
            if member:
                member.require_transactional()
                member.settle_doubt(deadline)
            self._begin()
            self._members.update([member] if member else [])

    def send_offsets(self, handed: Handed, timeout_ms: int | None = None) -> None:
        """Have positions of a subscriber committed with the transaction.

        :raises Failure: there is no transaction; or the cluster refuses, as when the
            subscriber is no longer a member of its group.
        """
        with self._command(timeout_ms) as deadline:
            self._require(State.OPEN)
            self._members.add(handed.member)
            if handed.positions:
                self._calls.send_offsets(handed.native(), handed.group, deadline)
                self._sent.append(handed)

    def commit(self, timeout_ms: int | None = None) -> None:
        """Have all messages delivered, and commit; what fails and is retriable is tried
        again.

        :raises Failure: errorCode says ``abortable``, ``fatal``, or ``retriable``, as
            the time is over: then it may still succeed (``State.COMMITTING``).
        """
        with self._command(timeout_ms) as deadline:
            self._require(State.OPEN, State.COMMITTING)
            self._commit(deadline)

    def abort(self, timeout_ms: int | None = None) -> None:
        """Drop the messages that are not sent, and abort; the subscribers concerned go
        back.

        :raises Failure: errorCode says ``fatal``, or ``retriable`` as the time is over.
        """
        with self._command(timeout_ms) as deadline:
            self._require(State.OPEN, State.BROKEN, State.ABORTING)
            self._abort(deadline)

    def let_go(self) -> None:
        """The handle was deleted: a command that is under way is to end, and what the
        subscribers concerned have handed over may be committed or not.
        """
        self._calls.is_ending = True
        self._doubt()

    def close(self, deadline: float) -> bool:
        """Abort the transaction that is under way, so that nobody has to wait until the
        cluster does it (closing thread).

        :param deadline: by ``time.monotonic``.
        :returns: whether there was one.
        """
        self.let_go()
        with self._turn:
            state, self._state = self._state, State.CLOSED
            if state not in _UNDER_WAY or state is State.COMMITTING:
                return False
            self._calls.is_ending = False  # nothing follows this one
            with suppress(Failure):
                until = min(deadline, time.monotonic() + _CLOSING_SECONDS)
                self._calls.abort(until, is_new=state is State.OPEN)
            return True

    # -- inside (`_turn` held) ---------------------------------------------------------

    def _init(self, deadline: float | None) -> None:
        self._require(State.NEW)
        self._calls.init(deadline)
        self._state = State.READY

    def _begin(self) -> None:
        self._require(State.READY)
        self._calls.begin()
        for kept in (self._failed, self._members, self._sent):
            kept.clear()
        self._state = State.OPEN

    def _settle(self, deadline: float | None) -> None:
        """End a transaction that did not come to its end in time."""
        if self._state is State.ABORTING:
            self._abort(deadline)
        elif self._state is State.COMMITTING:
            try:
                self._commit(deadline)
            except Failure as failure:
                if failure.errorcode[-1] == "abortable":
                    self._abort(deadline)
                raise

    def _commit(self, deadline: float | None) -> None:
        self._on_end()
        if self._state is State.OPEN and self._failed:
            number = len(self._failed)
            were = "1 message was" if number == 1 else f"{number} messages were"
            raise worded(kafka_failure(self._failed[0], f"{were} not delivered"), "abortable")
        self._state = State.COMMITTING
        try:
            self._calls.commit(deadline)
        except Failure as failure:
            if failure.errorcode[-1] == "abortable":
                self._state = State.BROKEN
            raise
        self._state = State.READY
        for handed in self._sent:
            handed.member.settle(handed.positions)

    def _abort(self, deadline: float | None) -> None:
        self._on_end()
        was, self._state = self._state, State.ABORTING
        try:
            self._calls.abort(deadline, is_new=was is State.OPEN)
            self._state = State.READY
        finally:
            for member in self._members if was is not State.ABORTING else ():
                member.go_back()

    def _fail(self) -> None:
        """There was a fatal error."""
        self._doubt()
        self._state = State.FAILED

    def _doubt(self) -> None:
        """It is not known how the transaction that is under way ends, if one is."""
        if self._state in _UNDER_WAY:
            for member in tuple(self._members):
                member.doubt()

    def _require(self, *states: State) -> None:
        if self._state is State.FAILED:
            raise worded(kafka_failure(FATAL, ANEW), "fatal")
        if self._state not in states:
            raise kafka_failure(NOT_STARTED, self._state.value)

    @contextmanager
    def _command(self, timeout_ms: int | None = None) -> Iterator[float | None]:
        """One command at a time.

        :returns: its deadline.
        :raises Failure: another one is under way; there is no ``transactional.id``.
        """
        if not self.are_configured:
            more = "transactions need transactional.id: set it on the master before the producer is made"
            raise kafka_failure(NOT_CONFIGURED, more)
        if not self._turn.acquire(blocking=False):
            raise kafka_failure(CONFLICT, "another command about transactions is under way")
        try:
            yield deadline_after(self._default_ms if timeout_ms is None else timeout_ms)
        finally:
            if self._calls.has_failed:
                self._fail()
            self._turn.release()


def _refused(*words: str) -> Failure:
    return kafka_failure(NOT_STARTED, "; ".join(filter(None, words)))
