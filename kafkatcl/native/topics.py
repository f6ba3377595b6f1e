"""Commands of topics in C: see ``fastpaths.c``."""

from __future__ import annotations

import ctypes
from mmap import mmap
from typing import Any


def address(mark: Any) -> int | None:
    """Where the first byte of ``engine.process.in_loading_process`` lies in memory;
    None where it is no memory, and the number of the process is to be asked for.
    """
    return ctypes.addressof(ctypes.c_char.from_buffer(mark)) if isinstance(mark, mmap) else None


class NativeTopic:
    """The command of a topic that produces, in front of the procedure that it would be
    without the native part.

    :param library: of ``library.loaded``.
    :param topic: what ``kafkatcl_topic`` gave.
    """

    def __init__(self, library: Any, topic: int) -> None:
        self._library = library
        self._topic: int | None = topic

    def open(self, client: Any, topic: Any) -> None:
        """Have the command queue what is usual.

        :param client: the pointer of the client.
        :param topic: that of ``NativeClient.open_topic``; both hold until
            :meth:`close`.
        """
        if self._topic is not None:
            self._library.kafkatcl_open(self._topic, client, topic)

    def close(self) -> None:
        """Have the procedure do everything; from any thread, a call that is under way
        is waited for.
        """
        if self._topic is not None:
            self._library.kafkatcl_close(self._topic)

    def codes(self) -> list[int]:
        """The error codes (0: queued) of the first messages of the present call, which
        were tried before the procedure was called; nothing if none was.
        """
        if self._topic is None:
            return []
        found = ctypes.POINTER(ctypes.c_int)()
        count = self._library.kafkatcl_codes(self._topic, ctypes.byref(found))
        return list(found[:count])

    def release(self) -> None:
        """Close, and use it no more."""
        self.close()
        topic, self._topic = self._topic, None
        if topic is not None:
            self._library.kafkatcl_release(topic)
