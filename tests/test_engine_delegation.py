"""Calls of a client by several threads, while one is in a callback of the client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from kafkatcl.engine.delegation import DelegatedClient, Delegation

SECONDS = 10.0


class Client:
    """A client that says which thread calls it."""

    def __init__(self) -> None:
        self.hold = threading.Event()

    def where(self) -> int:
        return threading.get_ident()

    def fail(self) -> None:
        raise LookupError("as it is")

    def last(self, *, seconds: float) -> bool:
        return self.hold.wait(seconds)

    consume = where


class Setting:
    """A client, its delegation, and what was told of calls that are through."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.freed = 0
        self.delegation = Delegation(self.lock, self.free)
        self.plain = Client()
        self.client = DelegatedClient(self.plain, self.delegation)
        self.is_over = False

    def free(self) -> None:
        self.freed += 1

    @contextmanager
    def serving(self, seconds: float = SECONDS) -> Iterator[Future[tuple[int, bool]]]:
        """A thread that serves, until the end of the block;
        which one, and whether it was over in time.
        """
        begun = threading.Event()

        def serve() -> tuple[int, bool]:
            with self.lock:
                begun.set()
                return threading.get_ident(), self.delegation.serve(
                    lambda: self.is_over, time.monotonic() + seconds
                )

        with ThreadPoolExecutor(1) as pool:
            served = pool.submit(serve)
            assert begun.wait(SECONDS)
            yield served
            self.end()

    def end(self) -> None:
        with self.lock:
            self.is_over = True
            self.lock.notify_all()


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_call_runs_in_its_own_thread_as_a_rule(setting: Setting) -> None:
    assert setting.client.where() == threading.get_ident()


def test_a_call_runs_in_the_thread_that_serves(setting: Setting) -> None:
    with setting.serving() as served:
        found = setting.client.where()
        with setting.lock:  # as a method of the handle has it
            again = setting.client.where()
        setting.end()
        assert served.result(SECONDS) == (found, True)
    assert again == found != threading.get_ident()
    assert setting.client.where() == threading.get_ident()


def test_what_a_call_raises_comes_back(setting: Setting) -> None:
    with setting.serving(), pytest.raises(LookupError, match="as it is"):
        setting.client.fail()


def test_who_polls_is_not_sent_elsewhere(setting: Setting) -> None:
    with setting.serving():
        assert setting.client.consume() == threading.get_ident()


def test_serving_has_a_bound_and_what_it_did_not_get_to_runs_at_home(setting: Setting) -> None:
    with setting.serving(seconds=0.05) as served:
        assert served.result(SECONDS)[1] is False
        assert setting.client.where() == threading.get_ident()


def test_a_call_that_was_handed_over_too_late_runs_at_home(setting: Setting) -> None:
    """The thread that serves ends while the call waits for it."""
    with ThreadPoolExecutor(1) as pool:
        with setting.lock:
            setting.delegation._server = -1  # another thread, which is about to end
            found = pool.submit(lambda: (threading.get_ident(), setting.client.where()))
            while not setting.delegation._calls:
                setting.lock.wait(0.01)
            setting.delegation.serve(lambda: True, time.monotonic())
        caller, called = found.result(SECONDS)
    assert caller == called


def test_the_poll_thread_is_told_of_calls_under_way_and_of_their_end(setting: Setting) -> None:
    with ThreadPoolExecutor(1) as pool:
        with setting.lock:
            assert not setting.delegation.is_busy()
        lasting = pool.submit(lambda: setting.client.last(seconds=SECONDS))
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with setting.lock:
                if setting.delegation.is_busy():
                    break
        setting.plain.hold.set()
        assert lasting.result(SECONDS)
    assert setting.freed == 1
    setting.client.where()
    assert setting.freed == 1  # nobody has asked since
