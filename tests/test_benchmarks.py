"""The benchmarks: every workload runs and measures what it says,
and what is made of the figures is right.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from fix_cluster import EMBEDDED_PARTITIONS, Cluster

from benchmarks import __main__ as driver
from benchmarks import chart, cluster, results, tables
from benchmarks.cluster import EmbeddedCluster
from benchmarks.measure import measure, measure_one, rotated
from benchmarks.peers import HOSTED, PKG_INDEX, PURE, STOCK, Figure, Peer, PeerError, tcl_peer, usual_peers
from benchmarks.results import Results, Run, Spread, pairwise
from benchmarks.workloads import LATENCY_MESSAGES, OVERHEAD, Workload, chosen, workloads

MESSAGES = 50
SECONDS = 30
KAFKATCL = f"{sys.executable} -m kafkatcl.shell"

#: The figures of each workload, beside those of memory.
FIGURES = {
    "produce": {"enqueued": "messages/s", "acknowledged": "messages/s"},
    "produce_batch": {"enqueued": "messages/s", "acknowledged": "messages/s"},
    "produce_transactions": {"committed": "messages/s", "transaction": "ms"},
    "produce_messages": {"enqueued": "messages/s", "acknowledged": "messages/s"},
    "consume": {"rate": "messages/s"},
    "consume_batch": {"rate": "messages/s"},
    "queue_batch": {"rate": "messages/s"},
    "callback": {"rate": "messages/s"},
    "queue_callback": {"rate": "messages/s"},
    "subscriber_callback": {"rate": "messages/s"},
    "produce_channel": {"enqueued": "messages/s", "acknowledged": "messages/s"},
    "subscriber_consume": {"rate": "messages/s"},
    "subscriber_foreach": {"rate": "messages/s"},
}
MEMORY = {"resident": "MiB", "peak": "MiB"}
WITHOUT = [word for peer in (PURE, STOCK, "bare", "kcat") for word in ("--without", peer)]
OF_QUEUES = {"queue_batch", "queue_callback"}


@pytest.fixture(scope="module")
def place(embedded_cluster: Cluster) -> EmbeddedCluster:
    return EmbeddedCluster(embedded_cluster.bootstrap_servers, "embedded")


def usual(name: str) -> Peer:
    return next(peer for peer in usual_peers() if peer.name == name)


def workload(script: str, **options: Any) -> Workload:
    partitions = EMBEDDED_PARTITIONS if script in OF_QUEUES else 1
    return Workload(script, "rates", script, MESSAGES, partitions=partitions, **options)


# -- workloads -------------------------------------------------------------------------


@pytest.mark.parametrize("peer", [HOSTED, STOCK, "bare"])
@pytest.mark.parametrize("script", FIGURES)
def test_a_workload_gives_its_figures(place: EmbeddedCluster, peer: str, script: str) -> None:
    run = measure_one(usual(peer), workload(script, batch=20), 0, place, SECONDS)
    assert run.error is None
    assert {name: figure.unit for name, figure in run.figures.items()} == {**FIGURES[script], **MEMORY}
    assert all(figure.value > 0 for figure in run.figures.values())


@pytest.mark.parametrize(
    ("peer", "script"), [(HOSTED, "consume_batch"), (STOCK, "callback"), ("bare", "callback")]
)
def test_what_is_prefetched_is_waited_for_before_the_clock_starts(
    place: EmbeddedCluster, peer: str, script: str
) -> None:
    task = workload(script, batch=20, prefetched=True, settling=30)
    start = time.perf_counter()
    run = measure_one(usual(peer), task, 0, place, SECONDS)
    assert run.error is None
    assert time.perf_counter() - start > 2
    assert run.figures["rate"].value > MESSAGES


@pytest.mark.parametrize("peer", [HOSTED, STOCK, "bare"])
@pytest.mark.parametrize(
    ("script", "key", "keys"),
    [
        ("produce", 0, [None] * 50),
        ("produce", 1, [b"key%d" % i for i in range(50)]),
        ("produce_batch", 0, [None] * 50),
        ("produce_batch", 1, [b"key%d" % (i % 20) for i in range(50)]),
    ],
)
def test_what_is_produced(
    place: EmbeddedCluster, peer: str, script: str, key: int, keys: list[bytes | None]
) -> None:
    topic = place.create(1)
    task = workload(script, key=key, batch=20, size=300)
    usual(peer).measure(task, place.bootstrap, topic, SECONDS)
    first, *others = consumed(place, topic, MESSAGES + 1)
    assert first == (b"first", None)
    assert others == [(b"x" * 300, key) for key in keys]


@pytest.mark.parametrize("peer", [HOSTED, STOCK, "bare"])
@pytest.mark.parametrize("script", ["produce", "produce_messages"])
def test_what_is_produced_with_headers(place: EmbeddedCluster, peer: str, script: str) -> None:
    topic = place.create(1)
    usual(peer).measure(workload(script, headers=3, batch=20), place.bootstrap, topic, SECONDS)
    _, *others = messages_of(place, topic, MESSAGES + 1)
    headers = [(f"header{number}", b"0123456789") for number in range(3)]
    assert [message.headers() for message in others] == [headers] * MESSAGES


def test_new_commands_are_for_those_that_have_them() -> None:
    new = workload("produce", headers=3)
    assert usual(STOCK).runs(new)
    assert usual("bare").runs(new)
    assert not tcl_peer("old", "tclsh").runs(new)
    assert tcl_peer("old", "tclsh").runs(workload("produce"))


def test_filled_topics_are_spread_over_partitions(place: EmbeddedCluster) -> None:
    topic = place.filled(3, 100, 7)
    consumer = Consumer({"bootstrap.servers": place.bootstrap, "group.id": "g"})
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, number))[1] for number in range(4)]
    consumer.close()
    assert ends == [3, 2, 2, 0]


def consumed(place: EmbeddedCluster, topic: str, count: int) -> list[tuple[bytes | None, bytes | None]]:
    """The payloads and keys of partition 0, of which there must be ``count``."""
    return [(message.value(), message.key()) for message in messages_of(place, topic, count)]


def messages_of(place: EmbeddedCluster, topic: str, count: int) -> list[Message]:
    """The messages of partition 0, of which there must be ``count``."""
    consumer = Consumer({"bootstrap.servers": place.bootstrap, "group.id": "g", "fetch.wait.max.ms": 10})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = consumer.consume(count, SECONDS)
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0)) == (0, count)
    consumer.close()
    return messages


def test_filled_topics_are_filled_once(place: EmbeddedCluster) -> None:
    topic = place.filled(1, 200, 3)
    assert place.filled(1, 200, 3) == topic
    assert place.filled(1, 200, 4) != topic
    assert consumed(place, topic, 3) == [(b"x" * 200, b"key%d" % i) for i in range(3)]


@pytest.mark.parametrize("peer", [HOSTED, STOCK, "bare"])
def test_latency_is_that_of_the_messages(place: EmbeddedCluster, peer: str) -> None:
    run = measure_one(usual(peer), workload("latency"), 0, place, SECONDS)
    assert run.error is None
    figures = run.figures
    assert figures.keys() == {"p50", "p99", *MEMORY}
    assert figures["p50"].unit == figures["p99"].unit == "ms"
    assert 0 < figures["p50"].value <= figures["p99"].value < 5000


@pytest.mark.parametrize("peer", [HOSTED, STOCK, "bare"])
def test_start_up_is_the_time_of_the_process(place: EmbeddedCluster, peer: str) -> None:
    start = time.perf_counter()
    figures = measure_one(usual(peer), workload("startup"), 0, place, SECONDS).figures
    assert figures.keys() == {"process"}
    assert 0 < figures["process"].value < (time.perf_counter() - start) * 1000


def test_peers_tell_their_versions() -> None:
    for peer in (HOSTED, STOCK):
        assert usual(peer).about(SECONDS).keys() == {"Tcl", "package kafka", "librdkafka"}
    assert usual("bare").about(SECONDS).keys() == {"Python", "librdkafka"}


def test_what_is_idle_is_told_of_interpreter_and_sidecar_apart(place: EmbeddedCluster) -> None:
    for peer in (HOSTED, "bare"):
        figures = idle(place, peer)
        assert figures.keys() == {"interpreter resident", "interpreter private"}
        assert 0 < figures["interpreter private"] < figures["interpreter resident"]
    figures = idle(place, STOCK)
    assert 0 < figures["interpreter private"] < figures["interpreter resident"] < figures["sidecar private"]
    assert figures["sidecar private"] < figures["sidecar resident"]


def idle(place: EmbeddedCluster, peer: str) -> dict[str, float]:
    figures = measure_one(usual(peer), workload("idle"), 0, place, SECONDS).figures
    assert all(figure.unit == "MiB" for figure in figures.values())
    return {name: figure.value for name, figure in figures.items()}


def test_memory_is_that_of_the_sidecar_too(place: EmbeddedCluster) -> None:
    interpreter = idle(place, STOCK)["interpreter resident"]
    figures = measure_one(usual(STOCK), workload("produce"), 0, place, SECONDS).figures
    assert 3 * interpreter < figures["resident"].value <= figures["peak"].value


def test_what_is_not_installed_is_no_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [peer.name for peer in usual_peers()] == [HOSTED, PURE, "bare"]


def test_another_peer_does_not_find_this_package_by_accident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "peer"
    script.write_text('#!/bin/sh\nprintf \'{"found": "%s"}\' "$TCLLIBPATH"\n')
    script.chmod(0o755)
    for path, found in [
        (f"/one {PKG_INDEX} /two", "/one /two"),
        (f"{{{PKG_INDEX}}}", ""),
        ("{/one place}", "{/one place}"),
    ]:
        monkeypatch.setenv("TCLLIBPATH", path)
        assert tcl_peer("c", str(script)).about(SECONDS) == {"found": found}


def test_another_peer_is_asked_for_the_original(tmp_path: Path) -> None:
    script = tmp_path / "peer"
    script.write_text('#!/bin/sh\nprintf \'{"asked": "%s"}\' "$BENCHMARK_PACKAGE"\n')
    script.chmod(0o755)
    assert tcl_peer("c", str(script)).about(SECONDS) == {"asked": "-exact kafka 2.4.3"}
    with pytest.raises(PeerError, match=r"exact"):
        tcl_peer("c", "tclsh").about(SECONDS)


def test_kcat_is_a_peer_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kcat = tmp_path / "kcat"
    kcat.write_text(
        '#!/bin/sh\necho "$@" >> "$0.log"\n'
        'if [ "$1" = -V ]; then echo "Version 1.7.1 (JSON, librdkafka 2.0.2 more)"; fi\n'
    )
    kcat.chmod(0o755)
    peer = usual("kcat")
    assert peer.about(SECONDS) == {"kcat": "1.7.1", "librdkafka": "2.0.2"}
    assert peer.runs(workload("consume"))
    assert not peer.runs(workload("callback"))
    assert not peer.runs(workload("consume", prefetched=True))
    assert peer.measure(workload("consume"), "host:1", "t", SECONDS).keys() == {"rate"}
    assert peer.measure(workload("produce", key=1), "host:1", "t", SECONDS).keys() == {"acknowledged"}
    called = (tmp_path / "kcat.log").read_text()
    assert "-b host:1 -t t -C -q -p 0 -o beginning -c 50 " in called
    assert "-b host:1 -t t -P -p 0 -K: " in called


# -- the list of workloads -------------------------------------------------------------


def test_workloads_have_names_of_their_own_and_fit_in_a_topic() -> None:
    found = workloads(200_000, 20_000_000)
    assert len({each.name for each in found}) == len(found)
    assert {each.script for each in found} == {*FIGURES, "latency", "startup", "idle"}
    assert all(each.held * (each.size + OVERHEAD) <= 20_000_000 for each in found)
    assert {each.partitions for each in found if each.table == "partitions"} == {1, 8, 64, 200}
    assert next(each for each in found if each.name == "latency").messages == LATENCY_MESSAGES


def test_consuming_is_measured_in_two_settings() -> None:
    found = workloads(300_000, 10**9)
    default = [each for each in found if each.table == "rates" and each.consumes]
    prefetched = [each for each in found if each.table == "prefetched"]
    assert [f"{each.name}-prefetched" for each in default] == [each.name for each in prefetched]
    assert all(each.settling == 1 and not each.prefetched for each in default)
    assert all(each.settling == 150_000 and each.prefetched for each in prefetched)
    assert {each.held for each in prefetched} == {450_000, 300_000}


def test_workloads_grow_with_messages() -> None:
    grown = [each for each in workloads(300_000, 10**9) if each.table == "messages"]
    assert sorted({each.messages for each in grown}) == [10_000, 100_000, 1_000_000]
    assert {each.held for each in grown if not each.tells_cost} == {1_000_001}
    assert {each.held for each in grown if each.prefetched} == {1_150_000}


def test_growth_is_of_kafkatcl_and_of_those_that_are_named() -> None:
    peers = [*usual_peers(), tcl_peer("c", "tclsh")]
    found = {each.table: [peer.name for peer in peers if peer.runs(each)] for each in (CONSUME, SMALL)}
    assert found["messages"] == [HOSTED, "c"]
    assert {HOSTED, STOCK, "bare", "c"} <= set(found["rates"])


def test_larger_payloads_take_two_rounds_at_most() -> None:
    assert [CONSUME.rounds(number) for number in (1, 3, 5)] == [1, 3, 5]
    [larger, *_] = [each for each in workloads(300_000, 10**9) if each.table == "payloads"]
    assert [larger.rounds(number) for number in (1, 3, 5)] == [1, 2, 2]


def test_workloads_are_chosen_by_patterns() -> None:
    found = workloads(200_000, 10**9)
    assert chosen(found, []) == found
    names = [each.name for each in chosen(found, ["callback", "consume_batch-1*0"])]
    assert names == ["consume_batch-100", "consume_batch-1000", "callback", *names[3:]]
    with pytest.raises(ValueError, match='no workload is called "cnosume"; there are produce, '):
        chosen(found, ["consume", "cnosume"])


# -- processes -------------------------------------------------------------------------


def python(code: str) -> Peer:
    """A peer that runs ``code``, whatever the workload."""
    return Peer("fake", [sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("raise SystemExit('no message came\\n    while executing')", "ended with status 1: no message came"),
        ("1 / 0", "ended with status 1: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "ended with status 3: it did not say why"),
        ("import time; time.sleep(600)", "did not end within 0.5 s"),
    ],
)
def test_a_failed_process_is_a_result(place: EmbeddedCluster, code: str, error: str) -> None:
    run = measure_one(python(code), workload("startup"), 2, place, 0.5 if "sleep" in code else SECONDS)
    assert run == Run("startup", "fake", 2, {}, error)


def test_a_peer_that_is_not_there(place: EmbeddedCluster) -> None:
    with pytest.raises(PeerError, match="/none/such cannot be run: No such file or directory"):
        Peer("none", ["/none/such"]).about(SECONDS)


def test_peers_take_turns(place: EmbeddedCluster, capsys: pytest.CaptureFixture[str]) -> None:
    peers = [Peer(name, [sys.executable, "-c", ""]) for name in "abc"]
    only_consumes = Peer("d", ["none"], frozenset({"consume"}))
    runs = list(measure([*peers, only_consumes], [workload("startup")], 2, place, SECONDS))
    assert [(run.round, run.peer) for run in runs] == [(0, p) for p in "abc"] + [(1, p) for p in "bca"]
    assert capsys.readouterr().err.splitlines()[-1].startswith("[6/6] startup, round 2, a: process ")
    assert rotated(peers, 5) == [peers[2], peers[0], peers[1]]


# -- figures ---------------------------------------------------------------------------

CONSUME = Workload("consume", "rates", "consume", 100)
SMALL = Workload("callback-10-messages-prefetched", "messages", "callback", 10, prefetched=True)
LARGE = Workload("callback-1000-messages-prefetched", "messages", "callback", 1000, prefetched=True)
FEW = Workload("callback-10-messages", "messages", "callback", 10)
MANY = Workload("callback-1000-messages", "messages", "callback", 1000)


def rates(task: Workload, peer: str, *values: float) -> Iterator[Run]:
    for number, value in enumerate(values):
        figures = {"rate": Figure(value, "messages/s"), "resident": Figure(value / 10, "MiB")}
        yield Run(task.name, peer, number, figures)


@pytest.fixture
def known() -> Results:
    """Results whose ratios and growth can be told by heart."""
    runs = [
        *rates(CONSUME, HOSTED, 1000, 3000, 2000),
        *rates(CONSUME, STOCK, 250, 1000, 4000),
        *rates(CONSUME, "c", 500, 1000),
        Run(CONSUME.name, "c", 2, error="was ended by SIGSEGV | really"),
        *rates(SMALL, HOSTED, 1000, 2000, 4000),
        *rates(LARGE, HOSTED, 500, 4000, 1000),
        *rates(FEW, HOSTED, 1000, 2000, 4000),
        *rates(MANY, HOSTED, 500, 4000, 1000),
    ]
    facts = {"cpu": "a CPU", "peers": {peer: {"Tcl": "8.6"} for peer in (HOSTED, STOCK, "c")}}
    return Results(facts, [HOSTED, STOCK, "c"], [CONSUME, SMALL, LARGE, FEW, MANY], runs)


def test_spreads_and_ratios(known: Results) -> None:
    assert Spread.of([4, 1, 3, 2]) == Spread(1, 2.5, 4)
    assert Spread.of([]) is None
    assert pairwise({0: 10, 1: 30, 2: 20}, {2: 20, 0: 5, 1: 10}) == Spread(1, 2, 3)
    assert pairwise({0: 10, 1: 30}, {1: 0}) is None
    assert known.spread(CONSUME, "rate", HOSTED) == Spread(1000, 2000, 3000)
    assert known.ratio(CONSUME, "rate", HOSTED, "c") == Spread(2, 2.5, 3)
    assert known.ratio(CONSUME, "rate", STOCK, HOSTED) == Spread(0.25, 1 / 3, 2)
    assert known.ours == [HOSTED, STOCK]
    assert known.rivals(HOSTED) == ["c"]
    assert known.rivals(STOCK) == [HOSTED, "c"]
    assert known.costs(SMALL, "rate", HOSTED) == {0: 1000, 1: 500, 2: 250}
    assert known.costs(SMALL, "resident", HOSTED) == {0: 100, 1: 200, 2: 400}


def test_results_are_kept_with_a_summary(known: Results, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    known.write(file)
    assert results.read(file) == known
    assert json.loads(file.read_text())["summary"][0] == {
        "workload": "consume",
        "figure": "rate",
        "unit": "messages/s",
        "spread": {
            HOSTED: {"minimum": 1000, "median": 2000, "maximum": 3000},
            STOCK: {"minimum": 250, "median": 1000, "maximum": 4000},
            "c": {"minimum": 500, "median": 750, "maximum": 1000},
        },
        "ratio": {
            "kafkatcl / c": {"minimum": 2, "median": 2.5, "maximum": 3},
            "tclsh / kafkatcl": {"minimum": 0.25, "median": pytest.approx(1 / 3), "maximum": 2},
            "tclsh / c": {"minimum": 0.5, "median": 0.75, "maximum": 1},
        },
    }


def cells(text: str, *words: str) -> list[str]:
    """The cells of the one line of a table that begins with the cells ``words``."""
    lines = [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in text.splitlines()]
    [found] = [line for line in lines if line[: len(words)] == list(words)]
    return found[len(words) :]


def section(text: str, title: str) -> str:
    """The table under a heading."""
    return text.partition(f"### {title}\n")[2].partition("###")[0]


def test_tables(known: Results) -> None:
    text = tables.document(known)
    said = ["2 (1 to 3)", "1 (0.25 to 4)", "0.75 (0.5 to 1) (failed: 1)"]
    assert cells(section(text, "Rates, default settings"), "consume", "rate, thousand/s") == said
    assert cells(section(text, "Ratios of kafkatcl"), "workload") == ["figure", "kafkatcl / c"]
    assert cells(section(text, "Ratios of kafkatcl"), "consume", "rate, thousand/s") == ["2.5 (2 to 3)"]
    assert cells(section(text, "Ratios of tclsh"), "workload") == ["figure", "tclsh / kafkatcl", "tclsh / c"]
    said = ["0.333 (0.25 to 2)", "0.75 (0.5 to 1)"]
    assert cells(section(text, "Ratios of tclsh"), "consume", "rate, thousand/s") == said
    assert cells(text, "consume", "3", "c") == ["was ended by SIGSEGV \\| really"]
    assert cells(text, "cpu") == ["a CPU"]


def test_a_peer_without_figures_has_no_column(known: Results) -> None:
    text = tables.document(known)
    assert cells(section(text, "Rates, default settings"), "workload", "figure") == [HOSTED, STOCK, "c"]
    assert cells(section(text, "Growth with messages"), "workload", "figure") == [HOSTED]


def test_growth_is_told_where_it_means_something(known: Results) -> None:
    text = section(tables.document(known), "Growth with messages")
    assert cells(text, SMALL.name, "rate, µs a message") == ["500 (250 to 1,000), x 1.00"]
    assert cells(text, LARGE.name, "rate, µs a message") == ["1,000 (250 to 2,000), x 2.00"]
    assert cells(text, FEW.name, "resident, MiB") == ["200 (100 to 400), x 1.00"]
    assert cells(text, MANY.name, "resident, MiB") == ["100 (50 to 400), x 0.50"]
    assert text.count("callback-") == 4


def test_tables_replace_those_between_the_markers(known: Results, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    for _ in range(2):
        tables.write(known, file)
    text = file.read_text()
    assert text.startswith(f"before\n{tables.BEGIN}\n\n### Ratios of kafkatcl\n")
    assert text.endswith(f"\n{tables.END}\nafter\n")
    assert "old" not in text
    assert text.count("### Ratios of kafkatcl") == 1


def test_a_chart_is_drawn_or_it_is_said_what_it_needs(
    known: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "chart.svg"
    if importlib.util.find_spec("matplotlib"):
        chart.draw(known, file)
        text = file.read_text()
        assert "consume, rate" in text
        assert "µs a message, kafkatcl" in text
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ValueError, match="a chart needs matplotlib: pip install"):
        chart.draw(known, file)


# -- the driver ------------------------------------------------------------------------


def test_the_driver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHMARK_PACKAGE", "kafka")
    file, page = tmp_path / "results.json", tmp_path / "page.md"
    page.write_text(f"{tables.BEGIN}\n{tables.END}\n")
    options = ["--embedded", "--peer", f"twin={KAFKATCL}", *WITHOUT]
    options += ["--rounds", "2", "--messages", "30", "--only", "produce-key", "consume"]
    assert driver.main([*options, "--json", str(file), "--markdown", str(page)]) == 0
    found = results.read(file)
    assert found.peers == [HOSTED, "twin"]
    assert set(found.facts["peers"]) == {HOSTED, "twin"}
    turns = [(0, HOSTED), (0, "twin"), (1, "twin"), (1, HOSTED)]
    assert [(run.workload, run.round, run.peer) for run in found.runs] == [
        (name, *turn) for name in ("produce-key", "consume") for turn in turns
    ]
    [consume] = [each for each in found.workloads if each.name == "consume"]
    ours, twin = (found.values(consume, "rate", peer) for peer in found.peers)
    pairs = sorted(ours[number] / twin[number] for number in range(2))
    assert found.ratio(consume, "rate", HOSTED, "twin") == Spread(pairs[0], sum(pairs) / 2, pairs[1])
    printed = capsys.readouterr().out
    assert tables.document(found) in printed
    assert tables.document(found) in page.read_text()
    assert driver.main(["--results", str(file)]) == 0
    assert capsys.readouterr().out == printed


def test_a_workload_that_fails_is_told_and_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import sys\nif sys.argv[2] == 'about': print('{}')\nelse: sys.exit('it broke')\n")
    options = ["--embedded", "--peer", f"c={sys.executable} {broken}", *WITHOUT]
    assert driver.main([*options, "--rounds", "1", "--only", "startup"]) == 1
    told = capsys.readouterr()
    assert "startup, round 1, c: FAILED: ended with status 1: it broke" in told.err
    assert cells(told.out, "startup", "1", "c") == ["ended with status 1: it broke"]
    startup = section(told.out, "Latency and start-up")
    assert cells(startup, "startup", "process, ms")[1] == "- (failed: 1)"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--peer", "c"], '--peer must be NAME=COMMAND, got "c"'),
        (
            ["--embedded", "--peer", "bare=tclsh", *WITHOUT[:2]],
            "a name of its own: kafkatcl, tclsh, bare, bare",
        ),
        (
            ["--embedded", "--peer", "tclsh=tclsh"],
            "each peer needs a name of its own: kafkatcl, pure, tclsh, tclsh",
        ),
        (["--embedded", "--peer", "c=/none/such"], "c /none/such cannot be run"),
        (["--embedded", "--only", "nothing"], 'no workload is called "nothing"'),
        (["--bootstrap", "127.0.0.1:1"], "no Kafka answers at 127.0.0.1:1"),
        (["--markdown", "pyproject.toml"], "--markdown needs a file with a line"),
        (["--markdown", "none.md"], "No such file or directory: 'none.md'"),
        (["--chart", "chart.txt"], '--chart must be a file that ends in .svg or .png, got "chart.txt"'),
    ],
)
def test_bad_options_are_told(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.5)
    assert driver.main(options) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--rounds", "0"], ["--messages", "many"], ["--embedded", "--bootstrap", "host:1"]]
)
def test_options_that_cannot_be(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        driver.main(options)
    assert "error: argument" in capsys.readouterr().err


def test_an_interrupted_measurement_shows_what_there_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Iterator[Run]:
        yield Run("startup", HOSTED, 0, {"process": Figure(80, "ms")})
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(driver, "measure", interrupted)
    assert driver.main(["--embedded", *WITHOUT, "--only", "startup"]) == 0
    told = capsys.readouterr()
    assert "interrupted" in told.err
    assert cells(section(told.out, "Latency and start-up"), "startup", "process, ms") == ["80"]
