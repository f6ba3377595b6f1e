"""What the documentation says is so: its code runs and prints what it says, its links
lead somewhere, and the reference has every command as the code has it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from docs_blocks import PATH, ROOT, RUNNERS, Block, as_said, blocks, outputs, programs
from fix_cluster import Cluster
from fix_screen import ENTER, OnTerminal
from fix_share import share_group
from fix_tcl import RunTcl

from kafkatcl.cli import _parser
from kafkatcl.shell.options import parse

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GUIDES = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"]
LINKED = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "examples", "tests") for page in (ROOT / folder).glob("*.md")),
]
LANGUAGES = {"tcl", "python", "sh", "console", "session", "text", "usage", ""}
REFERENCE = ROOT / "docs" / "reference.md"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# -- code ------------------------------------------------------------------------------


def runs(on_kafka: bool) -> list[ParameterSet]:
    """Each program with each of its runners: those that are run on the real Kafka,
    or those that are not.
    """
    return [
        pytest.param(program, runner, id=f"{program[0]}-{Path(runner[0]).name}")
        for page in PAGES
        for language, runners in RUNNERS.items()
        for program in programs(page, language)
        for runner in runners
        if program[0].on_kafka is on_kafka
    ]


@pytest.mark.parametrize(("program", "runner"), runs(on_kafka=False))
def test_code_runs_and_prints_what_is_said(
    program: list[Block], runner: Sequence[str], tmp_path: Path
) -> None:
    check_program(program, outputs(program, runner, tmp_path))


@pytest.mark.parametrize(("program", "runner"), runs(on_kafka=True))
def test_code_for_a_real_kafka_runs_there(
    program: list[Block], runner: Sequence[str], tmp_path: Path, kafka_cluster: Cluster
) -> None:
    alone = apart_from_others(program, kafka_cluster)
    check_program(program, outputs(alone, runner, tmp_path, kafka_cluster.bootstrap_servers))


def apart_from_others(program: list[Block], cluster: Cluster) -> list[Block]:
    """A program with a topic and a share group of its own; the group begins with the
    oldest messages.
    """
    text = "".join(block.text for block in program)
    names = {topic: cluster.topic() for topic in set(re.findall(r"new_topic \w+ (\w+)", text))}
    names |= {group: share_group(cluster) for group in set(re.findall(r"group\.id (\w+)", text))}
    return [
        replace(block, text=re.sub("|".join(names), lambda found: names[found[0]], block.text))
        for block in program
    ]


def check_program(program: list[Block], printed: list[str]) -> None:
    assert len(printed) == len(program)
    for block, output in zip(program, printed):
        assert as_said(output, block.output or ""), f"{block} says\n{block.output}\nand prints\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_are_of_known_languages_and_say_why_they_do_not_run(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, block
        assert block.why_not_run != "", f"{block} does not say why it cannot run"


def test_code_that_cannot_run_is_at_least_complete(run_tcl: RunTcl) -> None:
    still = [block for page in PAGES for block in blocks(page) if block.why_not_run]
    for block in still:
        if block.language == "python":
            compile(block.text, str(block), "exec")
        else:
            script = "puts [info complete [read stdin]]"
            assert run_tcl(script, stdin=block.text).stdout == "1\n", block


SHELL = [block for page in GUIDES for block in blocks(page) if block.language == "sh"]
CONSOLE = [block for page in GUIDES for block in blocks(page) if block.language == "console"]


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_shell_commands_exist(block: Block) -> None:
    for line in block.text.splitlines():
        check_command(shlex.split(line, comments=True))


#: Programs that are not ours.
USUAL = {"pip", "pipx", "pytest", "python3", "export", "git", "cd", "sudo", "apt-get", "dnf", "brew"}


def check_command(words: list[str]) -> None:
    """Refuse a command line with a program, make target,
    option or example that there is not.
    """
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if not words:
        return
    program, arguments = Path(words[0]).name, words[1:]
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {word for word in arguments if "=" not in word} <= set(targets)
    elif program == "kafkatcl":
        _parser().parse_args(arguments)
    elif program in ("kafkatclsh", "tclsh", "wish"):
        script = parse(arguments).script
        assert script is None or not script.startswith("examples/") or (ROOT / script).exists()
    else:
        assert program in USUAL


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_sessions_at_a_console(block: Block, tmp_path: Path) -> None:
    """Each line after ``$`` is run at the root of the project,
    and prints on stdout what is said.
    """
    turns = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
    assert "".join(f"$ {command}\n{said}" for command, said in turns) == block.text
    for command, said in turns:
        check_command(shlex.split(command, comments=True))
        done = subprocess.run(
            command,
            shell=True,
            cwd=ROOT,
            env={**os.environ, "PATH": PATH},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert as_said(done.stdout, said), f"{block}: {command} prints\n{done.stdout}"


SESSIONS = [block for page in GUIDES for block in blocks(page) if block.language == "session"]


#: What the embedded broker says of itself comes before all that is typed.
WELCOME = "package require kafka; kafka::topic_producer first t; rename first {}"


@pytest.mark.parametrize("block", SESSIONS, ids=str)
def test_sessions_at_the_prompt(block: Block, on_terminal: OnTerminal) -> None:
    """Each line after ``%`` is typed at the prompt of a kafkatclsh,
    which shows what follows.
    """
    terminal = on_terminal("--embedded", rc=WELCOME)
    *turns, last = re.findall(r"^%(?: (.*))?\n((?:(?!%).*\n)*)", block.text, re.MULTILINE)
    assert last == ("", "")
    assert "".join(f"% {command}\n{said}" for command, said in turns) + "%\n" == block.text
    terminal.shows("%")
    for command, said in turns:
        terminal.keys(command + ENTER)
        count = said.count("\n") + 2
        terminal.waits(
            lambda: as_said("\n".join([*terminal.lines, ""][-count - 1 :]), f"% {command}\n{said}%\n"),  # noqa: B023
            what=f"{command} shows\n{said}",
        )


# -- links -----------------------------------------------------------------------------


@pytest.mark.parametrize("page", LINKED, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
