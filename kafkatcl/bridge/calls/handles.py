"""Bridge calls for handles, of any kind: producers, consumers, subscribers."""

from __future__ import annotations

from kafkatcl.bridge.arguments import parse_integer
from kafkatcl.bridge.calls.registry import bridge_call, configured
from kafkatcl.bridge.sessions import events, find, register
from kafkatcl.bridge.texts import echoed
from kafkatcl.engine.consumer import ConsumerHandle
from kafkatcl.engine.handle import LOG_LEVELS, Handle
from kafkatcl.engine.hints import listed
from kafkatcl.engine.master import Master
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.share_subscriber import ShareSubscriber
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.errors import Failure

_KINDS: dict[str, type[Handle]] = {
    "producer": ProducerHandle,
    "consumer": ConsumerHandle,
    "subscriber": Subscriber,
    "share_subscriber": ShareSubscriber,
}


@bridge_call
def handle_create(session: str, master: str, kind: str) -> str:
    """Make a client of a cluster, and start its poll thread; its object id.

    :param kind: ``producer``, ``consumer``, ``subscriber`` or ``share_subscriber``.
    :raises Failure: librdkafka refuses the configuration; a subscriber's master names
        no group; the environment names brokers that cannot be; the process has too few
        descriptors or threads left.  Nothing is left open then.
    """
    made_by = find(master, Master)

    def make(object_id: str) -> Handle:
        handle = _KINDS[kind](made_by, events(session))
        handle.object_id = object_id
        handle.open()
        return handle

    return register(session, "h", make)


@bridge_call
def handle_name(handle: str) -> str:
    """The name of the client, as librdkafka and its log lines have it."""
    return find(handle, Handle).name


@bridge_call
def handle_config(handle: str, *settings: str) -> tuple[str, ...] | None:
    """Show or set the properties of topics that are made later.

    :returns: without settings all properties, see :func:`configured`; else nothing.
    :raises Failure: a property is unknown, or refuses its value.
    """
    found = find(handle, Handle)
    return configured(found.topic_conf.dump, found.configure_topics, settings)


@bridge_call
def handle_partitioner(handle: str, partitioner: str) -> None:
    """Choose the partitioner of topics that are made later.

    :param partitioner: ``random`` or ``consistent``; Tcl has checked this.
    """
    find(handle, Handle).partition_by(partitioner)


@bridge_call
def handle_log_level(handle: str, level: str) -> None:
    """Let log lines up to a level through.

    :param level: a word of ``LOG_LEVELS``, from ``emerg`` to ``debug``.
    :raises Failure: it is none of these words.
    """
    if level not in LOG_LEVELS:
        raise Failure(
            f'bad logLevel "{level}": must be {listed(LOG_LEVELS)}',
            ("TCL", "LOOKUP", "INDEX", "logLevel", level),
        )
    find(handle, Handle).set_log_level(level)


@bridge_call
def handle_add_brokers(handle: str, *brokers: str) -> None:
    """Add bootstrap brokers to a live client.

    :param brokers: ``host`` or ``host:port`` each, or several with commas.
    :raises Failure: there is none, or none of them can be used.
    """
    find(handle, Handle).add_brokers(list(brokers))


@bridge_call
def handle_queue_length(handle: str) -> int:
    """How many messages are not delivered, or not reported to a callback, yet."""
    return find(handle, Handle).output_queue_length()


@bridge_call
def handle_topics(handle: str) -> tuple[str, ...]:
    """The names of all topics, by metadata that may be old (:func:`handle_refresh`).

    :raises Failure: there was no metadata yet, and no broker answers.
    """
    return find(handle, Handle).metadata().topics()


@bridge_call
def handle_brokers(handle: str) -> tuple[str, ...]:
    """All brokers as ``host:port``; metadata and errors as in :func:`handle_topics`."""
    return find(handle, Handle).metadata().brokers()


@bridge_call
def handle_partitions(handle: str, topic: str) -> int:
    """The number of partitions of a topic, by metadata that may be old.

    :param topic: its name.
    :raises Failure: there is no such topic; or as :func:`handle_topics`.
    """
    return find(handle, Handle).metadata().partitions(topic)


@bridge_call
def handle_refresh(handle: str) -> None:
    """Fetch the metadata of the cluster anew.

    :raises Failure: no broker answers.
    """
    find(handle, Handle).metadata(refresh=True)


@bridge_call
def handle_listing(handle: str) -> str:
    """Fetch the metadata anew, and list it for people, in several lines.

    :raises Failure: no broker answers.
    """
    return find(handle, Handle).metadata(refresh=True).text()


@bridge_call
def handle_error(handle: str, code: str, reason: str) -> None:
    """Tell the error callback of an error, as if the client had had it.

    :param code: librdkafka's number of an error, an integer.
    """
    find(handle, Handle).report_error(parse_integer(code), echoed(reason))
