"""librdkafka's partitioners: which partition a key leads to."""

from __future__ import annotations

import ctypes

from kafkatcl.librdkafka.library import function

_POINTER = ctypes.c_void_p
_ARGUMENTS = [_POINTER, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32, _POINTER, _POINTER]

#: Those by which a key alone decides.
_PARTITIONERS = {
    name: function(f"rd_kafka_msg_partitioner_{name}", ctypes.c_int32, _ARGUMENTS)
    for name in ("consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random")
}


def partition_for(partitioner: str, key: bytes, count: int) -> int:
    """The partition that a partitioner chooses for a key.

    Where librdkafka has empty keys go anywhere, its own function would choose one at
    random here, and ask a topic that there is not whether that can be reached:
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_msg.c#L1072-L1085

    :param partitioner: librdkafka's name for it.
    :param count: how many partitions there are, at least 1.
    :returns: -1 where it chooses at random.
    """
    if partitioner not in _PARTITIONERS or (partitioner == "consistent_random" and not key):
        return -1
    return int(_PARTITIONERS[partitioner](None, key, len(key), count, None, None))
