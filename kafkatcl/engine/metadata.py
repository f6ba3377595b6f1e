"""What a cluster tells about itself: its brokers, topics and partitions."""

from __future__ import annotations

from typing import Any, Callable

from kafkatcl.engine.errors import kafka_errors
from kafkatcl.engine.waiting import interruptibly
from kafkatcl.errors import Failure

_TIMEOUT_SECONDS = 5.0
_FAILED = "failed to acquire metadata"


class Metadata:
    """The metadata of a cluster at one moment.

    :param found: a ``confluent_kafka.admin.ClusterMetadata``.
    """

    def __init__(self, found: Any) -> None:
        self._found = found

    def topics(self) -> tuple[str, ...]:
        """The names of all topics."""
        return tuple(self._found.topics)

    def brokers(self) -> tuple[str, ...]:
        """All brokers as ``host:port``."""
        return tuple(_address(broker) for broker in self._found.brokers.values())

    def partitions(self, topic: str) -> int:
        """The number of partitions of a topic.

        :raises Failure: there is no such topic.
        """
        known = self._found.topics.get(topic)
        if known is None or known.error is not None:
            raise Failure(f"kafka error: topic '{topic}' not found")
        return len(known.partitions)

    def text(self) -> str:
        """A listing for people: brokers, topics, and the partitions of each topic,
        a line each.
        """
        lines = [f"{len(self._found.brokers)} brokers:"]
        lines += [f"  broker {b.id} at {_address(b)}" for b in self._found.brokers.values()]
        lines.append(f"{len(self._found.topics)} topics:")
        for topic in self._found.topics.values():
            error = f" ({topic.error})" if topic.error else ""
            lines.append(f"  topic {topic.topic} with {len(topic.partitions)} partitions{error}")
            for part in topic.partitions.values():
                replicas, insync = (",".join(map(str, ids)) for ids in (part.replicas, part.isrs))
                lines.append(
                    f"    partition {part.id}, leader {part.leader}, replicas: {replicas}, isrs: {insync}"
                )
        return "\n".join(lines)


def _address(broker: Any) -> str:
    """``host:port`` as ``add_brokers`` takes it: an IPv6 address is in brackets."""
    host = f"[{broker.host}]" if ":" in broker.host and not broker.host.startswith("[") else broker.host
    return f"{host}:{broker.port}"


def fetch_metadata(client: Any, why: Callable[[], str], seconds: float | None = None) -> Metadata:
    """Ask the cluster of a confluent-kafka client (waits; a signal ends the wait).

    All topics are asked for: a producer that asked for one by name would create it on
    clusters that create topics, as ``allow.auto.create.topics`` is on there by default.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_metadata.c#L116-L120
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/CONFIGURATION.md

    :param why: gives the reason why there may be no answer.
    :param seconds: how long to wait, 5 at most; None: 5.
    :raises Failure: no answer.
    """
    timeout = _TIMEOUT_SECONDS if seconds is None else min(seconds, _TIMEOUT_SECONDS)
    with kafka_errors(_FAILED, why=why):
        return Metadata(interruptibly(lambda: client.list_topics(timeout=timeout)))
