"""What every layer may fail with, as data that a Tcl command can raise."""

from __future__ import annotations


class Failure(Exception):
    """A failure to be told to the script.

    :param message: the result of the Tcl command.
    :param errorcode: the words of its errorCode.
    :param code: Kafka's number of the error, 0 if it is none of Kafka's.
    """

    def __init__(self, message: str, errorcode: tuple[str, ...] = ("NONE",), code: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.errorcode = errorcode
        self.code = code
