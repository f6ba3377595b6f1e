"""What Kafka says has gone wrong, as a :class:`Failure`
that a Tcl command can raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import (
    ALL_BROKERS_DOWN,
    INVALID_ARGUMENT,
    MESSAGE_TIMED_OUT,
    NO_COORDINATOR,
    NOT_AUTHENTICATED,
    NOT_RESOLVED,
    QUEUE_FULL,
    REQUEST_TIMED_OUT,
    SSL,
    TIMED_OUT,
    TIMED_OUT_IN_QUEUE,
    TRANSPORT,
    WAITING_FOR_COORDINATOR,
    error_name,
    error_text,
)
from kafkatcl.librdkafka.wrapper import KafkaException

#: Errors that may come of a broker that cannot be reached.
UNREACHED = frozenset((
    TRANSPORT, TIMED_OUT, TIMED_OUT_IN_QUEUE, MESSAGE_TIMED_OUT, REQUEST_TIMED_OUT, ALL_BROKERS_DOWN, NOT_RESOLVED, SSL,
    NOT_AUTHENTICATED, WAITING_FOR_COORDINATOR, NO_COORDINATOR, QUEUE_FULL,
))  # fmt: skip


def kafka_failure(code: int, more: str = "") -> Failure:
    """The failure with Kafka's error ``code``: ``kafka error: TEXT (MORE)``.

    :param code: librdkafka's number.
    :param more: what is known besides; the last word of the errorCode as well.
    """
    text = error_text(code)
    words = ("KAFKA", error_name(code), text)
    if more:
        return Failure(f"kafka error: {text} ({more})", (*words, more), code)
    return Failure(f"kafka error: {text}", words, code)


def bare_failure(code: int, more: str = "") -> Failure:
    """The same as subscribers tell it: ``TEXT (MORE)``."""
    failure = kafka_failure(code, more)
    failure.message = failure.message.partition(": ")[2]
    return failure


def worded(failure: Failure, word: str) -> Failure:
    """The same failure with one more word in its errorCode."""
    failure.errorcode = (*failure.errorcode, word)
    return failure


def no_reason() -> str:
    """The reason where none is known: an empty text."""
    return ""


def with_reason(code: int, more: str, why: Callable[[], str]) -> str:
    """What to tell besides an error: ``more``, and what ``why`` says, if the error may
    come of a broker that cannot be reached.
    """
    return "; ".join(filter(None, (more, why() if code in UNREACHED else "")))


@contextmanager
def kafka_errors(more: str = "", *, bare: bool = False, why: Callable[[], str] = no_reason) -> Iterator[None]:
    """Turn what confluent-kafka raises into a :class:`Failure`.

    :param more: what is known besides the error.
    :param bare: leave ``kafka error:`` out of the text, as subscribers do.
    :param why: says what else is known where brokers may not have been reached.
    :raises Failure: in the place of a KafkaException, of a BufferError (the queue is
        full), and of a ValueError, TypeError or OverflowError (an argument is bad).
    """
    try:
        yield
    except KafkaException as error:
        code = error.args[0].code()
        more = with_reason(code, more, why)
        raise bare_failure(code, more) if bare else kafka_failure(code, more) from error
    except BufferError as error:
        raise kafka_failure(QUEUE_FULL) from error
    except (ValueError, TypeError, OverflowError) as error:
        # We have checked the arguments before; the wrapper's own texts would mean
        # nothing to a script.
        more = ", ".join([*([more] if more else []), "a value is out of range, or no text for librdkafka"])
        raise kafka_failure(INVALID_ARGUMENT, more) from error
