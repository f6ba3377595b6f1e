"""File descriptors: a client gets all it needs or is refused,
and programs that are run inherit none of its own.

librdkafka makes its wake-up pipes, one for each broker it learns of, such that programs
inherit them, and so does the mock cluster with the connections it accepts.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdposix.h#L221-L240
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L1849-L1850

There is no setting for that, so they are looked for and sealed: when a client is made,
once a second by the poll threads, and right before a fork or a program that we know of.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import resource
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import NO_RESOURCE

#: How many descriptors a client of a small cluster takes, and some for the script that
#: makes it.
_ROOM = 20
#: Seconds between two looks of :func:`seal_now_and_then`.
_SEAL_SECONDS = 1.0
#: How many descriptors are tried where the system does not list them.
_MAX_TRIED = 65536
_FOLDER = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
_GET_PIPE_SIZE = getattr(fcntl, "F_GETPIPE_SZ", 1032 if os.path.isdir("/proc/self/fd") else None)

#: The ports of the brokers in this process.
broker_ports: set[int] = set()
_is_needed = False
_sealed = 0.0  # when all were, by ``time.monotonic``


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """The context to make something in that takes descriptors and threads.

    :param what: its name in errors, such as ``a client``.
    :raises Failure: fewer than 20 descriptors are left, or what is made within raises
        an OSError or RuntimeError, as for want of a thread.
    """
    global _is_needed  # noqa: PLW0603 - of the process, as its descriptors are
    try:
        _require(_ROOM)
        yield
    except (OSError, RuntimeError) as error:
        raise _refused(what, error) from error
    _is_needed = True
    seal()


def seal() -> None:
    """Have none of librdkafka's descriptors inherited by programs
    that are run from now on (any thread).

    It does nothing before the first client or cluster is made.
    """
    global _sealed  # noqa: PLW0603
    if not _is_needed:
        return
    _sealed = time.monotonic()
    for descriptor in _all():
        try:
            if os.get_inheritable(descriptor) and _is_librdkafkas(descriptor):
                os.set_inheritable(descriptor, False)
        except OSError:  # there is none, or none any more
            continue


def seal_now_and_then() -> None:
    """The same, if the last time is more than a second ago."""
    if time.monotonic() - _sealed > _SEAL_SECONDS:
        seal()


def _require(count: int) -> None:
    """Open ``count`` files for a moment.

    :raises OSError: that many cannot be opened.
    """
    with ExitStack() as opened:
        for _ in range(count):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def _refused(what: str, error: Exception) -> Failure:
    if not isinstance(error, OSError):
        more = f"cannot make {what}: {error}: raise the limit of threads (ulimit -u), or delete what is not needed"
    elif error.errno == errno.EMFILE:
        more = (
            f"cannot make {what}: this process may have no more than {_limit()} open files: raise that limit "
            "(ulimit -n), or delete what is not needed"
        )
    else:
        more = f"cannot make {what}: {error.strerror or error}"
    return kafka_failure(NO_RESOURCE, more)


def _is_librdkafkas(descriptor: int) -> bool:
    """Whether a descriptor that is inherited is the end of a pipe
    as librdkafka makes them, or of a broker's socket.

    Others may be meant to be inherited.
    """
    if descriptor <= 2 or not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK:
        return False
    status = os.fstat(descriptor)
    if (descriptor, status.st_dev, status.st_ino) in _given:
        return False
    if stat.S_ISFIFO(status.st_mode):
        # It makes them as small as they can be, one page on Linux:
        # https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdposix.h#L226-L238
        return _GET_PIPE_SIZE is None or fcntl.fcntl(descriptor, _GET_PIPE_SIZE) == mmap.PAGESIZE
    return stat.S_ISSOCK(status.st_mode) and _local_port(descriptor) in broker_ports


def _local_port(descriptor: int) -> int | None:
    import socket  # noqa: PLC0415 - it takes its time, and only the embedded broker needs it

    with socket.socket(fileno=os.dup(descriptor)) as found:
        return int(found.getsockname()[1]) if found.family == socket.AF_INET else None


def _all() -> Iterable[int]:
    """All descriptors there are, and perhaps some that there are not."""
    try:
        return map(int, os.listdir(_FOLDER))
    except OSError:  # there is none left to look with
        return range(min(_limit(), _MAX_TRIED))


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _inherited() -> Iterator[tuple[int, int, int]]:
    for descriptor in _all():
        with suppress(OSError):
            if os.get_inheritable(descriptor):
                status = os.fstat(descriptor)
                yield descriptor, status.st_dev, status.st_ino


_given = set(_inherited())  # what the program was started with

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=seal)
