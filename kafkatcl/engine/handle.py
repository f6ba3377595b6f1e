"""What producer handles, consumer handles and subscribers have in common:
a client of a cluster.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any, ClassVar

from kafkatcl.engine.buffer import Stopped
from kafkatcl.engine.descriptors import room_for, seal_now_and_then
from kafkatcl.engine.destination import named, redirected
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.events import Event, EventQueue
from kafkatcl.engine.faults import fault
from kafkatcl.engine.logs import Log, log_settings
from kafkatcl.engine.master import Master
from kafkatcl.engine.metadata import Metadata, fetch_metadata
from kafkatcl.engine.poll_thread import PollThread
from kafkatcl.engine.reports import ClientError, LogEntry
from kafkatcl.engine.secrets import scrub, scrub_json
from kafkatcl.engine.security import warning
from kafkatcl.engine.settings import creation_text, set_property
from kafkatcl.engine.shared_topic import SharedTopic, usable_name
from kafkatcl.engine.shutdown import close_handles, track
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.errors import DESTROYED, FAILED, NO_RESOURCE, TRANSPORT
from kafkatcl.librdkafka.logs import LogLine
from kafkatcl.librdkafka.wrapper import KafkaException

LOG_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


class Handle:
    """A client of a cluster, served by a poll thread of its own until it is deleted.

    It is built first, and then opened: what is built has no thread, no descriptor, and
    no client yet, so a kind of handle is complete before anything calls it.

    Commands are for the thread of the interpreter, or that of a call in the background;
    methods for other threads say so.

    :param master: gives the configuration; later changes of it have no effect here.
    :param events: takes what callbacks are to be told.
    :raises Failure: the environment names brokers that cannot be.
    """

    consumes: ClassVar[bool]

    #: What :meth:`open` makes.
    client: Any
    native: NativeClient
    name: str
    log: Log
    poll_thread: PollThread

    def __init__(self, master: Master, events: EventQueue) -> None:
        self.master = master
        self.events = events
        #: How whoever made the handle calls it.
        self.object_id = ""
        self.topic_conf = master.topic_conf.copy()
        self.partitioner = master.partitioner
        self.deleted = False
        #: When closing stopped to wait for messages to be delivered, by
        #: ``time.monotonic``; 0: it did not.
        self.gave_up_at = 0.0
        self._topics: dict[str, SharedTopic] = {}
        self._metadata: Metadata | None = None
        self._redirected = redirected()
        self._has_brokers = False
        self._reports_errors = "error" in master.wanted

    def open(self) -> None:
        """Make the client, and have its poll thread begin; to be called once.

        :raises Failure: librdkafka refuses the configuration, or too few descriptors or
            threads are left; nothing is left open.
        """
        settings = self._settings()
        self._has_brokers = any(named(settings))
        with room_for("a client"), ExitStack() as undoing:
            self.poll_thread = PollThread(self._serve)
            undoing.callback(self.poll_thread.close)
            self.client = self._make_client(settings)
            undoing.callback(self.client.close)
            self.native = NativeClient(self.client)
            undoing.callback(self.native.release)
            self.name = self.native.name()
            self.log = Log(self.native, self.master.conf.settings, self.master.logger, self._tell_log_line)
            self._warn()
            self.log.open()
            undoing.callback(self.log.close)
            self.native.signal_events(self.poll_thread.descriptor, consumer=self.consumes)
            self._prepare()
            self.poll_thread.start(self.name)
            undoing.pop_all()
        self.master.handles.add(self)
        track(self)

    # -- what a kind of handle must bring ----------------------------------------------

    def _make(self, settings: dict[str, Any]) -> Any:
        """Make the confluent-kafka client of these settings."""
        raise NotImplementedError

    def _prepare(self) -> None:
        """Do what needs the client, and must be done before the client is served."""

    def _poll(self) -> bool:
        """Serve the client (poll thread); whether there is more to do right now.

        Any exception is told to the error callback, and the poll thread goes on.
        """
        raise NotImplementedError

    def _finish(self, deadline: float) -> None:
        """Flush or commit, and close the client (closing thread; the poll thread has
        ended).

        :param deadline: when to stop flushing, by ``time.monotonic``.
        """
        raise NotImplementedError

    def _on_dropped(self, notices: list[Event]) -> None:
        """Take note of notices that no callback will get."""

    def undelivered(self) -> int:
        """How many messages closing waits for (any thread)."""
        return 0

    def report_losses(self) -> None:
        """Say on stderr what was lost, if that was not said yet (any thread)."""

    def abandon(self) -> None:
        """The interpreter goes, and no callback runs any more (any thread)."""

    # -- commands ----------------------------------------------------------------------

    def add_brokers(self, brokers: list[str]) -> None:
        """Add bootstrap brokers to the live client.

        Where the environment names the brokers, these are only looked at.

        :param brokers: each a ``host``, a ``host:port``, or several with commas.
        :raises Failure: none of them can be used.
        """
        self.check()
        if not brokers:
            raise Failure("Broker list must contain at least one element")
        if any("\0" in broker for broker in brokers):
            raise Failure("the address of a broker cannot hold a NUL character")
        if self._redirected:
            usable = sum(1 for text in brokers for name in text.split(",") if name.strip())
        else:
            usable = self.native.add_brokers(",".join(brokers))
        if usable == 0:
            raise Failure("No valid brokers specified")
        self._has_brokers = True

    def set_log_level(self, level: str) -> None:
        """Let log lines up to a level, one of ``LOG_LEVELS``, through."""
        self.check()
        self.log.set_level(LOG_LEVELS.index(level))

    def configure_topics(self, name: str, value: str) -> None:
        """Set a property of topics to come.

        :raises Failure: with librdkafka's text, or one that shows no secret.
        """
        set_property(self.topic_conf, name, value)

    def partition_by(self, partitioner: str) -> None:
        """Have topics to come partition messages by ``random`` or ``consistent``,
        librdkafka's names of partitioners.
        """
        self.partitioner = partitioner

    def output_queue_length(self) -> int:
        """Messages not yet delivered, plus reports that callbacks have not been told,
        plus what waits in librdkafka to be polled (see ``NativeClient``).

        :raises Failure: the handle was deleted.
        """
        self.check()
        return self.native.output_queue_length() + self.events.pending(self, self.master.callback("delivery"))

    def why(self) -> str:
        """The last error of a broker that cannot be reached, which may be why a command
        has failed; empty where none is known (any thread).
        """
        return self.log.outages.why()

    def metadata(self, *, refresh: bool = False, seconds: float | None = None) -> Metadata:
        """The metadata of the cluster, fetched at first and when ``refresh`` says so.

        :param seconds: how long to wait for an answer, 5 at most; None: 5.
        :raises Failure: no broker answers in time, or none is known.
        """
        self.check()
        if refresh or self._metadata is None:
            if not self._has_brokers:
                raise kafka_failure(TRANSPORT, "failed to acquire metadata")
            self._metadata = fetch_metadata(self.client, self.why, seconds)
        return self._metadata

    def knows_metadata(self) -> bool:
        """Whether the metadata was fetched already."""
        return self._metadata is not None

    def open_topic(self, name: str) -> SharedTopic:
        """The topic of this name: the one already open,
        or a new one with the configuration as it is now.

        Each call has one of :meth:`close_topic` to match.

        :raises Failure: no topic can have this name, or the handle was deleted.
        """
        self.check()
        topic = self._topics.get(name)
        if topic is None:
            usable_name(name)
            topic = self._topics[name] = SharedTopic(name, self.topic_conf, self.partitioner)
        topic.users += 1
        return topic

    def close_topic(self, topic: SharedTopic) -> None:
        """End one use of a topic from :meth:`open_topic`; the last one destroys the
        client's topic.
        """
        topic.users -= 1
        # Closing a handle closes all its topics, in another thread.
        if topic.users == 0 and not self.deleted:
            del self._topics[topic.name]
            topic.close(self.native)

    def report_error(self, code: int, reason: str) -> None:
        """Tell the error callback of the master (any thread)."""
        callback_id = self.master.callback("error")
        self.events.post_unbidden(self, callback_id, ClientError(code, reason), ClientError.left_out)

    def delete(self) -> list[Stopped]:
        """Close the client in an orderly way: a producer goes on delivering in the
        background, the end of a consumer is waited for, up to 5 s.

        :returns: the partitions that were fetched.
        """
        self.let_go()
        close_handles(self)
        return []

    def let_go(self) -> None:
        """Prepare the end: from now on every command fails, and pending events are
        dropped.
        """
        self._end_use()
        self._on_dropped(self.events.forget(self))

    def silence(self, kind: str) -> None:
        """The callback of a kind was removed: drop its pending events."""
        self._on_dropped(self.events.silence(self, self.master.callback(kind)))

    def check(self) -> None:
        """Refuse a command to a handle that is gone.

        :raises Failure: this handle was deleted.
        """
        if self.deleted:
            raise kafka_failure(DESTROYED, f"the handle {self.name} was deleted")

    def close(self, deadline: float) -> None:
        """Flush and close (any thread; waits).

        :param deadline: when to stop flushing, by ``time.monotonic``; closing may take
            longer.
        """
        self._end_use()
        self.poll_thread.stop()
        self._on_dropped(self.events.forget(self))  # no callback runs any more
        self._finish(deadline)
        self.poll_thread.close()

    # -- inside ------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        """What the client is made of; kinds of handles add theirs."""
        settings: dict[str, Any] = dict(self.master.conf.settings)
        if self._redirected:
            settings = self._redirected.applied(settings)
        settings.update(log_settings(self.master.conf.settings))
        settings["error_cb"] = self._on_error
        if "statistics" in self.master.wanted:
            settings["stats_cb"] = self._on_statistics
        return settings

    def _make_client(self, settings: dict[str, Any]) -> Any:
        try:
            return self._make(settings)
        except KafkaException as error:
            if error.args[0].code() == NO_RESOURCE:
                raise kafka_failure(NO_RESOURCE, error.args[0].str()) from error
            # "Failed to create consumer: REASON" is the wrapper's; the library's own
            # text is the reason.
            # https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Consumer.c#L1804-L1806
            text = re.sub(r"^Failed to create [\w ]+: ", "", error.args[0].str())
        raise Failure(creation_text(text, settings))

    def _warn(self) -> None:
        """Warn of a configuration that gives security up, once for each master."""
        is_embedded = self._redirected is not None and self._redirected.is_embedded
        text = "" if is_embedded else warning(self.master.conf)
        if text and text not in self.master.warned:
            self.master.warned.add(text)
            self.log.say("SECURITY", text)

    def _serve(self) -> bool:
        """Serve the client once (poll thread); no exception leaves it."""
        try:
            more = self._poll()
        except KafkaException as error:
            # A fatal error, which the wrapper raises instead of calling error_cb:
            # https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.c#L2197-L2204
            self._on_error(error.args[0])
            more = False
        except Exception as error:  # whatever the wrapper raises, the poll thread must go on
            self.report_error(FAILED, fault(f"the thread of {self.name}", error))
            more = False
        seal_now_and_then()
        return more

    def _tell_log_line(self, line: LogLine) -> None:
        if not self.deleted:
            self.events.post_unbidden(
                self, self.master.callback("logger"), LogEntry(*line), LogEntry.left_out
            )

    def _release(self) -> None:
        """Free all that is held of the client, right before closing it (closing
        thread).
        """
        self.log.close()
        for topic in self._topics.values():
            topic.close(self.native)
        self.native.release()

    def _end_use(self) -> None:
        """From now on every command fails (any thread)."""
        self.deleted = True
        for topic in list(self._topics.values()):
            topic.recall()

    # -- called within poll, consume, flush and close, in whatever thread does that ----

    def _on_error(self, error: Any) -> None:
        if self._reports_errors or error.fatal():
            self.report_error(error.code(), scrub(error.str()))

    def _on_statistics(self, json: str) -> None:
        self.events.post_latest(self, self.master.callback("statistics"), scrub_json(json))
