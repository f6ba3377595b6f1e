"""Faults of the package itself: what a script is told of them,
and where their traceback goes.
"""

from __future__ import annotations

import os
import tkinter
from pathlib import Path
from typing import Any

import pytest
from fix_cluster import Cluster
from fix_engine import engine, until
from fix_tcl import KAFKATCLSH, RunTcl

from kafkatcl.bridge.answers import guarded
from kafkatcl.bridge.inprocess import define_call
from kafkatcl.engine.errors import kafka_errors
from kafkatcl.errors import Failure

SECRET = "hunter2 was the password"


def consume_all() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError:
        raise ValueError(SECRET) from None


def answered(**environment: str) -> tuple[str, tuple[str, ...]]:
    """Message and errorCode of a bridge call that raises."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KAFKATCL_LOG", "KAFKATCL_DEBUG"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        status, message, code = guarded(consume_all)()
    assert status == 1
    assert (
        "KAFKA INTERNAL: consume_all failed, which is a fault of package kafka: please report it" in message
    )
    assert not [word for word in (SECRET, "Error", "Traceback") if word in message]
    return message, code


def test_a_fault_says_how_to_get_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    message, code = answered()
    assert "KAFKATCL_LOG" in message
    assert "KAFKATCL_DEBUG" in message
    assert code == ("KAFKA", "INTERNAL", "consume_all")
    assert capfd.readouterr() == ("", "")


def test_its_traceback_goes_to_the_named_file_without_the_text_of_the_exception(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "faults.log"
    for _ in range(2):
        message, _ = answered(KAFKATCL_LOG=str(log))
        assert f"it is in {log}" in message
    text = log.read_text()
    assert text.count("fault in consume_all\n") == 2
    assert text.count("in consume_all\n    raise ValueError(SECRET) from None\nValueError\n") == 2
    assert text.count("KeyError\n") == 2
    assert SECRET not in text
    assert capfd.readouterr() == ("", "")


def test_its_traceback_goes_to_stderr_for_whoever_debugs(capfd: pytest.CaptureFixture[str]) -> None:
    assert "it is on stderr" in answered(KAFKATCL_DEBUG="1")[0]
    output = capfd.readouterr()
    assert output.err.endswith("ValueError\n")
    assert SECRET not in output.err


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert f"it could not be written to {tmp_path}" in answered(KAFKATCL_LOG=str(tmp_path))[0]


def test_a_fault_whose_traceback_cannot_be_told_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("traceback.format_tb", refuse)
    assert "KAFKATCL_LOG" in answered()[0]


def test_a_fault_in_a_text_that_tcl_cannot_have_is_told_all_the_same(tmp_path: Path) -> None:
    app = tkinter.Tcl().tk
    define_call(app, "primitive", consume_all)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAFKATCL_LOG", os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
        status, message, _ = app.call("primitive")
    assert status == 1
    assert "please report it" in message


def test_what_the_wrapper_finds_wrong_is_not_told_in_its_words() -> None:
    for error in (ValueError(SECRET), TypeError(SECRET), OverflowError(SECRET)):
        with pytest.raises(Failure) as failed, kafka_errors("the offsets"):
            raise error
        assert SECRET not in failed.value.message
        assert failed.value.errorcode[1] == "RD_KAFKA_RESP_ERR__INVALID_ARG"
        assert "the offsets" in failed.value.message


def test_a_fault_in_the_thread_of_a_handle_is_an_error_event(
    embedded_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKATCL_LOG", raising=False)
    with engine(embedded_cluster) as running:
        running.master.want("error", True)
        handle = running.producer()
        monkeypatch.setattr(handle, "_poll", consume_all)
        handle.poll_thread.wake()
        told: list[Any] = []

        def is_told() -> bool:
            told.extend(running.events.take(10))
            return bool(told)

        assert until(is_told)
        callback_id, argument = told[0]
        assert callback_id == "m1.error"
        assert f"KAFKA INTERNAL: the thread of {handle.name} failed" in argument.reason
        assert SECRET not in str(argument)


def test_a_script_is_told_of_a_fault_the_same_everywhere(run_everywhere: RunTcl, tmp_path: Path) -> None:
    script = """
    package require kafka
    puts [catch {::kafkatcl::Unwrap [::kafkatcl::bridge::events_take nosession 1]} message options]
    puts $message
    puts [dict get $options -errorcode]
    puts [catch {kafka::kafka version}]
    """
    log = tmp_path / "faults.log"
    done = run_everywhere(script, env={"KAFKATCL_LOG": str(log)}, may_show_faults=True)
    code, message, errorcode, after = done.stdout.splitlines()
    assert (code, errorcode, after) == ("1", "KAFKA INTERNAL events_take", "0")
    assert message.startswith("KAFKA INTERNAL: events_take failed")
    assert message.endswith(f"(it is in {log})")
    assert log.read_text().endswith("KeyError\n")
    assert done.stderr == ""


@pytest.mark.parametrize("word", ["KAFKA INTERNAL", "Traceback (most recent call last)"])
def test_a_script_that_shows_a_fault_fails_its_test(run_tcl: RunTcl, word: str) -> None:
    for channel in ("stdout", "stderr"):
        with pytest.raises(pytest.fail.Exception, match="fault"):
            run_tcl(f'puts {channel} "{word}"', shell=KAFKATCLSH)
    assert run_tcl(f'puts "{word}"', may_show_faults=True).stdout == f"{word}\n"
