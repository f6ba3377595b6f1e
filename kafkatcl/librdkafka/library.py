"""The loaded library itself, with the signatures of the functions we call."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import confluent_kafka

# The extension module of confluent-kafka links its own copy of librdkafka; opening the module by its file
# gives the copy that is already in the process, never a second one.
_LIBRARY = ctypes.CDLL(confluent_kafka.cimpl.__file__)


def function(name: str, result: Any, arguments: Sequence[Any]) -> Any:
    """The librdkafka function ``name`` with its C signature; it is called with the GIL released."""
    found = _LIBRARY[name]  # indexing makes a function object of our own, so that signatures never collide
    found.restype = result
    found.argtypes = list(arguments)
    return found


_version_str = function("rd_kafka_version_str", ctypes.c_char_p, [])


def version() -> str:
    """The version of librdkafka, such as ``2.16.0``."""
    return str(_version_str().decode())
