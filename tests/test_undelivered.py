"""Nothing is lost without a word: what was not delivered, and told to no callback,
is counted and told.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_mock import OUT_OF_ORDER_SEQUENCE_NUMBER, PRODUCE, TOPIC_AUTHORIZATION_FAILED, Mock
from fix_tcl import KAFKATCLSH, TCLSH, RunTcl, environment_of

# A producer whose messages fail after 0.3 s, and procedures to queue some and to wait
# until they have failed.
PRELUDE = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers 127.0.0.1:1
m topic_config message.timeout.ms 300
set told {}
proc reported {report} {lappend ::told $report}
proc listen {} {m delivery_report callback reported}
proc open_producer {{name p}} {
    m producer_creator $name
    $name new_topic ${name}t lost
}
proc produce {count {topic pt}} {
    for {set i 0} {$i < $count} {incr i} {$topic produce 0 m$i}
}
proc await_failures {} {
    while {[p output_queue_length] > 0} {after 10}
}
proc await_told {count} {
    while {[llength $::told] < $count} {vwait ::told}
}
"""
TIMED_OUT = "Local: Message timed out"
LAST = "last error: 127.0.0.1:1: Connection refused"
QUEUED = f"still queued after 0.4 s; {LAST}"


def lines(stderr: str) -> list[str]:
    """What is told at the end: the number of messages, their producer, and the rest."""
    return re.findall(
        r"^kafkatcl: (\d+ messages of rdkafka#producer-\d+) were not delivered: .*$", stderr, re.M
    )


def reasons(stderr: str) -> list[str]:
    return re.findall(
        r"^kafkatcl: \d+ messages of rdkafka#producer-\d+ were not delivered: (.*)$", stderr, re.M
    )


LOST = {
    "failed before the end": ("open_producer; produce 5; await_failures", f"5 of lost ({TIMED_OUT})"),
    "failed at the end": ("open_producer; produce 5", f"5 of lost ({TIMED_OUT})"),
    "not sent in time": (
        "m topic_config message.timeout.ms 60000; open_producer; produce 5",
        f"5 of lost ({QUEUED})",
    ),
    "no brokers": (
        "kafka::kafka create m2; m2 logger none; m2 producer_creator p; p new_topic pt lost; produce 5",
        "5 of lost (no brokers are known)",
    ),
    "a batch": ("open_producer; pt produce_batch 0 {{a} {b k} {c}}", f"3 of lost ({TIMED_OUT})"),
    "with keys": ("open_producer; pt produce 0 a k; pt produce -1 b {}", f"2 of lost ({TIMED_OUT})"),
    "two topics": (
        "open_producer; p new_topic other other; produce 2; other produce 0 x",
        f"2 of lost ({TIMED_OUT}), 1 of other ({TIMED_OUT})",
    ),
    "a deleted producer": ("open_producer; produce 5; p delete", f"5 of lost ({TIMED_OUT})"),
    "a producer deleted after they failed": (
        "open_producer; produce 5; await_failures; p delete",
        f"5 of lost ({TIMED_OUT})",
    ),
    "everything deleted": (
        "open_producer; produce 5; pt delete; p delete; m delete",
        f"5 of lost ({TIMED_OUT})",
    ),
    "reports that no callback ran for": (
        "listen; open_producer; produce 5; await_failures_of_reports",
        f"5 of lost ({TIMED_OUT})",
    ),
    "reports of a deleted producer": (
        "listen; open_producer; produce 5; await_failures_of_reports; p delete",
        f"5 of lost ({TIMED_OUT})",
    ),
    "reports at the end": ("listen; open_producer; produce 5", f"5 of lost ({TIMED_OUT})"),
    "no report wanted": (
        "listen; m delivery_report every 0; open_producer; produce 5; pause",
        f"5 of lost ({TIMED_OUT})",
    ),
    "each third report wanted": (
        "listen; m delivery_report every 3; open_producer; produce 5; await_told 2; pause",
        f"3 of lost ({TIMED_OUT})",
    ),
    "a sample wanted": (
        "listen; m delivery_report every 0; m delivery_report sample; open_producer; produce 5; await_told 1; pause",
        f"4 of lost ({TIMED_OUT})",
    ),
    "a callback that is unset": (
        "listen; open_producer; produce 5; await_failures_of_reports; m delivery_report callback {}; update; listen;"
        "update; pause",
        f"5 of lost ({TIMED_OUT})",
    ),
    "a callback that is unset before": (
        "listen; open_producer; produce 5; m delivery_report callback {}; pause",
        f"5 of lost ({TIMED_OUT})",
    ),
    "a callback that deletes the producer": (
        "proc reported {report} {lappend ::told $report; p delete}\n"
        "listen; open_producer; produce 5; await_told 1; pause",
        f"4 of lost ({TIMED_OUT})",
    ),
    "a callback that ends the program": (
        "proc reported {report} {exit}\nlisten; open_producer; produce 5; vwait forever",
        f"4 of lost ({TIMED_OUT})",
    ),
    "a callback that unsets itself": (
        "proc reported {report} {lappend ::told $report; m delivery_report callback {}}\n"
        "listen; open_producer; produce 5; await_told 1; pause",
        f"4 of lost ({TIMED_OUT})",
    ),
    "a callback of a deleted master": (
        "listen; open_producer; produce 5; await_failures_of_reports; m delete; pause",
        f"5 of lost ({TIMED_OUT})",
    ),
    "a callback set too late": ("open_producer; listen; produce 5; pause", f"5 of lost ({TIMED_OUT})"),
}
MORE = """
# Messages are looked at once a second.
proc await_failures_of_reports {} {after 2000}
proc events {ms} {
    after $ms {set ::waited 1}
    vwait ::waited
}
# Until all of the producer's messages have failed, if it is still there; then for a while, in which nothing may come.
proc pause {} {
    while {![catch {p output_queue_length} count] && $count > 0} {events 10}
    events 200
}
"""


@pytest.mark.parametrize("how", LOST)
def test_what_was_lost_is_told_at_the_end_and_the_status_is_1(how: str, run_everywhere: RunTcl) -> None:
    script, reason = LOST[how]
    flush = "400" if QUEUED in reason else "5000"
    done = run_everywhere(PRELUDE + MORE + script, env={"KAFKATCL_FLUSH_TIMEOUT_MS": flush})
    assert (reasons(done.stderr), done.status) == ([reason], 1), done.stderr


def test_each_producer_has_a_line(run_everywhere: RunTcl) -> None:
    done = run_everywhere(PRELUDE + "open_producer; open_producer q; produce 2; produce 3 qt")
    assert sorted(lines(done.stderr)) == [
        "2 messages of rdkafka#producer-1",
        "3 messages of rdkafka#producer-2",
    ]
    assert done.status == 1


def test_what_a_child_interpreter_has_lost_is_told(run_everywhere: RunTcl) -> None:
    done = run_everywhere(
        f"package require kafka; interp create c; c eval {{{PRELUDE} listen; open_producer; produce 5; after 2000}}\n"
        "interp delete c"
    )
    assert (reasons(done.stderr), done.status) == ([f"5 of lost ({TIMED_OUT})"], 1)


def test_what_a_callback_was_told_is_no_loss(run_everywhere: RunTcl) -> None:
    done = run_everywhere(PRELUDE + "listen; open_producer; produce 5; await_told 5; puts [lindex $told 0]")
    assert done.stdout == (
        f"error {{{TIMED_OUT}}} code RD_KAFKA_RESP_ERR__MSG_TIMED_OUT message {{{TIMED_OUT} ({LAST})}} "
        "payload m0 partition 0 topic lost\n"
    )
    assert (done.stderr, done.status) == ("", 0)


@pytest.mark.parametrize("last", ["p delete", "m delete", "m delivery_report callback {}", "exit 0"])
def test_a_callback_that_ends_with_the_last_report_was_told(last: str, run_everywhere: RunTcl) -> None:
    script = (
        f"proc reported {{report}} {{lappend ::told $report; if {{[llength $::told] == 5}} {{{last}}}}}\n"
    )
    done = run_everywhere(PRELUDE + script + "listen; open_producer; produce 5; await_told 5")
    assert (done.stderr, done.status) == ("", 0)


def test_a_callback_that_fails_was_told(run_everywhere: RunTcl) -> None:
    script = "proc reported {report} {lappend ::told $report; error boo}; proc bgerror text {}\n"
    done = run_everywhere(PRELUDE + script + "listen; open_producer; produce 5; await_told 5; update")
    assert (done.stderr, done.status) == ("", 0)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("exit", 1),
        ("exit 0", 1),
        ("exit 256", 1),
        ("exit 0x0", 1),
        ("exit 3", 3),
        ("error boo", 1),
        ("catch {exit no}; catch {exit 1 2}; pt produce 0 m; exit 0", 1),
        ("interp create c; c eval {exit 0}", 1),
        ("interp create c; c eval {package require kafka; exit}", 1),
        ("after 1 {catch {exit 0}}; vwait forever", 1),
        ("rename exit leave; proc exit {args} {leave 0}", 1),
        ("rename exit leave; proc exit {args} {leave 5}", 5),
    ],
)
def test_only_a_status_of_0_changes(end: str, status: int, run_everywhere: RunTcl) -> None:
    done = run_everywhere(PRELUDE + "open_producer; produce 4\n" + end)
    count = 5 if "pt produce" in end else 4
    assert (lines(done.stderr), done.status) == ([f"{count} messages of rdkafka#producer-1"], status)


@pytest.mark.parametrize("shell", [KAFKATCLSH, TCLSH], ids=["kafkatclsh", "tclsh"])
def test_the_status_of_commands_from_standard_input_is_1(shell: Sequence[str]) -> None:
    done = subprocess.run(
        [*shell, *(["-"] if shell == KAFKATCLSH else [])],
        input=PRELUDE + "open_producer; produce 5\n",
        env={**os.environ, **environment_of(shell)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (reasons(done.stderr), done.returncode) == ([f"5 of lost ({TIMED_OUT})"], 1)


# -- the log ---------------------------------------------------------------------------


def test_the_first_loss_of_a_topic_is_logged_at_once(run_everywhere: RunTcl) -> None:
    done = run_everywhere(
        PRELUDE
        + """
        proc logged {line} {
            if {[dict get $line facility] eq "UNDELIVERED"} {
                lappend ::logged $line
            }
        }
        m logger callback logged
        open_producer
        p new_topic other other
        produce 5
        other produce 0 x
        set logged {}
        while {[llength $logged] < 2} {vwait logged}
        puts [join [lsort $logged] \\n]
        """
    )
    assert done.stdout.splitlines() == [
        "level 4 facility UNDELIVERED message "
        f"{{rdkafka#producer-1: topic {topic}: 1 message was not delivered: {TIMED_OUT}}}"
        for topic in ("lost", "other")
    ]


def test_the_first_loss_is_a_line_on_standard_error(run_everywhere: RunTcl) -> None:
    done = run_everywhere(PRELUDE + "m logger stderr; m config log_level 2; open_producer; produce 5; exit 2")
    (logged,) = re.findall(r"^%4\|[\d.]+\|UNDELIVERED\|[^|]*\| (.*)$", done.stderr, re.M)
    assert logged == f"rdkafka#producer-1: topic lost: 1 message was not delivered: {TIMED_OUT}"


# -- what a cluster refuses ------------------------------------------------------------

CLUSTER = (
    PRELUDE
    + """
m topic_config message.timeout.ms 20000
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
"""
)


def test_an_unknown_partition_is_told(cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = cluster.topic()
    script = f"m producer_creator p; p new_topic t {topic}; t produce_batch 99 {{a b c}}; t produce 0 x"
    done = run_everywhere(CLUSTER + f"{script}", brokers=cluster)
    assert (reasons(done.stderr), done.status) == ([f"3 of {topic} (Local: Unknown partition)"], 1)
    assert cluster.messages_in(topic) == 1


@pytest.mark.parametrize(
    ("topic", "reason"),
    [("bad topic", "Broker: Invalid topic"), ("bad\x1b[2J\ntopic", "Broker: Invalid topic")],
)
def test_a_topic_that_kafka_refuses_is_told(
    topic: str, reason: str, kafka_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    script = f"m producer_creator p; p new_topic t {{{topic}}}; for {{set i 0}} {{$i < 5}} {{incr i}} {{t produce 0 x}}"
    done = run_everywhere(CLUSTER + script, brokers=kafka_cluster)
    shown = topic.replace("\x1b", "\\x1b").replace("\n", "\\n")
    # What comes behind the cluster's answer is refused by librdkafka.
    told = re.findall(rf"(\d) of {re.escape(shown)} \(({reason}|Local: Unknown topic)\)", done.stderr)
    assert (sum(int(count) for count, _ in told), done.status) == (5, 1), done.stderr


def test_a_message_that_kafka_finds_too_large_is_told(kafka_cluster: Cluster, run_everywhere: RunTcl) -> None:
    topic = kafka_cluster.topic()
    done = run_everywhere(
        CLUSTER
        + f"m config message.max.bytes 5000000; m producer_creator p; p new_topic t {topic}\n"
        + "for {set i 0} {$i < 5} {incr i} {t produce 0 [string repeat x 3000000]}",
        brokers=kafka_cluster,
    )
    assert (reasons(done.stderr), done.status) == ([f"5 of {topic} (Broker: Message size too large)"], 1)


@pytest.mark.parametrize("listening", [False, True])
def test_a_forbidden_topic_is_told(listening: bool, mock: Mock, run_everywhere: RunTcl) -> None:
    mock.fail(PRODUCE, TOPIC_AUTHORIZATION_FAILED, 5)
    script = "listen; open_producer; produce 5; await_told 5" if listening else "open_producer; produce 5"
    env = {"KAFKATCL_TEST_BROKERS": mock.bootstrap[0]}
    done = run_everywhere(CLUSTER + "m config linger.ms 300\n" + script, env=env)
    reason = [] if listening else ["5 of lost (Broker: Topic authorization failed)"]
    assert (reasons(done.stderr), done.status) == (reason, 0 if listening else 1)


def test_a_report_without_an_acknowledgement_has_no_offset(
    embedded_cluster: Cluster, run_everywhere: RunTcl
) -> None:
    done = run_everywhere(
        CLUSTER
        + "m topic_config acks 0; listen; open_producer; produce 1; await_told 1; puts [lindex $told 0]",
        brokers=embedded_cluster,
    )
    assert done.stdout == "payload m0 partition 0 offset invalid topic lost\n"


# -- fatal errors ----------------------------------------------------------------------

# An idempotent producer that has a fatal error: how many messages were accepted,
# refused, and told to have failed.
FATAL = (
    CLUSTER
    + """
m config enable.idempotence true
proc begin {} {
    open_producer
    produce 1
    while {[p output_queue_length] > 0} {after 1; update}
    for {set i 0} {$i < 100} {incr i} {pt produce 0 $i}
    while {[p output_queue_length] > 0} {after 1; update}
    puts ready
    flush stdout
    gets stdin
}
proc go {count} {
    array set ::is {accepted 0 refused 0}
    for {set i 0} {$i < $count} {incr i} {
        if {[catch {pt produce 0 $i}]} {
            incr ::is(refused)
            set ::is([lindex $::errorCode 1]) 1
        } else {
            incr ::is(accepted)
        }
        if {$i % 1000 == 0} {after 1}
    }
}
"""
)


def fatal(shell: Sequence[str], mock: Mock, script: str, folder: Path) -> tuple[str, str, int]:
    file = folder / "fatal.tcl"
    file.write_text(FATAL + script)
    env = {**os.environ, **environment_of(shell), "KAFKATCL_TEST_BROKERS": mock.bootstrap[0]}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*shell, str(file)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            mock.fail(PRODUCE, OUT_OF_ORDER_SEQUENCE_NUMBER, 3)
            stdout, stderr = process.communicate("\n", timeout=40)
        finally:
            process.kill()
    return stdout, stderr, process.returncode


def test_after_a_fatal_error_what_was_accepted_is_counted(
    shell: Sequence[str], mock: Mock, tmp_path: Path
) -> None:
    stdout, stderr, status = fatal(shell, mock, "begin; go 40000; puts $is(accepted); exit", tmp_path)
    (lost,) = re.findall(r"^kafkatcl: (\d+) messages", stderr, re.M)
    assert (int(lost), status) == (int(stdout), 1), stderr


def test_after_a_fatal_error_what_was_accepted_is_reported(
    shell: Sequence[str], mock: Mock, tmp_path: Path
) -> None:
    stdout, stderr, status = fatal(
        shell,
        mock,
        "listen; begin; set told {}; go 40000; await_told $is(accepted)\n"
        "set failed [llength [lsearch -all -inline -glob $told {error * payload * topic lost}]]\n"
        "puts [expr {$failed == $is(accepted) && $is(refused) > 0}]",
        tmp_path,
    )
    assert (stdout, stderr, status) == ("1\n", "", 0)


def test_after_a_fatal_error_a_shell_that_has_heard_of_it_refuses_each(
    shell: Sequence[str], mock: Mock, tmp_path: Path
) -> None:
    stdout, _, status = fatal(
        shell,
        mock,
        "begin; go 20; while {[p output_queue_length]} {after 1}; after 300 {set on 1}; vwait on\n"
        "go 100; puts $is(accepted),$is(refused),[info exists is(RD_KAFKA_RESP_ERR__FATAL)]",
        tmp_path,
    )
    assert (stdout, status) == ("0,100,1\n", 1)


# -- the sidecar -----------------------------------------------------------------------


def test_a_sidecar_that_was_killed_is_told_at_the_end(run_tcl: RunTcl) -> None:
    done = run_tcl(
        PRELUDE + "open_producer; produce 5; exec kill -KILL $::kafkatcl::sidecar::process; after 200; exit",
        shell=TCLSH,
    )
    assert re.search(r"^kafkatcl: the sidecar of package kafka has ended \(SIGKILL\)", done.stderr, re.M)
    assert done.status == 1


def test_the_sidecar_of_a_killed_shell_tells(tmp_path: Path) -> None:
    file = tmp_path / "s.tcl"
    file.write_text(PRELUDE + "open_producer; produce 5; puts ready; flush stdout; vwait forever")
    pipe = subprocess.PIPE
    env = {**os.environ, **environment_of(TCLSH)}
    with subprocess.Popen([*TCLSH, str(file)], stdout=pipe, stderr=pipe, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
        _, stderr = process.communicate(timeout=20)
    assert reasons(stderr) == [f"5 of lost ({TIMED_OUT})"]


# -- Python programs -------------------------------------------------------------------


def host(program: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KAFKATCLSH[0], "-c", f"import kafkatcl, warnings\nPRELUDE = {PRELUDE + MORE!r}\n{program}"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


CLOSINGS = {
    "close": "interp = kafkatcl.Interp(); interp.eval(PRELUDE + SCRIPT); interp.close()",
    "with": "with kafkatcl.Interp() as interp: interp.eval(PRELUDE + SCRIPT)",
}


@pytest.mark.parametrize(
    "script",
    [
        "open_producer; produce 5",
        "open_producer; produce 5; p delete",
        "package require kafka; interp create c; c eval {package require kafka}; open_producer; produce 5",
    ],
)
@pytest.mark.parametrize("closing", CLOSINGS)
def test_closing_an_interpreter_warns_of_what_was_lost(closing: str, script: str) -> None:
    done = host(f"SCRIPT = {script!r}\n{CLOSINGS[closing]}")
    words = f"5 messages of rdkafka#producer-1 were not delivered: 5 of lost ({TIMED_OUT})"
    assert re.search(rf"^<string>:\d+: UndeliveredWarning: {re.escape(words)}$", done.stderr, re.M), (
        done.stderr
    )
    assert done.stderr.count(f"kafkatcl: {words}") == 1
    assert done.returncode == 0


def test_a_program_can_make_it_an_error() -> None:
    done = host(
        "warnings.simplefilter('error', kafkatcl.UndeliveredWarning)\n"
        "interp = kafkatcl.Interp(); interp.eval(PRELUDE + 'open_producer; produce 5'); interp.close()"
    )
    assert done.stderr.splitlines()[-1].startswith(
        "kafkatcl.hosting.errors.UndeliveredWarning: 5 messages of "
    )
    assert done.returncode == 1


def test_closing_an_interpreter_waits_for_delivery_and_is_silent(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    script = (
        f"m config bootstrap.servers {embedded_cluster.bootstrap_servers} linger.ms 500\n"
        f"m topic_config message.timeout.ms 20000; m producer_creator p; p new_topic t {topic}; t produce 0 x"
    )
    done = host(
        f"interp = kafkatcl.Interp(); interp.eval(PRELUDE + {script!r}); interp.close()\nimport os; os._exit(4)"
    )
    assert (done.stderr, done.returncode, embedded_cluster.messages_in(topic)) == ("", 4, 1)


def test_closing_an_interpreter_knows_what_its_callbacks_were_told() -> None:
    done = host(
        "with kafkatcl.Interp() as interp: interp.eval(PRELUDE + 'listen; open_producer; produce 3; await_told 3')"
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_another_interpreter_goes_on() -> None:
    done = host(
        "other = kafkatcl.Interp(); other.eval(PRELUDE + 'open_producer; produce 2')\n"
        "interp = kafkatcl.Interp(); interp.eval(PRELUDE)\n"
        "warnings.simplefilter('error')\n"
        "interp.close()\n"
        "other.eval('produce 1')\n"
    )
    assert lines(done.stderr) == ["3 messages of rdkafka#producer-1"]
    assert "Warning" not in done.stderr
