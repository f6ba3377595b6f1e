"""librdkafka's mock cluster: Kafka brokers in this process, in memory, on loopback.

The mock's interface is declared unstable by librdkafka, so nothing else in the package
calls it.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.h#L73-L74
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
from collections.abc import Iterator
from types import TracebackType

from kafkatcl.errors import Failure
from kafkatcl.librdkafka.conf import GlobalConf
from kafkatcl.librdkafka.errors import NO_RESOURCE, error_name, error_text
from kafkatcl.librdkafka.library import function

MAX_BROKERS = 32
MAX_PARTITIONS = 1000

_PRODUCER = 0
_OWN_DEFAULT_PARTITIONS = 4
# How long the mock waits for further members of an empty group, 3000 ms by default.
# This is enough for the subscribers that a script makes in a row to get their
# partitions together.  A later member waits for the session timeout less a second,
# which is 44 s by default.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock_cgrp.c#L411-L427
_FIRST_MEMBER_WAITS_MS = 200
_TOPIC_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}")

_conf_set_log_cb = function("rd_kafka_conf_set_log_cb", None, [ctypes.c_void_p, ctypes.c_void_p])
_new = function(
    "rd_kafka_new", ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
)
_destroy = function("rd_kafka_destroy", None, [ctypes.c_void_p])
_cluster_new = function("rd_kafka_mock_cluster_new", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int])
_cluster_destroy = function("rd_kafka_mock_cluster_destroy", None, [ctypes.c_void_p])
_cluster_bootstraps = function("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, [ctypes.c_void_p])
_set_rebalance_delay = function(
    "rd_kafka_mock_group_initial_rebalance_delay_ms", None, [ctypes.c_void_p, ctypes.c_int32]
)
_topic_create = function(
    "rd_kafka_mock_topic_create", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
)


class MockCluster:
    """A running mock cluster; topics are made when a client first asks for them.

    ``bootstrap`` lists the brokers as ``host:port``.  Clients should be closed before
    the cluster is.

    A partition keeps the newest batches, up to 5 MiB and up to 100,000 of them:
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L140-L144
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L919-L920

    :param brokers: how many (1 to 32) listen on free ports of 127.0.0.1.
    :param default_partitions: the partition count (1 to 1000) of topics made on first
        use.
    :raises Failure: a number is out of range, or the cluster cannot start.
    """

    def __init__(self, brokers: int = 1, default_partitions: int = _OWN_DEFAULT_PARTITIONS) -> None:
        _check_range("brokers", brokers, MAX_BROKERS)
        _check_range("partitions", default_partitions, MAX_PARTITIONS)
        _check_descriptors(brokers)
        self._handle = _carrier()
        with signals_blocked():
            self._cluster: int | None = _cluster_new(self._handle, brokers)
        try:
            if default_partitions != _OWN_DEFAULT_PARTITIONS:
                _set_default_partitions(self._cluster, brokers, default_partitions)
            _set_rebalance_delay(self._cluster, _FIRST_MEMBER_WAITS_MS)
            self.bootstrap: list[str] = _cluster_bootstraps(self._cluster).decode().split(",")
        except BaseException:
            self.close()
            raise

    def create_topic(self, name: str, partitions: int = 1, replication: int = 1) -> None:
        """Make the topic ``name`` with ``replication`` copies of each partition.

        :raises Failure: the topic exists, a number is out of range, or Kafka would
            refuse the name.
        """
        if self._cluster is None:
            raise Failure("the mock cluster is closed")
        if not _TOPIC_NAME.fullmatch(name):
            raise Failure(
                f'bad topic name "{name}": a name has 1 to 249 of the characters a-z A-Z 0-9 . _ - '
                "and is not . or .."
            )
        _check_range("partitions", partitions, MAX_PARTITIONS)
        _check_range("replication", replication, MAX_BROKERS)
        error = _topic_create(self._cluster, name.encode(), partitions, replication)
        if error:
            raise Failure(f'cannot create topic "{name}": {error_text(error)}')

    def close(self) -> None:
        """End the brokers and drop all messages; a second call does nothing."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            _cluster_destroy(cluster)
            _destroy(self._handle)

    def __enter__(self) -> MockCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _check_range(what: str, number: int, maximum: int) -> None:
    if not 1 <= number <= maximum:
        raise Failure(f"{what} must be a whole number from 1 to {maximum}, got {number}")


def _check_descriptors(brokers: int) -> None:
    """Refuse a cluster whose sockets the process may not open.

    librdkafka would abort the process: it destroys the half-made cluster, and asserts
    there that a whole one is counted.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L3314-L3318
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L3279-L3280

    :raises Failure: too few descriptors are left.
    """
    pipes = 8
    try:
        with contextlib.ExitStack() as opened:
            for _ in range(brokers + pipes):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        more = f"cannot start {brokers} brokers: {error.strerror}; raise ulimit -n"
        words = ("KAFKA", error_name(NO_RESOURCE), error_text(NO_RESOURCE), more)
        raise Failure(more, words, NO_RESOURCE) from None


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Keep signals from the threads that start meanwhile:
    those are for the main thread.

    The cluster's own thread would end at the first signal: that interrupts its
    ``poll``, which it takes for an error.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L1762-L1769
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L1815-L1816
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _carrier() -> int:
    """The client that librdkafka wants a cluster to live in;
    it connects to nothing and logs nothing.
    """
    conf = GlobalConf().release()
    _conf_set_log_cb(conf, None)
    why = ctypes.create_string_buffer(512)
    handle: int | None = _new(_PRODUCER, conf, why, len(why))
    if handle is None:
        raise Failure(f"cannot start the mock cluster: {why.value.decode(errors='replace')}")
    return handle


def _set_default_partitions(cluster: int, brokers: int, partitions: int) -> None:
    """Set the partition count of topics made on first use,
    for which librdkafka has no function.

    In the cluster's structure three ints stand together: this count, the default
    replication factor and the rebalance delay.  The delay has a function, so two odd
    delays show where it lies; its neighbours must then hold the values a new cluster
    has, or nothing is written.
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock_int.h#L645-L649
    https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_mock.c#L3327-L3329

    :raises Failure: the values are not found.
    """
    words = (ctypes.c_int32 * 128).from_address(cluster)  # a quarter of the structure, all of it mapped
    places = set(range(2, len(words)))
    for delay in (0x5EED_0BAD, 0x0DD5_1DE5):
        _set_rebalance_delay(cluster, delay)
        places = {place for place in places if words[place] == delay}
    place = places.pop() if len(places) == 1 else 2
    if words[place - 2 : place] != [_OWN_DEFAULT_PARTITIONS, min(3, brokers)]:
        raise Failure(
            f"this version of librdkafka makes new topics with {_OWN_DEFAULT_PARTITIONS} partitions only; "
            "no other number can be set"
        )
    words[place - 2] = partitions
