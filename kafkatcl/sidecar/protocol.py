"""What passes between a Tcl interpreter and its sidecar: frames.

A frame has its length, what it is, and a body.

All numbers are little-endian, of 32 bits where nothing else is said; times and offsets
have 64.  Lengths are bytes.

To the sidecar, ``length op body``:

==================  ============================================  ======================
op                  body                                          answered
==================  ============================================  ======================
CALL                n, n lengths, n words in UTF-8: a bridge      yes
                    call and its arguments
ONE_WAY             the same, of a bridge call whose answer       no
                    nobody needs
PRODUCE             topic (its object id, 12 bytes), partition,   by a grant
                    length of the key (-1: none), payload, key
PRODUCE_UNANSWERED  the same                                      no
PRODUCE_HEADERS     topic, partition, 1 if there is a key, n,     no
                    n lengths, n words: the payload, the key,
                    names and values
PRODUCE_BATCH       topic, partition, n, 2n lengths of payloads   by a grant
                    and keys, all of these
LIST_CALL           a CALL with its length in front; numbers      yes
                    that say how a list is made of strings, with
                    their number in front; the strings in UTF-8
BYE                 nothing: deliver, close, and end              by the end of the pipe
==================  ============================================  ======================

From the sidecar, ``length kind body``:

==================  ==================================================================
kind                body
==================  ==================================================================
LIST                an answer (see ``bridge/answers.py``) as a Tcl list in UTF-8
PARTS               an answer with messages or long values in it, see below
BELL                a session that has events to take; no answer
BELL_BACK           a session that must give back some of those it took; no answer
REFUSED             why there is no sidecar; it ends
REVOKED             a producer handle that takes no more messages; no answer
LOST                nothing: the last frame, where messages were not delivered
INTERRUPTED         the same, where Ctrl-C has ended the wait for them
==================  ==================================================================

The first frame is REFUSED, or a LIST whose value begins with the protocol's number: see
``hello.py``.

In the list of a PARTS frame stand three lists: the answer, without the fields of its
messages and without long values; for each run of messages the path to their place, how
many they are, and the kinds of the columns; and the path, the kind and the length of
each long value.  Of one run of two messages, ``hi`` at offset 7 and ``you`` at offset
8, without timestamps:

=====  ===============================================================================
bytes  what
=====  ===============================================================================
4      56, the length of the list
56     the list, in UTF-8: ``{0 {messages t 0 plain {}}} {{{1 4} 2 bytes,int,int}} {}``
16     the column of payloads: where in the body they begin, 108 110, and where their
       last bytes are, 109 112
16     the column of offsets, of 64 bits each: 7 8
16     the column of timestamps: -1 -1
5      the tail, to which the columns lead: ``hiyou``
=====  ===============================================================================

Further runs have their columns behind those of the first, and the tail is one for all.
Long values lie between the columns and the tail, in their order: of the report
``{0 {{report {payload {} partition 0}}}} {} {{1 0 1 1} bytes 5000}`` only the payload,
which takes its place as it is.  The kind of one is ``bytes``, or ``text`` in UTF-8.

The numbers of a LIST_CALL are the length of all strings together; how many lists there
are in the list, and how many elements each has; and for each element its length, or
-1-n for a list of n strings, whose lengths follow.  Lengths are characters as Tcl
counts them: in Tcl 8 one that has two halves counts twice.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Union

PROTOCOL = 6
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
    LIST_CALL = 7
    PRODUCE_HEADERS = 8


class Kind(IntEnum):
    """What the sidecar sends."""

    LIST = 0
    PARTS = 1
    BELL = 2
    REFUSED = 3
    BELL_BACK = 4
    REVOKED = 5
    LOST = 6
    INTERRUPTED = 7
