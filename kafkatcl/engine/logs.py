"""Where log lines go: ours all of them, librdkafka's when not to its own lines on stderr."""

from __future__ import annotations

import syslog
import time
from typing import TYPE_CHECKING, Callable

from kafkatcl.engine.telling import say
from kafkatcl.librdkafka.client import LogLine

if TYPE_CHECKING:
    from kafkatcl.engine.handle import Handle


def logger(handle: Handle) -> Callable[[LogLine], None]:
    """What takes the lines of ``handle``, by the logger of its master at this moment."""
    return {
        "stderr": _to_stderr,
        "syslog": _to_syslog,
        "none": _to_nowhere,
        "callback": _to_callback(handle),
    }[handle.master.logger]


def _to_stderr(line: LogLine) -> None:
    say(f"%{line.level}|{time.time():.3f}|{line.facility}| {line.message}")


def _to_syslog(line: LogLine) -> None:
    syslog.syslog(line.level, f"{line.facility}: {line.message}")


def _to_nowhere(_line: LogLine) -> None:
    pass


def _to_callback(handle: Handle) -> Callable[[LogLine], None]:
    token = handle.master.callback("logger")

    def tell(line: LogLine) -> None:
        if handle.deleted:
            return
        argument = ("level", line.level, "facility", line.facility, "message", line.message)
        handle.events.post(handle, token, argument)

    return tell
