"""``kafkatcl broker``: Kafka to try things out, for all processes of this machine."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from kafkatcl.engine.embedded import LIMITS, notice
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.admin import AdminClient
from kafkatcl.librdkafka.mock import MockCluster, signals_blocked
from kafkatcl.librdkafka.wrapper import KafkaException
from kafkatcl.relay import relayed

# The mock waits for members to join again, even if all of them are there
# (``rd_kafka_mock_cgrp_classic_rebalance`` in
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock_cgrp.c#L405).
_REJOINING = (
    "A consumer group that has run before takes session.timeout.ms less a second to let members in: 44 s by default, "
    "and 1 s with the subscribers of KafkaTcl."
)


def serve(
    brokers: int = 1,
    partitions: int = 4,
    bootstrap_file: str | None = None,
    *,
    port: int | None = None,
    until_eof: bool = False,
) -> None:
    """Run a cluster until SIGINT or SIGTERM.

    The bootstrap list goes to stdout as one line and into ``bootstrap_file``, once the
    brokers answer; the file is removed at the end.  To be called from the main thread.

    :param partitions: how many a new topic has.
    :param port: one more port, which leads to the first broker; the brokers choose
        theirs.
    :param until_eof: end also when standard input ends.
    :raises Failure: a number or the file is bad; the port cannot be had; the brokers do
        not answer within 10 s.
    """
    # Of Python's queues this is the one whose put() a handler of a signal may call:
    # https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
    ends: queue.SimpleQueue[object] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ends.put("signal"))
    with MockCluster(brokers, partitions) as cluster, contextlib.ExitStack() as ending:
        bootstrap = ",".join(cluster.bootstrap)
        if port is not None:
            ending.enter_context(relayed(port, cluster.bootstrap[0]))
            bootstrap = f"127.0.0.1:{port}"
        _check_answer(bootstrap)
        with _published(bootstrap, bootstrap_file):
            notice(f"kafkatcl broker: {LIMITS} {_REJOINING} Ctrl-C ends the broker.")
            print(bootstrap, flush=True)
            if until_eof:
                with signals_blocked():
                    threading.Thread(
                        target=_await_eof, args=(ends,), name="kafkatcl-eof", daemon=True
                    ).start()
            ends.get()


def _check_answer(bootstrap: str) -> None:
    try:
        AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10)
    except KafkaException as error:
        raise Failure(f"the broker at {bootstrap} does not answer: {error.args[0].str()}") from None


@contextlib.contextmanager
def _published(bootstrap: str, name: str | None) -> Iterator[None]:
    """Have the line ``bootstrap`` in the file ``name`` while the block runs.

    Readers never see half a file.

    :raises Failure: the file cannot be written.
    """
    if name is None:
        yield
        return
    file = Path(name)
    line = f"{bootstrap}\n"
    _write_whole(file, line)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if file.read_text() == line:  # else the file is another broker's by now
                file.unlink()


def _write_whole(file: Path, text: str) -> None:
    try:
        if file.exists() and not file.is_file():  # replacing /dev/null would be a disaster
            raise Failure(f'cannot write "{file}": not a regular file')
        part = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with part.open("x") as stream:
                stream.write(text)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(f'cannot write "{file}": {error.strerror}') from None


def _await_eof(ends: queue.SimpleQueue[object]) -> None:
    with contextlib.suppress(OSError):
        while sys.stdin and os.read(sys.stdin.fileno(), 4096):
            pass
    ends.put("end of input")
