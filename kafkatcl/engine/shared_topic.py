"""A topic as a client knows it: one for each name, with a configuration of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.settings import set_property
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.conf import TopicConf
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT
from kafkatcl.native.topics import NativeTopic

# librdkafka makes no topic with a longer name.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_topic.c#L295-L304
_MAX_NAME_BYTES = 512
_NOTHING: Mapping[str, str] = {}
# librdkafka takes patterns for extended POSIX ones.  \w, \s, \b and their opposites are
# known to the C libraries nevertheless.
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdregex.c#L66-L73
_FOREIGN_ESCAPE = r"\^(?:[^\\]|\\[^a-zA-Z]|\\[wWsSbB])*?(\\[a-zA-Z](?<![wWsSbB]))"


def usable_name(name: str) -> str:
    """``name``, if a client can have a topic of this name.

    Of others librdkafka and its wrapper may crash: where a name has no UTF-8, the
    wrapper gives librdkafka a null pointer.
    https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.h#L136-L138
    https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/Consumer.c#L158-L160

    :raises Failure: it has more than 512 bytes, a NUL, or half of a character.
    """
    encoded = name.encode("utf-8", "replace")
    if len(encoded) > _MAX_NAME_BYTES or encoded.decode() != name or "\0" in name:
        more = f"the name of a topic has {_MAX_NAME_BYTES} bytes at most, no NUL, and no half of a character"
        raise kafka_failure(INVALID_ARGUMENT, more)
    return name


def usable_pattern(name: str) -> str:
    r"""A name to subscribe to, which is a pattern if ``^`` begins it.

    :raises Failure: no topic can have the name, or the pattern has an escape such as
        ``\d``, which the C library would take for the letter alone.
    """
    found = re.match(_FOREIGN_ESCAPE, name)
    if found:
        more = f'"{found[1]}" means nothing in a POSIX regular expression: a digit is [0-9], a letter [a-z]'
        raise kafka_failure(INVALID_ARGUMENT, more)
    return usable_name(name)


class SharedTopic:
    """What all topic objects of one name on one handle share.

    librdkafka takes a topic's configuration when the topic is first used; until then it
    can be changed.
    """

    def __init__(self, name: str, conf: TopicConf, partitioner: str | None) -> None:
        self.name = name
        self.conf = conf.copy()
        self.users = 0
        self._partitioner = partitioner
        #: Whether the client knows the topic and its configuration.
        self.is_open = False
        #: Whether a partition of it was started, so that the client has asked the
        #: cluster about it.
        self.was_started = False
        #: How many partitions it had when the cluster was asked last; 0 if it never
        #: was.
        self.partitions = 0
        self._native: Any = None
        #: Commands in C that use the client's topic.
        self.commands: set[NativeTopic] = set()

    def configure(self, name: str, value: str) -> None:
        """Set a property.

        :raises Failure: with librdkafka's text, or one that shows no secret; or the
            topic is in use.
        """
        if self.is_open:
            raise Failure(
                f"topic '{self.name}' is in use: set properties before the first message, "
                "or on the handle before the topic is made"
            )
        set_property(self.conf, name, value)

    @property
    def partitioner(self) -> str:
        """librdkafka's name of the partitioner."""
        return self._partitioner or self.conf.get("partitioner") or ""

    def open(self, native: NativeClient, overriding: Mapping[str, str] = _NOTHING) -> None:
        """Give the topic and its configuration to the client, once.

        :param overriding: properties that the client is given in the place of those of
            the configuration.
        :raises Failure: librdkafka refuses the configuration.
        """
        if self.is_open:
            return
        self.is_open = True
        if not self.conf.settings and not self._partitioner:
            return  # the client opens topics by itself, with the defaults
        conf = self.conf.copy()
        if self._partitioner:
            conf.set("partitioner", self._partitioner)
        for name, value in overriding.items():
            conf.set(name, value)
        try:
            self._native = native.open_topic(self.name, conf)
        except ValueError as error:
            self.is_open = False
            raise kafka_failure(error.args[0]) from error

    def pointer(self, native: NativeClient) -> Any:
        """The client's own topic, which is open, for ``librdkafka/producing.py``.

        It is valid until :meth:`close`.
        """
        if not self._native:
            self._native = native.open_topic(self.name)
        return self._native

    def recall(self) -> None:
        """Have no command in C use the client's topic any more; from any thread."""
        for command in list(self.commands):
            command.close()

    def close(self, native: NativeClient) -> None:
        """Destroy the client's topic."""
        self.recall()
        if self._native:
            native.close_topic(self._native)
            self._native = None
