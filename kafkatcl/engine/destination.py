"""Where clients are sent: to the brokers that the script names,
unless the environment names others.
"""

from __future__ import annotations

import os
import re
import threading
from typing import Any, NamedTuple

from kafkatcl.engine import embedded, telling
from kafkatcl.errors import Failure

VARIABLE = "KAFKATCL_BROKERS"
ADDRESS_PROPERTIES = ("bootstrap.servers", "metadata.broker.list")

_SECURITY = ("security.", "sasl.", "ssl.")
_ADDRESS = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:,/\[\]]+)(?::(?P<port>[0-9]{1,5}))?"
_LOCAL = r"(?i)127\.\d+\.\d+\.\d+|localhost|\[::1\]"
_KAFKA_PORT = 9092
_PROBE_SECONDS = 1.0
_MAX_ANSWER_BYTES = 1 << 16
# A Metadata request of version 2, the first whose answer names the cluster.  Its bytes:
# the API key, 3, and the version, 2 bytes each; the correlation id, 4 bytes; the client
# id behind its length in 2 bytes; the number of topics, 4 bytes, where 0 means none.
# https://kafka.apache.org/protocol.html
_PROBE = b"\0\x03\0\x02\0\0\0\1\0\x08kafkatcl\0\0\0\0"
#: With this the name of a mock cluster begins:
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L3309-L3310
EMBEDDED_CLUSTER = b"mockCluster"

_lock = threading.Lock()
_told = ""  # the value of the variable that was told of


class Destination(NamedTuple):
    """Brokers that stand in for those of the script."""

    brokers: list[str]
    is_embedded: bool

    def applied(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings of a client that is sent there, made of those of the script;
        the embedded broker knows no security, so it gets no setting of that.
        """
        left_out = (*ADDRESS_PROPERTIES, *(_SECURITY if self.is_embedded else ()))
        kept = {name: value for name, value in settings.items() if not name.startswith(left_out)}
        return {**kept, "bootstrap.servers": ",".join(self.brokers)}


def redirected() -> Destination | None:
    """Where the environment sends all clients, by ``KAFKATCL_EMBEDDED`` or
    ``KAFKATCL_BROKERS``; None: where the script says.

    Embedded brokers are started if they were not, and brokers on loopback are asked
    whether they are embedded (waits up to a second for each answer).

    :raises Failure: a variable has no such value, or the embedded brokers cannot start.
    """
    if embedded.is_wanted():
        return Destination(embedded.brokers(), is_embedded=True)
    text = os.environ.get(VARIABLE, "")
    brokers = re.findall(r"[^\s,]+", text)
    if not brokers:
        return None
    if any(_split(address) is None for address in brokers):
        raise Failure(
            f'{VARIABLE} must name brokers as host:port, with blanks or commas between, got "{text}"'
        )
    _tell(text, brokers)
    return Destination(brokers, is_embedded(brokers))


def is_embedded(brokers: list[str]) -> bool:
    """Whether these are embedded brokers of this machine (waits).

    They run on loopback only, so others are not asked.  Of several the first is asked;
    one that does not answer within a second is taken for a real broker.

    :param brokers: their ``host:port``.
    """
    found = [_split(address) for address in brokers]
    local = [address for address in found if address and re.fullmatch(_LOCAL, address[0])]
    return bool(local) and len(local) == len(brokers) and _is_embedded(*local[0])


def named(settings: dict[str, Any]) -> list[str]:
    """The brokers that the settings of a client name; one empty text for none."""
    text = next((settings[name] for name in ADDRESS_PROPERTIES if settings.get(name)), "")
    return [address.strip() for address in str(text).split(",")]


def _split(address: str) -> tuple[str, int] | None:
    """The host and the port of an address; None if it is none."""
    found = re.fullmatch(_ADDRESS, address)
    port = int(found["port"] or _KAFKA_PORT) if found else 0
    return (found["host"], port) if found and 0 < port < 1 << 16 else None


def _is_embedded(host: str, port: int) -> bool:
    import socket  # noqa: PLC0415 - few scripts get here

    try:
        with socket.create_connection((host.strip("[]"), port), _PROBE_SECONDS) as asked:
            asked.sendall(len(_PROBE).to_bytes(4, "big") + _PROBE)
            with asked.makefile("rb") as answer:
                size = int.from_bytes(answer.read(4), "big")
                return EMBEDDED_CLUSTER in answer.read(min(size, _MAX_ANSWER_BYTES))
    except OSError:
        return False


def _tell(text: str, brokers: list[str]) -> None:
    """Say on stderr, once for each value of the variable, that its brokers stand in for
    those of the script.
    """
    global _told
    with _lock:
        is_new, _told = text != _told, text
    if is_new:
        telling.say(f"kafkatcl: {VARIABLE} sends all clients to {', '.join(brokers)}")
