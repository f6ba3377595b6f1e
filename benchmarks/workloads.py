"""What is measured: the workloads of workloads.tcl with their numbers of messages, sizes and partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

PAYLOADS = {"1kB": 1000, "100kB": 100_000}  # bytes, beside the 100 of all others
PARTITIONS = (1, 8, 64, 200)
LATENCY_MESSAGES = 300
# KafkaTcl 2.4.3 makes events of all messages that are there before it runs the first callback, unseen by a clock that
# starts with that: with this many times the messages it is a small part.
MORE = 5
OVERHEAD = 100  # bytes that a message takes beside its payload, at most


@dataclass(frozen=True)
class Workload:
    """One line of a table: ``script`` names the workload in workloads.tcl, the others are its options.

    ``size`` is that of a payload in bytes, ``table`` the table that the workload belongs to.
    """

    name: str
    table: str
    script: str
    messages: int
    size: int = 100
    partitions: int = 1
    batch: int = 1000
    key: bool = False

    @property
    def consumes(self) -> bool:
        """Whether it takes what its topic holds."""
        return not self.produces and self.script not in ("latency", "startup")

    @property
    def produces(self) -> bool:
        return self.script.startswith("produce")

    def arguments(self, bootstrap: str, topic: str) -> list[str]:
        """The words of its command line after the name of the program."""
        options = {
            "brokers": bootstrap,
            "topic": topic,
            "messages": self.messages,
            "size": self.size,
            "partitions": self.partitions,
            "batch": self.batch,
            "key": int(self.key),
        }
        words = (word for name, value in options.items() for word in (f"-{name}", str(value)))
        return [self.script, *words]


def workloads(messages: int, volume: int) -> list[Workload]:
    """All workloads, with ``messages`` messages but for as many as fit in ``volume`` bytes."""

    def fitting(wanted: int, size: int = 100) -> int:
        return max(2, min(wanted, volume // (size + OVERHEAD)))

    return [
        *_rates(fitting(messages), fitting(MORE * messages)),
        Workload("latency", "process", "latency", min(messages, LATENCY_MESSAGES)),
        Workload("startup", "process", "startup", 0),
        *(
            workload
            for label, size in PAYLOADS.items()
            for workload in _payloads(label, size, fitting(messages, size))
        ),
        *_partitions(fitting(messages)),
        *_growth(sorted({fitting(number) for number in (messages // 20, messages // 2, MORE * messages)})),
    ]


def _rates(messages: int, more: int) -> Iterator[Workload]:
    yield Workload("produce", "rates", "produce", messages)
    yield Workload("produce-key", "rates", "produce", messages, key=True)
    yield Workload("produce_batch", "rates", "produce_batch", messages)
    yield Workload("consume", "rates", "consume", messages)
    for batch in (1, 100, 1000):
        yield Workload(f"consume_batch-{batch}", "rates", "consume_batch", messages, batch=batch)
    yield Workload("callback", "rates", "callback", more)
    yield Workload("queue_callback", "rates", "queue_callback", more, partitions=8)
    yield Workload("subscriber_callback", "rates", "subscriber_callback", more)


def _payloads(label: str, size: int, messages: int) -> Iterator[Workload]:
    for script in ("produce", "produce_batch", "consume", "consume_batch", "callback"):
        yield Workload(f"{script}-{label}", "payloads", script, messages, size)


def _partitions(messages: int) -> Iterator[Workload]:
    for script in ("queue_batch", "queue_callback"):
        for partitions in PARTITIONS:
            name = f"{script}-{partitions}-partitions"
            yield Workload(name, "partitions", script, messages, partitions=partitions)


def _growth(numbers: Sequence[int]) -> Iterator[Workload]:
    for script in ("produce", "consume_batch", "callback"):
        for messages in numbers:
            yield Workload(f"{script}-{messages}-messages", "messages", script, messages)


def chosen(workloads: Sequence[Workload], patterns: Sequence[str]) -> list[Workload]:
    """The workloads with a name that matches one of ``patterns`` (as file names do), all where there is none.

    Raises ValueError for a pattern that matches none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(workload.name, pattern) for workload in workloads):
            names = ", ".join(workload.name for workload in workloads)
            raise ValueError(f'no workload is called "{pattern}"; there are {names}')
    return [
        workload
        for workload in workloads
        if not patterns or any(fnmatchcase(workload.name, pattern) for pattern in patterns)
    ]
