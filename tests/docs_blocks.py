"""The code blocks of the documentation, and what they print.

A block of Tcl or Python is a program of its own, unless ``<!-- continues -->`` stands
above it: then it goes on where the block of its language before it ended.  ``<!-- all
continue -->`` says that of a whole page.  The ```` ```text ```` block after it is what
it prints; in that, the words of ``VARYING`` stand for what differs from run to run.  A
block whose info string says ``no-run: reason`` is only looked at.  A ``session`` is
typed at a prompt.

Programs have an embedded broker of their own, those of a page that says ``<!-- all on a
real Kafka -->`` the real one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fix_tcl import KAFKATCLSH, TCLSH, environment_of

ROOT = Path(__file__).parent.parent
#: PATH with the programs of this project.
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
VARYING = {
    "<file>": r".+",  # or why there is none
    "<number>": r"\d+",
    "<port>": r"\d{2,5}",
    "<timestamp>": r"\d{13}",
    "<version>": r"\d+(\.\d+)+",
}

_BLOCK = re.compile(r"^(?P<fence>```+)(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
_CONTINUES = re.compile(r"<!-- continues -->\s*\Z")
_ALL_CONTINUE = "<!-- all continue -->"
_ON_KAFKA = "<!-- all on a real Kafka -->"
_BETWEEN = "\x1e"  # printed between the blocks of a program

#: The commands that programs of a language are run with, each in turn.
RUNNERS: dict[str, list[tuple[str, ...]]] = {"tcl": [KAFKATCLSH, TCLSH], "python": [(sys.executable,)]}
_SUFFIXES = {"tcl": ".tcl", "python": ".py"}
_PRINT_BETWEEN = {"tcl": r"puts -nonewline \x1e", "python": r"print('\x1e', end='')"}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, the words after its fence, its text,
    and what is said that it prints.
    """

    page: str
    line: int
    info: str
    text: str
    continues: bool
    on_kafka: bool
    output: str | None

    @property
    def language(self) -> str:
        """The first word of the info string."""
        return self.info.split(" ")[0]

    @property
    def why_not_run(self) -> str | None:
        """The reason that ``no-run`` gives; empty where it gives none."""
        found = re.search(r" no-run(?:: *(.*))?$", self.info)
        return (found[1] or "") if found else None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in their order."""
    text = page.read_text()
    found = list(_BLOCK.finditer(text))
    return [
        Block(
            str(page.relative_to(ROOT)),
            text.count("\n", 0, match.start()) + 1,
            match["info"],
            match["text"],
            _ALL_CONTINUE in text or bool(_CONTINUES.search(text[: match.start()])),
            _ON_KAFKA in text,
            _output(text[match.end() :]),
        )
        for match in found
    ]


def _output(rest: str) -> str | None:
    following = _BLOCK.match(rest.lstrip("\n"))
    return following["text"] if following and following["info"] == "text" else None


def programs(page: Path, language: str) -> Iterator[list[Block]]:
    """The blocks of a page that are run, each with those that continue it."""
    program: list[Block] = []
    for block in blocks(page):
        if block.language != language or block.why_not_run is not None:
            continue
        if program and not block.continues:
            yield program
            program = []
        program.append(block)
    if program:
        yield program


def outputs(program: list[Block], runner: Sequence[str], folder: Path, brokers: str = "") -> list[str]:
    """What each block of a program prints;
    ``runner`` runs it in ``folder``, and it must end well.

    ``brokers`` are those it is sent to; none: embedded ones.
    """
    language = program[0].language
    file = folder / f"blocks{_SUFFIXES[language]}"
    file.write_text(f"{_PRINT_BETWEEN[language]}\n".join(block.text for block in program))
    done = subprocess.run(
        [*runner, str(file)],
        cwd=folder,
        env={
            **os.environ,
            **({"KAFKATCL_BROKERS": brokers} if brokers else {"KAFKATCL_EMBEDDED": "1"}),
            "LC_ALL": "C.UTF-8",
            "PATH": PATH,
            **environment_of(runner),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{program[0]}: {done.stdout}{done.stderr}"
    return done.stdout.split(_BETWEEN)


def as_said(printed: str, said: str) -> bool:
    """Whether this is what was said, up to ``VARYING``."""
    pattern = re.escape(said)
    for word, varying in VARYING.items():
        pattern = pattern.replace(re.escape(word), varying)
    return re.fullmatch(pattern, printed) is not None
