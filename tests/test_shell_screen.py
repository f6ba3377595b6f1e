"""The prompt of kafkatclsh as it is seen:
a screen shows what each feature does, with both line editors.
"""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest
from fix_async import scaled
from fix_cluster import Cluster
from fix_screen import CTRL_C, CTRL_D, DOWN, ENTER, SHELL, TAB, UP, OnTerminal, Terminal, pasted

LEFT = "\x1b[D"
GREETING = re.compile(r'kafkatclsh \S+, Tcl \S+: "help" lists what there is, Ctrl-D leaves')
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); from kafkatcl.shell import main; main()"


def at_prompt(terminal: Terminal) -> Terminal:
    terminal.shows("%")
    return terminal


def ends_well(terminal: Terminal) -> None:
    terminal.keys(CTRL_D)
    assert terminal.ends() == 0


def no_fault(terminal: Terminal) -> bool:
    return "Traceback" not in "\n".join(terminal.lines)


# -- greeting and help -----------------------------------------------------------------


def test_it_greets_in_one_line_and_knows_help(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    greeting, prompt = terminal.lines
    assert GREETING.fullmatch(greeting)
    assert prompt == "%"
    about = "    Fetch what info tells anew, and print it."
    terminal.enters("help meta", "handle meta refresh|print", about, "subscriber meta refresh|print", "%")
    terminal.enters("info commands help")
    terminal.enters("proc help {args} {return mine}")
    terminal.enters("help meta", "mine", "%")


def test_what_may_help_stands_below_an_error(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("expr 1/0", "divide by zero", "%")
    terminal.enters("package require kafka; kafka::kafka create m", "m", "%")
    refused = 'Invalid value for configuration property "queue.buffering.max.ms"'
    terminal.enters(
        "m config linger.ms soon", refused, "    (linger.ms must be a number from 0 to 900000)", "%"
    )
    terminal.enters("expr 1/0", "divide by zero", "%")


# -- completion ------------------------------------------------------------------------


def test_tab_completes_a_word_and_lists_several(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys("lappend many 1; strin" + TAB)
    terminal.shows("% lappend many 1; string")
    terminal.keys("rep" + TAB)
    terminal.shows_somewhere("repeat")
    terminal.shows_somewhere("replace")
    terminal.keys("eat x 3" + ENTER)
    terminal.shows("xxx", "%")
    terminal.keys("puts $man" + TAB)
    terminal.waits(lambda: terminal.lines[-1] == "% puts $many")
    terminal.keys(ENTER)
    terminal.shows("1", "%")


def test_tab_knows_kafkas_objects_and_properties(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("package require kafka; kafka::kafka create mm", "mm", "%")
    terminal.keys("mm topic_c" + TAB)
    terminal.shows("% mm topic_config")
    terminal.keys("compression.typ" + TAB)
    terminal.shows("% mm topic_config compression.type")
    terminal.keys("gz" + TAB)
    terminal.shows("% mm topic_config compression.type gzip")
    terminal.keys(ENTER)
    terminal.shows("%")
    terminal.enters("dict get [mm topic_config] compression.codec", "gzip", "%")


def test_tab_completes_names_of_files_in_any_quotes(on_terminal: OnTerminal, home: Path) -> None:
    (home / "two words.tcl").write_text("set x [expr 6*7]\n")
    terminal = at_prompt(on_terminal())
    terminal.enters("cd", "%")
    for begun, ended in {
        "{two w": "{two words.tcl}",
        '"two w': '"two words.tcl"',
        "two\\ w": "two\\ words.tcl",
    }.items():
        terminal.keys("source " + begun + TAB)
        terminal.shows(f"% source {ended}")
        terminal.keys(ENTER)
        terminal.shows("42", "%")


def test_tab_goes_on_in_the_second_line_of_a_command(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys("if 1 {" + ENTER)
    terminal.shows("% if 1 {", ">")
    terminal.keys(TAB)
    terminal.waits(lambda: terminal.cursor[1] == len(">     "))
    terminal.keys("encod" + TAB)
    terminal.shows("% if 1 {", ">     encoding")
    terminal.keys("convertto utf-8 abc" + ENTER + "}" + ENTER)
    terminal.shows("abc", "%")


@pytest.mark.parametrize("editor", ["prompt_toolkit"], indirect=True)
def test_a_menu_says_how_each_candidate_is_used(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("package require kafka; kafka::kafka create mm", "mm", "%")
    terminal.keys("mm err" + TAB)
    terminal.shows("% mm error_callback")
    terminal.keys(CTRL_C)
    terminal.shows("%")
    terminal.keys("mm " + TAB)
    terminal.shows_somewhere("producer_creator cmdName")
    terminal.keys(DOWN + DOWN)
    terminal.shows_somewhere("% mm config")
    terminal.keys(ENTER)  # runs what was chosen
    terminal.shows_somewhere("session.timeout.ms 45000")


@pytest.mark.parametrize("editor", ["prompt_toolkit"], indirect=True)
def test_commands_have_colours(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys('puts "text"')
    terminal.shows('% puts "text"')
    terminal.waits(lambda: "default" not in (terminal.colour("puts"), terminal.colour('"text"')))
    assert terminal.colour("puts") != terminal.colour('"text"')


def test_what_fails_during_completion_is_not_told(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("array set bad {a 1}; trace add variable bad array {error boo;#}")
    terminal.keys("list $bad(" + TAB + "a)" + ENTER)
    terminal.shows("% list $bad(a)", "1", "%")


# -- text above the line ---------------------------------------------------------------


def test_text_appears_above_the_line_which_stays_as_it_was(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("proc tell {} {puts [list told in full]; puts stderr warned}", "%")
    terminal.keys("after 400 tell" + ENTER)
    terminal.shows_somewhere("after#")
    terminal.keys("string repeat ab 2" + LEFT * 2)
    terminal.shows("told in full", "warned", "% string repeat ab 2")
    terminal.waits(lambda: terminal.cursor[1] == len("% string repeat ab"))
    terminal.keys("c" + ENTER)
    terminal.shows("% string repeat abc 2", "abcabc", "%")


def test_text_without_a_newline_goes_on_where_it_ended(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters(
        "proc dot {{n 3}} {puts -nonewline .$n; flush stdout; "
        "after 300 [expr {$n ? [list dot [incr n -1]] : {puts { é.}}}]}"
    )
    terminal.keys("after 300 dot" + ENTER)
    terminal.shows_somewhere("after#")
    terminal.keys("expr 6")
    terminal.shows(".3.2.1.0 é.", "% expr 6")
    terminal.keys("*7" + ENTER)
    terminal.shows(".3.2.1.0 é.", "% expr 6*7", "42", "%")


def test_much_text_appears_in_its_order_above_two_lines(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("proc tell {} {for {set i 0} {$i < 3000} {incr i} {puts [format %04d-%s $i $::line]}}")
    terminal.enters("after 500 tell; set line [string repeat = 50]; list")
    terminal.keys("if 1 {" + ENTER + "string repeat")
    line = "=" * 50
    terminal.shows_somewhere(f"2998-{line}\n2999-{line}\n")
    terminal.waits(lambda: terminal.lines[-1] == "> string repeat")
    terminal.keys(" ab 2" + ENTER + "}" + ENTER)
    terminal.shows("abab", "%")
    assert terminal.lines[0].startswith("29")


def test_background_errors_appear_above_the_line(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys("after 300 {error [string repeat cd 3]}" + ENTER)
    terminal.shows_somewhere("after#")
    terminal.keys("list here")
    terminal.shows('    ("after" script)', "% list here")
    terminal.shows_somewhere("\ncdcdcd\n")


def test_log_lines_of_clients_appear_above_the_line(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters(
        "package require kafka; kafka::kafka create m; m config bootstrap.servers 127.0.0.1:1", "%"
    )
    terminal.keys("after 300 {m producer_creator p}" + ENTER)
    terminal.shows_somewhere("after#")
    terminal.keys("list here")
    terminal.shows_somewhere("Connection refused")
    terminal.waits(lambda: terminal.lines[-1] == "% list here")
    terminal.keys("\x15")  # Ctrl-U: the line is gone
    terminal.shows("%")
    terminal.enters("p delete")


def test_callbacks_of_kafka_appear_above_the_line(on_terminal: OnTerminal, embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    rc = f"""
        package require kafka
        kafka::brokers {embedded_cluster.bootstrap[0]}
        kafka::topic_producer out {topic}
        kafka::topic_consumer in {topic}
        proc arrived {{message}} {{puts "got [dict get $message payload]"}}
        in start 0 beginning arrived
    """
    terminal = at_prompt(on_terminal(rc=rc))
    terminal.enters("after 300 {foreach payload {one two} {out produce 0 $payload}}; list")
    terminal.keys("list here")
    terminal.shows("got one", "got two", "% list here")
    terminal.keys(ENTER)
    terminal.shows("here", "%")
    ends_well(terminal)


def test_commands_find_the_channels_that_there_are(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.enters("chan names", "stdin stdout stderr", "%")
    terminal.enters("fconfigure stdout -buffering", "line", "%")
    terminal.enters("after 300 {fconfigure stdout -encoding iso8859-1; puts changed}; list")
    terminal.shows_somewhere("changed\n%")
    terminal.enters("fconfigure stdout -encoding", "iso8859-1", "%")


# -- history ---------------------------------------------------------------------------


def test_both_editors_have_one_history(editor: str, on_terminal: OnTerminal, home: Path) -> None:
    other = "readline" if editor == "prompt_toolkit" else "prompt_toolkit"
    terminal = at_prompt(on_terminal())
    terminal.keys("foreach n {1 2} {" + ENTER + "puts <$n>" + ENTER + "}" + ENTER)
    terminal.shows("<1>", "<2>", "%")
    terminal.enters("expr 6*7", "42", "%")
    terminal.enters(" set secret lovelace", "lovelace", "%")
    ends_well(terminal)
    (kept,) = (home / ".local" / "state" / "kafkatcl").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "secret" not in kept.read_text()
    terminal = at_prompt(on_terminal(editor=other))
    terminal.keys(UP)
    terminal.shows("% expr 6*7")
    terminal.keys(UP)
    terminal.waits(lambda: terminal.lines[-3:-2] == ["% foreach n {1 2} {"])
    assert [line.lstrip("> ") for line in terminal.lines[-2:]] == ["puts <$n>", "}"]
    terminal.keys(ENTER)
    terminal.shows("<1>", "<2>", "%")
    ends_well(terminal)


def test_a_full_disk_costs_no_line(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal(command=(sys.executable, "-c", LIMITED)))
    terminal.enters("expr 6*7", "42", "%")
    terminal.enters("expr 5*5", "25", "%")
    terminal.keys(UP + UP + ENTER)
    terminal.shows("42", "%")
    assert no_fault(terminal)
    ends_well(terminal)


def test_a_history_of_anything_is_read(on_terminal: OnTerminal, home: Path) -> None:
    folder = home / ".local" / "state" / "kafkatcl"
    folder.mkdir(parents=True)
    (folder / "history").write_bytes(b"\xff\0\n+list \xff\0\n+half\n\n# 1\n+expr 6*7")
    terminal = at_prompt(on_terminal())
    terminal.keys(UP + ENTER)
    terminal.shows("% expr 6*7", "42", "%")
    assert (folder / "history").read_bytes().endswith(b"\n+expr 6*7")


# -- lines -----------------------------------------------------------------------------


def test_pasted_lines_are_one_command(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys(pasted("set a 1\nif 1 {\n\tset b 2\n}\nset c [expr {$a + $b}]"))
    terminal.shows_somewhere("set c [expr {$a + $b}]")
    assert "\n3" not in "\n".join(terminal.lines)
    terminal.keys(ENTER)
    terminal.shows("3", "%")
    terminal.keys(UP + ENTER)
    terminal.shows("3", "%")


def test_a_huge_text_can_be_pasted(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    line = "abcdefgh " * 8 + "\n"
    count = scaled(50_000, 1_000_000) // len(line)
    terminal.keys(pasted("set x {\n" + line * count + "}") + ENTER)
    terminal.waits(lambda: terminal.lines[-1] == "%", 90)
    terminal.enters("llength $x", str(8 * count), "%")
    assert no_fault(terminal)


def test_bytes_that_are_no_text_are_shown_as_such(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys(b"string length <\xff\xc3>" + ENTER.encode())
    terminal.waits(lambda: terminal.lines[-1] == "%" and terminal.lines[-2] in ("3", "4"))
    terminal.enters("expr 6*7", "42", "%")
    ends_well(terminal)


def test_ctrl_c_takes_a_line_back_and_ctrl_d_leaves(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal())
    terminal.keys("if 1 {" + ENTER + "garbage")
    terminal.waits(lambda: terminal.lines[-1].endswith("garbage"))
    terminal.keys(CTRL_C)
    terminal.waits(lambda: terminal.lines[-1] == "%")
    terminal.enters("expr 6*7", "42", "%")
    ends_well(terminal)


def test_an_error_in_the_users_file_is_told_and_no_more(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal(rc="set before 1\nset {\n"))
    assert terminal.lines[1:] == ["missing close-brace", "%"]
    terminal.enters("set before", "1", "%")


def test_a_terminal_that_moves_no_cursor_has_completion_and_history(on_terminal: OnTerminal) -> None:
    terminal = at_prompt(on_terminal(TERM="dumb"))
    terminal.keys("strin" + TAB + "repeat x 3" + ENTER)
    terminal.shows("xxx", "%")
    terminal.keys("after 300 {puts told}" + ENTER)
    terminal.shows_somewhere("after#")
    terminal.keys("list here")
    terminal.shows("told", "% list here")
    terminal.keys(ENTER)
    terminal.shows("here", "%")
    terminal.keys(UP + UP + UP + ENTER)
    terminal.shows("xxx", "%")


@pytest.mark.parametrize("hangup", ["", "trap '' HUP; "], ids=["SIGHUP", "no SIGHUP"])
def test_a_terminal_that_goes_away_ends_it(hangup: str, on_terminal: OnTerminal, home: Path) -> None:
    script = f"{hangup}exec {' '.join(SHELL)} 2>{home}/errors"
    terminal = at_prompt(on_terminal(command=("sh", "-c", script)))
    terminal.keys("list half a li")
    terminal.shows("% list half a li")
    terminal.goes_away()
    assert terminal.ends() in ((0,) if hangup else (0, 128 + signal.SIGHUP))
    assert (home / "errors").read_text() == ""
