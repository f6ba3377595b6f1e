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
