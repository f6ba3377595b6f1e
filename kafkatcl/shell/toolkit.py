"""Line editing by prompt_toolkit: commands of many lines, colours, a menu.

Tcl's events go on meanwhile, by an input hook:
https://github.com/prompt-toolkit/python-prompt-toolkit/blob/3.0.31/docs/pages/advanced_topics/input_hooks.rst
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.eventloop.inputhook import InputHookContext
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import History
from prompt_toolkit.layout.processors import TabsProcessor
from prompt_toolkit.lexers import DynamicLexer, Lexer

from kafkatcl.bridge.answers import guarded
from kafkatcl.shell import history
from kafkatcl.shell.interrupt import READABLE
from kafkatcl.shell.offering import offering
from kafkatcl.shell.prompts import Prompts
from kafkatcl.shell.readers import is_complete
from kafkatcl.shell.screen import Screen
from kafkatcl.shell.signals import SignalWatch
from kafkatcl.shell.terminal import let_ctrl_c_signal

#: A text of more characters has no colours: it would be read again for each key.
_MAX_CHARACTERS = 20_000


class ToolkitReader:
    """Reads whole commands: Enter ends one that is complete, and continues others."""

    def __init__(self, app: Any, watch: SignalWatch) -> None:
        self._app = app
        self._watch = watch
        self._prompts = Prompts(app)
        self._screen = Screen(app)
        self._colours = _Colours()
        self._session: PromptSession[str] = PromptSession(
            history=_History(),
            multiline=Condition(self._is_incomplete),
            completer=_Completer(app),
            complete_while_typing=False,
            lexer=DynamicLexer(self._colours.lexer),
            input_processors=[TabsProcessor(char1=" ", char2=" ")],
        )

    def read(self) -> str:
        """See :class:`kafkatcl.shell.readers.Reader`."""
        first, more = self._prompts.text(continued=False), self._prompts.text(continued=True)
        try:
            with self._watch.lent(), self._screen.typing(self):
                command = self._session.prompt(
                    first,
                    prompt_continuation=lambda _width, _line, wraps: "" if wraps else more,
                    inputhook=self._serve_events,
                )
        except OSError:  # the terminal is gone
            raise EOFError from None
        # prompt_toolkit gives bytes that are no text as halves of characters.
        return command.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def hide(self) -> None:
        """See :class:`kafkatcl.shell.screen.Editor`."""
        self._session.app.renderer.erase()

    def show(self) -> None:
        """See :class:`kafkatcl.shell.screen.Editor`."""
        self._session.app.invalidate()

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


class _Completer(Completer):
    def __init__(self, app: Any) -> None:
        self._offer = offering(app)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The completer's offer, as prompt_toolkit shows it."""
        begun = document.text_before_cursor
        offer = self._offer(begun)
        for text, candidate in zip(offer.texts, offer.candidates):
            yield Completion(text, offer.start - len(begun), candidate.word, candidate.about)


class _History(History):
    def __init__(self) -> None:
        super().__init__()
        self._kept = history.History()

    def load_history_strings(self) -> Iterable[str]:
        """The commands of earlier sessions, newest first."""
        return reversed(self._kept.commands)

    def store_string(self, string: str) -> None:
        """Keep a command."""
        self._kept.add(string)


class _Colours:
    """Colours for Tcl, found when there is something to colour: that takes a while."""

    def lexer(self) -> Lexer | None:
        """What colours the command that is typed; None where nothing does."""
        text = get_app().current_buffer.text
        return self._tcl if 0 < len(text) <= _MAX_CHARACTERS else None

    @functools.cached_property
    def _tcl(self) -> Lexer | None:
        with contextlib.suppress(ImportError):
            from prompt_toolkit.lexers import PygmentsLexer  # noqa: PLC0415
            from pygments.lexers.tcl import TclLexer  # noqa: PLC0415

            return PygmentsLexer(TclLexer)
        return None
