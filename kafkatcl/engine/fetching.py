"""Handles that consume: an owner thread fetches messages into buffers, ahead of the script but not too far."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import Row, only_messages

#: Messages a handle holds for the script before it leaves further ones to librdkafka, whose limits hold there.
HELD_LIMIT = 10_000
_BATCH = 500
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
        self._held = 0
        self._starving = 0
        self._throttled = False
        self._paused: set[tuple[str, int]] = set()
        #: Whether positions matter: there is a group to commit them to.
        self._tracks_positions = True
        Handle.__init__(self, master, events)

    # -- what a kind of consumer must bring ----------------------------------------------------------------

    def _consumer_settings(self, settings: dict[str, Any]) -> None:
        """Complete the settings of the client in place."""
        raise NotImplementedError

    def _route(self, messages: list[Any]) -> None:
        """Put fetched messages into their buffers (owner thread, lock held)."""
        raise NotImplementedError

    def _buffers(self) -> Iterable[MessageBuffer]:
        """All buffers (lock held)."""
        raise NotImplementedError

    def _buffer_of(self, origin: tuple[str, int]) -> MessageBuffer:
        """The buffer of a partition that is being fetched (lock held)."""
        raise NotImplementedError

    # -- for the buffers (lock held) -----------------------------------------------------------------------

    def wait(self, buffer: MessageBuffer, end: float | None) -> bool:
        if self.deleted:
            self.check()
        self._starving += 1
        try:
            if self._throttled:
                self.pump.wake()
            return super().wait(buffer, end)
        finally:
            self._starving -= 1

    def took(self, rows: list[Row]) -> None:
        self.made_room(len(rows))
        self.handed(rows)

    def made_room(self, count: int) -> None:
        self._held -= count
        if self._throttled and self._held <= HELD_LIMIT // 2:
            self._throttled = False
            self.pump.wake()
        elif self._paused:
            self.pump.wake()

    def handed(self, rows: list[Row]) -> None:
        if self._tracks_positions:
            self._move((row[4], row[1], row[2] + 1) for row in only_messages(rows))

    def returned(self, rows: list[Row]) -> None:
        self._held += len(rows)
        if self._tracks_positions:
            self._move((row[4], row[1], row[2]) for row in only_messages(reversed(rows)))

    def put(self, buffer: MessageBuffer, rows: list[Row]) -> None:
        """Put fetched rows into a buffer."""
        self._held += len(rows)
        buffer.put(rows)

    def forget_positions(self, origins: Iterable[tuple[str, int]]) -> None:
        """These partitions are no longer read."""
        for origin in origins:
            self.positions.pop(origin, None)
            self._unstored.discard(origin)
            self._paused.discard(origin)

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
        return Consumer(settings)

    def _poll(self) -> bool:
        with self.lock:
            self.store_offsets()
            full = self._held >= HELD_LIMIT and not self._starving
            if full and not self._throttled:
                self._throttled = True
                return False
            # A group expects its members to poll: a handle that stays full takes one message in each idle round.
            messages = self.client.consume(1 if full else _BATCH, 0)
            if messages:
                self._route(messages)
                self.lock.notify_all()
            if not full or self._held >= HELD_LIMIT + _BATCH:
                self._balance()
            return len(messages) == _BATCH

    def _balance(self) -> None:
        """While a reader starves, pause the partitions whose buffers are crowded; resume those that are not."""
        buffers = list(self._buffers())
        crowded = max(_BATCH, HELD_LIMIT // max(1, len(buffers)))
        drained = {origin for origin in self._paused if len(self._buffer_of(origin).rows) < crowded // 2}
        if drained:
            self.client.resume([TopicPartition(*origin) for origin in drained])
            self._paused -= drained
        if self._held < HELD_LIMIT or not self._starving:
            return
        full = {origin for buffer in buffers if len(buffer.rows) >= crowded for origin in _origins(buffer)}
        if full - self._paused:
            self.client.pause([TopicPartition(*origin) for origin in full - self._paused])
            self._paused |= full

    def _move(self, positions: Iterable[tuple[str, int, int]]) -> None:
        for topic, partition, offset in positions:
            self.positions[topic, partition] = offset
            self._unstored.add((topic, partition))

    def _finish(self, end: float) -> None:
        with self.lock:
            self.store_offsets()
            for buffer in self._buffers():
                buffer.close()
            self.lock.notify_all()
        self._release()
        self.client.close()


def _origins(buffer: MessageBuffer) -> set[tuple[str, int]]:
    return {(row[4], row[1]) for row in only_messages(buffer.rows)}
