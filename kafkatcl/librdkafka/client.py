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
from typing import Any, Callable, Protocol

from kafkatcl.librdkafka import queues
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.live_conf import LiveConf
from kafkatcl.librdkafka.logs import LogQueue
from kafkatcl.librdkafka.message_queue import MessageQueue
from kafkatcl.librdkafka.partition_counts import partition_count
from kafkatcl.librdkafka.reporting import Reports
from kafkatcl.librdkafka.sending import MessageSender
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
_rebalance_protocol = function("rd_kafka_rebalance_protocol", _TEXT, [_POINTER])
_last_error = function("rd_kafka_last_error", _INT, [])
_queue_get_main = function("rd_kafka_queue_get_main", _POINTER, [_POINTER])
_conf_set_rebalance_cb = function("rd_kafka_conf_set_rebalance_cb", None, [_POINTER, _POINTER])
_conf_set_error_cb = function("rd_kafka_conf_set_error_cb", None, [_POINTER, _POINTER])
_assignment_lost = function("rd_kafka_assignment_lost", _INT, [_POINTER])

#: RD_KAFKA_EVENT_REBALANCE, a bit of the property enabled_events.
_REBALANCE_EVENT = 0x10


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


class Borrower(Protocol):
    """What uses a client and a topic of it by their pointers."""

    def open(self, client: Any, topic: Any) -> None:
        """Begin to use them."""


class NativeClient:
    """The ``rd_kafka_t`` of an open ``confluent_kafka`` Producer, Consumer or
    ShareConsumer.
    """

    def __init__(self, client: Any) -> None:
        self._pointer = _pointer_of(client)
        self._queues: list[Any] = []
        self._conf = LiveConf(self._pointer)
        self.reports = Reports(self._conf)

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

    def setting(self, name: str) -> str:
        """The value of a property that the client works with; empty for none."""
        return self._conf.get(name)

    def is_assignment_lost(self) -> bool:
        """Whether the group has put this consumer out, and it does not know yet which
        partitions it has lost.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L4570-L4590
        """
        return bool(_assignment_lost(self._pointer))

    def set_log_level(self, level: int) -> None:
        """Let log lines up to this syslog level through."""
        _set_log_level(self._pointer, level)

    def output_queue_length(self) -> int:
        """Messages not yet delivered, and what waits in the main queue to be polled:
        reports, errors, statistics.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L6557-L6580
        """
        return int(_outq_len(self._pointer))

    def rebalances_incrementally(self) -> bool:
        """Whether the group of a consumer takes and gives single partitions, and not
        all at each rebalance.
        """
        return bool(_rebalance_protocol(self._pointer) == b"COOPERATIVE")

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

    def partition_count(self, topic: Any, timeout_ms: int) -> int:
        """How many partitions the cluster says a topic of :meth:`open_topic` has
        (waits); 0 if it says nothing in time, or has an error instead.
        """
        return partition_count(self._pointer, topic, timeout_ms)

    def signal_events(self, descriptor: int, *, consumer: bool) -> None:
        """Have ``queues.SIGNAL`` written to ``descriptor`` when the client gets
        something to be polled for, and had nothing before.

        :param consumer: whether the consumer's queue is meant, or the main queue.
        """
        get_queue = queues.of_consumer if consumer else _queue_get_main
        queue = get_queue(self._pointer)
        queues.signal(queue, descriptor)
        self._queues.append(queue)

    def message_queue(self, descriptor: int) -> MessageQueue:
        """A queue for the messages of some partitions, see :class:`MessageQueue`."""
        return MessageQueue(self._pointer, descriptor)

    def divert_errors(self, divert: Callable[[Any, int], int]) -> None:
        """Set another callback for errors in the configuration that the client uses.

        :param divert: gets the pointer of the client and the address of the present
            one, and gives the address of the other.
        """
        callback = divert(self._pointer, int(self._conf.get("error_cb"), 16))
        _conf_set_error_cb(self._conf.pointer, callback)

    def lend_topic(self, borrower: Borrower, topic: Any) -> None:
        """Let another use the client and a topic of :meth:`open_topic`; whoever closes
        either has to end that before.
        """
        borrower.open(self._pointer, topic)

    def message_sender(self, topic: Any) -> MessageSender:
        """What queues messages for a topic of :meth:`open_topic`."""
        return MessageSender(self._pointer, topic)

    def fetch_at_most(self, count: int) -> None:
        """Have a share consumer fetch so many messages at once from now on.

        librdkafka reads this in the configuration that the client is using, for each
        fetch (``max_records`` in
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_fetcher.c).
        """
        self._conf.set("max.poll.records", str(count))

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
        librdkafka answers rebalances itself from then on.  The wrapper would do it with
        Python's lock held, and for ever: a group that has ended answers nothing, and
        the whole process would stand still (``rd_kafka_cgrp_op_serve`` in
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_cgrp.c).
        """
        events = int(self._conf.get("enabled_events"))
        self._conf.set("enabled_events", str(events & ~_REBALANCE_EVENT))
        _conf_set_rebalance_cb(self._conf.pointer, None)
        for queue in self._queues:
            queues.give_up(queue)
        self._queues.clear()
