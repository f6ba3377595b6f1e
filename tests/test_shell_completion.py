"""What Tab offers in both line editors, and what ``help`` tells: asked in an
interpreter that has all sorts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kafkatcl
from kafkatcl.engine.handle import LOG_LEVELS
from kafkatcl.engine.settings import choices
from kafkatcl.librdkafka.conf import GlobalConf, TopicConf
from kafkatcl.shell.above import Above
from kafkatcl.shell.completer import Completer
from kafkatcl.shell.help import Help
from kafkatcl.shell.properties import properties
from kafkatcl.shell.words import typed

REFERENCE = Path(__file__).parent.parent / "docs" / "reference.md"

SCRIPT = """
package require kafka
kafka::kafka create m
m logger none
m config group.id readers bootstrap.servers 127.0.0.1:1
m producer_creator maker
m consumer_creator reader
m subscriber member
maker new_topic out t
reader new_topic in t
reader create_queue line
set reader_in_variable reader
set single 1
array set table {one 1 once 2 two 2}
namespace eval shop {
    variable prices {}
    proc open_at {hour} {}
    namespace eval till {}
}
proc greet {name} {}
set spaced(a) 1
namespace ensemble create -command tool -map {saw ::greet sand ::greet}
oo::class create Cat {
    method purr {} {}
}
Cat create tom
"""


@pytest.fixture(scope="module")
def interp() -> Iterator[kafkatcl.Interp]:
    with kafkatcl.Interp() as interp:
        interp.eval(SCRIPT)
        yield interp


@pytest.fixture(scope="module")
def completer(interp: kafkatcl.Interp) -> Completer:
    return Completer(interp.tk)


#: A text, and what Tab makes of it: the whole text if there is one candidate, else the
#: candidates.
COMPLETED: dict[str, str | set[str]] = {
    # commands
    "gre": "greet ",
    "puts [gre": "puts [greet ",
    "if 1 {\n    gre": "if 1 {\n    greet ",
    "set x 1; gre": "set x 1; greet ",
    "kafka": "kafka::",
    "shop::": {"shop::open_at", "shop::till::"},
    "::shop::op": "::shop::open_at ",
    # subcommands
    "m con": {"config", "consumer_creator"},
    "maker output": "maker output_queue_length ",
    "$reader_in_variable create": "$reader_in_variable create_queue ",
    "out produce": {"produce", "produce_batch", "produce_messages"},
    "in start": {"start", "start_queue"},
    "in creator ad": "in creator add_brokers ",
    "line ": {"consume", "consume_batch", "consume_callback", "delete", "encoding", "fields"},
    "member water": "member watermarks ",
    "kafka::kafka cr": "kafka::kafka create ",
    "string ma": {"map", "match"},
    "tool sa": {"sand", "saw"},
    "tom pu": "tom purr ",
    "after i": {"idle", "info"},
    "trace add var": "trace add variable ",
    "string is alp": "string is alpha ",
    # options, and words with a place of their own
    "member commit -": "member commit -async ",
    "member watermarks -": {"-cached", "-timeout"},
    "kafka::setup -": "kafka::setup -brokers ",
    "kafka::subscriber readers -": "kafka::subscriber readers -brokers ",
    "lsort -int": "lsort -integer ",
    "lsort -integer -de": "lsort -integer -decreasing ",
    "fconfigure stdout -tr": "fconfigure stdout -translation ",
    "fconfigure stdout -translation cr": {"cr", "crlf"},
    "fconfigure stdout -encoding utf-8": "fconfigure stdout -encoding utf-8 ",
    "m logger sy": "m logger syslog ",
    "m delivery_report s": "m delivery_report sample ",
    "reader meta re": "reader meta refresh ",
    "reader info ": {"topics", "brokers", "partitions"},
    "in start 0 ": {"beginning", "end", "stored"},
    "in start_queue 0 end ": "in start_queue 0 end line ",
    "in start 0 end gre": "in start 0 end greet ",
    "line consume_callback gre": "line consume_callback greet ",
    "reader log_level ": set(LOG_LEVELS),
    "in encoding bin": "in encoding binary ",
    "line encoding utf-": "line encoding utf-8 ",
    "maker new_topic #": "maker new_topic #auto ",
    # variables
    "puts $singl": "puts $single",
    "puts ${singl": "puts ${single}",
    'puts "a $singl': 'puts "a $single',
    "expr {$singl": "expr {$single",
    "puts $table(on": {"table(once)", "table(one)"},
    "puts $table(tw": "puts $table(two)",
    "puts $shop::pr": "puts $shop::prices",
    "set singl": "set single ",
    "incr table(tw": "incr table(two) ",
    "set tabl": "set table(",
    "array names tabl": "array names table(",
    "in consume 0 10 singl": "in consume 0 10 single ",
    # properties
    "m config compression.t": "m config compression.type ",
    "m config compression.type g": "m config compression.type gzip ",
    "m config linger.ms 5 compression.type ": {"none", "gzip", "snappy", "lz4", "zstd"},
    "m config debug generic,brok": "m config debug generic,broker",
    "m config sasl.mechanism PL": "m config sasl.mechanism PLAIN ",
    "m config max.bl": "m config max.block.ms ",
    "m topic_config partit": "m topic_config partitioner ",
    "m topic_config auto.offset.reset ear": "m topic_config auto.offset.reset earliest ",
    "out config acks": "out config acks ",
    # what else Tcl has
    "package require kaf": "package require kafka ",
    "puts stde": "puts stderr ",
    "encoding convertto utf-": "encoding convertto utf-8 ",
    "namespace eval sho": "namespace eval shop ",
    "info body gre": "info body greet ",
    # help
    "hel": "help ",
    "help watermar": "help watermarks ",
    "help linge": "help linger.ms ",
    # files
    "source hel": "source hello.tcl ",
    "exec cat hel": "exec cat hello.tcl ",
    "greet two": "greet two\\ words.tcl ",
    "source two\\ w": "source two\\ words.tcl ",
    "source {two w": "source {two words.tcl} ",
    'source "two w': 'source "two words.tcl" ',
    "source fol": "source folder/",
    "source folder/in": "source folder/inner.tcl ",
    "source .h": "source .hidden ",
    "greet {odd": "greet {odd[1]} ",
    "greet odd": "greet odd\\[1\\] ",
    # lines
    "if 1 {\n": "if 1 {\n    ",
    # nothing
    "no_such_comma": set(),
    "# gre": set(),
    "m config no.such.property ": set(),
    "m config linger.ms ": set(),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder we are in, with some files."""
    (tmp_path / "folder").mkdir()
    for name in ("hello.tcl", "two words.tcl", "folder/inner.tcl", ".hidden", "odd[1]"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("text", COMPLETED)
def test_tab_completes(text: str, completer: Completer) -> None:
    offer = completer.offer(text)
    wanted = COMPLETED[text]
    if isinstance(wanted, str):
        assert [text[: offer.start] + found for found in offer.texts] == [wanted]
    else:
        assert set(offer.texts) == wanted


def test_every_subcommand_of_every_object_is_offered(interp: kafkatcl.Interp, completer: Completer) -> None:
    for name, kind in {
        "kafka::kafka": "kafka",
        "m": "master",
        "maker": "handle",
        "out": "producer_topic",
        "in": "consumer_topic",
        "line": "queue",
        "member": "subscriber",
    }.items():
        assert set(completer.offer(f"{name} ").texts) == set(
            interp.get(f"::kafkatcl::kinds({kind})", to=list)
        )


def test_every_property_that_is_offered_can_be_set(completer: Completer) -> None:
    known = {each.name for each in properties()} - {"max.block.ms"}
    assert set(completer.offer("m config ").texts) - {"max.block.ms"} == known
    assert all(GlobalConf().knows(name) or TopicConf().knows(name) for name in known)
    assert all(TopicConf().knows(name) for name in completer.offer("m topic_config ").texts)


def test_every_value_that_is_offered_is_taken(completer: Completer) -> None:
    offered = {each.name: choices(each.name) for each in properties() if choices(each.name)}
    assert {"compression.type", "acks", "security.protocol", "debug"} - offered.keys() == {"acks"}
    for name, values in offered.items():
        for value in values:
            topics_only = not GlobalConf().knows(name) or value == "inherit"
            (TopicConf() if topics_only else GlobalConf()).set(name, value)


def test_nothing_is_changed_by_asking(interp: kafkatcl.Interp, completer: Completer) -> None:
    interp.eval("set asked 0; catch {error mine info {MY CODE}}")
    interp.eval(
        "trace add variable ::table array {incr ::asked; error raised;#}; proc tomb {args} {incr ::asked}"
    )
    commands, variables = interp.eval("lsort [info commands]"), interp.eval("lsort [info vars]")
    assert completer.offer("puts $table(o").texts == ()
    for text in (
        "tomb ",
        "tomb -",
        "vwait ",
        "exit ",
        "gets stdin ",
        "$no_such ",
        "$table(one) ",
        "m config ",
    ):
        completer.offer(text)
    interp.eval("trace remove variable ::table array {incr ::asked; error raised;#}")
    assert interp.get("::errorCode") == "MY CODE"
    assert interp.get("::errorInfo").startswith("info")
    assert interp.eval("lsort [info commands]") == commands
    assert interp.eval("lsort [info vars]") == variables


def test_commands_that_scripts_renamed_are_not_needed() -> None:
    with kafkatcl.Interp() as interp:
        completer = Completer(interp.tk)
        names = ("info", "array", "set", "trace")
        for name in names:
            interp.call("rename", name, f"_{name}")
        assert completer.offer("lsort -inte").texts == ("-integer ",)
        assert completer.offer("puts $tcl_pla").texts == ("tcl_platform(",)
        for name in names:
            interp.call("rename", f"_{name}", name)


@pytest.mark.parametrize(
    "text",
    ["{" * 3000, "[" * 3000, '"' * 999, "a\\", "${", "$", 'x [y {z "$', "\0", "\ud800", "~no/", "x" * 10**6],
)
def test_odd_texts_offer_nothing_and_raise_nothing(text: str, completer: Completer) -> None:
    assert all(isinstance(found, str) for found in completer.offer(text).texts)


def test_words_are_those_that_tcl_sees() -> None:
    assert typed("set a [list {b c} d\\ e")[0].before == ("list", "b c")
    assert typed('puts "one two')[0].text == "one two"
    assert [word.before for word in typed("while 1 {foo x; bar ")] == [("bar",), ("while", "1")]
    assert typed("x {a\\} b} c")[0].before == ("x", "a\\} b")
    assert typed("${a b} c")[0].before == ("${a b}",)


PIECES = [
    (["a", "b\n"], [b"a\n", b"\x1b[A\x1b[1Cb\n"]),
    (["\u754c\t", "b\n"], [b"\xe7\x95\x8c\t\n", b"\x1b[A\x1b[8Cb\n"]),  # a wide one
    (["\x1b[31mred\x1b[0m", "b\n"], [b"\x1b[31mred\x1b[0m\n", b"\x1b[A\x1b[3Cb\n"]),
    (["100%\r50%", "b\n"], [b"100%\r50%\n", b"\x1b[A\x1b[3Cb\n"]),
    (["x" * 10, "b\n"], [b"xxxxxxxxxx\n", b"b\n"]),  # a full line
    (["x" * 10, "\n", "\n"], [b"xxxxxxxxxx\n", b"", b"\n"]),
    (["x", "\n", "\n"], [b"x\n", b"\x1b[A\x1b[1C\n", b"\n"]),
    (["x" * 13, "b\n"], [b"xxxxxxxxxxxxx\n", b"\x1b[A\x1b[3Cb\n"]),
    (["\x1b[5Ga", "b\n"], [b"\x1b[5Ga\n", b"b\n"]),  # nobody can tell where that ends
    ([b"<\xc3", b"\xa9>\n"], [b"<\n", b"\x1b[A\x1b[1C\xc3\xa9>\n"]),  # half a character
    ([b"\xc3", b"\xa9\n"], [b"", b"\xc3\xa9\n"]),
]


@pytest.mark.parametrize(("pieces", "written"), PIECES)
def test_a_piece_of_text_goes_on_where_the_last_one_ended(
    pieces: list[str | bytes], written: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    above = Above("utf-8")
    data = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    assert [above.written(piece, columns=10) for piece in data] == written


def test_a_terminal_that_cannot_go_back_gets_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    above = Above("utf-8")
    assert [above.written(piece) for piece in (b"a", b"b", b"\r\n", b"\n")] == [b"a\n", b"b\n", b"", b"\n"]


# -- help ------------------------------------------------------------------------------


def answers(interp: kafkatcl.Interp) -> Callable[[list[str]], str]:
    """What help answers about words that it knows."""

    def answer(words: list[str]) -> str:
        text = Help(interp.tk).answer(words)
        assert text is not None
        return text

    return answer


def test_help_tells_every_usage_of_the_reference(interp: kafkatcl.Interp) -> None:
    answer = answers(interp)
    usages = re.findall(r"^```usage\n(.*?)^```$", REFERENCE.read_text(), re.MULTILINE | re.DOTALL)
    for usage in "".join(usages).splitlines():
        words = usage.split()
        is_procedure = words[0].startswith("kafka::") and words[0] != "kafka::kafka"
        asked = words[:1] if is_procedure else words[:2]
        assert usage in answer(asked).splitlines(), usage


def test_help_knows_objects_properties_and_what_it_does_not_know(interp: kafkatcl.Interp) -> None:
    answer = answers(interp)
    assert "m logger syslog|stderr|none|callback ?function?" in answer(["m"]).splitlines()
    assert answer(["linger.ms"]).startswith("linger.ms: 0 .. 900000, default 5\n")
    assert answer(["nonsense"]) == 'there is no help for "nonsense": "help" alone lists what there is'
    for subcommand in ("consume_batch", "producer_creator", "watermarks", "kafka::setup"):
        assert subcommand in answer([])
    assert max(map(len, answer([]).splitlines())) < 80


def test_help_of_a_script_comes_first(tmp_path: Path) -> None:
    with kafkatcl.Interp() as interp:
        (tmp_path / "tclIndex").write_text(
            f"# Tcl autoload index file, version 2.0\nset auto_index(help) [list source {tmp_path}/help.tcl]\n"
        )
        (tmp_path / "help.tcl").write_text("proc help {args} {}\n")
        interp.call("lappend", "auto_path", os.fspath(tmp_path))
        assert Help(interp.tk).answer(["m"]) is None
