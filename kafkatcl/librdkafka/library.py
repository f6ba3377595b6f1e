"""The loaded library itself, with the signatures of the functions we call."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from kafkatcl.librdkafka import EXTENSION

# The extension module of confluent-kafka links its own copy of librdkafka; opening the
# module by its file gives the copy that is already in the process, never a second one.
_LIBRARY = ctypes.CDLL(EXTENSION.__file__)
_QUICK_LIBRARY = ctypes.PyDLL(EXTENSION.__file__)


def function(name: str, result: Any, arguments: Sequence[Any]) -> Any:
    """The librdkafka function ``name`` with its C signature;
    it is called with the GIL released.

    :param result: the ctypes type of the result, None for void.
    :param arguments: the ctypes types of the arguments.
    :raises AttributeError: this librdkafka has no such function.
    """
    found = _LIBRARY[name]  # indexing makes a function object of our own, so that signatures never collide
    found.restype = result
    found.argtypes = list(arguments)
    return found


def quick_function(name: str) -> Any:
    """The function ``name``, which returns an int,
    called with the GIL held and its arguments as they are.

    For calls that are over before another thread could have made use of the GIL.  What
    is an ``int`` in C is an int here; other numbers and pointers must be ``ctypes``
    objects, bytes, or ``None``: without a signature ctypes passes an int as a C int.
    https://docs.python.org/3/library/ctypes.html#calling-functions

    :raises AttributeError: this librdkafka has no such function.
    """
    return _QUICK_LIBRARY[name]
