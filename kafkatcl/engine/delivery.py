"""What has become of the messages that were produced to a topic from a moment on."""

from __future__ import annotations

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.flushing import flush
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.shutdown import flush_seconds
from kafkatcl.librdkafka.errors import TIMED_OUT


class Delivery:
    """The delivery of what is produced to a topic, by any object of the handle."""

    def __init__(self, topic: ProducerTopic) -> None:
        self._topic = topic
        self._before = self._failed()

    def be_patient(self, wanted: bool) -> None:
        """Have what produces to the handle wait for room in its queue, however long
        that takes; messages that are not delivered time out and make room.
        """
        self._topic.handle.is_patient = wanted

    def wait(self) -> None:
        """Wait until the handle has delivered all that is queued, for as long as at the
        end of the program.

        :raises Failure: messages of the topic were not delivered; some are still
            queued; the handle was deleted.
        """
        left = flush(self._topic.handle, int(flush_seconds() * 1000))
        failed = {code: count - self._before.get(code, 0) for code, count in self._failed().items()}
        for code, count in failed.items():
            if count:
                raise kafka_failure(
                    code, f"{sum(failed.values())} messages of {self._name} were not delivered"
                )
        if left:
            seconds = f"after {flush_seconds():g} s"
            raise kafka_failure(TIMED_OUT, f"{left} messages are still queued {seconds}")

    @property
    def _name(self) -> str:
        return f"topic '{self._topic.topic.name}'"

    def _failed(self) -> dict[int, int]:
        """How many messages of the topic have failed, by the code of the error."""
        failures = self._topic.handle.failures
        return {
            code: count for (topic, code), count in list(failures.items()) if topic == self._topic.topic.name
        }
