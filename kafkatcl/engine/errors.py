"""What goes wrong in the engine, as data a Tcl command can raise: a message and an errorCode."""

from __future__ import annotations


class Failure(Exception):
    """A failure to be told to the script.

    ``message`` is the result of the Tcl command, ``errorcode`` the words of its errorCode.
    """

    def __init__(self, message: str, errorcode: tuple[str, ...] = ("NONE",)) -> None:
        super().__init__(message)
        self.message = message
        self.errorcode = errorcode
