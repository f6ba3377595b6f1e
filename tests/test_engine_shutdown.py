"""The end of a program does not wait for ever."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from kafkatcl.engine import shutdown


class Stuck:
    """A handle whose close returns only when the test lets it."""

    name = "stuck"
    gave_up_at = 0.0

    def __init__(self, consumes: bool) -> None:
        self.consumes = consumes
        self.released = threading.Event()

    def close(self, deadline: float) -> None:
        self.released.wait(60)

    def undelivered(self) -> int:
        return 0

    def report_losses(self) -> None:
        pass

    def abandon(self) -> None:
        pass


@pytest.mark.parametrize("consumes", [True, False])
def test_a_client_that_does_not_close_is_left_behind(consumes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, empty in (("_open", set()), ("_closing", []), ("_before_shutdown", []), ("_closers", [])):
        monkeypatch.setattr(shutdown, name, empty)  # what other tests have open stays open
    monkeypatch.setenv(shutdown.FLUSH_TIMEOUT, "60000" if consumes else "100")
    monkeypatch.setattr(shutdown, "_CONSUMER_SECONDS", 0.2 if consumes else 60)
    monkeypatch.setattr(shutdown, "_GRACE_SECONDS", 0.1)
    handle: Any = Stuck(consumes)
    shutdown.track(handle)
    began = time.monotonic()
    shutdown.shutdown()
    took = time.monotonic() - began
    handle.released.set()
    assert 0.1 <= took < 30
