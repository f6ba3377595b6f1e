"""Masters, and which delivery reports are told."""

from __future__ import annotations

import pytest
from fix_engine import engine

from kafkatcl.engine.master import Master
from kafkatcl.engine.reports import ReportSampling
from kafkatcl.errors import Failure


def told(reports: ReportSampling, count: int) -> str:
    return "".join("x" if reports.is_wanted() else "." for _ in range(count))


@pytest.mark.parametrize(
    ("every", "pattern"),
    [
        (1, "xxxxxx"),
        (2, "x.x.x."),
        (3, "x..x.."),
        (100, "x....."),
        (0, "......"),
        (-1, "xxxxxx"),
        (-7, "xxxxxx"),
    ],
)
def test_every(every: int, pattern: str) -> None:
    reports = ReportSampling()
    reports.set_interval(every)
    assert reports.interval == every
    assert told(reports, 6) == pattern
    assert reports.interval == every


def test_a_new_interval_counts_from_now_on() -> None:
    reports = ReportSampling()
    reports.set_interval(5)
    assert told(reports, 3) == "x.."
    reports.set_interval(2)
    assert told(reports, 6) == ".x.x.x"
    reports.set_interval(0)
    assert told(reports, 3) == "..."


@pytest.mark.parametrize(("every", "pattern"), [(0, "x......"), (3, "xx..x..")])
def test_a_sample_comes_next_and_does_not_count(every: int, pattern: str) -> None:
    reports = ReportSampling()
    reports.set_interval(every)
    reports.sample()
    reports.sample()
    assert told(reports, 7) == pattern


def test_topic_properties_go_where_they_have_their_effect() -> None:
    master = Master("m1")
    master.configure("acks", "1")
    master.configure("linger.ms", "7")
    assert master.topic_conf.get("request.required.acks") == "1"
    assert master.conf.get("queue.buffering.max.ms") == "7"
    assert "acks" not in master.conf.settings


@pytest.mark.parametrize(
    ("name", "value"), [("no.such", "1"), ("acks", "many"), ("linger.ms", "-5"), ("", "")]
)
def test_a_refused_property_changes_nothing(name: str, value: str) -> None:
    master = Master("m1")
    with pytest.raises(Failure) as failed:
        master.configure(name, value)
    assert failed.value.message
    assert (master.conf.settings, master.topic_conf.settings) == ({}, {})


def test_brokers_are_added() -> None:
    master = Master("m1")
    with pytest.raises(Failure, match="Broker list must contain at least one element"):
        master.add_brokers([])
    master.add_brokers(["a:1", "b:2"])
    master.add_brokers(["c"])
    assert master.conf.get("metadata.broker.list") == "a:1,b:2,c"


def test_a_handle_keeps_the_configuration_it_was_made_with() -> None:
    with engine(client_id="before") as running:
        handle = running.producer()
        running.master.configure("client.id", "after")
        running.master.configure("acks", "0")
        assert handle.name.startswith("before#producer-")
        assert handle.topic_conf.get("request.required.acks") == "-1"
        assert running.producer().name.startswith("after#producer-")


def test_callbacks_have_ids() -> None:
    assert Master("m7").callback("error") == "m7.error"
