"""Bridge calls for the transactions of producers.

A ``timeout_ms`` may be left out or empty, for the ``transaction.timeout.ms`` of the
producer; a ``subscriber`` is empty for none.  Errors of Kafka have one more word in
their errorCode where it is known how to go on: ``retriable``, ``abortable``, or
``fatal``.  What all calls may fail with: the handle is no producer, or has no
``transactional.id``; another command about transactions is under way.
"""

from __future__ import annotations

from kafkatcl.bridge.arguments import parse_integer, parse_position
from kafkatcl.bridge.calls.places import positions_of
from kafkatcl.bridge.calls.registry import bridge_call
from kafkatcl.bridge.sessions import find
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.handover import Handover
from kafkatcl.engine.lookup import LOOKUP_MS
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.engine.transactions import Transactions
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT


@bridge_call
def transactions_init(handle: str, timeout_ms: str = "") -> None:
    """Get ready for transactions, and end those of an earlier producer.

    :raises Failure: it was done already; the cluster refuses, or does not answer.
    """
    _transactions(handle).init(_timeout(timeout_ms))


@bridge_call
def transaction_open(handle: str, subscriber: str, timeout_ms: str) -> None:
    """Begin a transaction, and do all that must be done before.

    :param subscriber: whose positions are to go with it.
    :raises Failure: one is under way; the subscriber commits by itself; as
        :func:`transactions_init`.
    """
    transactions, timeout = _transactions(handle), _timeout(timeout_ms)
    transactions.open(Handover(find(subscriber, Subscriber)) if subscriber else None, timeout)


@bridge_call
def transaction_begin(handle: str) -> None:
    """Begin a transaction; nothing is waited for.

    :raises Failure: one is under way; :func:`transactions_init` was not called.
    """
    _transactions(handle).begin()


@bridge_call
def transaction_send_offsets(handle: str, subscriber: str, timeout_ms: str, *words: str) -> None:
    """Have positions of a subscriber committed with the transaction.

    :param words: positions, each with the offset of the next message to read; none:
        those of all that was handed over and is not committed.
    :raises Failure: no transaction is under way; the subscriber commits by itself, has
        lost partitions, or is no longer a member of its group.
    """
    transactions, timeout = _transactions(handle), _timeout(timeout_ms)
    member = find(subscriber, Subscriber)
    positions = member.resolve(positions_of(words, parse_position), LOOKUP_MS if timeout is None else timeout)
    transactions.send_offsets(Handover(member).handed_over(positions), timeout)


@bridge_call
def transaction_commit(handle: str, timeout_ms: str = "") -> None:
    """Deliver all messages and commit the transaction.

    :raises Failure: messages were not delivered; the cluster refuses; the time is over.
    """
    _transactions(handle).commit(_timeout(timeout_ms))


@bridge_call
def transaction_abort(handle: str, timeout_ms: str = "") -> None:
    """Abort the transaction; the subscribers that have part in it go back to what is
    committed.

    :raises Failure: no transaction is under way, or a commit is; the time is over.
    """
    _transactions(handle).abort(_timeout(timeout_ms))


def _transactions(handle: str) -> Transactions:
    found = find(handle, Handle)
    if not isinstance(found, ProducerHandle):
        raise kafka_failure(INVALID_ARGUMENT, "transactions are of producers, and this handle is a consumer")
    return found.transactions


def _timeout(timeout_ms: str) -> int | None:
    return parse_integer(timeout_ms) if timeout_ms else None
