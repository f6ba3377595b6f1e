"""What is measured: the workloads of workloads.tcl with their numbers
of messages, sizes and partitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

PAYLOADS = {"1kB": 1000, "100kB": 100_000}  # bytes, beside the 100 of all others
PARTITIONS = (1, 8, 64, 200)
LATENCY_MESSAGES = 300
OVERHEAD = 100  # bytes that a message takes beside its payload, at most
# What comes before the clock starts, at most.  KafkaTcl reads up to 20,000 messages or
# 16 MiB ahead, and KafkaTcl 2.4.3 makes events of all that arrives within 100 ms before
# it runs the first callback.
SETTLING = 150_000
SETTLING_BYTES = 50_000_000
#: The most rounds of a table whose workloads take long.
MAX_ROUNDS = {"payloads": 2}


@dataclass(frozen=True)
class Workload:
    """One line of a table: ``script`` names the workload in workloads.tcl,
    the others are its options.

    ``size`` is that of a payload in bytes, ``headers`` how many headers with 10 bytes
    each message has, ``table`` the table that the workload belongs to.  Before
    ``messages`` are measured, ``settling`` others are taken.  The topic holds all of
    these, or ``backlog`` if that is more.
    """

    name: str
    table: str
    script: str
    messages: int
    size: int = 100
    partitions: int = 1
    batch: int = 1000
    key: bool = False
    headers: int = 0
    prefetched: bool = False
    settling: int = 1
    backlog: int = 0

    @property
    def consumes(self) -> bool:
        """Whether it takes what its topic holds."""
        return not self.produces and self.script not in ("latency", "startup", "idle")

    @property
    def produces(self) -> bool:
        return self.script.startswith("produce")

    @property
    def is_new(self) -> bool:
        """Whether it takes commands that KafkaTcl 2.4.3 has not."""
        return self.script == "produce_messages" or (self.produces and self.headers > 0)

    @property
    def grows(self) -> bool:
        """Whether it is there to be held against the same with fewer partitions or
        messages.
        """
        return self.table in ("partitions", "messages")

    @property
    def tells_cost(self) -> bool:
        """Whether its rate says what a message costs the client:
        it never waits for messages to be fetched.
        """
        return self.produces or self.prefetched

    @property
    def held(self) -> int:
        """How many messages its topic must hold."""
        return max(self.backlog, self.settling + self.messages)

    def rounds(self, wanted: int) -> int:
        """How often each peer runs it where ``wanted`` rounds are asked for."""
        return min(wanted, MAX_ROUNDS.get(self.table, wanted))

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
            "headers": self.headers,
            "prefetched": int(self.prefetched),
            "settling": self.settling,
        }
        words = (word for name, value in options.items() for word in (f"-{name}", str(value)))
        return [self.script, *words]


def workloads(messages: int, volume: int) -> list[Workload]:
    """All workloads, with ``messages`` messages but for as many as fit
    in ``volume`` bytes.
    """

    def fitting(wanted: int, size: int = 100) -> int:
        room = volume // (size + OVERHEAD)
        return max(2, min(wanted, room - _settling(size, room)))

    def prefetched(workload: Workload) -> Workload:
        if not workload.consumes:
            return workload
        settling = _settling(workload.size, volume // (workload.size + OVERHEAD))
        return replace(workload, name=f"{workload.name}-prefetched", prefetched=True, settling=settling)

    usual = fitting(messages)
    twice = fitting(
        2 * messages
    )  # where fetching pauses for a second now and then: few pauses would be chance
    numbers = sorted({fitting(number) for number in (messages // 30, messages // 3, messages * 10 // 3)})
    return [
        *_producing(usual),
        Workload("produce_transactions", "rates", "produce_transactions", usual),
        *_consuming("rates", twice),
        *map(prefetched, _consuming("prefetched", usual)),
        Workload("latency", "process", "latency", min(messages, LATENCY_MESSAGES)),
        Workload("startup", "process", "startup", 0),
        Workload("idle", "idle", "idle", 0),
        *(
            prefetched(workload)
            for label, size in PAYLOADS.items()
            for workload in _payloads(label, size, fitting(messages, size))
        ),
        *map(prefetched, _partitions(("queue_batch", "queue_callback"), usual)),
        *_partitions(("queue_callback",), usual),
        *_growth(("produce",), numbers),
        # The topic is the same for all: what is measured is how many messages are
        # taken, not how many there are.
        *(
            replace(each, backlog=each.settling + numbers[-1])
            for each in map(prefetched, _growth(("consume_batch", "callback"), numbers))
        ),
        *(replace(each, backlog=numbers[-1] + 1) for each in _growth(("callback",), numbers)),
    ]


def _settling(size: int, room: int) -> int:
    """How many messages of ``size`` bytes come before the clock starts,
    if a topic has ``room`` for so many.
    """
    return max(1, min(SETTLING, SETTLING_BYTES // size, room // 3))


def _producing(messages: int) -> Iterator[Workload]:
    for script in ("produce", "produce_batch"):
        yield Workload(script, "rates", script, messages)
        yield Workload(f"{script}-key", "rates", script, messages, key=True)
    yield Workload("produce-3-headers", "rates", "produce", messages, headers=3)
    yield Workload("produce_messages", "rates", "produce_messages", messages)
    yield Workload("produce_messages-3-headers", "rates", "produce_messages", messages, headers=3)
    yield Workload("produce_channel", "rates", "produce_channel", messages)


def _consuming(table: str, messages: int) -> Iterator[Workload]:
    yield Workload("consume", table, "consume", messages)
    yield Workload("consume_batch-1", table, "consume_batch", messages // 2, batch=1)  # the slowest
    for batch in (100, 1000):
        yield Workload(f"consume_batch-{batch}", table, "consume_batch", messages, batch=batch)
    yield Workload("consume_batch-3-headers", table, "consume_batch", messages, headers=3)
    yield Workload("callback", table, "callback", messages)
    yield Workload("queue_callback", table, "queue_callback", messages, partitions=8)
    for script in ("subscriber_callback", "subscriber_consume", "subscriber_foreach"):
        yield Workload(script, table, script, messages)


def _payloads(label: str, size: int, messages: int) -> Iterator[Workload]:
    for script in ("produce", "produce_batch", "consume", "consume_batch", "callback"):
        yield Workload(f"{script}-{label}", "payloads", script, messages, size)


def _partitions(scripts: Sequence[str], messages: int) -> Iterator[Workload]:
    for script in scripts:
        for partitions in PARTITIONS:
            name = f"{script}-{partitions}-partitions"
            yield Workload(name, "partitions", script, messages, partitions=partitions)


def _growth(scripts: Sequence[str], numbers: Sequence[int]) -> Iterator[Workload]:
    for script in scripts:
        for messages in numbers:
            yield Workload(f"{script}-{messages}-messages", "messages", script, messages)


def chosen(workloads: Sequence[Workload], patterns: Sequence[str]) -> list[Workload]:
    """The workloads with a name that matches one
    of ``patterns`` (as file names do), all where there is none.

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
