"""kafkatclsh beside the real tclsh:
the same script, arguments and input give the same output, errors and status.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fix_interp import display
from fix_tcl import KAFKATCLSH


@pytest.fixture(scope="module")
def tclsh() -> str:
    path = shutil.which("tclsh8.6") or shutil.which("tclsh")
    if path is None:
        pytest.skip("no tclsh to compare with: apt-get install tcl")
    return path


@dataclass(frozen=True)
class Run:
    """One run of a shell; ``script`` is the content of s.tcl,
    which ``args`` usually name first.
    """

    script: str | bytes = ""
    args: tuple[str | bytes, ...] = ("s.tcl",)
    stdin: str | bytes = b""
    env: dict[str, str] = field(default_factory=dict)
    redirection: str = ""  # for the shell that starts the run

    def with_arguments(self, *more: str | bytes) -> Run:
        return replace(self, args=(*self.args, *more))


def script(text: str | bytes, *arguments: str | bytes) -> Run:
    return Run(text).with_arguments(*arguments)


def command(*arguments: str | bytes, stdin: str | bytes = b"", **env: str) -> Run:
    return Run("puts [list $argv0 $argv $argc]", arguments, stdin, env)


def typed(text: str | bytes, *arguments: str) -> Run:
    return Run(args=arguments, stdin=text)


ONE_WAY = (
    "puts [list $argv0 $argv $argc $tcl_interactive [info script] [info level] [info frame] [info library]]"
)
NESTED = "proc f {} {\n    g\n}\nproc g {} {\n    error boo info {CODE 1}\n}\nputs before\n\nf\n"
# The error is told when no timer is due.
EVENTS = "set tcl_library x; proc {tick} {} {error tock}; after 10 {after 300 {set done 1}; tick}; vwait done; puts ok"

CASES = {
    # The command line
    "variables": script(ONE_WAY),
    "arguments": script(
        ONE_WAY, "", "-x", "a b", "{", "$x", "[exit 3]", "\\", "--help", "--embedded", "-encoding"
    ),
    "argument in UTF-8": script("puts [string length $argv]; puts $argv", "é", "€", "😀"),
    "argument of odd bytes": script("puts [list $argv [string length $argv]]", b"\xff\xc3(\x80"),
    "globals": script("puts [lsort [info globals]]"),
    "commands": script("puts [lsort [info commands]]"),
    "namespaces": script("puts [list [namespace current] [interp children]]"),
    "auto_path of TCLLIBPATH": Run("puts [lrange $auto_path 0 1]", env={"TCLLIBPATH": "/a {/b c}"}),
    "package path": script("puts $tcl_pkgPath"),
    "script of strange name": Run(args=(b"\xe9\xff.tcl",)),
    "script of no name": command("", "x"),
    "missing script": command("absent.tcl"),
    "script is a folder": command("."),
    "encoding": Run("puts [string length é]".encode(), ("-encoding", "utf-8", "s.tcl", "x")),
    "other encoding": Run(
        "puts [string length é]; puts $argv".encode(), ("-encoding", "iso8859-1", "s.tcl", "x")
    ),
    "unknown encoding": command("-encoding", "foo", "s.tcl"),
    "encoding of a missing script": command("-encoding", "utf-8", "absent.tcl"),
    "error under an encoding": Run(NESTED, ("-encoding", "utf-8", "s.tcl")),
    "encoding without script": command("-encoding", "utf-8", stdin="puts $argv"),
    "encoding before an option": command("-encoding", "utf-8", "-x", stdin="puts $argv"),
    "options instead of a script": command("-x", "s.tcl", stdin="puts $argv"),
    "dash": command("-", "a", stdin="puts [list $argv $argc]"),
    # The script's text
    "carriage returns": script("if 1 {\r\n  puts hi\r\n}\r\nputs [string length {a\r\n}]\r\n"),
    "end by Ctrl-Z": script(b"puts one\n\x1aputs two\n"),
    "first line for the system": script("#!/usr/bin/env kafkatclsh\nputs [info script]\n"),
    "empty": script(""),
    "incomplete": script("puts hi\nputs {a\n"),
    "sourced": script("set f [open t.tcl w]; puts $f {puts [info script]; error x}; close $f\nsource t.tcl"),
    # Errors
    "error": script(NESTED),
    "return": script("puts a; return 5; puts b"),
    "return of an error": script("\nreturn -code error -errorcode X foo"),
    "return of an error with info": script("return -code error -errorinfo BAR foo"),
    "return of a code": script("return -code 7 foo"),
    "break": script("puts a\nbreak\nputs b"),
    "continue": script("continue"),
    "unknown command": script("foo bar"),
    "background error": script(EVENTS),
    "own bgerror": script("proc bgerror text {puts [list $text $::errorInfo]}\n" + EVENTS),
    "puts replaced": script("rename puts _puts; proc puts args {}; error boo"),
    # exit
    "exit of no number": script("exit abc"),
    "exit with too much": script("exit 1 2"),
    "exit caught": script("catch {exit 3}; puts no"),
    "exit errors caught": script(
        "catch {exit abc} text options; puts [list $text [dict get $options -errorcode]]"
    ),
    "exit in a callback": script("after 10 {exit 9}; vwait forever"),
    "exit in a nested vwait": script("after 1 {after 10 {exit 9}; vwait a}; vwait b"),
    "exit in a trace": script("trace add variable x write {exit 4;#}; set x 1"),
    "exit in a proc's finally": script("proc f {} {try {error x} finally {exit 6}}; f"),
    "exit replaced": script("rename exit leave; proc exit code {puts bye$code; leave 5}"),
    "exit replaced, after an error": script(
        "rename exit leave; proc exit code {puts bye$code; leave 5}; error x"
    ),
    "exit that returns": script("proc exit code {puts bye$code}; puts x"),
    "exit gone": script("rename exit {}; error x"),
    "exit in a child": script("interp create c; c eval {catch {exit 3}}; puts no"),
    "exit in a child's child": script("interp create c; c eval {interp create d; d eval {exit 4}}"),
    "exit in a child by path": script(
        "interp create c; interp create {c {d e}}; interp eval {c {d e}} {exit 5}"
    ),
    "exit of no number in a child": script("interp create c; c eval {exit abc}"),
    "exit with too much in a child": script("interp create c; c eval {exit 1 2}"),
    # Children
    "aliases": script(
        "interp create a; interp create {a b}; interp alias a mine {} puts\n"
        "foreach path {{} a {a b}} {puts [interp aliases $path],[interp eval $path {interp aliases}]}"
    ),
    "recursion limit in a child": script(
        "interp create c\n"
        "puts [c eval {catch {eval {eval {eval {eval {interp recursionlimit {} 6; set x ok}}}}} text; set text}]"
    ),
    "namespaces deleted in a child": script(
        "interp create c; c eval {namespace delete {*}[namespace children ::]}\n"
        "puts [c eval {list [interp create d] [interp children] [d eval {set x 1}]}]"
    ),
    "global namespace deleted in a child": script(
        "interp create c; c eval {trace add execution error leave {namespace delete :: ;#}}\n"
        "catch {c eval error foo bar baz}; interp delete c; puts $::errorInfo,$::errorCode"
    ),
    "exit in a safe child": script("interp create -safe c; c eval {exit 3}"),
    "exit in a safe child's child": script(
        "interp create -safe c; c eval {interp create d; d eval {exit 3}}"
    ),
    # Output at the end
    "files are written": script(
        "set f [open out w]; puts $f [string repeat x 9]; exec cat out; after 1 {exit 2}; vwait x"
    ),
    "stdout fully buffered": script("fconfigure stdout -buffering full; puts x; exit 3"),
    "stdout fully buffered, error": script("fconfigure stdout -buffering full; puts x; error y"),
    "stdout closed": Run("puts x; puts stderr y", redirection=">&-"),
    "stderr closed": Run("puts x; error y", redirection="2>&-"),
    "stdin closed": Run("puts [gets stdin]; puts x", redirection="<&-"),
    "stdout to nobody": Run("while 1 {puts x}", redirection="| head -1; exit ${PIPESTATUS[0]}"),
    "stdout full": Run("puts x; flush stdout", redirection="> /dev/full"),
    "pipeline left open": script("set f [open {|sleep 20} w]; puts $f x; exit 2"),
    # Standard input
    "commands typed": typed("puts hi\nset x 1\nputs $x"),
    "commands and errors": typed(
        "error foo\nputs $errorInfo\nproc f {} {\n  g\n}\nf\nputs $errorInfo\nputs end"
    ),
    "commands that read": typed(
        "puts [gets stdin]\nthe line\nputs [string length [read stdin 4]]\nabc\nputs x\n"
    ),
    "commands to break": typed("break\ncontinue\nreturn 5\nreturn -code 7 x\nputs end"),
    "commands incomplete": typed("puts hi\nif 1 {\nputs in\n"),
    "commands of many lines": typed('if 1 {\nputs "a\nb"\n}\nputs a;\\\nputs b\n'),
    "commands and exit": typed("puts a\nexit 4\nputs b"),
    "commands and history": typed("set x 1\nhistory\nputs [history nextid]"),
    "commands and results": typed(
        "set x 1\nset tcl_interactive 1\nset x 2\nfoo\nif 1 {\nset x 3\n}\nset x {}"
    ),
    "commands and prompts": typed(
        "set tcl_prompt1 {puts -nonewline P1}\nset tcl_prompt2 {puts -nonewline P2}\n"
        "set tcl_interactive 1\nif 1 {\n}\nset tcl_prompt1 {error no}\nset x 2\n"
    ),
    "commands and a prompt that fails": typed(
        "set tcl_prompt1 {error foo}\nset tcl_interactive 1\nset errorInfo\n"
    ),
    "commands and no boolean": typed(
        "set tcl_interactive foo\nputs $tcl_interactive\nset tcl_interactive yes\n"
    ),
    "commands and prompts until stdin is closed": typed("set tcl_interactive 1\nclose stdin\nputs b\n"),
    "commands and prompts without stdout": typed(
        "set tcl_interactive 1\nclose stdout\nset a NO\nputs stderr YES\n"
        "set tcl_prompt1 {puts stderr prompt; error foo}\nputs stderr end\n"
    ),
    "commands in odd bytes": typed(
        b"puts [string length {\xff\xc3\xa9}]\nputs {\xf0\x9f\x98\x80}\nputs {\xed\xa0\x80}\n"
    ),
    "commands with NUL": typed(b"puts [string length a\0b]\nputs x"),
    "commands with returns": typed("puts hi\r\nif 1 {\r\nputs ho\r\n}\r\n"),
    "commands close stdin": typed("puts a\nclose stdin\nputs b"),
    "commands and events": typed("after 1 {puts tick}\nafter 50\nputs a\nupdate\nputs b"),
    # The environment
    "locale C": Run(
        "puts [list [encoding system] [string length é]]\nexec sh -c {echo $LC_CTYPE} >@stdout",
        env={"LANG": "C"},
    ),
    "no locale": Run("puts [list [encoding system] $argv]", ("s.tcl", "é"), env={"LANG": ""}),
    "locale C for all": Run("puts [list [encoding system] $env(LC_ALL) é]", env={"LC_ALL": "C"}),
    "locale UTF-8": Run("puts [encoding system]; puts é", env={"LC_CTYPE": "C.UTF-8"}),
    "variables for others": script(
        "set names {puts [lsort [concat [array names env TCLLIBPATH] [array names env KAFKATCL_PYTHON]]]}\n"
        "eval $names; exec true; close [open |true]; eval $names; puts [exec [info nameofexecutable] << $names]",
    ),
    # Programs
    "exec": script(
        "puts [exec echo hi]; puts [catch {exec false} text options]; puts $text; puts [exec cat << abc]"
    ),
    "no auto exec": script("ls"),
}


PACKAGES = {
    "Itcl": "itcl::class A {method m {} {return $this}}; A a; puts [a m]",
    "Thread": "set t [thread::create]; puts [thread::send $t {expr 6*7}]\n"
    "thread::send -async $t {set a 5} b; vwait b; puts $b; thread::release $t",
    "json": 'puts [json::json2dict {{"a": [1, 2]}}]; puts [package require struct::list]',
}


def run(shell: tuple[str, ...], case: Run, folder: Path) -> tuple[int, str, str]:
    folder.mkdir()
    text = case.script.encode() if isinstance(case.script, str) else case.script
    (folder / "s.tcl").write_bytes(text)
    (folder / "home").mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "TCLLIBPATH"))}
    words = ["bash", "-c", f'"$0" "$@" {case.redirection}', *shell, *case.args]
    finished = subprocess.run(
        words,
        input=case.stdin.encode() if isinstance(case.stdin, str) else case.stdin,
        capture_output=True,
        check=False,
        cwd=folder,
        env={**env, "LANG": "C.UTF-8", "HOME": str(folder / "home"), **case.env},
        timeout=30,
    )
    return finished.returncode, finished.stdout.decode("latin-1"), finished.stderr.decode("latin-1")


@pytest.mark.parametrize("name", CASES)
def test_like_tclsh(name: str, tclsh: str, tmp_path: Path) -> None:
    expected = run((tclsh,), CASES[name], tmp_path / "tclsh")
    assert run(KAFKATCLSH, CASES[name], tmp_path / "kafkatclsh") == expected


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_of_the_system(name: str, tclsh: str, tmp_path: Path) -> None:
    case = script(f"puts [package require {name}]; {PACKAGES[name]}")
    expected = run((tclsh,), case, tmp_path / "tclsh")
    if expected[0] != 0:
        pytest.skip(f"tclsh has no package {name}: apt-get install tcl-itcl4 tcl-thread tcllib")
    assert run(KAFKATCLSH, case, tmp_path / "kafkatclsh") == expected


TK = {
    "window closed after the script": "after 200 {puts closing; destroy .}; puts [list [winfo exists .] $argv $argc]",
    "window closed in the script": "destroy .; puts gone",
    "exit": "after 200 {exit 3}; bind . <Destroy> {puts destroyed}",
    "error": "error boo",
    "background error": "proc bgerror text {puts $text; exit 4}; after 1 {error boo}",
    "exit in a binding at the end": "bind . <Destroy> {puts x; exit 5}; exit 3",
    "commands": "puts [winfo exists .]\nafter 200 {puts closing; destroy .}\n",
}


@pytest.mark.parametrize("name", TK)
def test_tk(name: str, tclsh: str, tmp_path: Path) -> None:
    text = f"package require Tk\n{TK[name]}"
    case = typed(text) if name.startswith("commands") else script(text, "-geometry", "100x100", "a")
    with display() as environment:
        if "DISPLAY" not in environment:
            pytest.skip("no display for Tk: apt-get install xvfb")
        case = replace(case, env={"DISPLAY": environment["DISPLAY"]})
        expected = run((tclsh,), case, tmp_path / "tclsh")
        if "can't find package Tk" in expected[2]:
            pytest.skip("tclsh has no package Tk: apt-get install tk")
        assert run(KAFKATCLSH, case, tmp_path / "kafkatclsh") == expected
