"""Whether this is the process that Kafka's threads run in."""

from __future__ import annotations

import mmap
import os
import sys
from typing import Any

_MADV_WIPEONFORK = 18  # Linux: processes that are forked find zeros there


def _make_mark() -> Any:
    """A byte that is 1 in this process and 0 in those forked from it; None if the system has no such thing.

    To read it takes a tenth of the time in which the system tells the number of a process.
    """
    if sys.platform != "linux":
        return None
    mark = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        mark.madvise(_MADV_WIPEONFORK)
    except OSError:  # a kernel older than 4.14
        return None
    mark[0] = 1
    return mark


_mark = _make_mark()
_owner = os.getpid()


def is_forked() -> bool:
    """Whether this process was forked, behind Python's back, from the one that loaded the package.

    librdkafka's threads are not in it, so whatever is sent to them would be lost, and waiting for them would not end.
    """
    return not _mark[0] if _mark else os.getpid() != _owner


def _own() -> None:
    # Python has forked on purpose: what was open is the parent's, and the child may open its own.
    global _owner  # noqa: PLW0603
    _owner = os.getpid()
    if _mark:
        _mark[0] = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_own)
