"""What the documentation says is so: its code runs and prints what it says, its links lead somewhere, and the
reference has every command as the code has it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from docs_blocks import PATH, ROOT, RUNNERS, Block, as_said, blocks, outputs, programs
from fix_screen import ENTER, OnTerminal
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


# -- code --------------------------------------------------------------------------------------------------

PROGRAMS = [
    pytest.param(program, runner, id=f"{program[0]}-{Path(runner[0]).name}")
    for page in PAGES
    for language, runners in RUNNERS.items()
    for program in programs(page, language)
    for runner in runners
]


@pytest.mark.parametrize(("program", "runner"), PROGRAMS)
def test_code_runs_and_prints_what_is_said(
    program: list[Block], runner: Sequence[str], tmp_path: Path
) -> None:
    printed = outputs(program, runner, tmp_path)
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
    """Refuse a command line with a program, make target, option or example that there is not."""
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
    """Each line after ``$`` is run at the root of the project, and prints on stdout what is said."""
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
    """Each line after ``%`` is typed at the prompt of a kafkatclsh, which shows what follows."""
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


# -- links -------------------------------------------------------------------------------------------------


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


# -- the reference -----------------------------------------------------------------------------------------

#: Usages that no error tells: these subcommands take any number of words.
NEVER_TOLD = {
    "master delivery_report every ?interval?",
    "subscriber subscribe ?topic ...?",
    "subscriber assign ?position ...?",
    "subscriber assignment",
    "subscriber commit ?-async? ?position ...?",
    "kafka::setup ?-brokers brokerList?",
    "kafka::setup_producer ?-brokers brokerList?",
    "kafka::setup_consumer ?-brokers brokerList?",
}
#: Where Tcl itself words the error, it cannot name the options.
WORDED_BY_TCL = {"kafka::subscriber groupid ?arg ...?": "kafka::subscriber groupid ?-brokers brokerList?"}

#: Prints each subcommand there is, and each usage text it can be made to tell, under the words of the reference.
ASK = r"""
package require kafka
kafka::kafka create master
master config group.id readers
master logger none
master producer_creator handle
master consumer_creator other
master subscriber subscriber
handle new_topic producer_topic t
other new_topic consumer_topic t
other create_queue queue

proc told {word name words} {
    if {![catch {uplevel #0 [list $name {*}$words]} result]} {
        return
    }
    if {[regexp {^wrong # args: should be "(.*?) ?"$} $result -> usage]} {
        if {[string first "$name " $usage] == 0} {
            set usage [string range $usage [string length $name]+1 end]
        }
        puts "usage $word [string trim $usage]"
    }
    if {[llength $words] == 2 && [regexp {^bad suboption "x": must be (.*)$} $result -> choices]} {
        foreach choice [string map {, {} { or } { }} $choices] {
            foreach more {{} x {x x}} {
                told $word $name [list [lindex $words 0] $choice {*}$more]
            }
        }
    }
}

foreach {kind word} {
    kafka kafka::kafka master master handle handle producer_topic topic consumer_topic topic queue queue
    subscriber subscriber
} {
    set name [expr {$kind eq "kafka" ? "kafka::kafka" : $kind}]
    foreach subcommand $::kafkatcl::kinds($kind) {
        puts "command $word $subcommand"
        told $word $name [list $subcommand x]
        told $word $name [list $subcommand {*}[lrepeat 11 x]]
        told $word $name [list $subcommand {*}[lrepeat 12 x]]
        if {$subcommand ne "delete"} {
            told $word $name $subcommand
        }
    }
}
foreach procedure [namespace eval kafka {namespace export}] {
    if {$procedure ni {kafka handle_args logger}} {
        puts "command kafka::$procedure"
        catch {kafka::$procedure} result
        if {[regexp {^wrong # args: should be "(.*)"$} $result -> usage]} {
            puts "usage $usage"
        }
    }
}
"""


@pytest.fixture(scope="module")
def documented() -> dict[str, list[str]]:
    """The usage lines under each heading of the reference that has some."""
    sections = re.findall(
        r"^### ([^\n]*)\n\n```usage\n(.*?)^```$", REFERENCE.read_text(), re.MULTILINE | re.DOTALL
    )
    return {heading: usages.splitlines() for heading, usages in sections}


@pytest.fixture
def asked(run_tcl: RunTcl) -> dict[str, set[str]]:
    """What ``ASK`` prints, by the first word of a line."""
    ended = run_tcl(ASK, embedded=True)
    assert ended.status == 0, ended.stderr
    found: dict[str, set[str]] = {"command": set(), "usage": set()}
    for line in ended.stdout.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in found:  # else it is of `meta print`
            found[kind].add(rest)
    return found


def command(usage: str) -> str:
    """The object and subcommand, or the procedure, that a usage line is about."""
    words = usage.split(" ")
    return words[0] if words[0].startswith("kafka::") and words[0] != "kafka::kafka" else " ".join(words[:2])


def test_the_reference_has_every_command_and_no_other(
    documented: dict[str, list[str]], asked: dict[str, set[str]]
) -> None:
    assert {command(usage) for usages in documented.values() for usage in usages} == asked["command"]


def test_each_command_stands_under_its_name(documented: dict[str, list[str]]) -> None:
    for heading, usages in documented.items():
        assert command(usages[0]) == heading
        assert all(command(usage) == heading or "consume_" in command(usage) for usage in usages)


def test_usages_are_those_that_errors_tell(
    documented: dict[str, list[str]], asked: dict[str, set[str]]
) -> None:
    told = {WORDED_BY_TCL.get(usage, usage) for usage in asked["usage"]}
    assert {usage for usages in documented.values() for usage in usages} - NEVER_TOLD == told
    assert not NEVER_TOLD & told
