"""pytest plugin: a mock cluster of the test's own, whose answers the test chooses."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from kafkatcl.librdkafka.library import function
from kafkatcl.librdkafka.mock import MockCluster

PRODUCE = 0  # the number of a kind of request
OUT_OF_ORDER_SEQUENCE_NUMBER = 45
TOPIC_AUTHORIZATION_FAILED = 29

_push_errors = function(
    "rd_kafka_mock_push_request_errors_array",
    None,
    [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
)
_set_rtt = function(
    "rd_kafka_mock_broker_set_rtt", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int]
)


class Mock(MockCluster):
    """A mock cluster that answers requests with errors."""

    def __enter__(self) -> Mock:
        return self

    def delay(self, ms: int) -> None:
        """Answer each request after so many ms."""
        _set_rtt(self._cluster, 1, ms)

    def fail(self, request: int, code: int, times: int = 1) -> None:
        """Answer the next requests of a kind with an error code."""
        _push_errors(self._cluster, request, times, (ctypes.c_int * times)(*[code] * times))

    def set_round_trip(self, ms: int) -> None:
        """Answer each request so late."""
        _set_rtt(self._cluster, 1, ms)


@pytest.fixture
def mock() -> Iterator[Mock]:
    """A mock cluster of one broker."""
    with Mock() as made:
        yield made
