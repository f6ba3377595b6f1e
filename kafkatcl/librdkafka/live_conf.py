"""The configuration that a client is using.

librdkafka calls it read-only, so to set something in it is beyond its interface; tests
hold the properties that are set to what they do.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h#L1937-L1946
"""

from __future__ import annotations

import ctypes
from typing import Any

from kafkatcl.librdkafka.library import function

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_INT = ctypes.c_int

_conf = function("rd_kafka_conf", _POINTER, [_POINTER])
_conf_get = function("rd_kafka_conf_get", _INT, [_POINTER, _TEXT, _TEXT, ctypes.POINTER(ctypes.c_size_t)])
_conf_set = function("rd_kafka_conf_set", _INT, [_POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t])

#: Room for the value of a property that is asked for.
_VALUE_BYTES = 1024


class LiveConf:
    """The configuration of an open client.

    :param client: the pointer of the client.
    """

    def __init__(self, client: Any) -> None:
        #: Its ``rd_kafka_conf_t``.
        self.pointer = _conf(client)

    def get(self, name: str) -> str:
        """The value of a property; empty for none."""
        text = ctypes.create_string_buffer(_VALUE_BYTES)
        _conf_get(self.pointer, name.encode(), text, ctypes.byref(ctypes.c_size_t(_VALUE_BYTES)))
        return text.value.decode(errors="replace")

    def set(self, name: str, value: str) -> None:
        """Set a property that librdkafka looks at again while the client works."""
        _conf_set(self.pointer, name.encode(), value.encode(), None, 0)
