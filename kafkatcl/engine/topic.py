"""Topic objects of scripts: what both kinds of them have."""

from __future__ import annotations

from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.shared_topic import SharedTopic
from kafkatcl.librdkafka.partitioners import partition_for
from kafkatcl.librdkafka.wrapper import consistent


class Topic:
    """A topic object of a handle, to produce to or to consume from."""

    #: Of payloads and keys as scripts have them; None: they are bytes.
    encoding: Encoding | None

    def __init__(self, handle: Handle, topic: SharedTopic) -> None:
        self.handle = handle
        self.topic = topic

    def partitions(self) -> int:
        """How many partitions the topic has.

        The cluster is asked each time (waits up to 5 s, see :meth:`Handle.metadata`).

        :raises Failure: there is no such topic, or no answer.
        """
        return self.handle.metadata(refresh=True).partitions(self.topic.name)

    def consistent_partition(self, key: bytes) -> int:
        """The partition of ``key`` by the consistent partitioner:
        CRC-32 modulo partitions.

        https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_msg.c#L1063-L1070

        The cluster is asked how many there are, see :meth:`partitions`.

        :returns: -1 where the topic has no partitions.
        :raises Failure: there is no such topic, or no answer.
        """
        count = self.partitions()
        return int(consistent(key, count)) if count else -1

    def partition_for(self, key: bytes) -> int:
        """The partition of ``key`` by the partitioner that the topic has.

        The cluster is asked how many there are, see :meth:`partitions`.

        :returns: -1 where the partitioner chooses at random, and where the topic has no
            partitions.
        :raises Failure: there is no such topic, or no answer.
        """
        count = self.partitions()
        return partition_for(self.topic.partitioner, key, count) if count else -1
