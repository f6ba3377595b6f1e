"""The names of the modules that frames are read and written by, until all who use them name these modules."""

from kafkatcl.sidecar.answers import answer, frame, joined
from kafkatcl.sidecar.protocol import PROTOCOL, Body, Kind, Op
from kafkatcl.sidecar.requests import frames, produced, produced_batch, produced_row, words

__all__ = [
    "PROTOCOL",
    "Body",
    "Kind",
    "Op",
    "answer",
    "frame",
    "frames",
    "joined",
    "produced",
    "produced_batch",
    "produced_row",
    "words",
]
