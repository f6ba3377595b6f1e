"""librdkafka's calls about transactions.

They may be made again when they have timed out, and go on then.  So each is made of
short ones here: between two of them a signal is seen, and the end of the handle.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L9133-L9330
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable

from kafkatcl.engine.errors import kafka_failure, with_reason, worded
from kafkatcl.engine.secrets import scrub
from kafkatcl.engine.waiting import interruptibly, remaining
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import NOT_STARTED
from kafkatcl.librdkafka.wrapper import KafkaException

#: How long each of the calls that make up one of ours takes at most, and how long it
#: takes at least when it fails.
_SLICE_SECONDS, _PAUSE_SECONDS = 0.1, 0.05
#: How long an abort waits until the cluster knows of the transaction.
_REGISTER_SECONDS = 2.0
#: Where only failures are reported, librdkafka looks each 10 ms whether all is
#: delivered, longer than a transaction takes.  So we look, for so long and so often.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.c#L4740-L4760
_LOOKING_SECONDS, _LOOK_SECONDS = 0.1, 0.001
#: What is left to do after a fatal error, and what ends a call.
ANEW = "this producer can do nothing more: delete it and make a new one"
DELETED = "the handle was deleted"


class TransactionCalls:
    """The calls of one producer; one at a time.

    All raise Failure with what librdkafka says, and with a further word in errorCode
    where that says how to go on: ``retriable``, ``abortable``, or ``fatal``.  A
    ``deadline`` is by ``time.monotonic``, None for never.

    :param client: the ``confluent_kafka.Producer``.
    :param why: says what is known of brokers that cannot be reached.
    """

    def __init__(self, client: Any, why: Callable[[], str]) -> None:
        self._client = client
        self._why = why
        #: Set by any thread to have a call that is under way end soon.
        self.is_ending = False
        #: Whether there was a fatal error.
        self.has_failed = False

    def init(self, deadline: float | None) -> None:
        """Get a place at the cluster; waits for transactions of earlier producers."""
        self._until(deadline, self._client.init_transactions)

    def begin(self) -> None:
        """Begin a transaction; nothing is waited for."""
        with self._errors():
            self._client.begin_transaction()

    def send_offsets(self, positions: Sequence[Any], group: Any, deadline: float | None) -> None:
        """Add positions of a consumer to the transaction.  This call cannot be made
        again, so only a signal ends the wait for it.
        """
        left = remaining(deadline)
        words = (list(positions), group, -1 if left is None else left)
        with self._errors():
            interruptibly(lambda: self._client.send_offsets_to_transaction(*words))

    def commit(self, deadline: float | None) -> None:
        """Deliver all messages, and commit."""
        self._deliver(deadline, _LOOKING_SECONDS)
        self._until(deadline, self._client.commit_transaction)

    def abort(self, deadline: float | None, *, is_new: bool) -> None:
        """Abort.

        If the cluster is still busy with the transaction before, and does not know of
        this one, librdkafka asks for its end all the same, and what the cluster answers
        is a fatal error.  So what is queued is sent before, by which the cluster learns
        of the transaction.
        https://github.com/confluentinc/librdkafka/issues/4849

        :param is_new: whether nothing has failed, and no abort has begun.
        """
        if is_new:
            self._deliver(deadline, _REGISTER_SECONDS)
        self._until(deadline, self._client.abort_transaction)

    def _deliver(self, deadline: float | None, seconds: float) -> None:
        """Wait for so long until all messages are delivered."""
        until = time.monotonic() + seconds
        with self._errors():
            while len(self._client) and time.monotonic() < until and remaining(deadline) != 0:
                self._client.flush(_LOOK_SECONDS)

    def _until(self, deadline: float | None, call: Callable[[float], Any]) -> None:
        """Make a call again as long as its errors are retriable.

        :param call: takes a time in seconds.
        """
        while not self.is_ending:
            left, begin = remaining(deadline), time.monotonic()
            try:
                with self._errors():
                    call(_SLICE_SECONDS if left is None else min(left, _SLICE_SECONDS))
                return
            except Failure as failure:
                if left == 0 or failure.errorcode[-1] != "retriable":
                    raise
            time.sleep(max(begin + _PAUSE_SECONDS - time.monotonic(), 0))
        raise kafka_failure(NOT_STARTED, DELETED)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise self._failure(error.args[0]) from error
        except SystemError as error:  # a fatal error while a report was told
            if not isinstance(error.__cause__, KafkaException):
                raise
            raise self._failure(error.__cause__.args[0]) from error

    def _failure(self, error: Any) -> Failure:
        more = with_reason(error.code(), scrub(error.str()), self._why)
        if error.fatal():
            self.has_failed = True
            return worded(kafka_failure(error.code(), f"{more}; {ANEW}"), "fatal")
        failure = kafka_failure(error.code(), more)
        if error.txn_requires_abort():
            return worded(failure, "abortable")
        return worded(failure, "retriable") if error.retriable() else failure
