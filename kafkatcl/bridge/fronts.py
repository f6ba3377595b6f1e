"""Commands in C in front of the procedures of objects, in the interpreters of this
process: see ``native/fastpaths.c``.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from kafkatcl.bridge import inprocess
from kafkatcl.bridge.sessions import find
from kafkatcl.engine.process import in_loading_process
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.native.library import Found, loaded
from kafkatcl.native.topics import NativeTopic, address

#: The kinds of objects that read, and how many words stand in front of the array of
#: their ``consume``; -1: it is given none.
_READERS = {"consumer_topic": 2, "queue": 1, "subscriber": -1}
#: The kinds of objects whose commands may be in C.
_KINDS = ("producer_topic", *_READERS)


class Fronts:
    """The commands in C of an interpreter of Python, and of its children."""

    def __init__(self, app: Any) -> None:
        self._app = app
        #: The native part, where it is used.
        self.library: Any = None

    def install(self) -> None:
        """Tell Tcl which kinds of objects may have such commands: none, where the
        native part is not used.
        """
        found = _found(self._app)
        if found.is_odd:
            _tell(found.words)
        self.library = found.library
        self._app.setvar("::kafkatcl::fronts", _KINDS if found.library else ())
        inprocess.define_call(self._app, "::kafkatcl::bridge::front", self.front)
        if self.library:
            self.library.kafkatcl_fetched(self._app.interpaddr(), b"::kafkatcl::bridge::fetched")

    def front(self, path: str, kind: str, object_id: str, name: str, procedure: str) -> int:
        """Make the command of an object.

        :param path: of the child interpreter that it is made in; empty for our own.
        :param kind: the kind of the object, of ``::kafkatcl::fronts``.
        :param name: its full name.
        :param procedure: that of the procedure that does what is unusual.
        :returns: 0 if it cannot be made.
        """
        if not all(map(_is_simple, (path, name, procedure))):
            return 0
        words = [self._app.interpaddr(), *(text.encode() for text in (path, name, procedure))]
        if kind in _READERS:
            return int(self.library.kafkatcl_reader(*words, object_id.encode(), _READERS[kind]))
        made = self.library.kafkatcl_topic(*words, address(in_loading_process))
        if not made:
            return 0
        find(object_id, ProducerTopic).lead(NativeTopic(self.library, made))
        return 1


def status() -> str:
    """Whether the native part is used in interpreters of this process, and why."""
    found = _found(inprocess.new_application())
    return f"native part: {found.words}" if found.library else f"native part: not used, {found.words}"


def _is_simple(text: str) -> bool:
    """Whether C and every Tcl have a text as the same UTF-8."""
    return all(0 < ord(character) < 0xD800 or 0xE000 <= ord(character) < 0x10000 for character in text)


def _found(app: Any) -> Found:
    """What runs in an interpreter."""
    return loaded(app.interpaddr(), str(app.call("info", "patchlevel")))


@cache
def _tell(words: str) -> None:
    """Tell, once in a process, why the native part is not used."""
    print(f"kafkatcl: the native part is not used: {words}", file=sys.stderr)
