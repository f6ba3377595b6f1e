"""How losses are counted, logged and told, and words on standard error."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from fix_engine import batch_of, engine, until
from fix_mock import PRODUCE, Mock

from kafkatcl.engine import losses, telling
from kafkatcl.engine.losses import Losses
from kafkatcl.engine.reports import DeliveryReport
from kafkatcl.librdkafka.errors import error_text

TIMED_OUT, TOO_LARGE, IN_QUEUE, IN_FLIGHT = -192, 10, -152, -151


class Clock:
    """A clock that only goes when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(losses, "time", made)
    return made


@pytest.fixture(autouse=True)
def _nothing_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses._Process, "has_lost", False)


def counted() -> tuple[Losses, list[tuple[str, str]]]:
    log: list[tuple[str, str]] = []
    return Losses("p-1", lambda *line: log.append(line)), log


def test_the_first_of_a_topic_and_error_is_logged_at_once_and_then_their_number_each_minute(
    clock: Clock,
) -> None:
    lost, log = counted()
    for _ in range(5):
        lost.count("a", TIMED_OUT)
    lost.count("a", TOO_LARGE)
    lost.count("b", TIMED_OUT, 3)
    assert [text for _, text in log] == [
        f"p-1: topic a: 1 message was not delivered: {error_text(TIMED_OUT)}",
        f"p-1: topic a: 1 message was not delivered: {error_text(TOO_LARGE)}",
        f"p-1: topic b: 3 messages were not delivered: {error_text(TIMED_OUT)}",
    ]
    assert {facility for facility, _ in log} == {"UNDELIVERED"}
    clock.now += 59.9
    lost.log()
    assert len(log) == 3
    clock.now += 0.2
    lost.log()
    lost.log()
    assert [text for _, text in log[3:]] == [
        f"p-1: topic a: 4 messages were not delivered: {error_text(TIMED_OUT)}"
    ]


def test_the_line_at_the_end_comes_once(capsys: pytest.CaptureFixture[str]) -> None:
    lost, _ = counted()
    assert not losses.has_lost()
    lost.count("b", TIMED_OUT)
    lost.count("a", TIMED_OUT, 2)
    assert losses.has_lost()
    words = "3 messages of p-1 were not delivered: 2 of a (Local: Message timed out), 1 of b (Local: Message timed out)"
    assert (lost.report(), lost.report()) == (words, "")
    assert capsys.readouterr().err == f"kafkatcl: {words}\n"


def test_nothing_lost_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert counted()[0].report() == ""
    assert capsys.readouterr().err == ""


def test_the_line_names_some_topics_and_counts_all() -> None:
    lost, _ = counted()
    for number in range(1, 9):
        lost.count(f"t{number}", TOO_LARGE, number)
    words = lost.report()
    assert words.startswith("36 messages of p-1 were not delivered: 8 of t8 (")
    assert words.endswith(" 4 of t4 (Broker: Message size too large), 6 of others")


def test_what_is_purged_at_the_end_has_the_reason_of_the_end() -> None:
    lost, _ = counted()
    lost.count("a", IN_QUEUE)
    lost.ending("still queued after 30 s")
    lost.count("b", IN_QUEUE, 3)
    lost.count("c", IN_FLIGHT, 2)
    assert lost.report().endswith(
        "3 of b (still queued after 30 s), 2 of c (sent, but not acknowledged; still queued after 30 s), "
        "1 of a (Local: Purged in queue)"
    )


def test_a_topic_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lost, log = counted()
    lost.count("a\nkafkatcl: all is well\x1b[2J\udc80", TIMED_OUT)
    lost.report()
    assert re.fullmatch(r"[ -~]+\n", capsys.readouterr().err)
    assert log[0][1].isprintable()


def test_words_for_nobody_do_no_harm(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    telling.say("hello")
    telling.show("hello")
    telling.clear()
    assert tuple(capfd.readouterr()) == ("", "")


def test_the_line_in_place_makes_room_for_others(capsys: pytest.CaptureFixture[str]) -> None:
    telling.show("1 left")
    telling.show("0 left")
    telling.say("done")
    telling.clear()
    assert capsys.readouterr().err == "\r\x1b[K1 left\r\x1b[K0 left\r\x1b[Kdone\n"


# -- of a producer ---------------------------------------------------------------------


def test_what_is_delivered_is_no_loss_and_what_is_not_is_counted(
    mock: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine(bootstrap_servers=mock.bootstrap[0], linger_ms="0") as running:
        running.master.log_to("none")
        target = running.producing_to("t")
        target.produce(0, b"good")
        assert until(lambda: target.handle.output_queue_length() == 0)
        assert target.handle.losses.total == 0
        mock.fail(PRODUCE, TOO_LARGE)
        target.produce(0, b"bad")
        assert until(lambda: target.handle.losses.total == 1)
        target.produce_batch(0, [batch_of(b"good", b"too")])
        assert until(lambda: target.handle.output_queue_length() == 0)
        assert target.handle.losses.total == 1
        target.handle.delete()
        told = "1 messages of .* were not delivered: 1 of t .Broker: Message size too large."
        captured = ""

        def is_told() -> bool:
            nonlocal captured
            captured += capsys.readouterr().err
            return captured != ""

        assert until(is_told)
        assert re.search(told, captured)


def test_a_callback_that_is_gone_leaves_its_failures_to_be_counted(mock: Mock) -> None:
    with engine(bootstrap_servers=mock.bootstrap[0], linger_ms="0") as running:
        running.master.log_to("none")
        running.master.want("delivery", True)
        target = running.producing_to("t")
        mock.fail(PRODUCE, TOO_LARGE)
        target.produce(0, b"bad", b"key")
        assert until(lambda: running.events.pending(target.handle, "m1.delivery") == 1)
        ((_, report),) = running.events.take(10)
        assert report == DeliveryReport(b"bad", 0, "t", b"key", code=TOO_LARGE)
        running.master.want("delivery", False)
        assert (running.events.pending(target.handle, "m1.delivery"), target.handle.losses.total) == (0, 1)
        running.events.acknowledge({"m1.delivery": 1})
        assert running.events.take(10) == []
        mock.fail(PRODUCE, TOO_LARGE)
        target.produce(0, b"bad")
        assert until(lambda: target.handle.losses.total == 2)


def test_a_report_that_comes_while_its_callback_goes_is_counted(
    mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(bootstrap_servers=mock.bootstrap[0], linger_ms="0") as running:
        running.master.logger = "none"
        running.master.want("delivery", True)
        target = running.producing_to("t")
        post = running.events.post

        def post_late(*notice: Any) -> None:
            running.master.want("delivery", False)
            post(*notice)

        monkeypatch.setattr(running.events, "post", post_late)
        mock.fail(PRODUCE, TOO_LARGE)
        target.produce(0, b"bad")
        assert until(lambda: target.handle.losses.total == 1)
        assert running.events.take(10) == []
