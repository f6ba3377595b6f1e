"""Topics to consume from."""

from __future__ import annotations

from kafkatcl.engine.buffer import MessageBuffer, Stopped
from kafkatcl.engine.consumer import ConsumerHandle
from kafkatcl.engine.encodings import Encoding
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.forms import Form
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.queue import Queue
from kafkatcl.engine.shared_topic import SharedTopic
from kafkatcl.engine.topic import Topic
from kafkatcl.librdkafka.errors import (
    DESTROYED,
    INVALID_ARGUMENT,
)


class ConsumerTopic(Topic):
    """A topic to consume from."""

    handle: ConsumerHandle

    def __init__(self, handle: ConsumerHandle, topic: SharedTopic) -> None:
        super().__init__(handle, topic)
        #: Of the messages of all partitions that this object starts, but for those that
        #: feed a queue.
        self.form = Form()

    @property
    def encoding(self) -> Encoding | None:  # type: ignore[override]
        return self.form.encoding

    def start(self, partition: int, offset: int, callback_id: str | None = None) -> list[Stopped]:
        """Fetch a partition; with ``callback_id`` its messages go to that callback.

        Arguments, result and errors are those of :meth:`ConsumerHandle.start`.
        """
        buffer = MessageBuffer(self.handle, self.form)
        buffer.callback_id = callback_id
        return self.handle.start(self.topic, partition, offset, buffer, self)

    def start_queue(self, partition: int, offset: int, queue: Queue) -> list[Stopped]:
        """Fetch a partition into a queue of the same handle.

        :raises Failure: the queue was deleted, or belongs to another handle.
        """
        if queue.closed:
            raise kafka_failure(DESTROYED, "the queue was deleted")
        if queue.owner is not self.handle:
            raise kafka_failure(INVALID_ARGUMENT, "the queue belongs to another handle")
        return self.handle.start(self.topic, partition, offset, queue, self)

    def stop(self, partition: int) -> list[Stopped]:
        """Stop fetching a partition, see :meth:`ConsumerHandle.stop`."""
        return self.handle.stop(self.topic, partition)

    def buffer(self, partition: int, timeout_ms: int = 0) -> MessageBuffer:
        """What ``consume`` reads that waits ``timeout_ms``, see
        :meth:`ConsumerHandle.buffer`.
        """
        return self.handle.buffer(self.topic, partition, timeout_ms)

    def reading(self, partition: int) -> MessageBuffer | None:
        """The buffer of a partition that is being fetched; None if it is not."""
        route = self.handle.routes.get((self.topic.name, partition))
        return route.buffer if route else None

    def position(self, partition: int) -> int:
        """The next offset that the script is to have of a partition, or the invalid one
        where none was had.

        :raises Failure: the partition was not started.
        """
        wanted = [TopicPartitionOffset(self.topic.name, partition)]
        self.handle.require_read(wanted)
        return self.handle.read_positions(wanted)[0].offset

    def reform(self) -> None:
        """The script wants the messages in another form now."""
        self.handle.ask(self.form)
        for route in list(self.handle.routes.values()):
            if route.buffer.form is self.form:
                route.buffer.reform()

    def delete(self) -> list[Stopped]:
        """Stop the partitions that this object has started, and end its use of the
        topic.
        """
        stopped = self.handle.stop_all(self)
        self.handle.close_topic(self.topic)
        return stopped
