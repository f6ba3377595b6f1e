"""A port of one's choice before a broker that has chosen its own.

What connects to the port is connected to the broker.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import socketserver
import threading
from collections.abc import Iterator

from kafkatcl.errors import Failure
from kafkatcl.librdkafka.mock import signals_blocked

_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_LOOK_SECONDS = 0.1  # how often a listener looks whether it is to end
_CHUNK = 1 << 16
_NAME = "kafkatcl-relay"  # of threads


@contextlib.contextmanager
def relayed(port: int, broker: str) -> Iterator[None]:
    """Have ``port`` of 127.0.0.1, and of ::1 where there is IPv6, lead to ``broker``.

    This lasts while the block runs.

    :param broker: ``host:port``.
    :raises Failure: ``port`` is no port, or one that cannot be had.
    """
    if not 1 <= port < 1 << 16:
        raise Failure(f"port must be a whole number from 1 to 65535, got {port}")
    with contextlib.ExitStack() as ending:
        for family, host in _LOOPBACK:
            try:
                relay = _Relay(family, host, port, broker)
            except OSError as error:
                if family == socket.AF_INET6 and error.errno in _NO_IPV6:
                    continue
                raise Failure(f"cannot listen on port {port} of {host}: {error.strerror}") from None
            ending.callback(relay.end)
            with signals_blocked():
                threading.Thread(target=relay.serve_forever, args=(_LOOK_SECONDS,), name=_NAME).start()
        yield


class _Relay(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, family: socket.AddressFamily, host: str, port: int, broker: str) -> None:
        self.address_family = family
        broker_host, _, broker_port = broker.rpartition(":")
        self.broker = broker_host, int(broker_port)
        self._open: set[socket.socket] = set()
        self._has_ended = False
        super().__init__((host, port), _Connection)

    def end(self) -> None:
        """Listen no more, and close every connection."""
        self.shutdown()
        self._has_ended = True
        for one in list(self._open):
            _end(one)
        self.server_close()

    @contextlib.contextmanager
    def joined(self, *ends: socket.socket) -> Iterator[None]:
        """Around the work for a connection: :meth:`end` ends it."""
        self._open.update(ends)
        try:
            if self._has_ended:
                raise OSError(errno.ESHUTDOWN, "the relay has ended")
            yield
        finally:
            self._open.difference_update(ends)


class _Connection(socketserver.BaseRequestHandler):
    server: _Relay

    def handle(self) -> None:
        """Carry bytes both ways until one side ends."""
        client: socket.socket = self.request
        with (
            contextlib.suppress(OSError),
            socket.create_connection(self.server.broker) as broker,
            self.server.joined(client, broker),
        ):
            back = threading.Thread(target=_carry, args=(broker, client), name=_NAME)
            back.start()
            _carry(client, broker)
            back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is not connected any more
        one.shutdown(socket.SHUT_RDWR)
