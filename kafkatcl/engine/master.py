"""The master object: the configuration that handles made later start from, and which callbacks are wanted."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from kafkatcl.engine.settings import MAX_BLOCK, milliseconds, set_property
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import GlobalConf, TopicConf, is_topic_property

if TYPE_CHECKING:
    from kafkatcl.engine.handle import Handle


_LONGEST_MS = 2**31 - 1


class DeliveryReports:
    """Which delivery reports are told: the first and then each Nth, and those asked for as a sample."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._every = 1
        self._left = 0  # reports until the next one that is told, that one included
        self._sample = False

    @property
    def every(self) -> int:
        """The interval in force; 0 tells none, a negative one all."""
        return self._every

    @every.setter
    def every(self, interval: int) -> None:
        with self._lock:
            # The first report ever is told whatever the interval; once counting has begun, it begins anew.
            self._every = interval
            if self._left > 0:
                self._left = interval

    def sample(self) -> None:
        """Have the next report told, whatever the interval; it does not count."""
        self._sample = True

    def tell(self) -> bool:
        """Whether the report that has just come is told."""
        with self._lock:
            if self._sample:
                self._sample = False
                return True
            if self._every <= 0:
                return self._every < 0
            self._left -= 1
            if self._left > 0:
                return False
            self._left = self._every
            return True


class Master:
    """Settings for handles to come; ``token`` names its callbacks to the Tcl side."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.conf = GlobalConf()
        self.topic_conf = TopicConf()
        #: ``random`` or ``consistent`` for topics of handles to come, None for what the configuration says.
        self.partitioner: str | None = None
        self.logger = "stderr"
        #: What handles made so far have warned of.
        self.warned: set[str] = set()
        #: How long ``produce`` waits for room in a full queue.
        self.max_block_ms = 0
        #: The kinds of callbacks that handles to come serve: ``delivery``, ``error``, ``statistics``.
        self.wanted: set[str] = set()
        self.reports = DeliveryReports()
        #: The handles made so far that still exist.
        self.handles: weakref.WeakSet[Handle] = weakref.WeakSet()

    def callback(self, kind: str) -> str:
        """The token of the callback of a kind."""
        return f"{self.token}.{kind}"

    def want(self, kind: str, wanted: bool) -> None:
        """Say whether there is a callback of a kind."""
        if wanted:
            self.wanted.add(kind)
            return
        self.wanted.discard(kind)
        for handle in list(self.handles):
            handle.silence(kind)

    def delete(self) -> None:
        """Let the callbacks go; handles go on without them."""
        for kind in list(self.wanted):
            self.want(kind, False)

    def add_brokers(self, brokers: list[str]) -> None:
        """Add bootstrap brokers for handles to come, and to those there are.

        :raises Failure: there is none in the list.
        """
        if not brokers:
            raise Failure("Broker list must contain at least one element")
        known = self.conf.get("metadata.broker.list")
        set_property(self.conf, "metadata.broker.list", ",".join([*([known] if known else []), *brokers]))
        for handle in self.handles:
            if not handle.deleted:
                handle.add_brokers(brokers)

    def dump(self) -> list[str]:
        """All properties: name, value, name, value, ..."""
        return [*self.conf.dump(), *([MAX_BLOCK, str(self.max_block_ms)] if self.max_block_ms else [])]

    def configure(self, name: str, value: str) -> None:
        """Set a property; one of topics goes to the topic configuration, where it has its effect.

        :raises Failure: with librdkafka's text, or one that shows no secret.
        """
        if name == MAX_BLOCK:
            self.max_block_ms = milliseconds(name, value, _LONGEST_MS)
        elif is_topic_property(name):
            set_property(self.topic_conf, name, value)
        else:
            set_property(self.conf, name, value)
