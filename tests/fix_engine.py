"""The engine without Tcl: handles whose events nobody takes but the test."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable

from fix_cluster import Cluster

from kafkatcl.engine.consumer import ConsumerHandle
from kafkatcl.engine.consumer_topic import ConsumerTopic
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import Run
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.librdkafka.batches import OutgoingBatch

SECONDS = 15  # for what must come in the end


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Wait until ``condition()`` is true; whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class Engine:
    """A master, its handles, and the queue of their events,
    which has rung ``rings`` times.
    """

    def __init__(self, settings: dict[str, str]) -> None:
        self.rings = 0
        self.events = EventQueue(self._ring)
        self.master = Master("m1")
        self.handles: list[Handle] = []
        for name, value in settings.items():
            self.master.configure(name, value)

    def _ring(self) -> None:
        self.rings += 1

    def make(self, kind: Callable[[Master, EventQueue], Any]) -> Any:
        """An open handle of a kind."""
        handle = kind(self.master, self.events)
        handle.open()
        self.handles.append(handle)
        return handle

    def producer(self) -> ProducerHandle:
        handle: ProducerHandle = self.make(ProducerHandle)
        return handle

    def consumer(self) -> ConsumerHandle:
        handle: ConsumerHandle = self.make(ConsumerHandle)
        return handle

    def subscriber(self) -> Subscriber:
        handle: Subscriber = self.make(Subscriber)
        return handle

    def producing_to(self, topic: str) -> ProducerTopic:
        """A topic of a new producer."""
        handle = self.producer()
        return ProducerTopic(handle, handle.open_topic(topic))

    def consuming_from(self, topic: str, handle: ConsumerHandle | None = None) -> ConsumerTopic:
        """A topic of ``handle``, or of a new consumer."""
        handle = handle or self.consumer()
        return ConsumerTopic(handle, handle.open_topic(topic))

    def fill(self, topic: str, partition: int, count: int, start: int = 0, payload: str = "{}") -> None:
        """Produce messages whose payloads are numbers from ``start`` on,
        and wait until they are in the log.
        """
        target = self.producing_to(topic)
        for number in range(start, start + count):
            target.produce(partition, payload.format(number).encode())
        assert until(lambda: target.handle.output_queue_length() == 0)


@contextmanager
def engine(cluster: Cluster | None = None, **settings: str) -> Iterator[Engine]:
    """An engine for ``cluster``; settings have underscores
    for dots.  All its handles are deleted at the end.
    """
    given = {"bootstrap.servers": cluster.bootstrap_servers, "fetch.wait.max.ms": "10"} if cluster else {}
    made = Engine(
        {"log_level": "0", **given, **{name.replace("_", "."): text for name, text in settings.items()}}
    )
    try:
        yield made
    finally:
        for handle in made.handles:
            handle.delete()


def column(run: Run, name: str) -> tuple[Any, ...]:
    """The field of this name of each message."""
    return run.fields[run.layout.place(name) :: run.layout.width]


def laid_out(
    messages: Sequence[bytes | tuple[bytes, bytes]],
) -> tuple[list[tuple[bytes, bytes | None]], list[int], bytes]:
    """Payloads, or payloads and keys, as pairs; the lengths of both in turn (-1:
    no key); all their bytes.
    """
    rows: list[tuple[bytes, bytes | None]] = [
        message if isinstance(message, tuple) else (message, None) for message in messages
    ]
    lengths = [size for value, key in rows for size in (len(value), -1 if key is None else len(key))]
    return rows, lengths, b"".join(value + (key or b"") for value, key in rows)


def batch_of(*messages: bytes | tuple[bytes, bytes]) -> OutgoingBatch:
    """Messages to produce: payloads, or payloads and keys."""
    _, lengths, data = laid_out(messages)
    return OutgoingBatch.of(data, lengths)
