"""The workloads in Python without Tcl:
loops over confluent-kafka, the ceiling for what KafkaTcl can reach.

``bare.py WORKLOAD ?-option value ...?`` takes the options of workloads.tcl and prints
the same figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    Message,
    Producer,
    TopicPartition,
    libversion,
)

Fields = tuple[Any, ...]

PATIENCE = 60  # seconds to wait for a message
UNMEASURED = 20  # messages until the latency has settled
# workloads.tcl says why
PREFETCHING = {
    "queued.min.messages": 10_000_000,
    "queued.max.messages.kbytes": 2_000_000,
    "fetch.queue.backoff.ms": 5,
}
PREFETCHING_SECONDS = 2.0
MEMORY = {
    "resident": ("status", "VmRSS"),
    "peak": ("status", "VmHWM"),
    "private": ("smaps_rollup", r"Private_\w+"),
}
CHUNK = 500  # messages between two looks at other things: reports, whatever an application has


def figure(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}))


def report_rate(name: str, messages: int, start: float, end: float) -> None:
    figure(name, messages / max(1e-6, end - start), "messages/s")


def report_memory(name: str, measure: str) -> None:
    """One measure of the memory of this process, where the system tells it."""
    file, field = MEMORY[measure]
    try:
        text = Path("/proc/self", file).read_text()
    except OSError:
        return
    found = re.findall(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    figure(name, sum(map(int, found)) / 1024, "MiB")


# -- producing -------------------------------------------------------------------------


def produce(given: argparse.Namespace) -> None:
    payload = b"x" * given.size
    with_key = bool(given.key)
    headers: Any = [(f"header{number}", b"0123456789") for number in range(given.headers)]

    def fill(producer: Producer) -> None:
        for i in range(given.messages):
            if headers:
                producer.produce(given.topic, payload, partition=0, headers=headers)
            elif with_key:
                producer.produce(given.topic, payload, b"key%d" % i, 0)
            else:
                producer.produce(given.topic, payload, partition=0)
            if i % CHUNK == 0:
                producer.poll(0)

    measure_producing(given, fill)


def produce_batch(given: argparse.Namespace) -> None:
    payload = b"x" * given.size
    keys = [b"key%d" % i if given.key else None for i in range(given.batch)]
    rows = [{"value": payload, "key": key} for key in keys]

    def fill(producer: Producer) -> None:
        for left in range(given.messages, 0, -given.batch):
            producer.produce_batch(given.topic, rows[:left], partition=0)
            producer.poll(0)

    measure_producing(given, fill)


def measure_producing(given: argparse.Namespace, fill: Callable[[Producer], None]) -> None:
    limits = {"queue.buffering.max.messages": 10_000_000, "queue.buffering.max.kbytes": 2_000_000}
    producer = Producer({"bootstrap.servers": given.brokers, **limits})
    producer.produce(given.topic, b"first", partition=0)  # has the metadata fetched
    producer.flush()
    start = time.perf_counter()
    fill(producer)
    enqueued = time.perf_counter()
    producer.flush()
    report_rate("enqueued", given.messages, start, enqueued)
    report_rate("acknowledged", given.messages, start, time.perf_counter())


def produce_transactions(given: argparse.Namespace) -> None:
    producer = Producer({"bootstrap.servers": given.brokers, "transactional.id": given.topic})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(given.topic, b"first", partition=0)
    producer.commit_transaction()
    rows = [{"value": b"x" * given.size}] * given.batch
    times = []
    start = time.perf_counter()
    for left in range(given.messages, 0, -given.batch):
        begin = time.perf_counter()
        producer.begin_transaction()
        producer.produce_batch(given.topic, rows[:left], partition=0)
        producer.commit_transaction()
        times.append(time.perf_counter() - begin)
    report_rate("committed", given.messages, start, time.perf_counter())
    figure("transaction", sorted(times)[len(times) // 2] * 1000, "ms")


# -- consuming -------------------------------------------------------------------------


def fields(message: Message) -> Fields:
    """What a message has in KafkaTcl, too, which looks for headers in each."""
    if error := message.error():
        raise SystemExit(error.str())
    return (
        message.value(),
        message.partition(),
        message.offset(),
        message.timestamp(),
        message.topic(),
        message.key(),
        message.headers(),
    )


def open_consumer(given: argparse.Namespace, **more: Any) -> Consumer:
    group = f"benchmark-{uuid.uuid4().hex}"
    config = {"bootstrap.servers": given.brokers, "group.id": group, "enable.auto.commit": False}
    return Consumer({**config, **(PREFETCHING if given.prefetched else {}), **more})


def partition_consumer(given: argparse.Namespace, offset: int = OFFSET_BEGINNING) -> Consumer:
    consumer = open_consumer(given)
    consumer.assign([TopicPartition(given.topic, number, offset) for number in range(given.partitions)])
    return consumer


def consume(given: argparse.Namespace) -> None:
    consumer = partition_consumer(given)

    def polled(messages: int) -> Iterator[Fields]:
        for _ in range(messages):
            message = consumer.poll(PATIENCE)
            if message is None:
                raise SystemExit("no message came")
            yield fields(message)

    measure_consuming(given, consumer, polled)


def consume_batch(given: argparse.Namespace) -> None:
    consumer = partition_consumer(given)
    measure_consuming(given, consumer, lambda messages: batches(consumer, messages, given.batch))


def callback(given: argparse.Namespace) -> None:
    measure_calls(given, partition_consumer(given))


def subscriber_callback(given: argparse.Namespace) -> None:
    consumer = open_consumer(given, **{"auto.offset.reset": "earliest"})
    consumer.subscribe([given.topic])
    measure_calls(given, consumer)


def measure_calls(given: argparse.Namespace, consumer: Consumer) -> None:
    """Measure a function that is called with each message."""

    def received(payload: bytes, *_others: object) -> bytes:
        return payload

    def called(messages: int) -> Iterator[bytes]:
        return (received(*message) for message in batches(consumer, messages, CHUNK))

    measure_consuming(given, consumer, called)


def batches(consumer: Consumer, messages: int, batch: int) -> Iterator[Fields]:
    """The fields of so many messages, taken ``batch`` at a time."""
    while messages > 0:
        taken = consumer.consume(min(batch, messages), PATIENCE)
        if not taken:
            raise SystemExit(f"{messages} messages did not come")
        messages -= len(taken)
        yield from map(fields, taken)


def measure_consuming(
    given: argparse.Namespace, consumer: Consumer, take: Callable[[int], Iterator[object]]
) -> None:
    """The rate of taking messages of ``consumer``,
    behind those that come before the clock starts.
    """
    exhaust(take(1))
    if given.prefetched:
        time.sleep(PREFETCHING_SECONDS)
    exhaust(take(given.settling - 1))
    start = time.perf_counter()
    exhaust(take(given.messages))
    report_rate("rate", given.messages, start, time.perf_counter())
    consumer.close()


def exhaust(messages: Iterator[object]) -> None:
    for _ in messages:
        pass


def latency(given: argparse.Namespace) -> None:
    consumer = partition_consumer(given, OFFSET_END)
    latencies: list[int] = []
    while len(latencies) < given.messages + UNMEASURED:
        message = consumer.poll(PATIENCE)
        if message is None:
            raise SystemExit("no message came")
        sent, *_others = fields(message)
        latencies.append(time.time_ns() // 1000 - int(sent))
    latencies = sorted(latencies[UNMEASURED:])
    for percent in (50, 99):
        figure(f"p{percent}", latencies[len(latencies) * percent // 100] / 1000, "ms")
    consumer.close()


# -- the process itself ----------------------------------------------------------------


def startup(_given: argparse.Namespace) -> None:
    """Nothing but the imports: the driver measures the whole process."""


def idle(given: argparse.Namespace) -> None:
    """What a program takes that could do something."""
    _clients = Producer({"bootstrap.servers": given.brokers}), open_consumer(given)
    time.sleep(1)
    for measure in ("resident", "private"):
        report_memory(f"interpreter {measure}", measure)


def about(_given: argparse.Namespace) -> None:
    print(json.dumps({"Python": platform.python_version(), "librdkafka": libversion()[0]}))


WORKLOADS: dict[str, Callable[[argparse.Namespace], None]] = {
    "produce": produce,
    "produce_batch": produce_batch,
    "produce_transactions": produce_transactions,
    "produce_messages": produce,  # it has no other way for messages with headers
    "consume": consume,
    "consume_batch": consume_batch,
    "queue_batch": consume_batch,
    "callback": callback,
    "queue_callback": callback,
    "subscriber_callback": subscriber_callback,
    # Python has neither; these do the same without.
    "produce_channel": produce,
    "subscriber_consume": consume,
    "subscriber_foreach": consume,
    "latency": latency,
    "startup": startup,
    "idle": idle,
    "about": about,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("-brokers", default="127.0.0.1")
    parser.add_argument("-topic", default="benchmark")
    parser.add_argument("-messages", type=int, default=10_000)
    parser.add_argument("-size", type=int, default=100)
    parser.add_argument("-partitions", type=int, default=1)
    parser.add_argument("-batch", type=int, default=1000)
    parser.add_argument("-key", type=int, default=0)
    parser.add_argument("-headers", type=int, default=0)
    parser.add_argument("-prefetched", type=int, default=0)
    parser.add_argument("-settling", type=int, default=1)
    given = parser.parse_args()
    WORKLOADS[given.workload](given)
    if given.workload not in ("startup", "idle", "about"):
        for measure in ("resident", "peak"):
            report_memory(measure, measure)


if __name__ == "__main__":
    main()
