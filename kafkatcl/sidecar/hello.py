"""What a sidecar says first: its protocol, and all that is to be known to speak it.

``tcl/sidecar.tcl`` keeps it in arrays: what both sides must know, numbers, limits and
texts, stands in Python only.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from kafkatcl.bridge.calls.registry import FORKED, ONE_WAY
from kafkatcl.engine.shutdown import flush_ms
from kafkatcl.sidecar.credit import LARGEST
from kafkatcl.sidecar.protocol import OBJECT_ID, PRODUCE, PROTOCOL, Kind, Op
from kafkatcl.version import TCL_VERSION


def hello(calls: Iterable[str]) -> tuple[int, tuple[Any, ...]]:
    """The value of the first frame: the protocol's number; names and values of facts.

    The form of this frame is the same in all versions, so that two that differ can say
    so.

    :param calls: the names of the functions that a CALL or a ONE_WAY may name.
    """
    facts = {
        "version": TCL_VERSION,
        "calls": tuple(calls),
        "unanswered": tuple(sorted(ONE_WAY)),
        "ops": _flat((op.name, int(op)) for op in Op),
        "kinds": _flat((int(kind), kind.name) for kind in Kind),
        "object_id": OBJECT_ID,  # bytes of the object id of a topic
        "produce": PRODUCE.size,  # bytes in front of a payload
        "largest": LARGEST,  # bytes of a message that needs no answer
        "flush_ms": flush_ms(),
        "forked": FORKED,  # message and errorCode in a forked process
    }
    return (PROTOCOL, _flat(facts.items()))


def _flat(pairs: Iterable[tuple[Any, Any]]) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(pairs))
