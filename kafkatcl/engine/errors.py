"""What Kafka says has gone wrong, as a :class:`Failure` that a Tcl command can raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from confluent_kafka import KafkaError, KafkaException

from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import error_name, error_text

INVALID_ARGUMENT = int(KafkaError._INVALID_ARG)
QUEUE_FULL = int(KafkaError._QUEUE_FULL)
TIMED_OUT = int(KafkaError._TIMED_OUT)
UNKNOWN_PARTITION = int(KafkaError._UNKNOWN_PARTITION)
UNKNOWN_TOPIC = int(KafkaError._UNKNOWN_TOPIC)
FATAL = int(KafkaError._FATAL)
FAILED = int(KafkaError._FAIL)
TRANSPORT = int(KafkaError._TRANSPORT)
DESTROYED = int(KafkaError._DESTROY)
NOT_STARTED = int(KafkaError._STATE)
NO_RESOURCE = int(KafkaError._CRIT_SYS_RESOURCE)
PURGED_IN_QUEUE = int(KafkaError._PURGE_QUEUE)
PURGED_IN_FLIGHT = int(KafkaError._PURGE_INFLIGHT)
#: What a broker that cannot be reached may be the reason of.
UNREACHED = frozenset(
    map(
        int,
        (
            KafkaError._TRANSPORT,
            KafkaError._TIMED_OUT,
            KafkaError._TIMED_OUT_QUEUE,
            KafkaError._MSG_TIMED_OUT,
            KafkaError._ALL_BROKERS_DOWN,
            KafkaError._RESOLVE,
            KafkaError._SSL,
            KafkaError._AUTHENTICATION,
            KafkaError._WAIT_COORD,
            KafkaError._QUEUE_FULL,
            KafkaError.COORDINATOR_NOT_AVAILABLE,
            KafkaError.REQUEST_TIMED_OUT,
        ),
    )
)


def kafka_failure(code: int, more: str = "") -> Failure:
    """The failure with Kafka's error ``code``: ``kafka error: TEXT (MORE)``."""
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


def no_reason() -> str:
    """The reason of what nothing more is known about."""
    return ""


def with_reason(code: int, more: str, why: Callable[[], str]) -> str:
    """What to tell besides an error: ``more``, and ``why`` brokers may not have been reached, if it can be that."""
    return "; ".join(filter(None, (more, why() if code in UNREACHED else "")))


@contextmanager
def kafka_errors(more: str = "", *, bare: bool = False, why: Callable[[], str] = no_reason) -> Iterator[None]:
    """Turn what confluent-kafka raises into a :class:`Failure`.

    :param why: says what else is known where brokers may not have been reached.
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
        # Arguments were looked at before: what the wrapper finds wrong with them it does not say in our terms.
        more = ", ".join([*([more] if more else []), "a value is out of range, or no text for librdkafka"])
        raise kafka_failure(INVALID_ARGUMENT, more) from error
