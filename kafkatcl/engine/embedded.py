"""The embedded broker of this process: Kafka to try things out, nothing to install.

``kafkatcl broker`` (``kafkatcl/broker.py``) runs one for all processes of a machine.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from kafkatcl.engine.descriptors import broker_ports
from kafkatcl.engine.shutdown import at_shutdown
from kafkatcl.errors import Failure

if TYPE_CHECKING:
    from kafkatcl.librdkafka.mock import MockCluster

#: What a mock cluster is good for.
LIMITS = (
    "for trying out and testing only: messages are kept in memory, at most 5 MiB a partition (older ones are "
    "dropped), and are gone when this process ends."
)

_lock = threading.Lock()
_cluster: MockCluster | None = None


def is_wanted() -> bool:
    """Whether the environment asks for the embedded broker with ``KAFKATCL_EMBEDDED``.

    :raises Failure: the variable says neither yes nor no.
    """
    text = os.environ.get("KAFKATCL_EMBEDDED", "")
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"", "0", "false", "no", "off"}:
        return False
    raise Failure(f'KAFKATCL_EMBEDDED must be 1 or 0 (true or false, yes or no), got "{text}"')


def brokers() -> list[str]:
    """The ``host:port`` of each embedded broker of this process (any thread).

    The first call starts the brokers, and says on stderr what they are good for.
    ``KAFKATCL_EMBEDDED_BROKERS`` (1) and ``KAFKATCL_EMBEDDED_PARTITIONS`` (4) set their
    number and the partition count of new topics.

    :raises Failure: these are no such numbers, or the brokers cannot start.
    """
    global _cluster  # noqa: PLW0603 - one for the process, whatever interpreters and handles there are
    with _lock:
        if _cluster is None:
            from kafkatcl.librdkafka.mock import MockCluster  # noqa: PLC0415 - few scripts want it

            _cluster = MockCluster(
                _setting("KAFKATCL_EMBEDDED_BROKERS", 1), _setting("KAFKATCL_EMBEDDED_PARTITIONS", 4)
            )
            at_shutdown(_close)
            broker_ports.update(int(address.rpartition(":")[2]) for address in _cluster.bootstrap)
            notice(
                f"kafkatcl: using the embedded broker, {LIMITS} For the brokers that the script names, "
                "leave out --embedded and KAFKATCL_EMBEDDED."
            )
        return list(_cluster.bootstrap)


def notice(text: str) -> None:
    """Write a line about the brokers to stderr, and ignore that nobody reads it."""
    with suppress(OSError):  # a closed stderr must not keep a script from running
        print(text, file=sys.stderr, flush=True)


def _setting(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    try:
        return int(text)
    except ValueError:
        raise Failure(f'{name} must be a whole number, got "{text}"') from None


def _close() -> None:
    global _cluster
    with _lock:
        cluster, _cluster = _cluster, None
    if cluster is not None:
        cluster.close()
