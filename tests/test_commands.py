"""The table of subcommands: every row does what it says, in errors, help,
the bridge, and the tests in Tcl.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from fix_tcl import RunTcl

from kafkatcl.engine.hints import listed

ROOT = Path(__file__).resolve().parent.parent
_spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
assert _spec
assert _spec.loader
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

ROWS = {key: row for key, row in reference.rows().items() if key[0] != "easy"}
MAX_WORDS = 9

OBJECTS = """
package require kafka
kafka::kafka create master
master config group.id readers
master logger none
master producer_creator handle
master consumer_creator other
master subscriber subscriber
master share_subscriber share_subscriber
handle new_topic producer_topic t
other new_topic consumer_topic t
other create_queue queue
rename kafka::kafka ::kafka
"""


def wrong_numbers(row: dict[str, str], max_words: int = MAX_WORDS) -> list[int]:
    """The numbers of words that a usage does not allow."""
    usage = re.sub(r"\{[^}]*\}", "position", row["usage"])
    plain = re.sub(r"\?-\w+( [^?]+)?\?", "", usage)
    repeated = re.search(r"\?([\w ]+?) ?\.\.\.\?", plain)
    optional = len(re.findall(r"\?\w+\?", plain))
    least = len(re.findall(r"[^\s?]+", re.sub(r"\?[^?]*\?", "", plain)))
    if "count" in row:
        least, most = map(int, row["count"].split())
        optional = most - least
    step = len(repeated[1].split()) if repeated else 0
    return [
        number
        for number in range(max_words)
        if number < least
        or (not step and number > least + optional)
        or (step > 1 and (number - least) % step)
    ]


def usage_error(kind: str, subcommand: str, usage: str) -> str:
    # Kept of the original: a blank behind what takes no words.
    return f'wrong # args: should be "{kind} {subcommand} {usage}"'


def test_a_wrong_number_of_words_tells_the_usage(run_everywhere: RunTcl) -> None:
    cases = [
        (kind, subcommand, number)
        for (kind, subcommand), row in ROWS.items()
        for number in wrong_numbers(row)
        if (kind, subcommand, number) != ("subscriber", "consume_batch", 0)  # as the original has it
    ]
    assert len(cases) > 300
    script = OBJECTS + "".join(
        f"puts [catch {{{kind} {subcommand} {'x ' * number}}} message]:$message\n"
        for kind, subcommand, number in cases
    )
    expected = []
    for kind, subcommand, number in cases:
        outer = subcommand.split()[0]
        # The words of a suboption count for its subcommand first.
        is_outer = number + 1 in wrong_numbers(ROWS[kind, outer], MAX_WORDS + 1)
        told = outer if is_outer else subcommand
        expected.append(f"1:{usage_error(kind, told, ROWS[kind, told]['usage'])}")
    assert run_everywhere(script).stdout.splitlines() == expected


def test_consume_batch_of_a_subscriber_without_words_is_what_the_original_has(run_everywhere: RunTcl) -> None:
    script = OBJECTS + "puts [catch {subscriber consume_batch} m]:$m:$errorCode"
    original = [name for (kind, name), row in ROWS.items() if kind == "subscriber" and "since" not in row]
    told = listed([name for name in original if " " not in name])
    code = "TCL LOOKUP INDEX option consume_batch"
    assert run_everywhere(script).stdout == f'1:bad option "consume_batch": must be {told}:{code}\n'


def test_a_word_that_is_none_of_the_choices_is_refused(run_tcl: RunTcl) -> None:
    rows = [(key, row) for key, row in ROWS.items() if row.get("suboptions", row.get("choices"))]
    assert len(rows) >= 8
    script = OBJECTS + "".join(f"puts [catch {{{kind} {name} nosuch}} m]:$m\n" for (kind, name), _ in rows)
    for line, ((kind, name), row) in zip(run_tcl(script).stdout.splitlines(), rows):
        words = [
            word
            for word in row.get("suboptions", row.get("choices", "")).split()
            if "since" not in ROWS.get((kind, f"{name} {word}"), {})
        ]
        assert line == f'1:bad suboption "nosuch": must be {listed(words)}'


def test_every_call_is_one_of_the_bridge(run_tcl: RunTcl) -> None:
    calls = {row["call"] for row in ROWS.values() if "call" in row}
    assert len(calls) > 10
    script = (
        OBJECTS + f"foreach call {{{' '.join(calls)}}} {{puts [info commands ::kafkatcl::bridge::$call]}}"
    )
    assert set(run_tcl(script).stdout.split()) == {f"::kafkatcl::bridge::{call}" for call in calls}


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in ROWS}))
def test_help_tells_of_every_row(run_tcl: RunTcl, kind: str) -> None:
    names = [name for of, name in ROWS if of == kind]
    script = (
        OBJECTS
        + f"foreach name {{{' '.join({name.split()[0] for name in names})}}} {{puts [{kind} help $name]}}"
    )
    shown = run_tcl(script).stdout
    for name in names:
        row = ROWS[kind, name]
        assert " ".join(filter(None, (kind, name, row["usage"], row.get("options")))) in shown
        assert row["about"].endswith(".")
        assert row["about"] in shown


def test_help_of_objects_and_of_kinds(run_tcl: RunTcl) -> None:
    script = (
        OBJECTS
        + """
        puts [expr {[subscriber help commit] eq [kafka::help subscriber commit]}]
        puts [kafka::help]
        puts [catch {subscriber help nosuch} m]:$m
        puts [catch {subscriber help a b} m]:$m
        puts [catch {kafka::help nosuch} m]:$m
    """
    )
    first, *lines = run_tcl(script).stdout.splitlines()
    assert first == "1"
    assert [line.split()[0] for line in lines[1:10]] == [*dict.fromkeys(kind for kind, _ in reference.rows())]
    assert lines[10].startswith('1:bad option "nosuch": must be subscribe, unsubscribe, ')
    assert lines[11] == '1:wrong # args: should be "subscriber help ?subcommand?"'
    assert lines[12].startswith('1:bad kind "nosuch": must be kafka, master, ')


@pytest.mark.parametrize(("kind", "subcommand"), ROWS, ids="-".join)
def test_some_test_calls_it(kind: str, subcommand: str) -> None:
    files = [*(ROOT / "tcl_tests").glob("*.test"), *(ROOT / "tests").glob("test_*.py")]
    texts = "".join(path.read_text() for path in files if path.name != Path(__file__).name)
    assert re.search(rf"[\w\]}}] {subcommand}\b", texts)


def test_another_usage_of_a_row_is_told_too(run_tcl: RunTcl) -> None:
    [((kind, _), row)] = [(key, row) for key, row in ROWS.items() if "also" in row]
    done = run_tcl(OBJECTS + "catch {master logger callback} message; puts $message")
    assert done.stdout == f'wrong # args: should be "{kind} {row["also"]}"\n'


def test_the_namespace_of_the_original_is_as_it_was(run_everywhere: RunTcl) -> None:
    script = """
        package require kafka
        proc commands {} {lmap name [lsort [info commands ::kafka::*]] {namespace tail $name}}
        puts [commands]
        puts [string length [kafka::help]]
        puts [catch {kafka::nosuch} message]:$message
    """
    commands, help_length, error = run_everywhere(script).stdout.splitlines()
    assert commands.split() == [
        *("brokers", "handle_args", "kafka", "logger", "setup", "setup_consumer", "setup_producer"),
        *("subscriber", "topic_consumer", "topic_producer"),
    ]
    assert int(help_length) > 500
    assert error == '1:invalid command name "kafka::nosuch"'


def test_errors_list_what_the_original_has(run_tcl: RunTcl) -> None:
    new = [key for key, row in ROWS.items() if "since" in row]
    assert new
    for kind, subcommand in new:
        told = run_tcl(OBJECTS + f"catch {{{kind} nosuch}} message; puts $message").stdout
        assert told.startswith('bad option "nosuch": must be ')
        assert subcommand not in told


#: Rows as commands.tcl has none yet, and a procedure for each that tells what it finds.
_INVENTED = r"""
namespace eval ::kafkatcl {
    Kind invented {For this test.}
    Row invented send {partition payload ?key?} {options {?-headers list? ?-tag value?}}
    Row invented each {array ?-timeout ms? ?-until end|@MS? script} {default {-timeout -1}}
    Row invented wait {?ms?} {waits 1}
    Implement invented send {return [list $words $headers $tag]}
    Implement invented each {return [list $words $timeout $until]}
    Implement invented wait {return [list $words $command]}
    Define invented
    foreach name {send each wait} {
        proc ::$name {args} [format {::kafkatcl::invented::%s id $args} $name]
    }
}
proc tell {script} {
    puts [list [catch $script message options] $message \
        [expr {[dict exists $options -errorcode] ? [dict get $options -errorcode] : {}}]]
}
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("send 0 p", "0 {{0 p} {} {}} {}"),
        ("send 0 p -tag", "0 {{0 p -tag} {} {}} {}"),
        ("send 0 p -tag x", "0 {{0 p} {} x} {}"),
        ("send 0 p k -tag x -headers h", "0 {{0 p k} h x} {}"),
        ("send 0 p k -tag", "1 USAGE {TCL WRONGARGS}"),
        ("send 0 p k x", "1 USAGE {TCL WRONGARGS}"),
        ("send 0 p -x y", '1 {bad option "-x": must be -headers or -tag} {TCL LOOKUP INDEX option -x}'),
        ("each a s", "0 {{a s} -1 {}} {}"),
        ("each a -until end -timeout 5 s", "0 {{a s} 5 end} {}"),
        ("wait", "0 {{} {}} {}"),
        ("wait -command {a b}", "0 {{} {a b}} {}"),
        ("wait 5 -command {a b}", "0 {5 {a b}} {}"),
        ("wait -command {a b} 5", "0 {5 {a b}} {}"),
    ],
)
def test_options_stand_where_the_usage_has_them(run_tcl: RunTcl, call: str, told: str) -> None:
    script = f"package require kafka\n{_INVENTED}\ntell {{{call}}}"
    usage = '{wrong # args: should be "send send partition payload ?key?"}'
    assert run_tcl(script).stdout == told.replace("USAGE", usage) + "\n"
