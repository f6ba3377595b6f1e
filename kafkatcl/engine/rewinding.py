"""Partitions that are read again from an earlier offset, while they stay assigned."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from kafkatcl.engine.flow import TopicPartitionPair
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.librdkafka.wrapper import KafkaException, TopicPartition


def rewind(subscriber: Subscriber, targets: Mapping[TopicPartitionPair, int]) -> None:
    """Have a subscriber read partitions from these offsets on.

    What was fetched of them is dropped, and what the script has of them in flight does
    not count as consumed.  Partitions that are not assigned any more are passed over.
    """
    with subscriber.lock:
        if subscriber.deleted:
            return
        # What the poll thread has taken and not routed yet would come behind.
        subscriber.await_routed()
        for topic_partition, offset in targets.items():
            subscriber.messages.drop(*topic_partition)
            with suppress(KafkaException):
                subscriber.client.seek(TopicPartition(*topic_partition, offset))
                subscriber.offsets.go_to(topic_partition, offset)
        subscriber.lock.notify_all()
