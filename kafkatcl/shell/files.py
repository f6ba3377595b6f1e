"""The names of files that begin as a word does."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kafkatcl.shell.offers import Candidate


def files(begun: str) -> Iterator[Candidate]:
    """Files and folders; hidden ones only where a dot was typed."""
    head, _, tail = begun.rpartition("/")
    folder = head + "/" if "/" in begun else ""
    try:
        entries = list(os.scandir(os.path.expanduser(folder) or "."))
    except (OSError, ValueError):
        return
    for entry in entries:
        if entry.name.isprintable() and (tail.startswith(".") or not entry.name.startswith(".")):
            is_folder = _is_folder(entry)
            yield Candidate(f"{folder}{entry.name}{'/' * is_folder}", is_whole=not is_folder)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
