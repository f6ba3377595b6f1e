"""Producer handles and their topics."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any, Optional

from confluent_kafka import KafkaException, Producer

from kafkatcl.engine.errors import QUEUE_FULL, UNKNOWN_PARTITION, Failure, kafka_errors, kafka_failure
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.messages import error_row
from kafkatcl.engine.topic import SharedTopic, Topic

_ONLY_ERRORS = "delivery.report.only.error"
_UNASSIGNED = -1
_FLUSH_SLICE_SECONDS = 0.1

#: A message to produce: payload and key (None for no key).
Message = tuple[bytes, Optional[bytes]]


class ProducerHandle(Handle):
    """A handle whose topics produce."""

    consumes = False

    def _make(self, settings: dict[str, Any]) -> Producer:
        self._reports = "delivery" in self.master.wanted
        if self._reports:
            settings["on_delivery"] = self.tell_delivery
        # The one property that the wrapper looks at itself, and wants as a bool.
        if _ONLY_ERRORS in settings:
            settings[_ONLY_ERRORS] = settings[_ONLY_ERRORS] == "true"
        return Producer(settings)

    def _poll(self) -> bool:
        if not self.events.full():
            self.client.poll(0)
        return False

    def tell_delivery(self, error: Any, message: Any) -> None:
        """Tell the delivery callback of the master, if this report is one that it wants."""
        if self.deleted or not self._reports or not self.master.reports.tell():
            return
        self.events.post(self, self.master.callback("delivery"), _report(error, message))

    def _finish(self, end: float) -> None:
        # Short polls, never one long flush: a fatal error ends a flush half-way.
        while self._has_brokers and len(self.client) and (left := end - time.monotonic()) > 0:
            with suppress(KafkaException):
                self.client.flush(min(left, _FLUSH_SLICE_SECONDS))
        if lost := len(self.client):
            print(f"kafkatcl: {lost} messages of {self.name} were not delivered", file=sys.stderr)
            self.client.purge()
        self._release()
        self.client.close()


class ProducerTopic(Topic):
    """A topic to produce to."""

    handle: ProducerHandle

    def __init__(self, handle: ProducerHandle, topic: SharedTopic) -> None:
        super().__init__(handle, topic)
        self._produce = handle.client.produce

    def produce(self, partition: int, payload: bytes, key: bytes | None = None) -> None:
        """Queue one message; partition -1 leaves the choice to the partitioner.

        :raises Failure: it was not queued.
        """
        if self.handle.deleted:
            self.handle.check()
        if partition < _UNASSIGNED:
            raise kafka_failure(UNKNOWN_PARTITION)
        if not self.topic.is_open:
            self._produce_first(partition, payload, key)
            return
        with kafka_errors():
            self._produce(self.topic.name, payload, key, partition)

    def produce_batch(self, partition: int, messages: list[Message]) -> None:
        """Queue messages in their order; one that is refused does not hold up the others.

        :raises Failure: some were not queued; the first error and their number.  Nothing after a full queue
            was tried.
        """
        first: Failure | None = None
        refused = 0
        for number, (payload, key) in enumerate(messages):
            try:
                self.produce(partition, payload, key)
            except Failure as failure:
                first = first or failure
                if failure.code == QUEUE_FULL:
                    refused += len(messages) - number
                    break
                refused += 1
        if first:
            more = f"{refused} of {len(messages)} messages were not queued"
            raise Failure(f"{first.message} ({more})", (*first.errorcode, more))

    def _produce_first(self, partition: int, payload: bytes, key: bytes | None) -> None:
        """Queue the first message of a topic; it makes the client ask for the topic's metadata.

        A partition that does not exist is told by a delivery report then, as always when the metadata is not there
        yet, even if the answer was so quick that librdkafka refused the message.
        """
        self.topic.open(self.handle.native)
        with kafka_errors():
            try:
                self._produce(self.topic.name, payload, key, partition)
            except KafkaException as error:
                if error.args[0].code() != UNKNOWN_PARTITION or self.handle.knows_metadata():
                    raise
                self.handle.tell_delivery(error.args[0], None)

    def delete(self) -> None:
        """Give up the topic; what was queued is still delivered."""
        self.handle.close_topic(self.topic)


def _report(error: Any, message: Any) -> tuple[Any, ...]:
    if error is not None:
        return error_row(error).pairs()
    key = message.key()
    return (
        "payload", message.value() or b"", "partition", message.partition(), "offset", message.offset(),
        "topic", message.topic(), *(() if key is None else ("key", key)),
    )  # fmt: skip
