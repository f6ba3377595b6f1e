#!/usr/bin/env python3
"""Write what docs/reference.md has from the table of subcommands:
the usage blocks, and the overview.

    tools/reference.py          write it
    tools/reference.py --check  only say whether it is as the table has it

A block of ``usage`` belongs to the heading above it; the text around is written by
hand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from kafkatcl.shell.reference import table_interpreter

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference.md"
#: What objects of a kind are called in the reference.
NAMES = {"kafka": "kafka::kafka", "producer_topic": "topic", "consumer_topic": "topic", "easy": ""}
_BLOCK = re.compile(r"(?m)^### (?P<heading>.*)\n\n```usage\n(?P<usages>(?:.*\n)*?)```$")
_OVERVIEW = re.compile(r"(?<=<!-- overview -->\n).*?(?=<!-- end of overview -->)", re.DOTALL)

Row = dict[str, str]


def rows() -> dict[tuple[str, str], Row]:
    """The rows of the table by kind and subcommand, in its order."""
    tcl = table_interpreter()
    found = {}
    for kind in _list(tcl, "order"):
        for subcommand in _list(tcl, f"rowsOf({kind})"):
            fields = _list(tcl, f"rows({kind},{subcommand})")
            found[kind, subcommand] = dict(zip(fields[::2], fields[1::2]))
    return found


def _list(tcl: Any, variable: str) -> tuple[str, ...]:
    # As a string, since tkinter would give the elements types of its own.
    return tuple(map(str, tcl.splitlist(str(tcl.eval(f"set {{::kafkatcl::{variable}}}")))))


def heading(kind: str, subcommand: str) -> str:
    """The name under which the reference tells of a row:
    suboptions and other names stand with their first.
    """
    return f"{NAMES.get(kind, kind)} {subcommand.split(maxsplit=1)[0]}".strip()


def usages(table: dict[tuple[str, str], Row]) -> dict[str, list[str]]:
    """The usage lines of each heading."""
    found: dict[str, list[str]] = {}
    for (kind, subcommand), row in table.items():
        place = heading(kind, subcommand)
        like = row.get("like", "").split(",")
        if like[0] == kind:
            place = heading(kind, like[1])
        full = " ".join(filter(None, (subcommand, row["usage"], row.get("options"))))
        for usage in (full, *([row["also"]] if "also" in row else [])):
            line = f"{NAMES.get(kind, kind)} {usage}".strip()
            if line not in found.setdefault(place, []):
                found[place].append(line)
    return found


def overview(table: dict[tuple[str, str], Row]) -> str:
    """Two columns: a command with a link to its heading, and what it is for."""
    lines = ["| command | |", "|---|---|"]
    seen = set()
    for (kind, subcommand), row in table.items():
        place = heading(kind, subcommand)
        if place not in seen and not row.get("like", "").startswith(f"{kind},"):
            seen.add(place)
            anchor = re.sub(r"[^\w\- ]", "", place.lower()).replace(" ", "-")
            lines.append(f"| [`{place}`](#{anchor}) | {row['about']} |")
    return "\n".join([*lines, ""])


def written(text: str) -> str:
    """The reference as it should be.

    :raises SystemExit: a row has no heading, or a heading no row.
    """
    table = rows()
    lines = usages(table)
    headings = [found["heading"] for found in _BLOCK.finditer(text)]
    wrong = sorted(set(headings) ^ set(lines))
    if wrong:
        sys.exit(f"{REFERENCE.name}: headings with a usage block and rows of commands.tcl differ: {wrong}")

    def block(found: re.Match[str]) -> str:
        return f"### {found['heading']}\n\n```usage\n" + "\n".join([*lines[found["heading"]], "```"])

    return _OVERVIEW.sub(lambda _: overview(table), _BLOCK.sub(block, text))


def main() -> None:
    """Write the reference, or check it."""
    before = REFERENCE.read_text(encoding="utf-8")
    after = written(before)
    if "--check" not in sys.argv[1:]:
        REFERENCE.write_text(after, encoding="utf-8")
    elif after != before:
        sys.exit(f"{REFERENCE.name} is not as commands.tcl has it: run tools/reference.py")


if __name__ == "__main__":
    main()
