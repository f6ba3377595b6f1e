"""Delivery reports without the wrapper: what librdkafka tells of a message.

The wrapper tells no status, and hears of no message that was produced without it: its
callback passes over those without a state of its own.
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Producer.c#L133-L143

So the callback is set in the configuration that the client is using.  librdkafka calls
that configuration read-only, so this is beyond its interface:
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1937-L1946
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple

from kafkatcl.librdkafka.library import function, quick_function
from kafkatcl.librdkafka.live_conf import LiveConf
from kafkatcl.librdkafka.producing import Message, topic_of

_POINTER = ctypes.c_void_p

_REPORT = ctypes.CFUNCTYPE(None, _POINTER, ctypes.POINTER(Message), _POINTER)
_conf_set_dr_msg_cb = function("rd_kafka_conf_set_dr_msg_cb", None, [_POINTER, _REPORT])
_message_status = quick_function("rd_kafka_message_status")
_message_latency = quick_function("rd_kafka_message_latency")
_message_latency.restype = ctypes.c_int64

# In the order of their numbers:
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1730-L1744
_STATUS = ("not", "possibly", "persisted")


class Delivery(NamedTuple):
    """The outcome of a message, as librdkafka tells it.

    ``code`` is 0 where there is no error; ``latency`` is in microseconds; ``status`` is
    what is known of the message being in the log: ``persisted``, ``possibly``, ``not``.
    """

    code: int
    topic: str
    partition: int
    offset: int
    payload: bytes | None
    key: bytes | None
    latency: int
    status: str


#: Is told the opaque number of a message, and its outcome.
TellDelivery = Callable[[int, Delivery], None]


class Reports:
    """The report callback of a client.

    Whoever polls or flushes the client calls it, in that thread.

    :param conf: the configuration that the client is using.
    """

    def __init__(self, conf: LiveConf) -> None:
        self._conf = conf
        self._callbacks: list[Any] = []  # for as long as the client may call them

    def take_failures(self, tell_failure: Callable[[str, int], None], tell: TellDelivery) -> None:
        """Have all reports come here; call it before the first message, and only where
        all are produced without the wrapper.

        librdkafka drops the reports of delivered messages unless :meth:`want_all` says
        otherwise, which saves the client the work:
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L3074-L3077

        :param tell_failure: gets the topic and the error code of each message without
            an opaque number that was not delivered.
        :param tell: gets the reports of all messages with one.
        """

        def report(_client: Any, message: Any, _opaque: Any) -> None:
            told = message.contents
            if told._private:
                tell(told._private, _delivery(message, told))
            elif told.err:
                tell_failure(topic_of(told), told.err)

        self._call(report)
        self.want_all(False)

    def want_all(self, wanted: bool) -> None:
        """Say whether messages that are delivered are reported, or failures only (any
        thread).
        """
        self._conf.set("delivery.report.only.error", "false" if wanted else "true")

    def take_own(self, tell: TellDelivery) -> None:
        """Have the reports of messages with an odd opaque number come here, and all
        others go on to the wrapper.

        The wrapper's opaque of a message is the address of a structure, and so even.
        """
        wrapper = _REPORT(int(self._conf.get("dr_msg_cb"), 16))

        def report(client: Any, message: Any, opaque: Any) -> None:
            told = message.contents
            if (told._private or 0) & 1:
                tell(told._private, _delivery(message, told))
            else:
                wrapper(client, message, opaque)

        self._call(report)

    def _call(self, report: Callable[[Any, Any, Any], None]) -> None:
        self._callbacks.append(_REPORT(report))
        _conf_set_dr_msg_cb(self._conf.pointer, self._callbacks[-1])


def _delivery(message: Any, told: Message) -> Delivery:
    return Delivery(
        told.err,
        topic_of(told),
        told.partition,
        told.offset,
        ctypes.string_at(told.payload, told.len) if told.payload else None,
        ctypes.string_at(told.key, told.key_len) if told.key else None,
        _message_latency(message),
        _STATUS[_message_status(message)],
    )
