"""Where the log lines of a client go, when not to librdkafka's own lines on stderr."""

from __future__ import annotations

import syslog
from typing import TYPE_CHECKING, Any, Callable

from kafkatcl.librdkafka.client import LogLine

if TYPE_CHECKING:
    from kafkatcl.engine.handle import Handle


def logger(handle: Handle) -> Callable[[LogLine], None]:
    """What takes the lines of ``handle``, by the logger of its master at this moment."""
    return {"syslog": _to_syslog, "none": _to_nowhere, "callback": _to_callback(handle)}[handle.master.logger]


def _to_syslog(line: LogLine) -> None:
    syslog.syslog(line.level, f"{line.facility}: {line.message}")


def _to_nowhere(_line: LogLine) -> None:
    pass


def _to_callback(handle: Handle) -> Callable[[LogLine], None]:
    token = handle.master.callback("logger")

    def tell(line: LogLine) -> None:
        handle.events.post_unbidden(handle, token, _argument(line), _left_out)

    return tell


def _argument(line: LogLine) -> tuple[Any, ...]:
    return ("level", line.level, "facility", line.facility, "message", line.message)


def _left_out(count: int) -> tuple[Any, ...]:
    text = f"{count} further log lines were left out: they came faster than they were told"
    return _argument(LogLine(syslog.LOG_WARNING, "KAFKATCL", text))
