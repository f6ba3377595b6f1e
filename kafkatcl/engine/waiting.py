"""Waiting that signals can interrupt."""

from __future__ import annotations

import threading
import time
from typing import Callable, TypeVar

from kafkatcl.errors import Failure

Result = TypeVar("Result")

_asking: set[threading.Thread] = set()


class Interruption:
    """What a shell knows of Ctrl-C, for waits in the main thread."""

    def __init__(self) -> None:
        #: Whether what runs in the main thread is being interrupted.
        self.is_asked: Callable[[], bool] = lambda: False

    def refuse(self) -> None:
        """Give no messages to a script that is being interrupted: it could do nothing
        with them.

        :raises Failure: this is the main thread, and it is.
        """
        if self.is_asked() and threading.current_thread() is threading.main_thread():
            raise Failure("interrupted")


interruption = Interruption()


def deadline_after(timeout_ms: int) -> float | None:
    """The moment a wait of ``timeout_ms`` ends, for :func:`remaining`;
    a negative one never ends.
    """
    return None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000


def remaining(deadline: float | None) -> float | None:
    """Seconds until ``deadline``, 0 if it has passed, None if it never comes."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def is_asking() -> bool:
    """Whether a call of :func:`interruptibly` has no answer yet; the wait for it may
    have been ended.
    """
    return bool(_asking)


def interruptibly(call: Callable[[], Result]) -> Result:
    """The result of ``call()``, called in a thread of its own, so that a signal can end
    the wait for it; the call then goes on, and its result is lost.

    Most blocking calls of confluent-kafka hold signals back until they return; waiting
    for a thread does not.  Only poll, consume and flush look for signals:
    https://github.com/confluentinc/confluent-kafka-python/pull/2126

    Where no thread can be started, ``call`` is called in the thread of the caller.

    :raises BaseException: what ``call`` raises, or what the handler of a signal does.
    """
    outcome: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # told to the waiting thread, whatever it is
            errors.append(error)
        finally:
            _asking.discard(thread)

    thread = threading.Thread(target=run, name="kafkatcl-call", daemon=True)
    _asking.add(thread)
    try:
        thread.start()
    except RuntimeError:  # there is no thread left: then nothing can end the wait
        _asking.discard(thread)
        return call()
    thread.join()
    if errors:
        raise errors[0]
    return outcome[0]
