"""A broker that only authenticates:
it keeps what it is told, and refuses with a text of the test's choice.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

_VERSIONS, _HANDSHAKE, _AUTHENTICATE = 18, 17, 36
_SUPPORTED = ((_VERSIONS, 0, 0), (_HANDSHAKE, 0, 1), (3, 0, 1), (_AUTHENTICATE, 0, 0))
_UNSUPPORTED_VERSION, _AUTHENTICATION_FAILED = 35, 58


class SaslBroker:
    """Listens on ``address``; ``tokens`` are the SASL PLAIN tokens it was sent:
    ``\\0user\\0password``.
    """

    def __init__(self, refusal: bytes) -> None:
        self.tokens: list[bytes] = []
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for open_socket in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for open_socket in (self._listener, *self._connections):
            open_socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=[connection]))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error):
            stream = connection.makefile("rb")
            while True:
                (length,) = struct.unpack(">i", stream.read(4))
                request = stream.read(length)
                api, version, correlation = struct.unpack(">hhi", request[:8])
                reply = struct.pack(">i", correlation) + self._reply(api, version, request)
                connection.sendall(struct.pack(">i", len(reply)) + reply)

    def _reply(self, api: int, version: int, request: bytes) -> bytes:
        if api == _VERSIONS:
            error = _UNSUPPORTED_VERSION if version else 0
            rows = b"".join(struct.pack(">hhh", *row) for row in _SUPPORTED)
            return struct.pack(">hi", error, len(_SUPPORTED)) + rows
        if api == _HANDSHAKE:
            return struct.pack(">hih", 0, 1, 5) + b"PLAIN"
        # Behind the header with the client's name, and the length: authorization, user,
        # password.
        (name_length,) = struct.unpack(">h", request[8:10])
        self.tokens.append(request[10 + name_length + 4 :])
        return struct.pack(">hh", _AUTHENTICATION_FAILED, len(self._refusal)) + self._refusal + bytes(4)


@contextlib.contextmanager
def sasl_broker(refusal: bytes = b"no") -> Iterator[SaslBroker]:
    broker = SaslBroker(refusal)
    try:
        yield broker
    finally:
        broker.close()
