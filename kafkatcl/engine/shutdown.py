"""The orderly end: handles are flushed and closed within bounds,
wherever they are deleted or left open.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Callable, ClassVar, Protocol

from kafkatcl.engine import telling
from kafkatcl.engine.events import EventQueue
from kafkatcl.engine.process import is_forked
from kafkatcl.engine.waiting import is_asking

#: The environment variable with the bound in ms for delivering what is queued when a
#: program ends.
FLUSH_TIMEOUT = "KAFKATCL_FLUSH_TIMEOUT_MS"
_DEFAULT_FLUSH_MS = 30_000
#: Seconds that a consumer gets to close.  Closing may hang for good, as after a fatal
#: error.
_CONSUMER_SECONDS = 5.0
#: Seconds that a consumer gets to close while a call waits for brokers that do not
#: answer: no client closes before such a call has ended.
_ASKING_SECONDS = 0.1
#: Seconds that a producer gets to close beyond the bound for flushing.
_GRACE_SECONDS = 1.0
#: Seconds that a producer gets to close once somebody has ended the wait for messages.
_GIVEN_UP_SECONDS = 3.0
#: Seconds until a terminal shows for the first time what is waited for, and between
#: updates.
_SILENT_SECONDS, _TOLD_EVERY_SECONDS = 1.0, 0.5
#: How often to look whether the wait is over, or was given up.
_LOOK_SECONDS = 0.1


class Closable(Protocol):
    """A handle, as far as its end goes.

    ``gave_up_at`` is when closing stopped to wait for messages, by ``time.monotonic``,
    or 0.
    """

    name: str
    events: EventQueue
    consumes: ClassVar[bool]
    gave_up_at: float

    def close(self, deadline: float) -> None:
        """Flush and close, until ``deadline`` by ``time.monotonic`` (any thread;
        waits).
        """

    def undelivered(self) -> int:
        """How many messages closing waits for (any thread)."""

    def report_losses(self) -> None:
        """Say on stderr what was lost, if that was not said yet (any thread)."""

    def abandon(self) -> None:
        """The interpreter goes, and no callback runs any more (any thread)."""


_open: set[Closable] = set()
#: The handles that are being closed, each in a thread of its own; ``_closed`` is
#: notified when one has closed.
_closing: list[Closable] = []
_closed = threading.Condition()
_before_shutdown: list[Callable[[], None]] = []
_closers: list[Callable[[], None]] = []


class _End:
    """The end of the program."""

    has_begun = False
    gave_up = False


if hasattr(os, "register_at_fork"):
    # What is open is the parent's to close: a fork has no thread but the one that
    # forked, so librdkafka's are not in the child, and nothing can be flushed.
    for _known in (_open, _closing, _before_shutdown, _closers):
        os.register_at_fork(after_in_child=_known.clear)


def flush_ms() -> int:
    """How long undelivered messages are waited for, in ms,
    by ``KAFKATCL_FLUSH_TIMEOUT_MS`` (default 30000).
    """
    text = os.environ.get(FLUSH_TIMEOUT, "")
    return int(text) if text.isdecimal() else _DEFAULT_FLUSH_MS


def flush_seconds() -> float:
    """The same in seconds."""
    return flush_ms() / 1000


def gave_up() -> bool:
    """Whether somebody has ended the wait for undelivered messages."""
    return _End.gave_up


def give_up() -> bool:
    """Have :func:`shutdown` wait for messages no longer (any thread);
    False if it does not wait for any.
    """
    waits = _End.has_begun and not _End.gave_up and any(not handle.consumes for handle in list(_closing))
    if waits:
        _End.gave_up = True
        _give_up(_closing)
    return waits


def track(handle: Closable) -> None:
    """Remember a handle, so that it is closed at the end if it was not deleted
    before.
    """
    _open.add(handle)


def close_handles(*handles: Closable) -> None:
    """Close handles, each in a thread of its own, all at once.

    Producers flush in the background.  Consumers are waited for, up to 5 s, or 0.1 s
    while a call waits for an answer.  Handles that are not tracked are passed over.
    """
    tracked = [handle for handle in handles if handle in _open]
    for handle in tracked:
        _open.discard(handle)
        _start_closing(handle)
    _wait([handle for handle in tracked if handle.consumes])


def abandon(events: EventQueue) -> None:
    """The interpreter of these events goes: its handles, also those that are being
    closed, have nobody to tell anything any more.
    """
    for handle in (*_open, *_closing):
        if handle.events is events:
            handle.abandon()


def before_shutdown(function: Callable[[], None]) -> None:
    """Have ``function`` called first of all by :func:`shutdown`."""
    _before_shutdown.append(function)


def at_shutdown(closer: Callable[[], None]) -> None:
    """Have ``closer`` called at the end of :func:`shutdown`;
    the last one added is called first.
    """
    _closers.append(closer)


def shutdown() -> None:
    """Flush and close all handles at once;
    report on stderr the messages that could not be delivered.

    A second call does nothing, nor does one in a process that was forked behind
    Python's back.  Python itself calls it at the end of a program.  A terminal shows
    after a second what it waits for; a KeyboardInterrupt, or :func:`give_up` in another
    thread, ends the wait for messages.
    """
    if is_forked():
        return
    _End.has_begun = True
    while _before_shutdown:
        _before_shutdown.pop()()
    for handle in (*_open, *_closing):
        handle.abandon()
    while _open:
        _start_closing(_open.pop())
    try:
        _wait(_closing)
    except KeyboardInterrupt:
        give_up()
        _wait(_closing)
    telling.clear()
    for handle in list(_closing):  # what does not end in time
        handle.report_losses()
    _closing.clear()
    while _closers:
        _closers.pop()()


def finish(events: EventQueue) -> list[str]:
    """Wait until the deleted handles of an interpreter have closed, within the bounds
    of :func:`shutdown`.

    :param events: the interpreter's.
    :returns: what its producers have lost, a line for each.
    :raises KeyboardInterrupt: it came, and has ended the wait for messages.
    """
    handles = [handle for handle in list(_closing) if handle.events is events]
    try:
        _wait(handles)
    except KeyboardInterrupt:
        _give_up(handles)
        _wait(handles)
        raise
    finally:
        telling.clear()
    return list(events.lost)


def is_finished(events: EventQueue) -> bool:
    """Whether no handle of an interpreter is open or being closed."""
    return not any(handle.events is events for handle in (*_open, *_closing))


def _give_up(handles: list[Closable]) -> None:
    for handle in list(handles):
        handle.gave_up_at = handle.gave_up_at or time.monotonic()


def _wait(handles: list[Closable]) -> None:
    """Wait for handles to close, within their bounds."""
    began = time.monotonic()
    shown = began + _SILENT_SECONDS - _TOLD_EVERY_SECONDS
    for handle in list(handles):
        while handle in _closing and (left := _bound(handle, began) - time.monotonic()) > 0:
            # A thread must not be joined: an interrupted join takes it for ended.
            # https://github.com/python/cpython/issues/90882
            with _closed:
                _closed.wait_for(lambda: handle not in _closing, min(left, _LOOK_SECONDS))  # noqa: B023
            if time.monotonic() - shown >= _TOLD_EVERY_SECONDS:
                shown = time.monotonic()
                _show(handles, began)


def _bound(handle: Closable, began: float) -> float:
    """When a handle that closes since ``began`` is not waited for any more; both by
    ``time.monotonic``.
    """
    if handle.consumes:
        return began + (_ASKING_SECONDS if is_asking() else _CONSUMER_SECONDS)
    deadline = began + flush_seconds() + _GRACE_SECONDS
    return min(deadline, handle.gave_up_at + _GIVEN_UP_SECONDS) if handle.gave_up_at else deadline


def _show(handles: list[Closable], began: float) -> None:
    """Say on a terminal which messages are waited for."""
    waiting = {handle.name: count for handle in handles if (count := handle.undelivered())}
    if not waiting or not telling.is_watched():
        return
    left = max(0, began + flush_seconds() - time.monotonic())
    whose = next(iter(waiting)) if len(waiting) == 1 else f"{len(waiting)} producers"
    # It fits into 80 columns.
    telling.show(
        f"kafkatcl: waiting for {sum(waiting.values())} messages of {whose} ({left:.0f} s, Ctrl-C ends it)"
    )


def _start_closing(handle: Closable) -> None:
    """Close a handle in a thread of its own, or here and now where there is none."""

    def close() -> None:
        try:
            handle.close(time.monotonic() + flush_seconds())
        finally:
            with _closed:
                if handle in _closing:
                    _closing.remove(handle)
                _closed.notify_all()

    _closing.append(handle)
    try:
        threading.Thread(target=close, name=f"kafkatcl-close-{handle.name}", daemon=True).start()
    except RuntimeError:
        # The system has no thread left, or Python starts none as the program is ending,
        # which came with 3.12: https://github.com/python/cpython/issues/113964
        close()


atexit.register(shutdown)
