"""The bridge calls: all that the Tcl surface can ask of Python, by name.

Both bridges carry these same calls.  A bridge call returns None or a value made of str,
bytes, int and tuples, or raises a Failure; the bridge turns the outcome into an answer
(see ``bridge/answers.py``).

All arguments are words of Tcl, and one name means one thing in all calls:

==============================  ======================================================
argument                        the word
==============================  ======================================================
``session``                     a session (``i1``)
``master handle topic queue``   an object id (``m1 h2 t3 q4``); ``topic`` is a Kafka
``subscriber batch``            topic's name where a handle or subscriber stands first
``walk delivery``
``partition``                   an integer of 32 bits, as Tcl writes integers
``timeout_ms``                  the same, in ms; a negative one waits for ever
``max_count``                   how many messages at most
``wanted wait cached keep``     ``1`` or ``0``
``key payload``                 a byte array: one character, up to U+00FF, for each byte
``settings``                    name, value, name, value, ...
``callback_id``                 a callback id
==============================  ======================================================

What every call may fail with is not said again for each:

* the object was deleted, or the handle it belongs to was;
* a word is no integer, or does not fit into 32 bits (``TCL VALUE INTEGER``);
* the process was forked from the one that loaded the package.

A call that asks the cluster waits for 5 s at most, unless it takes a ``timeout_ms`` or
says otherwise.  Where no broker answers, the error's text says what is known of why.
"""

from __future__ import annotations

from kafkatcl.bridge.calls import (
    background,
    consuming,
    deliveries,
    eventing,
    forms,
    general,
    handles,
    masters,
    places,
    producing,
    rebalances,
    share,
    subscribers,
    topics,
    transactions,
    walks,
    watching,
)
from kafkatcl.bridge.calls.registry import BRIDGE_CALLS, FAST_PATHS, LIST_CALLS

__all__ = [
    "BRIDGE_CALLS",
    "FAST_PATHS",
    "LIST_CALLS",
    "background",
    "consuming",
    "deliveries",
    "eventing",
    "forms",
    "general",
    "handles",
    "masters",
    "places",
    "producing",
    "rebalances",
    "share",
    "subscribers",
    "topics",
    "transactions",
    "walks",
    "watching",
]
