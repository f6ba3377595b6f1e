"""What ``producer.tcl`` and ``reader.tcl`` have written, read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Optional

from counting.message import Id

#: What a delivery report said: the offset, -1 where Kafka did not tell it, or None for
#: a message that failed.
Report = Optional[int]


@dataclass
class Sent:
    """What was to be sent, in this order, with the reports on each message;
    and reports on anything else.
    """

    reports: dict[Id, list[Report]] = field(default_factory=dict)
    unasked: int = 0


class Got(NamedTuple):
    """What a callback got, in which life of a reader."""

    life: int
    partition: int
    offset: int
    payload: bytes


@dataclass
class Read:
    """What callbacks got, in this order,
    and how many errors they were told in the place of messages.
    """

    messages: list[Got] = field(default_factory=list)
    errors: int = 0


def read_sent(run: str, files: dict[str, Path]) -> Sent:
    """What the producers of these names have sent."""
    sent = Sent()
    for producer, file in files.items():
        for what, partition, sequence, *rest in _lines(file):
            identity = Id(run, producer, int(partition), int(sequence))
            if what == "intent":
                sent.reports[identity] = []
            elif identity in sent.reports:
                sent.reports[identity].append(int(rest[0]) if what == "ack" else None)
            else:
                sent.unasked += 1
    return sent


def read_got(files: Sequence[Path]) -> Read:
    """What readers got that have shared their work;
    each that was started again has several lives in its file.
    """
    read, life = Read(), 0
    for file in files:
        for what, *rest in _lines(file):
            if what == "begin":
                life += 1
            elif what == "error":
                read.errors += 1
            else:
                partition, offset, *digits = rest  # an empty payload has none
                read.messages.append(Got(life, int(partition), int(offset), bytes.fromhex("".join(digits))))
    return read


def _lines(file: Path) -> Iterator[list[str]]:
    with file.open() as lines:
        for line in lines:
            if line.endswith("\n"):  # a script that was killed may have written half of its last one
                yield line.split()
