"""Whether this is the process that Kafka's threads run in."""

from __future__ import annotations

import os

_owner = os.getpid()


def is_forked() -> bool:
    """Whether this process was forked, behind Python's back, from the one that loaded the package.

    librdkafka's threads are not in it, so whatever is sent to them would be lost, and waiting for them would not end.
    """
    return os.getpid() != _owner


def _own() -> None:
    # Python has forked on purpose: what was open is the parent's, and the child may open its own.
    global _owner  # noqa: PLW0603
    _owner = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_own)
