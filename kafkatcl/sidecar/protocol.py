"""What passes between a Tcl interpreter and its sidecar: frames.

A frame has its length, what it is, and a body.

All numbers are little-endian, of 32 bits where nothing else is said; times and offsets
have 64.  Lengths are bytes.

To the sidecar, ``length op body``:

==================  ============================================  ======================
op                  body                                          answered
==================  ============================================  ======================
CALL                n, n lengths, n words in UTF-8: a bridge call   yes
                    and its arguments
ONE_WAY             the same, of a bridge call whose answer nobody  no
                    needs
PRODUCE             topic (its object id, 12 bytes), partition,  yes
                    length of the key (-1: none), payload, key
PRODUCE_UNANSWERED  the same                                      no
PRODUCE_BATCH       topic, partition, n, 2n lengths of payloads   yes
                    and keys, all of these
BYE                 nothing: deliver, close, and end              by the end of the pipe
==================  ============================================  ======================

From the sidecar, ``length kind body``:

==================  ==================================================================
kind                body
==================  ==================================================================
LIST                an answer (see ``bridge/answers.py``) as a Tcl list in UTF-8
RUNS                an answer with messages in it: length of a list in UTF-8; that
                    list: the answer, and for each run of messages where in the answer
                    its fields belong, how many messages there are, and the types of
                    its columns; then for each run the columns, and then what they
                    lead to (see ``columns.py``)
BELL                a session that has events to take; no answer
BELL_BACK           a session that must give back some of those it took; no answer
REFUSED             why there is no sidecar; it ends
REVOKED             a producer handle that takes no more messages; no answer
LOST                nothing: the last frame, where messages were not delivered
INTERRUPTED         the same, where Ctrl-C has ended the wait for them
==================  ==================================================================

The first frame is REFUSED, or a LIST that begins with the protocol's number: see
``hello.py``.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Union

PROTOCOL = 3
#: What a frame begins with: the length of its body, and its op or kind.
HEADER = struct.Struct("<ii")
INT = struct.Struct("<i")
#: How many bytes the object id of a topic takes.
OBJECT_ID = 12
#: What stands in front of the payload: topic, partition, and the length of the key.
PRODUCE = struct.Struct(f"<{OBJECT_ID}sii")
#: How many bytes are read or written at once.
CHUNK = 1 << 18

Body = Union[bytes, bytearray]


class Op(IntEnum):
    """What the interpreter sends."""

    CALL = 1
    PRODUCE = 2
    PRODUCE_UNANSWERED = 3
    PRODUCE_BATCH = 4
    BYE = 5
    ONE_WAY = 6


class Kind(IntEnum):
    """What the sidecar sends."""

    LIST = 0
    RUNS = 1
    BELL = 2
    REFUSED = 3
    BELL_BACK = 4
    REVOKED = 5
    LOST = 6
    INTERRUPTED = 7
