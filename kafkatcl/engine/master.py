"""The master object: the configuration that handles made later start from,
and which callbacks are wanted.
"""

from __future__ import annotations

import weakref
from typing import Protocol

from kafkatcl.engine.reports import ReportSampling
from kafkatcl.engine.settings import MAX_BLOCK, milliseconds, set_property
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import GlobalConf, TopicConf, is_topic_property

_MAX_MS = 2**31 - 1


class Client(Protocol):
    """A handle, as far as its master goes on to concern it."""

    deleted: bool

    def silence(self, kind: str) -> None:
        """The callback of a kind is gone; what waits for it is not told any more.

        :param kind: ``delivery``, ``error``, ``statistics``, or ``logger``.
        """

    def add_brokers(self, brokers: list[str]) -> None:
        """Add bootstrap brokers."""


class Master:
    """Settings for handles to come.

    :param object_id: how whoever made the master calls it; the ids of its callbacks
        begin with this.
    """

    def __init__(self, object_id: str) -> None:
        self.object_id = object_id
        self.conf = GlobalConf()
        self.topic_conf = TopicConf()
        #: What :meth:`partition_by` and :meth:`log_to` have set.
        self.partitioner: str | None = None
        self.logger = "stderr"
        #: What handles made so far have warned of.
        self.warned: set[str] = set()
        #: How long ``produce`` waits for room in a full queue, the property
        #: max.block.ms.
        self.max_block_ms = 0
        #: The kinds of callbacks there are: ``delivery``, ``error``, ``statistics``,
        #: ``logger``.  Handles are made to serve those that there are then.
        self.wanted: set[str] = set()
        self.reports = ReportSampling()
        #: The handles made so far that still exist.
        self.handles: weakref.WeakSet[Client] = weakref.WeakSet()

    def callback(self, kind: str) -> str:
        """The callback id of the callback of a kind, such as ``m1.error``."""
        return f"{self.object_id}.{kind}"

    def want(self, kind: str, wanted: bool) -> None:
        """Say whether there is a callback of a kind; where there was one and is none
        any more, the handles drop what waits for it.
        """
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

        :param brokers: each a ``host``, a ``host:port``, or several with commas.
        :raises Failure: there is none in the list, or a handle cannot use any.
        """
        if not brokers:
            raise Failure("Broker list must contain at least one element")
        known = self.conf.get("metadata.broker.list")
        set_property(self.conf, "metadata.broker.list", ",".join([*([known] if known else []), *brokers]))
        for handle in self.handles:
            if not handle.deleted:
                handle.add_brokers(brokers)

    def partition_by(self, partitioner: str) -> None:
        """Have topics of handles to come partition messages by ``random`` or
        ``consistent``, librdkafka's names of partitioners.
        """
        self.partitioner = partitioner

    def log_to(self, logger: str) -> None:
        """Where handles to come log: ``stderr``, ``syslog``, ``none``, ``callback``."""
        self.logger = logger

    def dump(self) -> list[str]:
        """All properties: name, value, name, value, ..."""
        return [*self.conf.dump(), *([MAX_BLOCK, str(self.max_block_ms)] if self.max_block_ms else [])]

    def configure(self, name: str, value: str) -> None:
        """Set a property; one of topics goes to the topic configuration,
        where it has its effect.

        :raises Failure: with librdkafka's text, or one that shows no secret.
        """
        if name == MAX_BLOCK:
            self.max_block_ms = milliseconds(name, value, _MAX_MS)
        elif is_topic_property(name):
            self.configure_topics(name, value)
        else:
            set_property(self.conf, name, value)

    def configure_topics(self, name: str, value: str) -> None:
        """Set a property of topics.

        :raises Failure: with librdkafka's text, or one that shows no secret.
        """
        set_property(self.topic_conf, name, value)
