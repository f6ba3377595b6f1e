"""Where log lines can go.  On stderr and in syslog a line stays one line,
whatever a broker has put into it.
"""

from __future__ import annotations

import os
import select
import time
from typing import Callable

from kafkatcl.engine.telling import is_diverted, printable
from kafkatcl.librdkafka.logs import LogLine

#: What takes lines.
Sink = Callable[[list[LogLine]], None]

_STDERR = 2
# A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting, 4096 on Linux
# ("The Linux Programming Interface", table 63-5).
_CHUNK_BYTES = 4096
#: How long a look whether stderr can be written to lasts.
_PATIENCE_MS = 100


def sink(logger: str, name: str, tell: Callable[[LogLine], None], gives_up: Callable[[], bool]) -> Sink:
    """What takes the lines of a client.

    :param logger: where they go: ``stderr``, ``syslog``, ``none``, or ``callback``.
    :param name: the client's name, as stderr shows it.
    :param tell: takes a line for the callback.
    :param gives_up: says whether to drop what nobody reads; it is asked each 100 ms.
    :raises KeyError: ``logger`` is none of these.
    """
    kinds: dict[str, Callable[[], Sink]] = {
        "stderr": lambda: _to_stderr(name, gives_up),
        "syslog": lambda: _to_syslog,
        "none": lambda: _to_nowhere,
        "callback": lambda: _to_callback(tell),
    }
    return kinds[logger]()


def _to_stderr(name: str, gives_up: Callable[[], bool]) -> Sink:
    """librdkafka's own format: ``%LEVEL|SECONDS.MS|FACILITY|NAME| text``.

    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.c#L388-L389
    """

    def tell(lines: list[LogLine]) -> None:
        now = f"{time.time():.3f}"
        texts = [printable(f"%{line.level}|{now}|{line.facility}|{name}| {line.message}") for line in lines]
        _print([f"{text}\n".encode(errors="backslashreplace") for text in texts], gives_up)

    return tell


def _print(lines: list[bytes], gives_up: Callable[[], bool]) -> None:
    """Write lines to stderr, as many at once
    as a pipe takes without making us wait for its reader.
    """
    chunk = b""
    for line in [*lines, b""]:
        if not line or len(chunk) + len(line) > _CHUNK_BYTES:
            if chunk and not _write(chunk, gives_up):
                return
            chunk = b""
        chunk += line


def _write(chunk: bytes, gives_up: Callable[[], bool]) -> bool:
    """Write to stderr when somebody reads it; False if nobody will, or ``gives_up``
    says so.
    """
    if is_diverted(chunk):
        return True
    try:
        ready = select.poll()
        ready.register(_STDERR, select.POLLOUT)
        while not ready.poll(_PATIENCE_MS):
            if gives_up():
                return False
        while chunk:
            chunk = chunk[os.write(_STDERR, chunk) :]
    except OSError:  # closed, or nobody will ever read it
        return False
    return True


def _to_syslog(lines: list[LogLine]) -> None:
    import syslog  # noqa: PLC0415 - few scripts have it

    for line in lines:
        syslog.syslog(line.level, printable(f"{line.facility}: {line.message}"))


def _to_nowhere(_lines: list[LogLine]) -> None:
    pass


def _to_callback(tell: Callable[[LogLine], None]) -> Sink:
    """Callbacks get the text as it is: it is data there."""

    def tell_all(lines: list[LogLine]) -> None:
        for line in lines:
            tell(line)

    return tell_all
