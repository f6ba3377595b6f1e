"""Commands in C in front of the procedures of objects, in the interpreters of this
process: see ``native/fastpaths.c``.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import Any

from kafkatcl.bridge import inprocess
from kafkatcl.bridge.sessions import find
from kafkatcl.engine.process import in_loading_process
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.native.library import Found, loaded
from kafkatcl.native.topics import NativeTopic, address

#: The kinds of objects whose commands may be in C.
_KINDS = ("producer_topic",)
#: A text that C and every Tcl have as the same UTF-8.
_SIMPLE = re.compile("[\x01-\ud7ff\ue000-\uffff]*")


class Fronts:
    """The commands in C of an interpreter of Python, and of its children."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._library: Any = None

    def install(self) -> None:
        """Tell Tcl which kinds of objects may have such commands: none, where the
        native part is not used.
        """
        found = _found(self._app)
        if found.is_odd:
            _tell(found.words)
        self._library = found.library
        self._app.setvar("::kafkatcl::fronts", _KINDS if found.library else ())
        inprocess.define_call(self._app, "::kafkatcl::bridge::front", self.front)

    def front(self, path: str, topic: str, name: str, procedure: str) -> int:
        """Make the command of a topic that produces.

        :param path: of the child interpreter that it is made in; empty for our own.
        :param topic: its object id.
        :param name: its full name.
        :param procedure: that of the procedure that does what is unusual.
        :returns: 0 if it cannot be made.
        """
        if not all(map(_SIMPLE.fullmatch, (path, name, procedure))):
            return 0
        words = (text.encode() for text in (path, name, procedure))
        made = self._library.kafkatcl_topic(self._app.interpaddr(), *words, address(in_loading_process))
        if not made:
            return 0
        find(topic, ProducerTopic).lead(NativeTopic(self._library, made))
        return 1


def status() -> str:
    """Whether the native part is used in interpreters of this process, and why."""
    found = _found(inprocess.new_application())
    return f"native part: {found.words}" if found.library else f"native part: not used, {found.words}"


def _found(app: Any) -> Found:
    """What runs in an interpreter."""
    return loaded(app.interpaddr(), str(app.call("info", "patchlevel")))


@cache
def _tell(words: str) -> None:
    """Tell, once in a process, why the native part is not used."""
    print(f"kafkatcl: the native part is not used: {words}", file=sys.stderr)
