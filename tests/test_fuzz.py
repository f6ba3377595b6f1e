"""Every call of a script is answered,
whatever its words (see the package ``fuzz``); the fuzzer finds what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from fix_async import scaled
from fix_cluster import Cluster
from fix_tcl import KAFKATCLSH, RunTcl
from fuzz.campaign import campaign, search
from fuzz.commands import SIGNATURES, declared
from fuzz.generator import ANY, FRESH, PROBE, calls
from fuzz.oracle import wrong_output, wrong_with
from fuzz.runner import Target
from fuzz.shell import Answer
from fuzz.values import KINDS

from kafkatcl.bridge.inprocess import new_application

CALLS = scaled(2_000, 30_000)
SEEDS = range(1, scaled(1, 2) + 1)


@pytest.mark.timeout(scaled(110, 3600))
@pytest.mark.parametrize("seed", SEEDS, ids="seed {}".format)
def test_every_call_is_answered_and_the_shell_stays_healthy(
    seed: int, shell: Sequence[str], embedded_cluster: Cluster
) -> None:
    found = campaign(shell, embedded_cluster.bootstrap, seed, CALLS)
    assert found is None, found


# -- the grammar -----------------------------------------------------------------------


def test_the_same_seed_draws_the_same_calls() -> None:
    assert calls(5, 500) == calls(5, 500)
    assert calls(5, 500)[:500] == calls(5, 1000)[:500]
    assert calls(5, 500) != calls(6, 500)


def test_a_probe_follows_each_thousand_calls_and_the_last() -> None:
    drawn = [call for call in calls(1, 2500) if call != FRESH]
    assert [number for number, call in enumerate(drawn, 1) if call == PROBE] == [1001, 2002, 2503]
    assert len(drawn) == 2503


def test_the_grammar_has_every_subcommand_that_is_declared() -> None:
    kinds = declared()
    assert {
        "kafka",
        "master",
        "handle",
        "producer_topic",
        "consumer_topic",
        "queue",
        "subscriber",
    } <= kinds.keys()
    missing = {kind: set(names) - SIGNATURES.get(kind, {}).keys() for kind, names in kinds.items()}
    assert {kind: names for kind, names in missing.items() if names} == {}


def test_the_grammar_has_no_subcommand_that_is_gone() -> None:
    kinds = declared()
    assert not [(kind, name) for kind in kinds for name in SIGNATURES[kind] if name not in kinds[kind]]


def test_signatures_are_of_known_kinds() -> None:
    parts = {
        part for known in SIGNATURES.values() for all_of in known.values() for one in all_of for part in one
    }
    assert not [part for part in parts if part not in KINDS and part != "..." and not part.startswith("=")]


def test_calls_are_single_commands_in_one_line_of_ascii() -> None:
    interp = new_application()
    for call in calls(2, 20_000):
        assert call.isascii()
        assert call.isprintable()
        assert interp.call("info", "complete", call)


def test_no_object_is_made_under_the_name_of_a_command_of_tcl() -> None:
    interp = new_application()
    commands = set(interp.splitlist(interp.eval("info commands")))
    assert not commands & {*ANY, *KINDS["name"].usual, *KINDS["name"].hostile}


def test_each_value_is_drawn_for_its_position() -> None:
    drawn = set(calls(3, 60_000))
    for value in KINDS["partition"].hostile:
        assert [call for call in drawn if call.startswith((f"tc stop {value}", f"tcn stop {value}"))], value


# -- what the fuzzer finds -------------------------------------------------------------

#: What two calls together do that is planted: the first prepares it.
PLANT = """
::kafkatcl::Define master
::kafkatcl::Define handle
::kafkatcl::DefineSubcommand master partitioner
::kafkatcl::DefineSubcommand handle log_level
rename ::kafkatcl::master::partitioner ::fuzz::partitioner
rename ::kafkatcl::handle::log_level ::fuzz::log_level
proc ::kafkatcl::master::partitioner {id words} {
    if {$words eq "consistent"} {set ::planted 1}
    tailcall ::fuzz::partitioner $id $words
}
proc ::kafkatcl::handle::log_level {id words} {
    if {[::info exists ::planted] && $words eq "alert"} {%s}
    tailcall ::fuzz::log_level $id $words
}
"""
BAD = {
    "fault": 'return -code error -errorcode {KAFKA INTERNAL planted} "a planted fault"',
    "died": "exec kill -9 [pid]",
    "hung": "after 60000",
    "no errorCode": "error planted",
    "errorCode": "return -code error -errorcode {PYTHON ValueError} planted",
    "empty": 'return -code error -errorcode {KAFKA X} ""',
    "unnamed": """return -code error -errorcode {TCL VALUE INTEGER} {expected integer but got "7"}""",
    "unhealthy": "rename ::fuzz::probe::tp {}",
}
BACKGROUND = {
    "an error in the background": "after 0 {error {KAFKA INTERNAL: planted}}; return",
    "a line on stderr": 'puts stderr "Traceback (most recent call last):"; return',
}
FILLER = ["p name", "tp info name", "s assign"]
PLANTED = [
    FRESH,
    *FILLER,
    "m partitioner consistent",
    *FILLER,
    "p log_level alert",
    "kafka::kafka version",
    PROBE,
]
FAILING = PLANTED.index("p log_level alert") + 1


@pytest.fixture
def target(embedded_cluster: Cluster) -> Target:
    return Target(KAFKATCLSH, embedded_cluster.bootstrap, seconds=10)


@pytest.mark.parametrize("kind", BAD)
def test_it_finds(kind: str, target: Target) -> None:
    planted = replace(target, more=PLANT % BAD[kind], seconds=2 if kind == "hung" else 10)
    failure = planted.first_failure(PLANTED)
    assert failure is not None
    assert failure.kind == kind
    assert failure.calls == len(PLANTED) if kind == "unhealthy" else FAILING


@pytest.mark.parametrize("what", BACKGROUND)
def test_it_finds_in_the_background(what: str, target: Target) -> None:
    failure = replace(target, more=PLANT % BACKGROUND[what]).first_failure(PLANTED)
    assert failure is not None
    assert failure.kind == "fault"


def test_it_finds_a_shell_that_does_not_end_well(target: Target) -> None:
    failure = replace(target, more="rename ::exit {}; proc ::exit {} {exec kill -11 [pid]}").first_failure(
        [FRESH]
    )
    assert failure is not None
    assert failure.kind == "died"


def test_it_finds_nothing_where_nothing_is(target: Target) -> None:
    assert target.first_failure(PLANTED) is None
    assert search(target, PLANTED, "no seed") is None


def test_a_failure_is_shrunk_to_the_calls_it_takes_and_shown_as_a_script(
    target: Target, run_tcl: RunTcl, embedded_cluster: Cluster
) -> None:
    found = search(replace(target, more=PLANT % BAD["fault"]), PLANTED, "seed 9 in a shell")
    assert found is not None
    begin, _, end = found.rpartition("::fuzz::Replay {")
    assert begin.startswith(
        f"# seed 9 in a shell, call {FAILING}: p log_level alert\n# fault: KAFKA INTERNAL planted\n"
    )
    made = end.split("\n}")[0].split("\n")[1:]
    assert [call for call in made if call != FRESH] == ["m partitioner consistent", "p log_level alert"]
    done = run_tcl(found, brokers=embedded_cluster)
    assert done.status == 0, done.stderr
    assert "p log_level alert\n    -> 0 {}" in done.stdout  # nothing is planted there


def answer(
    code: int = 1, errorcode: str = "NONE", message: str = "x", faults: str = "", unnamed: str = ""
) -> Answer:
    return Answer(code, errorcode, message, faults, unnamed)


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("p name", answer(0, "", "")),
        ("p name", answer(2, "", "")),
        ("p name", answer(1, "KAFKA RD_KAFKA_RESP_ERR__DESTROY {Local: Broker handle destroyed}")),
        ("m config x y", answer(1, "NONE", 'No such configuration property: "x"')),
        ("p info partitions x", answer(1, "NONE", "kafka error: topic 'x' not found")),
        ('tc consume_batch 0 1 1 row {error ""}', answer(1, "NONE", "")),
    ],
)
def test_nothing_is_wrong_with(call: str, given: Answer) -> None:
    assert wrong_with(call, given) is None


def test_only_faults_are_wrong_output() -> None:
    assert wrong_output(b"kafkatcl: 1 messages of x were not delivered\n") is None
    assert wrong_output(b"...KAFKA INTERNAL: ...") is not None
