"""Queues of librdkafka: whoever waits
for what comes into one has a descriptor written to, and sleeps in poll(2).
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Any

from kafkatcl.librdkafka.library import function

#: What is written to the descriptor: the number 1, as an eventfd wants it.
SIGNAL = struct.pack("=Q", 1)

_POINTER = ctypes.c_void_p

_io_event_enable = function(
    "rd_kafka_queue_io_event_enable", None, [_POINTER, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
)
_destroy = function("rd_kafka_queue_destroy", None, [_POINTER])


def signal(queue: Any, descriptor: int) -> None:
    """Have ``SIGNAL`` written to ``descriptor`` whenever something comes into the
    queue.
    """
    os.set_blocking(descriptor, False)
    _io_event_enable(queue, descriptor, SIGNAL, len(SIGNAL))


def give_up(queue: Any) -> None:
    """Signal no more, and give the queue up."""
    _io_event_enable(queue, -1, None, 0)
    _destroy(queue)
