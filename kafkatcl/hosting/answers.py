"""What a Python function returns or raises, as the result or error of a Tcl command."""

from __future__ import annotations

import traceback
from typing import Any, Callable

from kafkatcl.bridge.answers import Function
from kafkatcl.bridge.inprocess import NativeError
from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.errors import Failure
from kafkatcl.hosting.errors import CommandFailure, TclError
from kafkatcl.hosting.values import to_tcl


def answering(function: Function, interrupted: Callable[[BaseException], None]) -> Function:
    """Make ``function``, which takes the words of a command, fit for define_command.

    The value becomes a Tcl value and every exception a failure: a TclError keeps its
    errorCode and errorInfo, a ``tkinter.TclError`` has ``NONE``, any other has the
    errorCode ``PYTHON ClassName`` and Python's traceback as its errorInfo.

    :param interrupted: gets an exception that ends programs besides, such as
        KeyboardInterrupt and SystemExit.
    """

    def answer(*words: str) -> Any:
        try:
            return to_tcl(function(*map(text_from_tcl, words)))
        except Failure:
            raise
        except TclError as error:
            raise _failure(error.message, error.errorcode, error.errorinfo) from None
        except NativeError as error:
            raise _failure(str(error), ("NONE",)) from None
        except BaseException as error:
            if not isinstance(error, Exception):
                interrupted(error)
            message = _described(error)
            raise _failure(message, ("PYTHON", type(error).__name__), _told(message, error)) from None

    return answer


def _failure(message: str, errorcode: tuple[str, ...], errorinfo: str = "") -> CommandFailure:
    return CommandFailure(to_tcl(message), to_tcl(errorcode), to_tcl(errorinfo))


def _described(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return f"{name}: (its text cannot be had)"
    return f"{name}: {text}" if text else name


def _told(message: str, error: BaseException) -> str:
    """``message`` with Python's traceback, which begins in the host's code."""
    frames = error.__traceback__
    while frames and str(frames.tb_frame.f_globals.get("__name__")).startswith("kafkatcl."):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    return f"{message}\n{''.join(lines).rstrip()}"
