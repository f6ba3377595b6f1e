"""Which librdkafka this is."""

from __future__ import annotations

import ctypes

from kafkatcl.librdkafka.library import function

_version_str = function("rd_kafka_version_str", ctypes.c_char_p, [])


def version() -> str:
    """The version of librdkafka, such as ``2.16.0``."""
    return str(_version_str().decode())
