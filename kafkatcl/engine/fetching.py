"""Handles that consume: they fetch messages ahead of the script, but not too far.

Two kinds of threads fetch.  The poll thread does so for callbacks, and for a script
that does something else.  A reader who finds its buffer empty fetches itself, in the
interpreter's thread or in that of a call in the background; meanwhile the poll thread
does not.  Whoever fetches holds the lock of the handle, and so do the callbacks that
librdkafka calls within the fetch: of errors, and of partitions that are taken away.
When a consumer is closed librdkafka calls the latter as well, in the closing thread and
without the lock.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L3173-L3178
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

from kafkatcl.engine.absence import SETTINGS as ABSENCE_SETTINGS
from kafkatcl.engine.absence import Absence, absence_of
from kafkatcl.engine.buffer import BufferOwner, MessageBuffer
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.fetched_runs import KNOWS_FIELDS, fetched_items
from kafkatcl.engine.flow import FlowControl, Reason, TopicPartitionPair
from kafkatcl.engine.forms import Form
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.master import Master
from kafkatcl.engine.messages import Item, Run, items
from kafkatcl.engine.offsets import OffsetStore
from kafkatcl.engine.poll_thread import IDLE_SECONDS
from kafkatcl.engine.waiting import remaining
from kafkatcl.librdkafka.wrapper import Consumer, KafkaError, KafkaException
from kafkatcl.native.fetching import MAX_FETCH as MAX_NATIVE_FETCH
from kafkatcl.native.fetching import Fetcher

_FETCH_BACKOFF_MS = "20"
_ABSENT = "ABSENT"
#: Whether librdkafka stores offsets by itself.
AUTO_STORE = "enable.auto.offset.store"
_AUTO_COMMIT = "enable.auto.commit"
_ON = frozenset(("true", "t", "1"))


class ConsumingHandle(Handle, BufferOwner):
    """A handle with a consumer.

    ``lock`` guards the buffers, the offsets, and every change of what is fetched, so
    that no message of an earlier assignment can reach a buffer of a later one.  Methods
    that say "(lock held)" are called with it; all others take it where they need it.
    """

    consumes = True

    def __init__(self, master: Master, events: EventQueue) -> None:
        Handle.__init__(self, master, events)
        BufferOwner.__init__(self, events)
        #: Whether there is a group to commit offsets to.
        self.has_group = bool(master.conf.settings.get("group.id"))
        stores = self.has_group and AUTO_STORE not in master.conf.settings
        self.offsets = OffsetStore(lambda: self.client, stores=stores)
        self.flow = FlowControl(lambda: self.client)
        #: The names of fields that scripts have asked for, of some partitions at least.
        self._asked: frozenset[str] = frozenset()
        #: The topic that all messages come from, where that is known.
        self._only_topic: str | None = None
        #: Counts the changes of what is fetched.
        self._assignment_generation = 0
        self._waiting = 0  # readers who sleep until something comes
        self._read = 0.0  # when a reader fetched for the last time
        self._routing = False  # whether the poll thread has something that is in no buffer yet
        self._absent: dict[TopicPartitionPair, Absence] = {}
        #: Where the native part fetches messages; then the client has errors alone.
        self._fetcher = Fetcher(events.library) if events.library and KNOWS_FIELDS else None

    # -- what a kind of consumer must bring --------------------------------------------

    def _route(self, fetched: list[Item], generation: int) -> None:
        """Put what was fetched in a generation into its buffers (lock held).

        :param generation: that of the assignment at the time of the fetch; what is not
            wanted any more in the present one is dropped.
        """
        raise NotImplementedError

    def _buffers(self) -> Iterable[MessageBuffer]:
        """All buffers (lock held)."""
        raise NotImplementedError

    def _buffer_of(self, topic_partition: TopicPartitionPair) -> MessageBuffer:
        """The buffer of a partition that is fetched (lock held).

        :raises KeyError: it is not fetched.
        """
        raise NotImplementedError

    def _reader_of(self, topic_partition: TopicPartitionPair) -> MessageBuffer | None:
        """The buffer of a partition, or None if it is not fetched (lock held)."""
        raise NotImplementedError

    # -- for the buffers ---------------------------------------------------------------

    def wait(self, buffer: MessageBuffer, deadline: float | None) -> bool:
        """Fetch what is there, else sleep until something comes (a reader's thread,
        lock held).

        To wait until the poll thread has fetched takes more time than to fetch does.
        While the poll thread has messages that are in no buffer yet, nothing is
        fetched: these would come behind later ones.

        :raises Failure: the buffer is closed, or the handle deleted.
        """
        self.check()
        if not (buffer.closed or self._routing):
            self._balance(starving=True)
            if self._fetch() or buffer.size > 0:
                return buffer.size > 0 or remaining(deadline) != 0
        self._waiting += 1
        try:
            return super().wait(buffer, deadline)
        finally:
            self._waiting -= 1

    def why_empty(self, buffer: MessageBuffer) -> str:
        with self.lock:
            for topic_partition, absence in self._absent.items():
                if absence.is_certain() and self._reader_of(topic_partition) is buffer:
                    return absence.words
        return self.why()

    def held_changed(self, count: int, nbytes: int) -> None:
        """Count what the buffers hold, and wake the poll thread where it may fetch or
        resume again (lock held).
        """
        if self.flow.account(count, nbytes):
            self.poll_thread.wake()

    def ask(self, form: Form) -> None:
        self._asked |= form.asked
        if self._fetcher and (form.asked or form.encoding):
            # It has messages as they come: to read them otherwise takes more time than
            # the client does.
            self._fetcher.retreat()

    def watched(self) -> None:
        # librdkafka has signalled only what came into its empty queue, and what a
        # reader has left there is to be fetched.
        self.poll_thread.wake()

    def is_full(self) -> bool:
        return self.flow.is_full()

    def on_consumed(self, items: Iterable[Item]) -> None:
        self.offsets.advance(items)

    def on_requeued(self, items: Iterable[Item]) -> None:
        self.offsets.rewind(items)

    # -- inside ------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        # Messages are fetched ahead of the script, so librdkafka must not take them for
        # consumed on its own.
        settings.setdefault(AUTO_STORE, "false")
        # For so long librdkafka fetches nothing of a partition once it holds enough of
        # it.  With its default of a second, a script that is quicker than the cluster
        # waits for most of its time.
        # https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md
        # https://github.com/confluentinc/librdkafka/issues/2879
        settings.setdefault("fetch.queue.backoff.ms", _FETCH_BACKOFF_MS)
        for name, value in ABSENCE_SETTINGS.items():
            settings.setdefault(name, value)
        return settings

    def _prepare(self) -> None:
        super()._prepare()
        if self._fetcher:
            queue = self.native.message_queue(self.poll_thread.descriptor)
            self.native.divert_errors(partial(self._fetcher.begin, queue))

    def _make(self, settings: dict[str, Any]) -> Consumer:
        self.offsets.commits = str(settings.get(_AUTO_COMMIT, "true")).lower() in _ON
        return Consumer(settings)

    def _read_natively(self, topic_partitions: Iterable[TopicPartitionPair], *, alone: bool = False) -> None:
        """These partitions are about to be assigned, ``alone`` or beside others (lock
        held).
        """
        if self._fetcher and not self.deleted:
            if alone:
                self._fetcher.close_all()
            for pair in topic_partitions:
                self._fetcher.open(pair)

    def _read_no_more(self, topic_partitions: Iterable[TopicPartitionPair]) -> None:
        """These partitions are not assigned any more (lock held)."""
        if self._fetcher:
            for pair in topic_partitions:
                self._fetcher.close(pair)

    def _forget(self, topic_partitions: Collection[TopicPartitionPair]) -> None:
        """These partitions are no longer read (lock held)."""
        self.flow.forget(topic_partitions)
        self.offsets.forget(topic_partitions)
        for topic_partition in topic_partitions:
            self._absent.pop(topic_partition, None)

    def _poll(self) -> bool:
        """Fetch once for callbacks and for readers to come (poll thread).

        Nothing is fetched while a reader fetches itself.  A full handle takes one
        message in each idle round, so that its group does not take it for dead.
        Messages are laid out without the lock, so that the script can work meanwhile;
        until they are in their buffers no reader fetches, see :meth:`wait`.
        """
        with self.lock:
            self.offsets.store()
            if self._is_read():
                self.lock.notify_all()
                return False
            full = self.flow.is_full()
            if full:
                self.flow.throttle()
                if not self.flow.poll_is_due(IDLE_SECONDS):
                    return False
            wanted = 1 if full else self._max_fetch()
            messages, natively = self._take(wanted)
            # Behind the fetch: a rebalance callback within it may have changed what is
            # read, and then librdkafka has left out what came before.
            generation = self._assignment_generation
            count = len(messages) + sum(item.size for item in natively)
            self._routing = count > 0
        fetched = self._items(messages)  # without the lock, so that the script can work meanwhile
        with self.lock:
            self._routing = False
            self._keep([*natively, *fetched], count, generation)
            if not full:
                self._balance()
        return count == wanted and not full

    def _is_read(self) -> bool:
        """Whether a reader fetches, so that the poll thread need not (lock held).

        A reader sleeps, or has fetched within the last second and there is no callback.
        """
        if self._waiting:
            return True
        return time.monotonic() - self._read < IDLE_SECONDS and not self._has_listeners()

    def _has_listeners(self) -> bool:
        """Whether a callback, or who watches, waits for messages (lock held)."""
        return any(buffer.is_awaited for buffer in self._buffers())

    def _fetch(self) -> bool:
        """Fetch in the thread of a reader; whether something was there (lock held)."""
        self._read = time.monotonic()
        wanted = self._max_fetch()
        try:
            messages, natively = self._take(wanted)
        except KafkaException as error:
            self._on_error(error.args[0])
            return False
        fetched = [*natively, *self._items(messages)]
        count = sum(item.size for item in fetched)
        self._keep(fetched, count, self._assignment_generation)
        if count == wanted and self._has_listeners():
            # librdkafka signals only what comes into an empty queue, see queues.signal.
            self.poll_thread.wake()
        return count > 0

    def _max_fetch(self) -> int:
        """How many messages to take at once: more of those that nobody reads yet."""
        has_native = self._fetcher and not self._fetcher.has_retreated
        return self.flow.max_fetch(MAX_NATIVE_FETCH) if has_native else self.flow.max_fetch()

    def _take(self, wanted: int) -> tuple[Sequence[Any], list[Item]]:
        """Up to so many messages of the client, and what the native part has fetched:
        together no more (lock held).

        The client calls back within this, so it comes first, mostly: then nothing is
        fetched natively of partitions that were taken away.  Where the native part has
        but what came before it has retreated, that comes before.

        :raises KafkaException: a fatal error.
        """
        if not self._fetcher:
            return self.client.consume(wanted, 0), []
        if not self._fetcher.has_retreated:
            messages = self.client.consume(wanted, 0)
            return messages, self._fetch_natively(self._fetcher, wanted - len(messages))
        natively = self._fetch_natively(self._fetcher, wanted)
        wanted -= sum(item.size for item in natively)
        return self.client.consume(wanted, 0) if wanted > 0 else (), natively

    def _fetch_natively(self, fetcher: Fetcher, most: int) -> list[Item]:
        fetched = fetcher.fetch(most) if most > 0 else None
        if not fetched:
            return []
        for told in fetched.told:
            self._on_error(KafkaError(*told))
        found = list(fetched_items(fetched))
        for item in found:
            if item.topic_partition:
                fetcher.came_from(item.topic_partition)
        return found

    def _keep(self, fetched: list[Item], count: int, generation: int) -> None:
        """Give what was fetched to its buffers (lock held).

        :param count: how many messages and errors ``fetched`` has.
        :param generation: that of the assignment at the time of the fetch.
        """
        if fetched:
            if self._absent:  # no more, where messages come from
                for item in fetched:
                    if isinstance(item, Run):
                        self._absent.pop(item.topic_partition, None)
            held = self.flow.nbytes
            self._route(fetched, generation)
            self.flow.learn(count, self.flow.nbytes - held)
            self.lock.notify_all()

    def _items(self, messages: Sequence[Any]) -> list[Item]:
        """What was fetched, with the fields that were asked for."""
        asked_of = self._asked_of if self._asked else None
        return list(items(messages, self._asked, asked_of, self._only_topic))

    def _asked_of(self, topic_partition: TopicPartitionPair) -> Collection[str]:
        buffer = self._reader_of(topic_partition)
        return buffer.form.asked if buffer else ()

    def _on_error(self, error: Any) -> None:
        absence = absence_of(error)
        if absence is None or self._note(absence):
            super()._on_error(error)

    def _note(self, absence: Absence) -> bool:
        """Note a partition that does not exist, and give its reader an error once.

        :returns: whether the reader got the error now.
        """
        with self.lock:
            absence = absence.after(self._absent.get(absence.topic_partition))
            buffer = self._reader_of(absence.topic_partition)
            is_due = buffer is not None and absence.is_due()
            self._absent[absence.topic_partition] = absence._replace(is_told=absence.is_told or is_due)
            if buffer is None or not is_due:
                return False
            buffer.put(absence.item())
            buffer.announce()
            self.lock.notify_all()
        self.log.say(_ABSENT, absence.words)
        return True

    def _balance(self, *, starving: bool = False) -> None:
        """Share what may be held among the buffers (lock held).

        A buffer above its share is crowded, one below half of it drained.  Paused
        partitions of drained buffers are resumed.  When the handle is full and a
        reader's buffer is empty, the partitions of crowded buffers are paused, which
        makes room for the reader.
        """
        paused = self.flow.paused(Reason.FULL)
        if not paused and not (starving and self.flow.is_full()):
            return
        buffers = list(self._buffers())
        count, nbytes = self.flow.share(len(buffers))
        held = {topic_partition: self._buffer_of(topic_partition) for topic_partition in paused}
        drained = [
            o for o, buffer in held.items() if buffer.size < count // 2 and buffer.nbytes < nbytes // 2
        ]
        self.flow.resume(drained, Reason.FULL)
        if starving and self.flow.is_full():
            crowded = [buffer for buffer in buffers if buffer.size >= count or buffer.nbytes >= nbytes]
            crowd = {
                topic_partition
                for buffer in crowded
                for topic_partition in buffer.topic_partitions()
                if topic_partition
            }
            self.flow.pause(crowd, Reason.FULL)

    def _finish(self, deadline: float) -> None:
        with self.lock:
            self.offsets.store()
            for buffer in self._buffers():
                buffer.close()
            self.lock.notify_all()
            if self._fetcher:
                self._fetcher.release()
        self._release()
        self.client.close()
