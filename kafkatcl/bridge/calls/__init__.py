"""The bridge calls: what the Tcl surface calls, by name,
with plain words in and plain values out.

Both bridges carry these same calls.  A bridge call returns None or a value made of str,
bytes, int and tuples, or raises a Failure; the bridge turns that into an answer (see
``inprocess.py``).
"""

from __future__ import annotations

from kafkatcl.bridge.calls import (
    background,
    consuming,
    eventing,
    general,
    handles,
    masters,
    subscribers,
    topics,
)
from kafkatcl.bridge.calls.registry import BRIDGE_CALLS, FAST_PATHS, LIST_CALLS

__all__ = [
    "BRIDGE_CALLS",
    "FAST_PATHS",
    "LIST_CALLS",
    "background",
    "consuming",
    "eventing",
    "general",
    "handles",
    "masters",
    "subscribers",
    "topics",
]
