"""A confluent-kafka client seen as the ``rd_kafka_t`` it wraps:
for what its wrapper leaves out.

The wrapper keeps the pointer as the first field after the object header: ``Handle.rk``
in its sources today, ``rk`` of both its clients before they shared a struct in 2016.
Tests hold it to that.
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.h#L226-L227

A ``NativeClient`` is valid only while the client is open: its owner stops using it
before closing the client.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from kafkatcl.librdkafka import queues
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.logs import LogQueue
from kafkatcl.librdkafka.producing import Message
from kafkatcl.librdkafka.wrapper import ShareConsumer

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_INT = ctypes.c_int

_name = function("rd_kafka_name", _TEXT, [_POINTER])
_brokers_add = function("rd_kafka_brokers_add", _INT, [_POINTER, _TEXT])
_set_log_level = function("rd_kafka_set_log_level", None, [_POINTER, _INT])
_outq_len = function("rd_kafka_outq_len", _INT, [_POINTER])
_topic_new = function("rd_kafka_topic_new", _POINTER, [_POINTER, _TEXT, _POINTER])
_topic_destroy = function("rd_kafka_topic_destroy", None, [_POINTER])
_last_error = function("rd_kafka_last_error", _INT, [])
_queue_get_main = function("rd_kafka_queue_get_main", _POINTER, [_POINTER])
_queue_get_consumer = function("rd_kafka_queue_get_consumer", _POINTER, [_POINTER])
_REPORT = ctypes.CFUNCTYPE(None, _POINTER, ctypes.POINTER(Message), _POINTER)
_conf = function("rd_kafka_conf", _POINTER, [_POINTER])
_conf_set = function("rd_kafka_conf_set", _INT, [_POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t])
_conf_set_dr_msg_cb = function("rd_kafka_conf_set_dr_msg_cb", None, [_POINTER, _REPORT])
_topic_name = function("rd_kafka_topic_name", _TEXT, [_POINTER])


def _pointer_of(client: Any) -> Any:
    """The address of the ``rd_kafka_t`` of a client.

    A ShareConsumer has nothing in its first field, and a ``rd_kafka_share_t`` in its
    last one, whose own first field is the ``rd_kafka_t``.
    https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/ShareConsumer.c#L38-L44
    (``rd_kafka_share_s`` in
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_int.h)
    """
    if not isinstance(client, ShareConsumer):
        return _POINTER.from_address(id(client) + object.__basicsize__).value
    last = id(client) + ShareConsumer.__basicsize__ - ctypes.sizeof(_POINTER)
    return _POINTER.from_address(_POINTER.from_address(last).value or 0).value


class NativeClient:
    """The ``rd_kafka_t`` of an open ``confluent_kafka`` Producer, Consumer or
    ShareConsumer.
    """

    def __init__(self, client: Any) -> None:
        self._pointer = _pointer_of(client)
        self._queues: list[Any] = []
        self._report: Any = None  # the callback, for as long as the client may call it

    def name(self) -> str:
        """The name of the instance, such as ``rdkafka#producer-1``."""
        return str(_name(self._pointer).decode(errors="replace"))

    def add_brokers(self, brokers: str) -> int:
        """Add bootstrap brokers, ``host:port`` separated by commas.

        :returns: how many of them the client has as bootstrap brokers now.  librdkafka
            counts those that it had before as well, and stops at the first address that
            it cannot read.
            https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L5811-L5827
        """
        return int(_brokers_add(self._pointer, brokers.encode(errors="replace")))

    def set_log_level(self, level: int) -> None:
        """Let log lines up to this syslog level through."""
        _set_log_level(self._pointer, level)

    def output_queue_length(self) -> int:
        """Messages not yet delivered, and what waits in the main queue to be polled:
        reports, errors, statistics.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L6557-L6580
        """
        return int(_outq_len(self._pointer))

    def open_topic(self, name: str, conf: TopicConf | None = None) -> Any:
        """Make a topic known to the client with a configuration of its own,
        before its name is used.

        librdkafka has one topic per client and name, so later uses by name share this
        configuration; a topic that it has already keeps its own.
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3382-L3406

        :param conf: is copied; None means the client's defaults.
        :returns: a pointer for :meth:`close_topic` and :mod:`.producing`.
        :raises ValueError: librdkafka refuses the configuration or the name; the error
            code is the only argument.
        """
        released = conf.copy().release() if conf else None
        topic = _topic_new(self._pointer, name.encode("utf-8", "surrogateescape"), released)
        if not topic:
            raise ValueError(_last_error())
        return topic

    def close_topic(self, topic: Any) -> None:
        """Destroy a topic from :meth:`open_topic`."""
        _topic_destroy(topic)

    def signal_events(self, descriptor: int, *, consumer: bool) -> None:
        """Have ``queues.SIGNAL`` written to ``descriptor`` when the client gets
        something to be polled for, and had nothing before.

        :param consumer: whether the consumer's queue is meant, or the main queue.
        """
        get_queue = _queue_get_consumer if consumer else _queue_get_main
        queue = get_queue(self._pointer)
        queues.signal(queue, descriptor)
        self._queues.append(queue)

    def fetch_at_most(self, count: int) -> None:
        """Have a share consumer fetch so many messages at once from now on.

        librdkafka reads this in the configuration that the client is using, for each
        fetch (``max_records`` in
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_fetcher.c);
        to set it there is beyond its interface, as below.
        """
        _conf_set(_conf(self._pointer), b"max.poll.records", b"%d" % count, None, 0)

    def report_failures(self, tell: Callable[[str, int], None]) -> None:
        """Have ``tell`` called with the topic and the error code
        of each message that is not delivered.

        Only for messages that are produced without the wrapper, whose own report
        callback this replaces; call it before the first message.  Whoever polls or
        flushes the client calls ``tell``, in that thread.  librdkafka drops the reports
        of delivered messages, which also saves the client the work:
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L3074-L3077

        The wrapper could set neither: its own callback passes over messages without a
        state of the wrapper, and it keeps ``delivery.report.only.error`` to itself.
        https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Producer.c#L133-L143
        https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.c#L2650-L2656

        So both are set in the configuration that the client is using.  librdkafka calls
        that configuration read-only, so this is beyond its interface:
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1937-L1946
        """

        def report(_client: Any, message: Any, _opaque: Any) -> None:
            if message[0].err:
                tell(_topic_name(message[0].rkt).decode(errors="replace"), message[0].err)

        conf = _conf(self._pointer)
        self._report = _REPORT(report)
        _conf_set(conf, b"delivery.report.only.error", b"true", None, 0)
        _conf_set_dr_msg_cb(conf, self._report)

    def divert_logs(self, descriptor: int) -> LogQueue:
        """The queue that log lines come to from now on.

        The client needs ``log.queue=true``; its lines since it was made are in the
        queue as well.

        :param descriptor: is signalled as by :meth:`signal_events`.
        """
        return LogQueue(self._pointer, descriptor)

    def release(self) -> None:
        """Destroy our references to the client's queues, and stop their signals.

        Call it right before closing the client; nothing else here may be called then.
        """
        for queue in self._queues:
            queues.give_up(queue)
        self._queues.clear()
