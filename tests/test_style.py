"""Comments in Tcl and prose in Markdown are at most 88 columns wide.

Ruff looks at Python (W505, ``max-doc-length`` in pyproject.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WIDTH = 88
FOLDERS = ("benchmarks", "docs", "examples", "kafkatcl", "pkgIndex", "tcl_tests", "tests", "tools")
FILES = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))]
NAMES = sorted(str(path.relative_to(ROOT)) for path in FILES)
TCL = [name for name in NAMES if name.endswith((".tcl", ".test"))]
PAGES = [name for name in NAMES if name.endswith(".md")]

_FENCED = re.compile(r"^(?P<fence>```+)[^\n]*\n.*?^(?P=fence)$", re.MULTILINE | re.DOTALL)
#: What a tool of ours writes into a page.
_GENERATED = re.compile(r"<!-- (\w+)\b[^\n]*-->.*?<!-- end of \1 -->", re.DOTALL)
#: A heading, a row of a table, or HTML, none of which can go on in the next line.
_ONE_LINE = re.compile(r"\s*(#|\||<)")
#: A line that cannot be broken: a list mark, and one link or piece of code.
_UNBREAKABLE = re.compile(r"\s*(?:[-*] |\d+\. )?(?:\S+|`[^`]+`|\[[^]]*\]\([^)]*\))\S*$")


def too_wide(lines: list[str]) -> list[str]:
    return [f"{number}: {line}" for number, line in enumerate(lines, 1) if len(line) > WIDTH]


def comments(text: str) -> Iterator[str]:
    """Each line, but an empty one for code and for what is aligned by hand."""
    for line in text.splitlines():
        is_prose = line.lstrip().startswith("#") and not re.search(r"\S {4,}\S", line)
        yield line if is_prose else ""


def prose(text: str) -> Iterator[str]:
    """Each line of a page, but an empty one for code, tables, and unbreakable lines."""
    for skipped in (_FENCED, _GENERATED):
        text = skipped.sub(lambda found: "\n" * found[0].count("\n"), text)
    for line in text.splitlines():
        yield "" if _ONE_LINE.match(line) or _UNBREAKABLE.fullmatch(line) else line


@pytest.mark.parametrize("name", TCL)
def test_comments_in_tcl_are_narrow(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not too_wide([*comments(text)])


@pytest.mark.parametrize("name", PAGES)
def test_paragraphs_of_pages_are_narrow(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not too_wide([*prose(text)])


def test_what_is_wide_is_found() -> None:
    words = "word " * 20
    assert too_wide([*comments(f"set x 1\n# {words}\n{words}\n")]) == [f"2: # {words}"]
    page = f"# {words}\n\n```sh\n{words}\n```\n| {words} |\n- `{words}`\n{words}\n"
    assert too_wide([*prose(page)]) == [f"8: {words}"]
