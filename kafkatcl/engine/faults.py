"""Faults of this package: exceptions
that nobody expected.  Their text says how to report them.

The traceback goes to the file that the environment variable KAFKATCL_LOG names, or to
stderr if KAFKATCL_DEBUG is 1.  It leaves out the texts of exceptions, which may quote a
secret.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

_UNNAMED = (
    "set the environment variable KAFKATCL_LOG to the name of a file to have its traceback written there, "
    "or KAFKATCL_DEBUG to 1 to have it on stderr"
)


def fault(where: str, error: BaseException) -> str:
    """Log an exception that ``where``, a command or a thread, should not have raised.

    :returns: the text for the script, with how to report the fault.
    """
    try:
        place = _logged(where, error)
    except Exception:  # there is nobody left to tell
        place = _UNNAMED
    return (
        f"KAFKA INTERNAL: {where} failed, which is a fault of package kafka: please report it with its traceback "
        f"({place})"
    )


def _logged(where: str, error: BaseException) -> str:
    """Where the traceback is now, or how to get it."""
    lines = f"kafkatcl: {time.strftime('%Y-%m-%d %H:%M:%S')} fault in {where}\n{''.join(_lines(error))}"
    file = os.environ.get("KAFKATCL_LOG")
    if file:
        try:
            with open(file, "a", encoding="utf-8", errors="replace") as log:
                log.write(lines)
        except OSError:
            return f"it could not be written to {file}, which KAFKATCL_LOG names"
        return f"it is in {file}"
    if os.environ.get("KAFKATCL_DEBUG") == "1":
        with suppress(OSError, ValueError, AttributeError):  # stderr may be closed, or none at all
            sys.stderr.write(lines)
            sys.stderr.flush()
        return "it is on stderr"
    return _UNNAMED


def _lines(error: BaseException | None) -> Iterator[str]:
    """The traceback of an exception, behind those of the exceptions that led to it."""
    import traceback  # noqa: PLC0415 - it takes its time, and faults are rare

    if error is None:
        return
    yield from _lines(error.__cause__ or error.__context__)
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}\n"
