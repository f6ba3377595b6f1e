"""A program on a terminal with a screen:
what is seen is what a terminal shows, after all its codes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pexpect
import pyte
import pytest

CTRL_C, CTRL_D, UP, DOWN, TAB, ENTER, ESCAPE = "\x03", "\x04", "\x1b[A", "\x1b[B", "\t", "\r", "\x1b"
SECONDS = 20
EDITORS = ("prompt_toolkit", "readline")
SHELL = (sys.executable, "-m", "kafkatcl.launch")
_NAMES = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH")  # of the environment that programs are given


def pasted(text: str) -> str:
    """What a terminal sends when a text is pasted."""
    return f"\x1b[200~{text}\x1b[201~"


def environment(editor: str, home: Path, **more: str) -> dict[str, str]:
    """The environment of a shell with this line editor, and of all that it starts."""
    env = {name: os.environ[name] for name in _NAMES if name in os.environ}
    if editor == "readline":
        # Python runs this first of all; a folder in front of its own would not stay
        # there, see kafkatcl.shell.behind.
        folder = home / "without"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text("import sys; sys.modules['prompt_toolkit'] = None\n")
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), env.get("PYTHONPATH")]))
    return {"LC_ALL": "C.UTF-8", **env, "HOME": str(home), "TERM": "xterm-256color", **more}


class _Screen(pyte.Screen):
    def write_process_input(self, data: str) -> None:
        """Answer the questions that programs ask terminals."""
        self.answers.append(data)

    answers: list[str]

    def report_device_status(self, mode: int, **kwargs: Any) -> None:
        super().report_device_status(mode)


class Terminal:
    """A process and the screen before it."""

    def __init__(
        self, command: Sequence[str], env: dict[str, str], lines: int = 24, columns: int = 80
    ) -> None:
        self._screen = _Screen(columns, lines)
        self._screen.answers = []
        self._stream = pyte.ByteStream(self._screen)
        self.process = pexpect.spawn(command[0], list(command[1:]), env=env, dimensions=(lines, columns))
        self.process.delaybeforesend = None

    @property
    def lines(self) -> list[str]:
        """The lines of the screen down to the last that has text,
        without blanks at their ends.
        """
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def cursor(self) -> tuple[int, int]:
        """The line and column of the cursor."""
        return self._screen.cursor.y, self._screen.cursor.x

    def colour(self, text: str) -> str:
        """The colour that the last line with ``text`` has it in."""
        row = max(row for row, line in enumerate(self._screen.display) if text in line)
        return str(self._screen.buffer[row][self._screen.display[row].index(text)].fg)

    def keys(self, keys: str | bytes) -> None:
        """Type."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            data = data[self.process.send(data[:512]) :]
            self._read(0)

    def enters(self, line: str, *shown: str) -> None:
        """Type a line, and see that the screen ends with these lines then;
        a prompt alone if none are named.
        """
        self.keys(line)
        end = line.strip()[-30:]
        self.waits(lambda: "".join(self._screen.display).rstrip().endswith(end), what=f"{line} is typed")
        self.keys(ENTER)
        self.shows(*(shown or ("%",)))

    def shows(self, *lines: str, seconds: float = SECONDS) -> None:
        """Wait until the screen ends with these lines."""
        self.waits(lambda: self.lines[-len(lines) :] == list(lines), seconds, f"the screen ends in {lines}")

    def shows_somewhere(self, text: str, seconds: float = SECONDS) -> None:
        """Wait until there is a text on the screen."""
        self.waits(lambda: text in "\n".join(self.lines), seconds, f"{text!r} is shown")

    def waits(self, condition: Any, seconds: float = SECONDS, what: str = "the condition") -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + seconds
        while not condition():
            is_over = time.monotonic() > deadline or not self.process.isalive()
            if not self._read(0.1) and is_over and not condition():
                pytest.fail("\n".join([f"never so: {what}", *self.lines]), pytrace=False)

    def ends(self) -> int:
        """Wait for the end and give the exit status as a shell tells it."""
        self.waits(lambda: not self.process.isalive(), what="the process ends")
        signal = self.process.signalstatus
        return int(128 + signal if signal else self.process.exitstatus)

    def goes_away(self) -> None:
        """Close the terminal; the process goes on."""
        self.process.ptyproc.fileobj.close()

    def close(self) -> None:
        """End the process, whatever it does."""
        if self.process.isalive():
            self.process.kill(signal.SIGKILL)
            self.process.wait()
        self.process.close()

    def _read(self, seconds: float) -> bool:
        with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF, ValueError, OSError):
            self._stream.feed(self.process.read_nonblocking(1 << 16, seconds))
            while self._screen.answers:
                self.process.send(self._screen.answers.pop(0))
            return True
        return False


class OnTerminal(Protocol):
    """Start a shell on a terminal.

    ``command`` is one to run instead, ``editor`` another line editor than that of the
    test, ``rc`` the text of ``.kafkatclshrc``; ``env`` is added to the environment.
    """

    def __call__(
        self,
        *arguments: str,
        rc: str | None = ...,
        command: Sequence[str] = ...,
        size: tuple[int, int] = ...,
        editor: str = ...,
        **env: str,
    ) -> Terminal: ...


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home directory of shells on terminals."""
    return tmp_path


@pytest.fixture(params=EDITORS)
def editor(request: pytest.FixtureRequest) -> str:
    """The name of the line editor that shells on terminals have."""
    return str(request.param)


@pytest.fixture
def on_terminal(editor: str, home: Path) -> Iterator[OnTerminal]:
    """Shells on terminals, with each of the line editors: see :class:`OnTerminal`."""
    terminals: list[Terminal] = []

    def start(
        *arguments: str,
        rc: str | None = None,
        command: Sequence[str] = SHELL,
        size: tuple[int, int] = (24, 80),
        editor: str = editor,
        **env: str,
    ) -> Terminal:
        if rc is not None:
            (home / ".kafkatclshrc").write_text(rc)
        terminal = Terminal([*command, *arguments], environment(editor, home, **env), *size)
        terminals.append(terminal)
        return terminal

    yield start
    for terminal in terminals:
        terminal.close()
