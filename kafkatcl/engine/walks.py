"""Walks: how a ``foreach`` or a channel goes through the messages of a buffer, one by
one, while they come in batches.

Nothing of a batch counts as consumed before the script is through with it.  Whoever
else wants to read the buffer has the rest put back first; the message that the script
is at stays with the walk.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable

from kafkatcl.engine.buffer import MessageBuffer
from kafkatcl.engine.fetching import ConsumingHandle
from kafkatcl.engine.inflight import Taken, parted
from kafkatcl.engine.messages import EndItem, Item, Run
from kafkatcl.engine.positions import TopicPartitionOffset
from kafkatcl.engine.waiting import deadline_after, remaining
from kafkatcl.librdkafka.wrapper import TopicPartition

if TYPE_CHECKING:
    from kafkatcl.engine.goals import Goal, Partitions

#: The limits of a batch: messages, and about so many bytes.
_MOST, _MAX_BYTES = 500, 1 << 20
#: How often a walk to a goal looks around while nothing comes.
_LOOK_SECONDS = 0.1


class Walk:
    """A walk through the messages of a buffer.

    :param partitions: those that are read.
    :param goal: where it ends; None: nowhere.
    :param at_end: called when the walk has ended.
    """

    def __init__(
        self,
        handle: ConsumingHandle,
        buffer: MessageBuffer,
        partitions: Partitions,
        goal: Goal | None = None,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        self.buffer = buffer
        self.goal = goal
        self._handle = handle
        self._partitions = partitions
        self._at_end = at_end
        self._taken: list[Taken] = []
        self._ahead = 1  # how many messages the next batch has
        self._is_alone = False  # whether the rest of the batch was put back
        self._is_over = False
        buffer.walks += 1

    def take(self, max_count: int, timeout_ms: int) -> list[Item] | None:
        """The next batch of messages and errors; those before count as consumed.

        Batches have 1, 4, 16 messages and so on, up to 500 and 1 MiB, as long as the
        walk goes on.  Ends of partitions are left out.

        :param timeout_ms: how long to wait for the first; for ever if negative.
        :returns: an empty list if nothing comes in time; None at the goal.
        :raises Failure: the buffer is closed, or its handle deleted; the cluster does
            not tell where the goal is.
        """
        self.acknowledge(0)
        deadline = deadline_after(timeout_ms)
        while True:
            if self.goal:
                self._handle.check()
                self.goal.look_up()
            with self._handle.lock:
                if self.goal and self.goal.is_reached():
                    return None
                self._taken = self._next(min(self._ahead, max_count), deadline)
                if self._taken:
                    self._ahead = min(4 * self._ahead, _MOST)
                    return [self.buffer.form.shown(item) for item, _ in self._taken]
            if remaining(deadline) == 0:
                return []

    def acknowledge(self, left: int) -> None:
        """The script is through with all but the last ``left`` messages and errors of
        the batch: they count as consumed.
        """
        with self._handle.lock:
            used, self._taken = parted(self._taken, left)
            if self._is_alone:
                used = [(item, era) for item, era in used if not self._is_passed(item)]
            self.buffer.end(used, 0)
            self._is_alone = False

    def requeue(self, left: int, *, keep: bool) -> None:
        """Acknowledge, and put back the last ``left`` messages and errors.

        :param keep: whether the first of these stays, as the script is at it.
        """
        with self._handle.lock:
            self.acknowledge(left)
            kept, back = parted(self._taken, left - keep)
            self.buffer.end(back, left - keep)
            self._taken = kept
            self._is_alone = keep
            self._ahead = 1
            if self.goal:
                self.goal.step_back([item for item, _ in back])
                self.goal.release(self.buffer)

    def lag(self) -> int:
        """How many offsets are left to be read, up to the goal or to the end as far as
        the client has heard of it.
        """
        self._handle.check()
        return sum(map(self._lag, self._partitions() or ()))

    def end(self, left: int) -> None:
        """Acknowledge, put back the last ``left`` messages and errors, and take no
        more; a second time it does nothing.
        """
        if not self._is_over:
            self._is_over = True
            self.requeue(left, keep=False)
            self.buffer.walks -= 1
            if self._at_end:
                self._at_end()

    def _lag(self, found: TopicPartitionOffset) -> int:
        pair = found[:2]
        with self._handle.lock:
            position = self._handle.offsets.position(pair)
            start, end = (self.goal and self.goal.span(pair)) or self._handle.client.get_watermark_offsets(
                TopicPartition(*pair), cached=True
            )
        return max(0, end - max(0, start if position is None else position))

    def _next(self, count: int, deadline: float | None) -> list[Taken]:
        """What comes next in front of the goal (lock held)."""
        if self.goal is None:
            taken = self.buffer.some(count, _MAX_BYTES, deadline)
            return [(item, era) for item, era in taken if not isinstance(item, EndItem)]
        look = time.monotonic() + _LOOK_SECONDS
        taken = self.buffer.some(count, _MAX_BYTES, look if deadline is None else min(look, deadline))
        if not taken:
            self.goal.look_around(self.buffer)
        return self.goal.cut(self.buffer, taken)

    def _is_passed(self, item: Item) -> bool:
        """Whether the script has had later messages of the partition meanwhile."""
        if not isinstance(item, Run):
            return False
        return (self._handle.offsets.position(item.topic_partition) or 0) > item.last
