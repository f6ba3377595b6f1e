"""Handles that consume: an owner thread fetches messages into buffers, ahead of the script but not too far."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from kafkatcl.engine.absence import SETTINGS as ABSENCE_SETTINGS
from kafkatcl.engine.absence import Absence, absence_of
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.flow import FlowControl, Reason
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import Item, Run, items
from kafkatcl.engine.pump import IDLE_SECONDS
from kafkatcl.engine.waiting import remaining
from kafkatcl.librdkafka.wrapper import Consumer, KafkaException, TopicPartition

_FETCH_BACKOFF_MS = "20"
_ABSENT = "ABSENT"
_AUTO_STORE = "enable.auto.offset.store"


class Fetcher(Handle, BufferOwner):
    """A handle with a consumer.

    ``lock`` guards the buffers and every change of what is fetched, so that no message of an earlier assignment
    can reach a buffer of a later one.
    """

    consumes = True

    def __init__(self, master: Master, events: EventQueue) -> None:
        BufferOwner.__init__(self, events)
        #: The next offset to read, by topic and partition, as far as messages were handed to the script.
        self.positions: dict[tuple[str, int], int] = {}
        self._unstored: set[tuple[str, int]] = set()
        self._stores_offsets = False
        self.flow = FlowControl(lambda: self.client)
        #: Counts the changes of what is fetched.
        self._epoch = 0
        self._waiting = 0  # readers who sleep until something comes
        self._read = 0.0  # when a reader fetched for the last time
        self._routing = False  # whether the owner thread has something that is in no buffer yet
        self._absent: dict[tuple[str, int], Absence] = {}
        #: Whether positions matter: there is a group to commit them to.
        self._tracks_positions = True
        Handle.__init__(self, master, events)

    # -- what a kind of consumer must bring ----------------------------------------------------------------

    def _consumer_settings(self, settings: dict[str, Any]) -> None:
        """Complete the settings of the client in place."""
        raise NotImplementedError

    def _route(self, fetched: list[Item], epoch: int) -> None:
        """Put what was fetched in an epoch into the buffers it is for (owner thread, lock held)."""
        raise NotImplementedError

    def _buffers(self) -> Iterable[MessageBuffer]:
        """All buffers (lock held)."""
        raise NotImplementedError

    def _buffer_of(self, origin: tuple[str, int]) -> MessageBuffer:
        """The buffer of a partition that is being fetched (lock held)."""
        raise NotImplementedError

    def _reader_of(self, origin: tuple[str, int]) -> MessageBuffer | None:
        """The same of one that may not be (lock held)."""
        raise NotImplementedError

    # -- for the buffers (lock held) -----------------------------------------------------------------------

    def wait(self, buffer: MessageBuffer, end: float | None) -> bool:
        """Fetch what is there, else sleep until something comes.

        Readers fetch for themselves: to have it done by the owner thread, and wait for that, takes more time than
        fetching does.
        """
        self.check()
        if not (buffer.closed or self._routing):
            self._balance(starving=True)
            if self._fetch() or buffer.size > 0:
                return buffer.size > 0 or remaining(end) != 0
        self._waiting += 1
        try:
            return super().wait(buffer, end)
        finally:
            self._waiting -= 1

    def why_empty(self, buffer: MessageBuffer) -> str:
        with self.lock:
            for origin, absence in self._absent.items():
                if absence.is_certain() and self._reader_of(origin) is buffer:
                    return absence.words
        return self.why()

    def made_room(self, count: int, size: int) -> None:
        self.flow.account(-count, -size)
        if count <= 0:
            return
        if self.flow.throttled and self.flow.has_room_again():
            self.flow.throttled = False
            self.pump.wake()
        elif self.flow.paused(Reason.FULL):
            self.pump.wake()

    def handed(self, items: Iterable[Item]) -> None:
        if self._tracks_positions:
            for item in items:
                if isinstance(item, Run):
                    self.positions[item.origin] = item.last + 1
                    self._unstored.add(item.origin)

    def returned(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, Run) and self.positions.get(item.origin, 0) > item.first:
                self.positions[item.origin] = item.first
                self._unstored.add(item.origin)

    def forget_positions(self, origins: Iterable[tuple[str, int]]) -> None:
        """These partitions are no longer read."""
        origins = list(origins)
        self.flow.forget(origins)
        for origin in origins:
            self.positions.pop(origin, None)
            self._unstored.discard(origin)
            self._absent.pop(origin, None)

    def store_offsets(self) -> None:
        """Mark what was handed to the script for the next commit (lock held)."""
        origins, self._unstored = self._unstored, set()
        if not self._stores_offsets:
            return
        for origin in origins:
            # A partition that was taken away in the meantime is no longer ours to store.
            with suppress(KafkaException):
                self.client.store_offsets(offsets=[TopicPartition(*origin, self.positions[origin])])

    # -- inside --------------------------------------------------------------------------------------------

    def _make(self, settings: dict[str, Any]) -> Consumer:
        self._consumer_settings(settings)
        # Messages are fetched ahead of the script, so librdkafka must not take them for consumed on its own.
        if _AUTO_STORE not in settings:
            settings[_AUTO_STORE] = "false"
            self._stores_offsets = self._tracks_positions
        # With librdkafka's default of a second, a script that is quicker than the cluster waits for most of its time.
        settings.setdefault("fetch.queue.backoff.ms", _FETCH_BACKOFF_MS)
        for name, value in ABSENCE_SETTINGS.items():
            settings.setdefault(name, value)
        return Consumer(settings)

    def _poll(self) -> bool:
        with self.lock:
            self.store_offsets()
            if self._is_read():
                self.lock.notify_all()
                return False
            full = self.flow.is_full()
            if full:
                self.flow.throttle()
                if not self.flow.poll_is_due(IDLE_SECONDS):
                    return False
            wanted = 1 if full else self.flow.max_fetch()
            epoch = self._epoch
            messages = self.client.consume(wanted, 0)
            self._routing = bool(messages)
        fetched = list(items(messages))  # without the lock, so that the script can work meanwhile
        with self.lock:
            self._routing = False
            self._keep(fetched, len(messages), epoch)
            if not full:
                self._balance()
        return len(messages) == wanted and not full

    def _is_read(self) -> bool:
        """Whether the owner thread has nothing to do, as a reader fetches what comes."""
        if self._waiting:
            return True
        return time.monotonic() - self._read < IDLE_SECONDS and not self._has_listeners()

    def _has_listeners(self) -> bool:
        return any(buffer.token is not None for buffer in self._buffers())

    def _fetch(self) -> bool:
        """Fetch in the place of the owner thread; whether something was there (lock held)."""
        self._read = time.monotonic()
        wanted = self.flow.max_fetch()
        try:
            messages = self.client.consume(wanted, 0)
        except KafkaException as error:
            self._on_error(error.args[0])
            return False
        self._keep(list(items(messages)), len(messages), self._epoch)
        if len(messages) == wanted and self._has_listeners():
            self.pump.wake()  # there will be no signal as long as there is more
        return bool(messages)

    def _keep(self, fetched: list[Item], count: int, epoch: int) -> None:
        """Give ``count`` messages that were fetched in an epoch to their buffers (lock held)."""
        if fetched:
            self.flow.learn(count, sum(item.bytes for item in fetched))
            if self._absent:  # no more, where messages come from
                for item in fetched:
                    if isinstance(item, Run):
                        self._absent.pop(item.origin, None)
            self._route(fetched, epoch)
            self.lock.notify_all()

    def _on_error(self, error: Any) -> None:
        absence = absence_of(error)
        if absence is None or self._note(absence):
            super()._on_error(error)

    def _note(self, absence: Absence) -> bool:
        """Take note of a partition that does not exist, and tell who reads it; whether this is new."""
        with self.lock:
            absence = absence.after(self._absent.get(absence.origin))
            buffer = self._reader_of(absence.origin)
            is_due = buffer is not None and absence.is_due()
            self._absent[absence.origin] = absence._replace(is_told=absence.is_told or is_due)
            if buffer is None or not is_due:
                return False
            buffer.put(absence.item())
            buffer.announce()
            self.lock.notify_all()
        self.log.say(_ABSENT, absence.words)
        return True

    def _balance(self, *, starving: bool = False) -> None:
        """Resume partitions whose buffers are not crowded; where a reader starves, pause those that are."""
        paused = self.flow.paused(Reason.FULL)
        if not paused and not (starving and self.flow.is_full()):
            return
        buffers = list(self._buffers())
        count, nbytes = self.flow.share(len(buffers))
        held = {origin: self._buffer_of(origin) for origin in paused}
        drained = [o for o, buffer in held.items() if buffer.size < count // 2 and buffer.bytes < nbytes // 2]
        self.flow.resume(drained, Reason.FULL)
        if starving and self.flow.is_full():
            crowded = [buffer for buffer in buffers if buffer.size >= count or buffer.bytes >= nbytes]
            crowd = {origin for buffer in crowded for origin in buffer.origins() if origin}
            self.flow.pause(crowd, Reason.FULL)

    def _finish(self, end: float) -> None:
        with self.lock:
            self.store_offsets()
            for buffer in self._buffers():
                buffer.close()
            self.lock.notify_all()
        self._release()
        self.client.close()
