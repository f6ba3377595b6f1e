"""Why a broker cannot be reached: librdkafka's log line in plain words
that say what to mend.

librdkafka's own hints miss some cases, which the state of the connection tells apart.
The line has a reason, then the state and the time spent in it:
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L568-L607
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple

from kafkatcl.engine.secrets import scrub
from kafkatcl.engine.telling import printable

# [thrd:ssl://host:9093/bootstrap]: ssl://host:9093/bootstrap: what happened
_NAMED = r"(?s)(?:\[thrd:.*?\]: )?(?:(?P<protocol>\w+)://)?(?P<name>.+?)(?:/(?P<id>bootstrap|-?\d+))?: (?P<text>.*)"
# What is connected to for a purpose, such as the coordinator of a group, has its
# address behind its name.
_ADDRESS = r"(?s)(\S+:\d+): (.*)"
_ENDING = r" \(after (?P<ms>\d+)ms in state (?P<state>\w+)(?:, \d+ identical error\(s\) suppressed)?\)$"
# Characters of a reason.
_MAX_CHARACTERS = 300
_SOON_MS = 2000

_UNTRUSTED = (
    "the certificate of the broker could not be verified: ssl.ca.location must name its CA, "
    "and the certificate must name this host"
)
_WITHOUT_TLS = "the connection was closed in the TLS handshake: a port without TLS? (security.protocol)"
_WITH_TLS = "the connection was closed at the first request: a port with TLS? (security.protocol)"
_WITH_CERTIFICATE = (
    "the connection was closed after the TLS handshake: does the broker want a client certificate? "
    "(ssl.certificate.location)"
)
_WITH_SASL = "the connection was closed after the first request: does it want SASL? (security.protocol)"
_WITHOUT_SASL = "the broker does not authenticate on this port: one without SASL? (security.protocol)"
_SILENT = "the broker does not answer"
#: librdkafka reads the first 4 bytes of an answer as its size, and logs that as signed.
#: They are ``HTTP`` where a web server answers.  Where TLS does, they begin with 21,
#: the type of an alert, and 3, the major version.
#: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L2130-L2147
_HTTP, _TLS_ALERT = 0x48545450, 0x1503


class ConnectionName(NamedTuple):
    """A connection that a line is about: the address, or for what purpose librdkafka
    connects (such as ``GroupCoordinator``), and the number of the broker.
    """

    address: str
    broker: str  # "bootstrap": it is known by the address alone

    @property
    def is_named(self) -> bool:
        """Whether the address comes from the script."""
        return self.broker == "bootstrap"

    @property
    def is_learned(self) -> bool:
        """Whether the address comes from the cluster."""
        return self.broker.isdecimal()


class ConnectionFailure(NamedTuple):
    """A failure of a connection, and why.

    ``purpose`` is empty where the connection is known by its address.
    """

    name: ConnectionName
    purpose: str
    reason: str
    #: Whether the connection was merely closed.  Once that may mean nothing.
    is_closed: bool
    #: Whether the connection had worked for two seconds.  A close then means nothing.
    has_worked: bool


def connection_of(message: str) -> ConnectionName | None:
    """The connection that a line is about; None if it is about none."""
    found = re.match(_NAMED, message)
    return ConnectionName(found["name"], found["id"] or "") if found else None


def failure_of(message: str) -> ConnectionFailure | None:
    """What a line of the facility FAIL, or an error of a broker, tells; None if it is
    about no connection.  Its reason is printable, has no known secret, and is cut off
    behind 300 characters.
    """
    found = re.match(_NAMED, message)
    if not found:
        return None
    address, purpose, text = found["name"], "", found["text"]
    if ":" not in address and (inner := re.match(_ADDRESS, text)):
        purpose, address, text = address, inner[1], inner[2]
    ending = re.search(_ENDING, text)
    state, ms = (ending["state"], int(ending["ms"])) if ending else ("", 0)
    text = text[: ending.start()] if ending else text
    reason = _reason(text, state, ms, found["protocol"] or "plaintext")
    return ConnectionFailure(
        ConnectionName(address, found["id"] or ""),
        purpose,
        printable(scrub(reason))[:_MAX_CHARACTERS],
        is_closed=text.startswith("Disconnected"),
        has_worked=state == "UP" and ms >= _SOON_MS,
    )


def _reason(text: str, state: str, ms: int, protocol: str) -> str:
    if text.startswith("Disconnected") or ("Disconnected" in text and state == "SSL_HANDSHAKE"):
        return _closed(text, state, ms, protocol)
    for pattern, words in _TEXTS:
        if found := re.match(pattern, text, re.DOTALL):
            return words(found)
    return text


def _closed(text: str, state: str, ms: int, protocol: str) -> str:
    """What the end of a connection means in a state, after ``ms`` in that state."""
    secured = protocol.endswith("ssl")
    if state == "SSL_HANDSHAKE":
        return _WITHOUT_TLS
    if state == "APIVERSION_QUERY":
        return _WITH_CERTIFICATE if secured else _WITH_TLS
    if state == "UP" and ms < _SOON_MS and not protocol.startswith("sasl"):
        return _WITH_SASL
    return text


def _authentication(found: re.Match[str]) -> str:
    words = re.sub(r"^authentication failed(: |$)", "", found[1], flags=re.IGNORECASE)
    return f"authentication failed{f': {words}' if words else ''}"


def _size(found: re.Match[str]) -> str:
    size = int(found[1]) & 0xFFFFFFFF
    if size == _HTTP:
        return "this is no broker: it answers as HTTP"
    return _WITH_TLS if size >> 16 == _TLS_ALERT else found[0]


_Words = Callable[[re.Match[str]], str]
_TEXTS: tuple[tuple[str, _Words], ...] = (
    (r"Connect to \S+ failed: (.*)", lambda found: found[1]),
    (r"Failed to resolve '.*': (.*)", lambda found: f"the host name cannot be resolved: {found[1]}"),
    (r"SASL authentication error: (.*)", _authentication),
    (r"SASL \S+ mechanism handshake failed: .*not valid in current SASL state", lambda _: _WITHOUT_SASL),
    (
        r"SASL (\S+) mechanism handshake failed: .*Unsupported SASL mechanism: (.*)",
        lambda found: f"the broker does not know sasl.mechanism {found[1]} ({found[2]})",
    ),
    (r".*certificate verify failed", lambda _: _UNTRUSTED),
    (r".*wrong version number", lambda _: _WITHOUT_TLS),
    (r"ApiVersionRequest failed: Local: Timed out|\d+ request\(s\) timed out", lambda _: _SILENT),
    (r"Receive failed: Invalid response size (-?\d+)", _size),
)
