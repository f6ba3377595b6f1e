"""Whether this is the process that Kafka's threads run in."""

from __future__ import annotations

import mmap
import os
import sys
from contextlib import suppress
from typing import Any

# Linux since 4.14: a process that is forked, by whatever call, finds zeros in such
# memory.  To look there takes no system call, as to ask for the process number does.
# https://github.com/torvalds/linux/commit/d2cd9ede6e193dd7d88b6d27399e96229a551b19
_MADV_WIPEONFORK = 18


class _PidCheck:
    """A mark for systems without MADV_WIPEONFORK:
    they are asked for the number of the process each time.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()

    def __getitem__(self, _: int) -> int:
        return int(os.getpid() == self._owner)

    def __setitem__(self, _: int, __: int) -> None:
        self._owner = os.getpid()


def _make_process_mark() -> Any:
    if sys.platform == "linux":
        wiped = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):  # a kernel older than 4.14
            wiped.madvise(_MADV_WIPEONFORK)
            wiped[0] = 1
            return wiped
    return _PidCheck()


#: ``in_loading_process[0]`` is 1 in this process, and 0 in one that was forked from it
#: behind Python's back, as package Tclx does.  Fast paths read it without a call.
in_loading_process = _make_process_mark()


def is_forked() -> bool:
    """Whether this process was forked, behind Python's back,
    from the one that loaded the package.

    librdkafka's threads are not in it, so whatever is sent to them would be lost, and
    waiting for them would not end.
    """
    return not in_loading_process[0]


def _own() -> None:
    # Python itself has forked, so the child knows: open handles are the parent's, and
    # the child may open its own.
    in_loading_process[0] = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_own)
