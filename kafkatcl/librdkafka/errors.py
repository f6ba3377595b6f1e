"""Names and texts of librdkafka's error codes."""

from __future__ import annotations

import ctypes

from kafkatcl.librdkafka.library import function

_err2str = function("rd_kafka_err2str", ctypes.c_char_p, [ctypes.c_int])
_err2name = function("rd_kafka_err2name", ctypes.c_char_p, [ctypes.c_int])

# The C original knew three codes by names that librdkafka has since renamed; scripts test for these.
_ORIGINAL_NAMES = {
    14: "GROUP_LOAD_IN_PROGRESS",
    15: "GROUP_COORDINATOR_NOT_AVAILABLE",
    16: "NOT_COORDINATOR_FOR_GROUP",
}
_UNKNOWN = "RD_KAFKA_UNRECOGNIZED_ERROR"


def error_text(code: int) -> str:
    """The text of an error code, such as ``Local: Timed out``."""
    return str(_err2str(code).decode())


def error_name(code: int) -> str:
    """The name of an error code as C programs know it, such as ``RD_KAFKA_RESP_ERR__TIMED_OUT``.

    A number that is no error code has the name that the C original gave to those it did not know.
    """
    name = _ORIGINAL_NAMES.get(code) or _err2name(code).decode()
    return _UNKNOWN if name.startswith("ERR_") else f"RD_KAFKA_RESP_ERR_{name}"
