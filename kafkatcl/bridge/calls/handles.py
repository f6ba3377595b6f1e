"""Bridge calls for handles: producers, consumers,
and subscribers where they are alike.
"""

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
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.errors import Failure

_KINDS: dict[str, type[Handle]] = {
    "producer": ProducerHandle,
    "consumer": ConsumerHandle,
    "subscriber": Subscriber,
}


@bridge_call
def handle_create(session: str, master: str, kind: str) -> str:
    made_by = find(master, Master)

    def make(object_id: str) -> Handle:
        handle = _KINDS[kind](made_by, events(session))
        handle.object_id = object_id
        handle.open()
        return handle

    return register(session, "h", make)


@bridge_call
def handle_name(handle: str) -> str:
    return find(handle, Handle).name


@bridge_call
def handle_config(handle: str, *settings: str) -> tuple[str, ...] | None:
    found = find(handle, Handle)
    return configured(found.topic_conf.dump, found.configure_topics, settings)


@bridge_call
def handle_partitioner(handle: str, partitioner: str) -> None:
    find(handle, Handle).partition_by(partitioner)


@bridge_call
def handle_log_level(handle: str, level: str) -> None:
    if level not in LOG_LEVELS:
        raise Failure(
            f'bad logLevel "{level}": must be {listed(LOG_LEVELS)}',
            ("TCL", "LOOKUP", "INDEX", "logLevel", level),
        )
    find(handle, Handle).set_log_level(level)


@bridge_call
def handle_add_brokers(handle: str, *brokers: str) -> None:
    find(handle, Handle).add_brokers(list(brokers))


@bridge_call
def handle_queue_length(handle: str) -> int:
    return find(handle, Handle).output_queue_length()


@bridge_call
def handle_topics(handle: str) -> tuple[str, ...]:
    return find(handle, Handle).metadata().topics()


@bridge_call
def handle_brokers(handle: str) -> tuple[str, ...]:
    return find(handle, Handle).metadata().brokers()


@bridge_call
def handle_partitions(handle: str, topic: str) -> int:
    return find(handle, Handle).metadata().partitions(topic)


@bridge_call
def handle_refresh(handle: str) -> None:
    find(handle, Handle).metadata(refresh=True)


@bridge_call
def handle_listing(handle: str) -> str:
    return find(handle, Handle).metadata(refresh=True).text()


@bridge_call
def handle_error(handle: str, code: str, reason: str) -> None:
    find(handle, Handle).report_error(parse_integer(code), echoed(reason))
