"""A queue that the messages of some partitions come into, and nothing else: no callback
of a consumer is ever called from there, but that for errors.
"""

from __future__ import annotations

import ctypes
from typing import Any

from kafkatcl.librdkafka import queues
from kafkatcl.librdkafka.library import function

_POINTER = ctypes.c_void_p

_new = function("rd_kafka_queue_new", _POINTER, [_POINTER])
_get_partition = function(
    "rd_kafka_queue_get_partition", _POINTER, [_POINTER, ctypes.c_char_p, ctypes.c_int32]
)
_forward = function("rd_kafka_queue_forward", None, [_POINTER, _POINTER])


class MessageQueue:
    """The queue of some partitions of a consumer.

    A partition has a queue of its own.  When it is assigned, librdkafka has that lead
    to the queue of the consumer, unless somebody has let it lead somewhere before.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3797-L3830

    :param client: a pointer to the ``rd_kafka_t``.
    :param descriptor: is signalled when something comes, as by ``queues.signal``.
    """

    def __init__(self, client: Any, descriptor: int) -> None:
        self._client = client
        self._descriptor = descriptor
        #: A pointer to the ``rd_kafka_queue_t``.
        self.pointer = _new(client)
        #: The same of the queue that partitions lead to.
        self.target = self.pointer
        queues.signal(self.pointer, descriptor)

    def lead(self, topic: str, partition: int) -> int:
        """Have what comes of a partition come here, which is not assigned yet.

        While a former assignment of it ends librdkafka may cut the connection.  So it
        is to be made again, by ``rd_kafka_queue_forward``, until a message has come.
        (``rd_kafka_toppar_fetch_stop`` in
        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_partition.c)

        :returns: a pointer to the queue of the partition, for :meth:`give_up`; 0 if
            there can be no such partition.
        """
        queue = _get_partition(self._client, topic.encode("utf-8", "surrogateescape"), partition)
        if queue:
            queues.signal(queue, self._descriptor)
            _forward(queue, self.target)
        return int(queue or 0)

    def retreat(self) -> None:
        """Have partitions lead to the queue of the consumer from now on; once."""
        self.target = queues.of_consumer(self._client)

    def give_up(self, queue: int) -> None:
        """Have nothing come of a partition any more."""
        _forward(queue, None)
        queues.give_up(queue)

    def close(self) -> None:
        """Destroy the queue, before its client is closed."""
        if self.target != self.pointer:
            queues.destroy(self.target)
        queues.give_up(self.pointer)
