"""How many partitions a topic has, asked without the wrapper:
its answers want classes that take longer to import than all of our own modules.
"""

from __future__ import annotations

import ctypes
from typing import Any

from kafkatcl.librdkafka.library import function


class _Topic(ctypes.Structure):
    """``rd_kafka_metadata_topic_t`` in
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L6165-L6170
    """

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("partition_count", ctypes.c_int),
        ("partitions", ctypes.c_void_p),
        ("error", ctypes.c_int),
    )


class _Metadata(ctypes.Structure):
    """``rd_kafka_metadata_t``, as far as it is needed:
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L6176-L6185
    """

    _fields_ = (
        ("broker_count", ctypes.c_int),
        ("brokers", ctypes.c_void_p),
        ("topic_count", ctypes.c_int),
        ("topics", ctypes.POINTER(_Topic)),
    )


_Answer = ctypes.POINTER(_Metadata)
_metadata = function(
    "rd_kafka_metadata",
    ctypes.c_int,
    [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Answer), ctypes.c_int],
)
_metadata_destroy = function("rd_kafka_metadata_destroy", None, [_Answer])


def partition_count(client: Any, topic: Any, timeout_ms: int) -> int:
    """How many partitions the cluster says a topic has (waits); 0 without an answer in
    time, and if there is an error.

    :param client: its pointer.
    :param topic: that of ``NativeClient.open_topic``.
    """
    answer = _Answer()
    if _metadata(client, 0, topic, ctypes.byref(answer), timeout_ms):
        return 0
    try:
        found = answer.contents
        return int(found.topics[0].partition_count) if found.topic_count and not found.topics[0].error else 0
    finally:
        _metadata_destroy(answer)
