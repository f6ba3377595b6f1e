"""Line editing by prompt_toolkit: whole commands of many lines, with history, while Tcl's events go on."""

from __future__ import annotations

import contextlib
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.eventloop.inputhook import InputHookContext
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from kafkatcl.bridge.answers import guarded
from kafkatcl.shell.interrupt import READABLE
from kafkatcl.shell.prompts import Prompts
from kafkatcl.shell.readers import is_complete
from kafkatcl.shell.signals import SignalWatch
from kafkatcl.shell.terminal import history_file, let_ctrl_c_signal


class ToolkitReader:
    """Reads whole commands: Enter ends one that is complete, and begins a new line of one that is not."""

    def __init__(self, app: Any, watch: SignalWatch) -> None:
        self._app = app
        self._watch = watch
        self._prompts = Prompts(app)
        self._session: PromptSession[str] = PromptSession(
            history=_history(), multiline=Condition(self._is_incomplete)
        )

    def read(self, *, continued: bool) -> str:
        """See :class:`kafkatcl.shell.readers.Reader`."""
        first, more = self._prompts.text(continued=continued), self._prompts.text(continued=True)
        with self._watch.lent():
            return self._session.prompt(
                first, prompt_continuation=lambda *_: more, inputhook=self._serve_events
            )

    def _is_incomplete(self) -> bool:
        return not is_complete(self._app, get_app().current_buffer.text)

    def _serve_events(self, context: InputHookContext) -> None:
        """Serve Tcl's events until prompt_toolkit has something to do."""
        let_ctrl_c_signal()
        self._app.createfilehandler(context.fileno(), READABLE, guarded(lambda *_: None))
        with self._watch.serving():
            while not context.input_is_ready():
                self._app.dooneevent(0)
        self._app.deletefilehandler(context.fileno())


class _QuietHistory(FileHistory):
    """A history that goes on without its file when that cannot be written any more."""

    def store_string(self, string: str) -> None:
        with contextlib.suppress(OSError):
            super().store_string(string)


def _history() -> History:
    path = history_file("history")
    return InMemoryHistory() if path is None else _QuietHistory(str(path))
