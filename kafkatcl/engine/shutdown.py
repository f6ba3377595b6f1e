"""The orderly end: handles are flushed and closed within bounds, wherever they are deleted or left open."""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import TYPE_CHECKING, Callable

from kafkatcl.engine.process import is_forked
from kafkatcl.engine.waiting import remaining

if TYPE_CHECKING:
    from kafkatcl.engine.handle import Handle

#: The environment variable with the bound in ms for delivering what is queued when a program ends.
FLUSH_TIMEOUT = "KAFKATCL_FLUSH_TIMEOUT_MS"
_DEFAULT_FLUSH_MS = 30_000
#: Seconds that closing a consumer is waited for; it may hang for good, after a fatal error for instance.
_CONSUMER_SECONDS = 5.0
#: Seconds that closing may take beyond the bound for flushing.
_GRACE_SECONDS = 1.0

_open: set[Handle] = set()
#: The threads that close handles, and whether those consume.
_closing: dict[threading.Thread, bool] = {}
_settlers: list[Callable[[], None]] = []
_closers: list[Callable[[], None]] = []

if hasattr(os, "register_at_fork"):
    # What is open is the parent's to close: librdkafka's threads are not in the child, and nothing can be flushed.
    for _known in (_open, _closing, _settlers, _closers):
        os.register_at_fork(after_in_child=_known.clear)


def flush_seconds() -> float:
    """How long undelivered messages are waited for, by ``KAFKATCL_FLUSH_TIMEOUT_MS`` (default 30000)."""
    text = os.environ.get(FLUSH_TIMEOUT, "")
    return (int(text) if text.isdecimal() else _DEFAULT_FLUSH_MS) / 1000


def opened(handle: Handle) -> None:
    """Remember a handle, so that it is closed at the end if it was not deleted before."""
    _open.add(handle)


def closing(*handles: Handle) -> None:
    """Close handles, all at once: producers flush in the background, consumers are waited for."""
    end = time.monotonic() + _CONSUMER_SECONDS
    started = []
    for handle in handles:
        if handle in _open:
            _open.discard(handle)
            started.append((_start_closing(handle), handle.consumes))
    for thread, consumes in started:
        if consumes and thread.is_alive():
            thread.join(remaining(end))


def before_shutdown(settler: Callable[[], None]) -> None:
    """Have ``settler`` called first of all by :func:`shutdown`."""
    _settlers.append(settler)


def at_shutdown(closer: Callable[[], None]) -> None:
    """Have ``closer`` called at the end of :func:`shutdown`; the last one added is called first."""
    _closers.append(closer)


def shutdown() -> None:
    """Flush and close all handles, all at once; what could not be delivered is told on stderr.

    A second call does nothing, nor does one in a forked process.  Python itself calls it at the end of a program.
    """
    if is_forked():
        return
    while _settlers:
        _settlers.pop()()
    while _open:
        _start_closing(_open.pop())
    now = time.monotonic()
    for thread, consumes in list(_closing.items()):
        bound = _CONSUMER_SECONDS if consumes else flush_seconds() + _GRACE_SECONDS
        thread.join(remaining(now + bound))
    _closing.clear()
    while _closers:
        _closers.pop()()


def _start_closing(handle: Handle) -> threading.Thread:
    def close() -> None:
        handle.close(time.monotonic() + flush_seconds())
        _closing.pop(thread, None)

    thread = threading.Thread(target=close, name=f"kafkatcl-close-{handle.name}", daemon=True)
    _closing[thread] = handle.consumes
    try:
        thread.start()
    except RuntimeError:  # since Python 3.12 no thread can be started once the program is ending
        close()
    return thread


atexit.register(shutdown)
