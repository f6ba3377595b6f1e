"""A message as a Python program wants it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """What callbacks for messages and for delivery reports are told.

    ``payload`` and ``key`` are the bytes as they are.  ``offset`` and ``timestamp`` (ms
    since 1970) are -1 where there is none.  An error that came in the place of a
    message has an ``error``, the name of its ``code``, and a ``message`` for people; a
    failed delivery has these beside its fields.  Without an error they are empty.

    ``headers`` has the names and values in their order, None for a null value; a name
    may come more than once.  ``tombstone`` tells a null payload from an empty one,
    ``timestamp_type`` is ``append`` where the broker has set the timestamp.
    ``leader_epoch`` and ``delivery_count`` are there where the script has asked for
    them.  ``end`` says that this is no message but the end of a partition.
    """

    topic: str = ""
    partition: int = -1
    offset: int = -1
    key: bytes | None = None
    payload: bytes = b""
    timestamp: int = -1
    error: str = ""
    code: str = ""
    message: str = ""
    headers: tuple[tuple[str, bytes | None], ...] = ()
    tombstone: bool = False
    timestamp_type: str = ""
    leader_epoch: int | None = None
    delivery_count: int | None = None
    end: bool = False
