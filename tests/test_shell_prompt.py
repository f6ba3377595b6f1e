"""kafkatclsh on a terminal: line editing by prompt_toolkit and by readline,
events at the prompt, Ctrl-C, history.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pexpect
import pytest
from fix_cluster import Cluster
from fix_screen import environment

CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"
RUN = """-c 'import os; os.execlp("sh", "sh", os.environ["HOME"] + "/run")'"""  # the file HOME/run, with sh


class Terminal:
    """A shell on a pseudo-terminal.  What it shows is matched as it comes,
    with the codes that move the cursor.
    """

    def __init__(self, env: dict[str, str], command: str = "-m kafkatcl.launch") -> None:
        self.process = pexpect.spawn(
            f"{sys.executable} {command}", env=env, encoding="utf-8", timeout=15, dimensions=(40, 120)
        )

    def sees(self, *texts: str) -> None:
        for text in texts:
            self.process.expect_exact(text)

    def types(self, line: str, *seen: str) -> None:
        """Type a line, and see each of the texts in turn and the prompt again."""
        self.process.send(line + "\r")
        self.sees(*seen)

    def keys(self, keys: str) -> None:
        self.process.send(keys)

    def ends(self) -> int | None:
        """Wait for the end and give the exit status."""
        self.process.expect(pexpect.EOF)
        self.process.close()
        assert self.process.signalstatus is None
        status: int | None = self.process.exitstatus
        return status


class Shell(Protocol):
    """Start a shell and see its first prompt;
    ``arguments`` are for Python, instead of ``-m kafkatcl.launch``.
    """

    def __call__(self, arguments: str = ..., prompt: str = ..., **env: str) -> Terminal: ...


@pytest.fixture
def shell(editor: str, home: Path) -> Iterator[Shell]:
    terminals = []

    def start(arguments: str = "-m kafkatcl.launch", prompt: str = "%", **env: str) -> Terminal:
        shown = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **env}
        terminal = Terminal(environment(editor, home, **shown), arguments)
        terminals.append(terminal)
        terminal.sees(prompt)
        return terminal

    yield start
    for terminal in terminals:
        terminal.process.close(force=True)


def test_results_and_errors(shell: Shell) -> None:
    terminal = shell()
    terminal.types("list [expr 6*7] $tcl_interactive $argc [info level]", "42 1 0 0\r", "%")
    terminal.types("set quiet {}", "%")
    terminal.types("foo[expr 6*7] bar", 'invalid command name "foo42"\r', "%")
    terminal.types('puts <[lindex [split $errorInfo "\\n"] end]>', '<"foo[expr 6*7] bar">\r', "%")
    terminal.types("return -code 7 x", "command returned bad code: 7\r", "%")
    terminal.types("exit [expr 6*7]")
    assert terminal.ends() == 42


def test_commands_of_many_lines(shell: Shell) -> None:
    terminal = shell()
    terminal.types("if 1 {", ">")
    terminal.types("string repeat ab 3", ">")
    terminal.types("}", "ababab\r", "%")


def test_tcls_own_conveniences(shell: Shell) -> None:
    terminal = shell()
    terminal.types("echo one[expr 6*7]", "one42\r", "%")  # a command of Unix
    terminal.types("forea x {1 2} {lappend y a$x}", "%")  # an abbreviation
    terminal.types("set y", "a1 a2\r", "%")
    terminal.types("expr 6*7", "42\r", "%")
    terminal.types("!!", "expr 6*7\r", "42\r", "%")
    terminal.types("history info 3", "expr 6*7\r", "history info 3\r", "%")


def test_events_go_on_at_the_prompt(shell: Shell) -> None:
    terminal = shell()
    terminal.types("after 300 {puts [string repeat ab 3]; set n 1}", "after#", "%")
    terminal.keys("string repeat x")
    terminal.sees("ababab\r")
    terminal.types("yz[incr n] 3", "xyz2xyz2xyz2\r", "%")
    terminal.types("after 1 {error [string repeat cd 3]}", "cdcdcd\r", '("after" script)\r')


def test_input_is_shared_with_commands(shell: Shell) -> None:
    terminal = shell()
    terminal.types("puts ask[expr 6*7]; gets stdin line", "ask42")
    terminal.types("abc", "3\r", "%")
    terminal.types("string repeat $line 2", "abcabc\r", "%")


def test_ctrl_c_takes_a_line_back(shell: Shell) -> None:
    terminal = shell()
    terminal.keys("puts {garbage" + CTRL_C)
    terminal.sees("%")
    terminal.types("if 1 {", ">")
    terminal.keys("garbage" + CTRL_C)
    terminal.sees("%")
    terminal.types("expr 6*7", "42\r", "%")


NOWHERE = (
    "package require kafka; kafka::kafka create m; m logger none; m config bootstrap.servers 127.0.0.1:1"
)
CONSUMER = f"catch {{{NOWHERE}; m consumer_creator k; k new_topic t x; t start 0 beginning}}"
PRODUCER = (
    f"catch {{{NOWHERE}; m config queue.buffering.max.messages 10; m config max.block.ms 20000;"
    " m producer_creator k; k new_topic t x}"
)
#: Commands that do not end, by what they wait in; those of a kind share a shell.
WAITS = {
    "loops": [
        "while 1 {}",
        "while 1 {catch {error x}}",
        "catch {interp create i}; i eval {while 1 {catch {error x}}}",
    ],
    "loops with traces": [
        "proc t args {}; proc f {} {}; trace add execution f {enter leave} t; while 1 {catch f}"
    ],
    "sleeps": ["after 20000", "while 1 {catch {after 20000}}"],
    "input": ["gets stdin", "while 1 {catch {gets stdin}}"],
    "event loops": [
        "vwait forever",
        "while 1 {catch {vwait forever}}",
        "after 1 {catch {vwait inner}}; vwait outer",
        "while 1 {update}",
        "after 0 {while 1 {catch {error x}}}; vwait forever",
        "proc again {} {after 0 again}; again; vwait forever",
    ],
    # It says itself when it is there to be interrupted.
    "programs": ["exec -ignorestderr sh -c {echo busy$((6*7)) >&2; exec sleep 20}"],
    # Each needs a consumer that has just begun.
    "metadata": [f"{CONSUMER}; k info topics"],
    "message": [f"{CONSUMER}; t consume 0 20000 row"],
    "messages": [f"{CONSUMER}; t consume_batch 0 20000 10 row {{}}"],
    "messages that catch": [f"{CONSUMER}; while 1 {{catch {{t consume 0 20000 row}}}}"],
    "full queue": [f"{PRODUCER}; while 1 {{t produce 0 x}}"],
}


@pytest.mark.parametrize("kind", WAITS)
def test_ctrl_c_interrupts_a_command(kind: str, shell: Shell) -> None:
    terminal = shell()
    for command in WAITS[kind]:
        seconds: list[float] = []
        while not seconds or (min(seconds) > 0.3 and len(seconds) < 3):  # a busy machine may be slow once
            terminal.types(command if "busy" in command else f"puts busy[expr 6*7]; {command}", "busy42\r")
            terminal.keys(CTRL_C)
            began = time.monotonic()
            terminal.sees("interrupt", "%")  # "interrupted", or exec's "child killed: interrupt"
            seconds.append(time.monotonic() - began)
        assert min(seconds) < 0.3, command
        terminal.types("expr 6*7", "42\r", "%")


MEMBER = """
package require kafka
kafka::topic_producer out t
out produce 0 payload
while {[kafka::producer output_queue_length]} {kafka::producer poll 100}
set s [kafka::subscriber g]
set forever {}
$s rebalance_callback {apply {{kind partitions} {
    puts busy[expr 6*7]
    if {$kind eq "assigned"} {catch {vwait ::forever}}
}}}
$s subscribe t
$s consume 20000
"""


def test_ctrl_c_ends_a_rebalance_callback_and_the_rebalance_goes_on(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "member.tcl").write_text(MEMBER)
    terminal = shell(KAFKATCL_EMBEDDED="1")
    terminal.types(f"source {tmp_path / 'member.tcl'}", "busy42\r")
    terminal.keys(CTRL_C)
    terminal.sees("interrupt", "%")
    terminal.types("dict get [$s consume 10000] payload", "payload\r", "%")
    terminal.types("$s delete", "busy42\r", "%")


def test_ctrl_c_again_ends_what_cannot_be_interrupted(shell: Shell) -> None:
    terminal = shell()
    terminal.types("puts busy[expr 6*7]; exec -ignorestderr sh -c {trap '' INT; exec sleep 20}", "busy42\r")
    for _ in range(3):
        terminal.keys(CTRL_C)
    terminal.sees("kafkatclsh: this cannot be interrupted; Ctrl-C once more ends kafkatclsh")
    terminal.keys(CTRL_C)
    terminal.sees("kafkatclsh: ended by Ctrl-C")
    assert terminal.ends() == 130


def test_ctrl_c_interrupts_an_event_that_holds_up_the_prompt(shell: Shell) -> None:
    terminal = shell()
    terminal.types("after 200 {puts busy[expr 6*7]; while 1 {catch {error x}}}", "after#", "%", "busy42\r")
    terminal.keys(CTRL_C)
    began = time.monotonic()
    terminal.types("expr 6*7", "42\r", "%")
    assert time.monotonic() - began < 1


def test_the_prompt_can_be_used_while_timers_follow_each_other(shell: Shell) -> None:
    terminal = shell()
    terminal.types("proc again {} {after 0 again}; again; puts go[expr 6*7]", "go42\r", "%")
    terminal.keys("puts {garbage")
    terminal.keys(CTRL_C)
    terminal.sees("%")
    terminal.types("expr 6*7", "42\r", "%")


def test_callbacks_come_after_an_interrupt(embedded_cluster: Cluster, shell: Shell) -> None:
    topic = embedded_cluster.topic()
    terminal = shell()
    for line in (
        f"package require kafka; kafka::setup -brokers {embedded_cluster.bootstrap_servers}",
        f"kafka::topic_producer out {topic}; kafka::topic_consumer in {topic}",
        "proc slow message {puts slow[expr 6*7]; while 1 {catch {vwait never}}}",
        "proc quick message {puts got[dict get $message payload]}",
    ):
        terminal.types(line, "%")
    terminal.types("in start 0 beginning slow; out produce 0 a; catch {vwait forever}", "slow42\r")
    terminal.keys(CTRL_C)
    terminal.sees("interrupted\r", "%")
    terminal.types("rename slow {}; rename quick slow; out produce 0 b", "gotb\r")


def test_no_message_is_passed_over_when_a_batch_is_interrupted(shell: Shell) -> None:
    terminal = shell("-m kafkatcl.shell --embedded")
    for line in (
        "package require kafka; kafka::topic_producer out t; kafka::topic_consumer in t",
        "foreach x {a b c d e f g h} {out produce 0 $x}",
        "in start 0 beginning",
    ):
        terminal.types(line, "%")
    terminal.types("in consume_batch 0 5000 8 m {puts run:$m(payload); catch {vwait never}}", "run:a\r")
    terminal.keys(CTRL_C)
    terminal.sees("run:b\r", "interrupted\r", "%")
    terminal.types("in consume 0 5000 m; puts next:$m(payload)", "next:c\r")


def test_a_transaction_that_is_interrupted_is_aborted(shell: Shell) -> None:
    terminal = shell("-m kafkatcl.shell --embedded")
    for line in (
        "package require kafka; kafka::kafka create m; m config transactional.id t; m producer_creator p",
        "p new_topic out t; p init_transactions",
    ):
        terminal.types(line, "%")
    terminal.types(
        "p transaction {out produce 0 x; puts run[expr 6*7]; while 1 {catch {vwait never}}}", "run42\r"
    )
    terminal.keys(CTRL_C)
    terminal.sees("interrupted\r", "%")
    terminal.types("p begin_transaction; puts begun[expr 6*7]", "begun42\r")


def test_a_loop_that_is_interrupted_gives_its_message_back(shell: Shell) -> None:
    terminal = shell("-m kafkatcl.shell --embedded")
    for line in (
        "package require kafka; kafka::topic_producer out t; set s [kafka::subscriber g]",
        "foreach x {a b c d} {out produce 0 $x}",
        "$s assign {t 0 beginning}",
    ):
        terminal.types(line, "%")
    terminal.types("$s foreach m {puts run:$m(payload); while 1 {catch {vwait never}}}", "run:a\r")
    terminal.keys(CTRL_C)
    terminal.sees("interrupted", "%")
    terminal.types("$s foreach m -count 2 -timeout 5000 {puts next:$m(payload)}", "next:a\r", "next:b\r")


def test_ctrl_d_leaves(shell: Shell) -> None:
    terminal = shell()
    terminal.keys(CTRL_D)
    assert terminal.ends() == 0


def test_own_prompts(shell: Shell) -> None:
    terminal = shell()
    terminal.types('set tcl_prompt1 {puts -nonewline "<[incr n]>"}', "<1>")
    terminal.types("set tcl_prompt2 {exec echo -n (more) >@stdout}", "<2>")
    terminal.types("if 1 {", "(more)")
    terminal.types("}", "<3>")
    terminal.types("set tcl_prompt1 {error no[incr n]}", "no4\r", "%")


def test_the_users_file_runs_first(shell: Shell, home: Path) -> None:
    (home / ".kafkatclshrc").write_text("set x $tcl_interactive$tcl_rcFileName\nerror oops[expr 6*7]\n")
    terminal = shell(prompt="oops42\r")
    terminal.sees("%")
    terminal.types("set x", "1~/.kafkatclshrc\r", "%")


def test_history_stays(shell: Shell, home: Path) -> None:
    terminal = shell(XDG_STATE_HOME=str(home / "state"))
    terminal.types("string repeat ab 3", "ababab\r", "%")
    terminal.keys(CTRL_D)
    assert terminal.ends() == 0
    (kept,) = (home / "state" / "kafkatcl").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    terminal = shell(XDG_STATE_HOME=str(home / "state"))
    terminal.types(UP, "ababab\r", "%")


def test_history_needs_no_file(shell: Shell, home: Path) -> None:
    (home / "state").touch()
    terminal = shell(XDG_STATE_HOME=str(home / "state"))
    terminal.types("expr 6*7", "42\r", "%")
    terminal.types(UP, "42\r", "%")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_at_the_prompt(number: signal.Signals, shell: Shell) -> None:
    terminal = shell()
    terminal.types("expr 6*7", "42\r", "%")
    terminal.process.kill(number)
    assert terminal.ends() == 128 + number


def test_the_terminal_is_left_as_it_was(shell: Shell, home: Path) -> None:
    (home / "run").write_text(f"{sys.executable} -m kafkatcl.shell; echo status $?; stty -a\n")
    terminal = shell(RUN)
    terminal.types("after 300 {exit 3}", "after#", "%", "status 3\r", "intr = ^C;", " icanon ", " echo ")
    assert terminal.ends() == 0


def test_output_elsewhere_than_the_terminal(shell: Shell, home: Path) -> None:
    (home / "run").write_text(f"{sys.executable} -m kafkatcl.shell | cat -u\n")
    terminal = shell('-c \'import os; os.execlp("sh", "sh", os.environ["HOME"] + "/run")\'')
    terminal.types("after 1 {puts [string repeat ab 3]}", "after#", "%", "ababab\r")
    terminal.types("expr 6*7", "42\r", "%")
    terminal.keys(CTRL_D)
    assert terminal.ends() == 0
