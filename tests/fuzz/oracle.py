"""What is right of how a call ends, whatever it was."""

from __future__ import annotations

import re

from fix_tcl import shows_fault

from fuzz.generator import FRESH, PROBE
from fuzz.shell import Answer

#: What Tcl's own errorCodes and ours begin with; FUZZ is that of the fuzzer's own
#: callbacks.
_KNOWN = {"KAFKA", "TCL", "ARITH", "POSIX", "CORE", "FUZZ", "A"}

#: Calls that are refused in librdkafka's words, whose errorCode is NONE: they make
#: settings, or clients of them.
_CONFIGURING = re.compile(
    r"\b(config|topic_config|Configured|\w+_creator|(share_)?subscriber|setup\w*|topic_(producer|consumer))\b"
)

#: What else has that errorCode: what the reference says is left, and what scripts of
#: the grammar throw.
_WITHOUT_CODE = re.compile(
    r"""
    Broker\ list\ must\ contain.* | No\ valid\ brokers\ specified | the\ address\ of\ a\ broker\ cannot.*
    | .*for\ configuration\ property\ "metadata\.broker\.list".* | the\ value\ of\ a\ configuration\ property\ cannot.*
    | command\ name\ '.*'\ is\ not\ a\ kafkatcl\ queue\ object
    | topic\ '.*'\ is\ in\ use.* | kafka\ error:\ topic\ '.*'\ not\ found
    | Can\ not\ delete\ Subscriber.* | \ list\ within\ payload-key\ must.*
    | argument\ '.*'\ (doesn't\ start\ with\ a\ dash|unrecognized.*|needs\ a\ value)
    | boom | missing\ close-.* | refused | can't\ set\ ".*":\ refused
    """,
    re.VERBOSE | re.DOTALL,
)


def wrong_with(call: str, answer: Answer) -> tuple[str, str] | None:
    """The kind of what is wrong with an answer and more about it, or None."""
    if answer.faults:
        return "fault", answer.faults
    if answer.code == 1 and call in (FRESH, PROBE):
        return "unhealthy", f"{answer.message} ({answer.errorcode})"
    if answer.unnamed:
        return "unnamed", f"{answer.message!r} names what was not given"
    return _wrong_error(call, answer) if answer.code == 1 else None


def _wrong_error(call: str, answer: Answer) -> tuple[str, str] | None:
    if not answer.message and 'error ""' not in call:
        return "empty", f"an error with an empty message ({answer.errorcode})"
    first = answer.errorcode.partition(" ")[0]
    if first == "NONE":
        is_known = _WITHOUT_CODE.fullmatch(answer.message) or _CONFIGURING.search(call) or 'error ""' in call
        return None if is_known else ("no errorCode", answer.message)
    return None if first in _KNOWN else ("errorCode", f"{answer.errorcode}: {answer.message}")


def wrong_output(errors: bytes) -> tuple[str, str] | None:
    """The same for what was written to standard error."""
    return ("fault", errors[-3000:].decode(errors="replace")) if shows_fault(errors) else None
