"""Queues, into which the messages of several partitions flow."""

from __future__ import annotations

from kafkatcl.engine.buffer import MessageBuffer, Stopped


class Queue(MessageBuffer):
    """A queue: any number of partitions of any topics of its handle can feed it."""

    def delete(self) -> list[Stopped]:
        """Stop the partitions that feed the queue, and forget its messages."""
        return self.owner.close_queue(self)
