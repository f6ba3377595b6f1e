"""Where the library's functions lie in memory, for code that is no Python."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from kafkatcl.librdkafka.library import function


def addresses(names: Sequence[str]) -> list[int]:
    """The addresses of functions.

    :raises AttributeError: this librdkafka has not all of them.
    """
    return [ctypes.cast(function(name, None, []), ctypes.c_void_p).value or 0 for name in names]


def major_version() -> int:
    """The first number of the version of the library.

    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L149-L173
    """
    return int(function("rd_kafka_version", ctypes.c_int, [])()) >> 24
