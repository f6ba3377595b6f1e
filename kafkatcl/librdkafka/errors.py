"""librdkafka's error codes: the numbers of those that mean something to us,
and the names and texts of all.
"""

from __future__ import annotations

import ctypes

from confluent_kafka.cimpl import KafkaError

from kafkatcl.librdkafka.library import function

INVALID_ARGUMENT = int(KafkaError._INVALID_ARG)
QUEUE_FULL = int(KafkaError._QUEUE_FULL)
TIMED_OUT = int(KafkaError._TIMED_OUT)
TIMED_OUT_IN_QUEUE = int(KafkaError._TIMED_OUT_QUEUE)
MESSAGE_TIMED_OUT = int(KafkaError._MSG_TIMED_OUT)
REQUEST_TIMED_OUT = int(KafkaError.REQUEST_TIMED_OUT)
UNKNOWN_PARTITION = int(KafkaError._UNKNOWN_PARTITION)
UNKNOWN_TOPIC = int(KafkaError._UNKNOWN_TOPIC)
UNKNOWN_TOPIC_OR_PARTITION = int(KafkaError.UNKNOWN_TOPIC_OR_PART)
TOPIC_EXCEPTION = int(KafkaError.TOPIC_EXCEPTION)
TOPIC_FORBIDDEN = int(KafkaError.TOPIC_AUTHORIZATION_FAILED)
PARTITION_END = int(KafkaError._PARTITION_EOF)
AUTO_OFFSET_RESET = int(KafkaError._AUTO_OFFSET_RESET)
TRANSPORT = int(KafkaError._TRANSPORT)
ALL_BROKERS_DOWN = int(KafkaError._ALL_BROKERS_DOWN)
NOT_RESOLVED = int(KafkaError._RESOLVE)
SSL = int(KafkaError._SSL)
NOT_AUTHENTICATED = int(KafkaError._AUTHENTICATION)
WAITING_FOR_COORDINATOR = int(KafkaError._WAIT_COORD)
NO_COORDINATOR = int(KafkaError.COORDINATOR_NOT_AVAILABLE)
FATAL = int(KafkaError._FATAL)
MAX_POLL_EXCEEDED = int(KafkaError._MAX_POLL_EXCEEDED)
FAILED = int(KafkaError._FAIL)
CONFLICT = int(KafkaError._CONFLICT)
DESTROYED = int(KafkaError._DESTROY)
NOT_STARTED = int(KafkaError._STATE)
STOPPING = int(KafkaError._PREV_IN_PROGRESS)
OUTDATED = int(KafkaError._OUTDATED)
NO_OFFSET = int(KafkaError._NO_OFFSET)
CONFLICT = int(KafkaError._CONFLICT)
NO_RESOURCE = int(KafkaError._CRIT_SYS_RESOURCE)
MAX_POLL_EXCEEDED = int(KafkaError._MAX_POLL_EXCEEDED)
NOT_CONFIGURED = int(KafkaError._NOT_CONFIGURED)
ASSIGNMENT_LOST = int(KafkaError._ASSIGNMENT_LOST)
VALUE_NOT_CONVERTED = int(KafkaError._VALUE_DESERIALIZATION)
KEY_NOT_CONVERTED = int(KafkaError._KEY_DESERIALIZATION)
PURGED_IN_QUEUE = int(KafkaError._PURGE_QUEUE)
PURGED_IN_FLIGHT = int(KafkaError._PURGE_INFLIGHT)

_err2str = function("rd_kafka_err2str", ctypes.c_char_p, [ctypes.c_int])
_err2name = function("rd_kafka_err2name", ctypes.c_char_p, [ctypes.c_int])

# The C original knew three codes by names that librdkafka has since renamed; scripts
# test for these.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L455-L469
_ORIGINAL_NAMES = {
    14: "GROUP_LOAD_IN_PROGRESS",
    15: "GROUP_COORDINATOR_NOT_AVAILABLE",
    16: "NOT_COORDINATOR_FOR_GROUP",
}
_UNKNOWN = "RD_KAFKA_UNRECOGNIZED_ERROR"


def error_text(code: int) -> str:
    """The text of an error code, such as ``Local: Timed out``."""
    return str(_err2str(code).decode())


def error_name(code: int) -> str:
    """The name of an error code as C programs know it, such as
    ``RD_KAFKA_RESP_ERR__TIMED_OUT``.

    A number that is no error code has the name that the C original gave to those it did
    not know.
    """
    name = _ORIGINAL_NAMES.get(code) or _err2name(code).decode()
    return _UNKNOWN if name.startswith("ERR_") else f"RD_KAFKA_RESP_ERR_{name}"
