"""Messages as librdkafka has given them: nothing of them is read before it is needed,
and mostly that is done in C.  See ``fastpaths.c``.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

from kafkatcl.librdkafka.message_queue import MessageQueue
from kafkatcl.librdkafka.raw_messages import RawMessage

#: The fields of messages that C lays out, in the order of ``engine/layouts.py``.
FIELDS = (
    *("payload", "partition", "offset", "timestamp", "topic"),
    *("key", "headers", "null_headers", "tombstone", "timestamp_type", "leader_epoch", "delivery_count"),
)
#: The most messages that are fetched at once.
MAX_FETCH = 4000
#: A topic and a partition.
Pair = tuple[str, int]


class _Header(ctypes.Structure):
    """The beginning of ``Fetched`` in ``fastpaths.c``."""

    _fields_ = (("count", ctypes.c_int32), ("told", ctypes.c_void_p), ("have_headers", ctypes.c_void_p))


class _Told(ctypes.Structure):
    """The beginning of ``Told``, behind which is its text."""

    _fields_ = (("next", ctypes.c_void_p), ("code", ctypes.c_int32))


class Fetched:
    """Messages, errors and ends as they came.

    :param library: of ``library.loaded``.
    :param address: what ``kafkatcl_fetch`` gave.
    """

    def __init__(self, library: Any, address: int) -> None:
        self._library = library
        self._address: int | None = address
        self._offsets: list[int] = []
        header = _Header.from_address(address)
        #: How many they are.
        self.count: int = header.count
        #: The codes and the texts of errors that were told of partitions meanwhile.
        self.told: list[tuple[int, str]] = []
        told = header.told
        while told:
            error = _Told.from_address(told)
            reason = ctypes.string_at(told + _Told.code.offset + _Told.code.size)
            self.told.append((error.code, reason.decode(errors="replace")))
            told = error.next

    def __del__(self) -> None:
        self.drop()

    def __getitem__(self, place: int) -> RawMessage:
        """One of them, counted from 0; it holds as long as these do.

        :raises ReferenceError: they were dropped.
        """
        messages = self._live() + ctypes.sizeof(_Header)
        return RawMessage(
            ctypes.c_void_p.from_address(messages + place * ctypes.sizeof(ctypes.c_void_p)).value or 0
        )

    def row(self, start: int) -> int:
        """How many messages of one partition there are in a row, from one on; 0 if that
        is an error or an end.
        """
        return int(self._library.kafkatcl_row(self._live(), start))

    def nbytes(self, start: int, count: int) -> int:
        """The bytes of payloads, keys and headers of some of them."""
        return 0 if self._offsets else int(self._library.kafkatcl_nbytes(self._live(), start, count))

    def lay_out(self, start: int, count: int, *, packs: bool) -> int:
        """Lay some of them out as fields for the interpreter of this thread.

        :param packs: whether they may be packed, for who does not take them for a list.
        :returns: the number by which its command ``fetched`` takes them; 0 if something
            in them is unusual.
        """
        return int(self._library.kafkatcl_lay_out(self._live(), start, count, packs))

    def offset(self, place: int) -> int:
        """The offset of one of them; also when they are retired."""
        return self._offsets[place] if self._offsets else self[place].offset()

    def retire(self) -> None:
        """Destroy them, as their client is closed, but for their offsets."""
        if self._address is not None:
            self._offsets = [self[place].offset() for place in range(self.count)]
            self.drop()

    def drop(self) -> None:
        """Destroy them, before their client is closed."""
        address, self._address = self._address, None
        if address is not None:
            self._library.kafkatcl_drop(address)

    def _live(self) -> int:
        if self._address is None:
            raise ReferenceError("the client of these messages is closed")
        return self._address


class Fetcher:
    """Fetches the messages of a consumer's partitions.

    All methods: the lock of its handle held.

    :param library: of ``library.loaded``.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self._fetcher: int | None = None
        self._queue: MessageQueue
        #: Whether the client has all further messages.
        self.has_retreated = False
        #: The queues of partitions, of all and of those of which nothing has come yet.
        self._queues: dict[Pair, int] = {}
        self._new: dict[Pair, int] = {}
        #: All of them for C, the new ones first; None: to be made anew.
        self._table: Any = None
        self._fetched: weakref.WeakSet[Fetched] = weakref.WeakSet()

    def begin(self, queue: MessageQueue, client: Any, callback: int) -> int:
        """Begin to fetch for a client; once.

        :param client: the pointer of the client.
        :param callback: the address of its callback for errors.
        :returns: that of the callback that it is to have.
        """
        self._queue = queue
        found = ctypes.c_void_p(callback)
        self._fetcher = self._library.kafkatcl_fetcher(client, queue.pointer, ctypes.byref(found))
        return found.value or 0

    def open(self, pair: Pair) -> None:
        """Fetch of a partition, too, which is about to be assigned."""
        self.close(pair)
        queue = self._queue.lead(*pair)
        if queue:
            self._queues[pair] = self._new[pair] = queue
            self._table = None

    def close(self, pair: Pair) -> None:
        """Fetch nothing more of a partition."""
        queue = self._queues.pop(pair, None)
        if queue:
            self._new.pop(pair, None)
            self._table = None
            self._queue.give_up(queue)

    def close_all(self) -> None:
        """Fetch nothing more of any partition."""
        for pair in list(self._queues):
            self.close(pair)

    def retreat(self) -> None:
        """Let the client have all further messages.  Those that are here already come
        before.
        """
        if self._fetcher is not None and not self.has_retreated:
            self.has_retreated = True
            self._queue.retreat()
            self._new.update(self._queues)
            self._table = None

    def came_from(self, pair: Pair) -> None:
        """Something has come of a partition."""
        if self._new.pop(pair, None):
            self._table = None

    def fetch(self, most: int) -> Fetched | None:
        """Up to ``most`` messages, and ``MAX_FETCH``; None if there are none."""
        if self._table is None:
            others = [queue for pair, queue in self._queues.items() if pair not in self._new]
            self._table = (ctypes.c_void_p * len(self._queues))(*self._new.values(), *others)
        address = self._library.kafkatcl_fetch(
            self._fetcher, self._queue.target, self._table, len(self._new), len(self._queues), most
        )
        if not address:
            return None
        fetched = Fetched(self._library, address)
        self._fetched.add(fetched)
        return fetched

    def release(self) -> None:
        """Close all queues and destroy all messages, right before the client is
        closed.
        """
        if self._fetcher is None:
            return
        self.close_all()
        for fetched in list(self._fetched):
            fetched.retire()
        self._queue.close()
        self._library.kafkatcl_forget(self._fetcher)
        self._fetcher = None
