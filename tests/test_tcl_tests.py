"""The tests that are written in Tcl (tcl_tests),
each file in each kind of shell and on each kind of cluster.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

FOLDER = Path(__file__).parent.parent / "tcl_tests"
FILES = sorted(FOLDER.glob("*.test"))

_NEEDS_TOPIC = re.compile(
    r"^(?:check|refused) \S+ (?:broker|connected|messages|queue|subscriber)\b|\[newTopic\]", re.MULTILINE
)
_TEST = re.compile(r"^(?:test|check|easy|refused|wrongArgs) (\S+-\d\S*)", re.MULTILINE)
_TOTALS = re.compile(r"^all\.tcl:\tTotal\t(\d+)\tPassed\t(\d+)\tSkipped\t(\d+)\tFailed\t(\d+)", re.MULTILINE)
_SKIPPED = re.compile(r"^\+{4} \S+ SKIPPED: (.*)$", re.MULTILINE)
#: On a second kind of cluster each file runs without the tests that need none.
RUNS = [
    *(pytest.param("embedded", file, id=f"embedded-{file.stem}") for file in FILES),
    *(
        pytest.param("kafka", file, id=f"kafka-{file.stem}", marks=pytest.mark.kafka)
        for file in FILES
        if _NEEDS_TOPIC.search(file.read_text())
    ),
]


def totals(stdout: str) -> tuple[int, ...]:
    """What tcltest counted: all tests, those that passed, were skipped, and failed."""
    found = _TOTALS.search(stdout)
    assert found, f"tcltest did not come to its end:\n{stdout}"
    return tuple(map(int, found.groups()))


@also_in_tcl9
@pytest.mark.parametrize(("cluster", "file"), RUNS, indirect=["cluster"])
def test_tcl_file(cluster: Cluster, file: Path, run_everywhere: RunTcl) -> None:
    text = file.read_text()
    written = set(_TEST.findall(text))
    environment = {"KAFKATCL_TEST_CLUSTER": cluster.kind}
    if cluster.kind == "kafka":
        environment["KAFKATCL_TEST_BROKER_ONLY"] = "1"
    with cluster.topics(len(_NEEDS_TOPIC.findall(text))) as topics:
        done = run_everywhere(
            FOLDER / "all.tcl",
            *("-file", file.name, "-verbose", "body error skip"),
            brokers=cluster,
            env={**environment, "KAFKATCL_TEST_TOPICS": " ".join(topics)},
            timeout=100,
        )
    total, passed, skipped, failed = totals(done.stdout)
    # Some lose messages on purpose, which makes it 1.
    status = int("were not delivered" in done.stderr)
    assert (failed, done.status) == (0, status), done.stdout + done.stderr
    assert set(_SKIPPED.findall(done.stdout)) <= ({"brokerless"} if cluster.kind == "kafka" else set())
    assert (total, passed + skipped) == (len(written), len(written))
    assert passed > 0


def test_no_test_has_the_name_of_another() -> None:
    names = [name for file in FILES for name in _TEST.findall(file.read_text())]
    assert sorted(names) == sorted(set(names))
    assert len(names) > 500


def test_without_a_cluster_tests_are_skipped_and_with_the_embedded_broker_they_run(
    run_everywhere: RunTcl,
) -> None:
    none = run_everywhere(FOLDER / "all.tcl", "-file", "queue.test")
    embedded = run_everywhere(FOLDER / "all.tcl", "-file", "queue.test", env={"KAFKATCL_EMBEDDED": "1"})
    total, passed, skipped, failed = totals(none.stdout)
    assert passed > 0
    assert skipped > 0
    assert failed == 0
    assert totals(embedded.stdout) == (total, total, 0, 0), embedded.stdout


def test_a_failure_shows_in_the_exit_status(run_everywhere: RunTcl, tmp_path: Path) -> None:
    for file in (FOLDER / "all.tcl", FOLDER / "support.tcl"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "wrong.test").write_text(
        "check wrong-1.1 master {a wrong result} {m config client.id x} other\n"
        "check wrong-1.2 nothing {a background error} {after 0 {error unheard}; vwait ::support::tick} {} \\\n"
        "    -constraints never\n"
        "check wrong-1.3 nothing {a background error} {after 0 {error unheard}; runEvents 20} {}\n"
    )
    done = run_everywhere(tmp_path / "all.tcl")
    assert totals(done.stdout) == (3, 0, 1, 2)
    assert "unheard" in done.stdout
    assert done.status == 1
