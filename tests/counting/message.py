"""The payloads that are counted: ``run:producer:partition:sequence``,
CRC-32 and padding, in between blanks.

The CRC, in eight hexadecimal digits, is that of the rest.  ``producer.tcl`` makes the
same.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

#: Bytes of all values; a message has a piece of them, each another one.
PADDING = bytes(range(256))


class Id(NamedTuple):
    """Which message it is."""

    run: str
    producer: str
    partition: int
    sequence: int

    def __str__(self) -> str:
        return ":".join(map(str, self))


def payload(identity: Id, size: int) -> bytes:
    """The payload of a message, of ``size`` bytes if the head leaves room."""
    head = str(identity).encode()
    room = max(size - len(head) - 10, 0)
    begin = identity.sequence % 256
    padding = (PADDING * (room // 256 + 2))[begin : begin + room]
    return b"%s %08x %s" % (head, zlib.crc32(head + padding), padding)


def identity(payload: bytes) -> Id | None:
    """Which message it is; None when it is not as it was sent."""
    found = re.fullmatch(rb"((\w+):(\w+):(\d+):(\d+)) ([0-9a-f]{8}) (.*)", payload, re.DOTALL | re.ASCII)
    if not found or zlib.crc32(found[1] + found[7]) != int(found[6], 16):
        return None
    return Id(found[2].decode(), found[3].decode(), int(found[4]), int(found[5]))
