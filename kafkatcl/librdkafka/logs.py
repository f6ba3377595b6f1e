"""Log lines of clients as data: librdkafka's own logger would print the bytes
that a broker sends unescaped.

https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.c#L379-L390

Every client has ``log.queue`` on, and librdkafka puts its lines into a queue as events.
What it logs when that queue is closed, in the last moments of a client, goes nowhere.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple

from kafkatcl.librdkafka import queues
from kafkatcl.librdkafka.library import function

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_INT = ctypes.c_int

_queue_new = function("rd_kafka_queue_new", _POINTER, [_POINTER])
_set_log_queue = function("rd_kafka_set_log_queue", _INT, [_POINTER, _POINTER])
_queue_length = function("rd_kafka_queue_length", ctypes.c_size_t, [_POINTER])
_queue_poll = function("rd_kafka_queue_poll", _POINTER, [_POINTER, _INT])
_event_log = function(
    "rd_kafka_event_log", _INT, [_POINTER, ctypes.POINTER(_TEXT), ctypes.POINTER(_TEXT), ctypes.POINTER(_INT)]
)
_event_destroy = function("rd_kafka_event_destroy", None, [_POINTER])


class LogLine(NamedTuple):
    """A line of librdkafka's log; ``level`` is a syslog level,
    0 (emergency) to 7 (debug).
    """

    level: int
    facility: str
    message: str


class LogQueue:
    """The lines of a client that nobody has taken yet.

    Those from before are among them: librdkafka keeps them until it has the queue.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md (log.queue)

    Any thread may use the queue until it is closed, which must be before the client is.

    :param pointer: the client's ``rd_kafka_t``.
    :param descriptor: is written to when a line comes and none was waiting.
    """

    def __init__(self, pointer: Any, descriptor: int) -> None:
        self.pointer = _queue_new(pointer)
        queues.signal(self.pointer, descriptor)
        _set_log_queue(pointer, self.pointer)

    def __len__(self) -> int:
        return int(_queue_length(self.pointer))

    def lines(self, max_lines: int) -> Iterator[LogLine]:
        """The oldest lines, up to ``max_lines`` of them."""
        facility, message, level = _TEXT(), _TEXT(), _INT()
        for _ in range(max_lines):
            event = _queue_poll(self.pointer, 0)
            if not event:
                return
            try:
                if _event_log(event, ctypes.byref(facility), ctypes.byref(message), ctypes.byref(level)) == 0:
                    yield LogLine(level.value, _decode(facility.value), _decode(message.value))
            finally:
                _event_destroy(event)

    def surplus(self, max_lines: int) -> Iterator[LogLine]:
        """The oldest lines, so many that ``max_lines`` are left."""
        while (number := len(self) - max_lines) > 0:
            yield from self.lines(number)

    def close(self) -> None:
        """Destroy the queue, with what is in it;
        its client may go on logging, to nowhere.
        """
        queues.give_up(self.pointer)


def _decode(text: bytes | None) -> str:
    return (text or b"").decode(errors="replace")
