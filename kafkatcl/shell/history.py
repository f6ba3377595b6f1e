"""The commands that were typed, kept between sessions: one file for both line editors.

An entry is a comment with the time, then the lines of a command with a plus in front of
each, as ``FileHistory`` of prompt_toolkit writes them:
https://github.com/prompt-toolkit/python-prompt-toolkit/blob/3.0.53/src/prompt_toolkit/history.py#L262
Sessions add to the end of the file, each entry with one write.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

_MAX_ENTRIES = 10_000
_MAX_BYTES = 4 << 20
_MAX_COMMAND = 64 << 10  # characters of a command that is kept


class History:
    """The commands of earlier sessions, oldest first.

    There are none where there can be no file.
    """

    def __init__(self) -> None:
        self._path = _file()
        self.commands = _read(self._path) if self._path else []
        self._last = self.commands[-1:]

    def add(self, command: str) -> None:
        """Keep a command for later sessions.

        A command that begins with a blank, is huge, or repeats the last one is not
        kept.

        Where the disk is full, only this session remembers.
        """
        if not command.strip() or command[0] in " \t" or len(command) > _MAX_COMMAND or command in self._last:
            return
        self._last = [command]
        if self._path:
            with contextlib.suppress(OSError):
                _append(self._path, _entry(command))


def _file() -> Path | None:
    """The file, which only its owner may read; None if it cannot be written."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = Path(state, "kafkatcl", "history")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _append(path, b"")
        return path if path.is_file() else None
    except OSError:
        return None


def _append(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


def _entry(command: str) -> bytes:
    lines = "".join(f"+{line}\n" for line in command.split("\n"))
    return f"\n# {time.strftime('%Y-%m-%d %H:%M:%S')}\n{lines}".encode(errors="replace")


def _read(path: Path) -> list[str]:
    """The commands in a file, oldest first.  What grew beyond all measure is cut."""
    try:
        text = path.read_bytes()
    except OSError:
        return []
    commands: list[str] = []
    entry: list[str] = []
    for line in [*text.decode(errors="replace").replace("\0", "?").split("\n"), ""]:
        if line.startswith("+"):
            entry.append(line[1:])
        elif entry:
            commands.append("\n".join(entry))
            entry = []
    kept = commands[-_MAX_ENTRIES:]
    if len(text) > _MAX_BYTES:
        kept = kept[-_MAX_ENTRIES // 2 :]
        _rewrite(path, kept)
    return kept


def _rewrite(path: Path, commands: list[str]) -> None:
    """Put a file with these commands into the place of the old one."""
    with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(b"".join(map(_entry, commands)))
            file.flush()
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
