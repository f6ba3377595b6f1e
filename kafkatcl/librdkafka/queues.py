"""Queues of librdkafka: whoever waits for one has librdkafka write to a descriptor,
and sleeps in poll(2).
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Any

from kafkatcl.librdkafka.library import function

#: What is written to the descriptor: the number 1 in 8 bytes, as an eventfd wants it.
#: https://man.archlinux.org/man/eventfd.2.en
SIGNAL = struct.pack("=Q", 1)

_POINTER = ctypes.c_void_p

_io_event_enable = function(
    "rd_kafka_queue_io_event_enable", None, [_POINTER, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
)
#: The queue of a consumer, a pointer for :func:`destroy`, by that to its client.
of_consumer = function("rd_kafka_queue_get_consumer", _POINTER, [_POINTER])
#: Give up a pointer to a queue; its signals stay.
destroy = function("rd_kafka_queue_destroy", None, [_POINTER])


def signal(queue: Any, descriptor: int) -> None:
    """Have ``SIGNAL`` written to ``descriptor`` whenever something comes into the queue
    while it is empty; whoever reads the signal must empty the queue.

    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3842-L3858

    :param queue: a pointer to a ``rd_kafka_queue_t``; :func:`give_up` destroys it.
    :param descriptor: is set to non-blocking, as librdkafka demands.
    """
    os.set_blocking(descriptor, False)
    _io_event_enable(queue, descriptor, SIGNAL, len(SIGNAL))


def give_up(queue: Any) -> None:
    """Stop the signals, and destroy the queue."""
    _io_event_enable(queue, -1, None, 0)
    destroy(queue)
