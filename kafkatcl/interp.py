"""A Tcl interpreter with the package kafka, for Python programs."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Callable, TypeVar, Union

from kafkatcl.bridge.inprocess import (
    NativeError,
    application,
    define_call,
    define_command,
)
from kafkatcl.bridge.install import install, kafka_object, uninstall
from kafkatcl.bridge.roots import new_interp
from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.hosting.answers import answering
from kafkatcl.hosting.commands import FunctionCommand, ObjectCommand
from kafkatcl.hosting.errors import TclError, UndeliveredWarning
from kafkatcl.hosting.evaluation import clear, evaluate, prepare
from kafkatcl.hosting.message import Message
from kafkatcl.hosting.values import from_tcl, to_tcl
from kafkatcl.hosting.waiting import stop_callbacks, ticking, wait_for_variable

__all__ = ["Interp", "Message", "TclError", "UndeliveredWarning"]

F = TypeVar("F", bound=Callable[..., Any])
Command = Union[FunctionCommand, ObjectCommand]

_WRONG_THREAD = (
    "this Interp belongs to another thread, and only that one may use it: "
    "hand the work over, by a queue or an event that it looks at"
)

#: How deep calls from Python into Tcl may be nested.  Beyond, Python might raise a
#: RecursionError on the way from Tcl into Python, where nothing can catch one.
_MAX_DEPTH = 60

_numbers = itertools.count(1)


class Interp:
    """A Tcl interpreter that has the package kafka.

    ``Interp()`` makes one, ``Interp(tk=True)`` one with a main window, and
    ``Interp(existing)`` uses that of a ``tkinter.Tcl()``, a ``tkinter.Tk()`` or a
    widget.  ``root`` is the tkinter object, ``tk`` its interpreter.

    Scripts are evaluated at global level.  Only the thread that made the interpreter
    may use it; another one gets a RuntimeError, and so does who uses it once it is
    closed.  An exception that ends programs, such as KeyboardInterrupt and SystemExit,
    is an error to the script that called the Python command which raised it, and is
    raised again as soon as control is back in Python.
    """

    def __init__(self, existing: Any = None, *, tk: bool = False) -> None:
        self._thread = threading.get_ident()
        self._owns = existing is None
        self._closed = False
        self._commands: dict[str, Command] = {}
        self._depth = 0  # of the calls into Tcl that Python waits for
        self._interruption: BaseException | None = None
        self._loop_depth = 0  # of the innermost event loop among them; 0 for a loop of the host's own
        self.root = _new_root(tk) if existing is None else existing
        # All else reaches Tcl through this attribute, and close() empties it.  Whatever
        # kept the interpreter longer, such as the traceback of an exception, might drop
        # the last reference in another thread, and Tcl would abort the process:
        # https://github.com/python/cpython/issues/83274
        self.tk = _usable_application(self.root)
        self._moved = f"::kafkatcl::host::moved{next(_numbers)}"
        prepare(self)
        define_call(self, self._moved, self._command_moved)
        install(self.tk)
        # tkinter deletes Tcl's exit (``Tkapp_New`` in
        # https://github.com/python/cpython/blob/v3.11.2/Modules/_tkinter.c#L608), and
        # during Tcl's vwait no handler of a signal runs.
        if self._owns:
            self.call("interp", "bgerror", "", "::kafkatcl::host::Background")
            self.command("exit")(_exit)
            self.command("vwait")(self._vwait)

    # -- scripts -----------------------------------------------------------------------

    def eval(self, script: str, to: type = str) -> Any:
        """Evaluate ``script`` at global level; its value.

        :param to: the kind of value to return, one of
            :data:`kafkatcl.hosting.values.KINDS`.
        :raises TclError: the script failed, or its value is no ``to``.
        """
        return self._evaluated(to_tcl(script), to)

    def call(self, command: str, *words: Any, to: type = str) -> Any:
        """Run ``command`` with ``words``, which arrive exactly as they are; its value.

        :param words: anything that :func:`kafkatcl.hosting.values.to_tcl` takes.
        :param to: as in :meth:`eval`.
        :raises TclError: the command failed, or its value is no ``to``.
        """
        return self._evaluated(to_tcl((command, *words)), to)

    def run(self, path: str | os.PathLike[str], argv: Iterable[Any] = (), *, encoding: str = "utf-8") -> str:
        """Run the script in the file ``path``; the value of its last command.

        :param argv: the arguments of the script, in its variable ``argv``.
        :param encoding: Tcl's name for the encoding of the file.
        :raises TclError: the script failed, or the file cannot be read.
        """
        file, words = os.fspath(path), list(argv)
        self["argv0"], self["argv"], self["argc"] = file, words, len(words)
        return str(self.call("source", "-encoding", encoding, file))

    # -- global variables and array elements -------------------------------------------

    def get(self, name: str, to: type = str) -> Any:
        """The value of the global variable or array element ``name``.

        :param to: as in :meth:`eval`.
        :raises TclError: there is no such variable, or its value is no ``to``.
        """
        return self.call("set", name, to=to)

    def __getitem__(self, name: str) -> str:
        return str(self.get(name))

    def __setitem__(self, name: str, value: Any) -> None:
        self.call("set", name, value)

    def __delitem__(self, name: str) -> None:
        self.call("unset", name)

    def __contains__(self, name: str) -> bool:
        return bool(self.call("info", "exists", name, to=bool))

    # -- commands in Python ------------------------------------------------------------

    def command(self, name: str | F) -> Any:
        """Decorator that makes a function a Tcl command.

        The command has the name of the function or, as ``command("name")``, that one.
        The parameters of the function say which words the command takes, and their
        annotations what the words are converted to.
        """
        if callable(name):
            return self.command(name.__name__)(name)

        def define(function: F) -> F:
            self._define(FunctionCommand(self, name, function))
            return function

        return define

    def expose(self, name: str, target: Any) -> str:
        """Make ``target`` the Tcl command ``name``; ``name``.

        Its public methods and attributes are subcommands, see
        :class:`kafkatcl.hosting.commands.ObjectCommand`.
        """
        self._define(ObjectCommand(self, name, target))
        return name

    def delete(self, name: str) -> None:
        """Delete the Tcl command ``name``, and let go of what is behind it in Python.

        :raises TclError: there is no such command.
        """
        self.call("rename", name, "")

    def object(self, name: str) -> Any:
        """The Python object behind the Tcl command ``name``.

        :returns: a function, an exposed object, or one of the engine's.
        :raises LookupError: there is none.
        """
        full_name = self.call("namespace", "which", "-command", name)
        if full_name in self._commands:
            return self._commands[full_name].target
        with contextlib.suppress(LookupError):
            return kafka_object(self.tk, full_name)
        raise LookupError(f'no Python object is behind the command "{name}"')

    # -- events ------------------------------------------------------------------------

    def update(self) -> None:
        """Handle the events that are there."""
        self.call("update")

    def vwait(self, name: str, timeout: float | None = None) -> bool:
        """Handle events until the global variable ``name`` is written or unset.

        :param timeout: seconds at most; None: no limit.
        :returns: whether the variable was written or unset.
        """
        with self._in_tcl():
            return wait_for_variable(self, name, timeout, self._is_interrupted)

    def mainloop(self) -> None:
        """Handle events until :meth:`quit`, or until a main window is destroyed."""
        with self._in_tcl():
            outer, self._loop_depth = self._loop_depth, self._depth
            try:
                with ticking(self):
                    self.tk.mainloop(0 if "." in self.call("info", "commands", ".") else -1)
            finally:
                self._loop_depth = outer

    def quit(self) -> None:
        """End :meth:`mainloop`."""
        self._check()
        self._quit()

    # -- the end -----------------------------------------------------------------------

    def close(self) -> None:
        """Delete the commands made here; of an interpreter of our own, everything.

        A second call does nothing.  Messages that were produced in an interpreter of
        our own are delivered first, for 30 s at most (``KAFKATCL_FLUSH_TIMEOUT_MS``).
        An UndeliveredWarning tells of those that were not delivered and whose failure
        no callback was told.

        :raises RuntimeError: a script is running, or another thread calls.
        """
        self._close()

    def _close(self) -> None:
        if self._closed:
            return
        self._check()
        if self._depth:
            raise RuntimeError("close() was called from inside Tcl: call it when the script has returned")
        if self._owns:
            with contextlib.suppress(NativeError):  # there is no main window, or it is gone already
                self.root.destroy()
        for name in list(self._commands):
            self.delete(name)
        self._closed = True
        self.tk.deletecommand(self._moved)
        lost: list[str] = []
        if self._owns:
            clear(self)
            try:
                lost = uninstall(self)
            finally:  # Ctrl-C may end the wait
                self.tk.call("namespace", "delete", "::")
                self.root = self.tk = None
        self.root = self.tk = None
        for words in lost:
            warnings.warn(words, UndeliveredWarning, stacklevel=3)

    def __enter__(self) -> Interp:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._close()

    # -- inside ------------------------------------------------------------------------

    def _evaluated(self, script: Any, to: type) -> Any:
        with self._in_tcl():
            text = evaluate(self, script)
        return from_tcl(self, text, to)

    @contextlib.contextmanager
    def _in_tcl(self) -> Iterator[None]:
        """Around a call that runs scripts: raise in the end what interrupts it."""
        self._check()
        if self._depth >= _MAX_DEPTH:
            raise TclError("too many nested evaluations (infinite loop?)", ("TCL", "LIMIT", "STACK"))
        self._depth += 1
        try:
            yield
        except TclError:
            raise
        except NativeError as error:
            raise TclError(str(error)) from error
        finally:
            self._depth -= 1
            self._raise_interruption()

    def _check(self) -> None:
        if self._closed:
            raise RuntimeError("this Interp is closed")
        if threading.get_ident() != self._thread:
            raise RuntimeError(_WRONG_THREAD)

    def _define(self, command: Command) -> None:
        self._check()
        name = command.name
        self.call("namespace", "eval", self.call("namespace", "qualifiers", name) or "::", "")
        define_command(self, to_tcl(name), answering(command, self._interrupted))
        full_name = self.call("namespace", "which", "-command", name)
        self._commands[full_name] = command
        self.call("trace", "add", "command", full_name, ("rename", "delete"), self._moved)

    def _command_moved(self, old: str, new: str, operation: str) -> None:
        """The trace on our commands: one has another name, or none any more."""
        command = self._commands.pop(text_from_tcl(old), None)
        if command and operation == "rename":
            command.name = text_from_tcl(new)
            self._commands[command.name] = command

    def _interrupted(self, error: BaseException) -> None:
        self._interruption = error
        if self._depth == self._loop_depth:  # no script, but an event loop is waited for
            self._quit()

    def _quit(self) -> None:
        stop_callbacks(self)
        self.tk.quit()

    def _is_interrupted(self) -> bool:
        return self._interruption is not None

    def _raise_interruption(self) -> None:
        error, self._interruption = self._interruption, None
        if error:
            raise error

    def _vwait(self, name: str) -> None:
        self.vwait(name)


def _new_root(tk: bool) -> Any:
    try:
        return new_interp(tk=tk)
    except NativeError as error:
        message = str(error)
    raise TclError(message)  # without a cause, which would keep the interpreter


def _usable_application(root: Any) -> Any:
    app = application(root)
    if not hasattr(app, "createcommand"):
        raise TypeError(f"Interp() takes a tkinter.Tcl(), a tkinter.Tk() or a widget, not {root!r}")
    try:
        app.eval("")
    except RuntimeError:
        raise RuntimeError(_WRONG_THREAD) from None
    return app


def _exit(status: int = 0) -> None:
    """``exit`` as scripts know it: SystemExit in the program that runs the script."""
    raise SystemExit(status)
