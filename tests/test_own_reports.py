"""Delivery reports of messages that were sent with options:
what they tell, to whom, and each exactly once.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from fix_cluster import Cluster
from fix_mock import Mock
from fix_producing import MASTER
from fix_tcl import RunTcl, also_in_tcl9

SETUP = (
    MASTER
    + """
proc told {who report} {
    puts "$who [lmap {name value} $report {format %s=%s $name $value}]"
}
"""
)
VARYING = re.compile(r"(latency|offset|timestamp)=\d+")

REPORTS = (
    SETUP
    + """
m delivery_report callback {told master}
m delivery_report every 2
m producer_creator p
p new_topic t $topic
p info topics
t produce 0 one k
p flush
t produce 0 two -callback {told own} -timestamp 5
p flush
t produce 0 three
p flush
t produce 0 four k -tag {a {b c}} -headers {h v h {}} -null_headers 1
p flush
t tombstone 0 gone -callback {told {own x}} -tag {}
p flush
t produce_messages {{payload five partition 0}}
p flush
t produce_messages {{payload six partition 0} {payload seven partition 0 tag 7}} -callback {told all}
p flush
catch {t produce 0 eight -callback {error oops}}
proc bgerror {message} {puts "bgerror $message"}
p flush
t produce 0 [string repeat x 20] -callback {}
p flush
puts [p output_queue_length]
"""
)
MORE = "timestamp=N latency=N status=persisted"


@also_in_tcl9
def test_a_report_tells_what_was_sent_and_what_became_of_it(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(REPORTS, cluster.topic(), brokers=cluster)
    lines = [VARYING.sub(r"\1=N", line) for line in done.stdout.splitlines()]
    topic = re.search(r"topic=(\S+)", lines[0])
    assert topic
    assert [line.replace(topic[1], "T") for line in lines] == [
        "master payload=one partition=0 offset=N topic=T key=k",
        f"own payload=two partition=0 offset=N topic=T {MORE}",
        "master payload=four partition=0 offset=N topic=T key=k {headers=h v h {}} null_headers=1 timestamp=N "
        "{tag=a {b c}} latency=N status=persisted",
        "own x payload= partition=0 offset=N topic=T key=gone tombstone=1 timestamp=N tag= latency=N status=persisted",
        f"all payload=six partition=0 offset=N topic=T {MORE}",
        "all payload=seven partition=0 offset=N topic=T timestamp=N tag=7 latency=N status=persisted",
        "bgerror oops",
        f"master payload={'x' * 20} partition=0 offset=N topic=T {MORE}",
        "0",
    ]
    assert "timestamp=5 " in done.stdout.splitlines()[1]
    assert done.stderr == ""


FAILED = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers 127.0.0.1:1
m topic_config message.timeout.ms 300
{callback}
m producer_creator p
p new_topic t lost
proc told {{report}} {{puts [lreplace $report 1 1 E]; set ::done 1}}
t produce 0 failed k -callback told -headers {{a b}} -tag [list \\u0000 \\u20ac] -timestamp 7
vwait done
while {{[p output_queue_length]}} {{after 10}}
{also}
exit
"""
REPORT = (
    "error E code RD_KAFKA_RESP_ERR__MSG_TIMED_OUT message {Local: Message timed out (last error: 127.0.0.1:1: "
    "Connection refused)} payload failed partition 0 topic lost key k headers {a b} timestamp 7 "
    "tag {\0 \u20ac} latency N status not"
)


@pytest.mark.parametrize(
    "callback", ["", "m delivery_report callback {lappend other}", "m delivery_report every 0"]
)
def test_a_failure_is_told_to_the_callback_of_its_message_alone(
    run_everywhere: RunTcl, callback: str
) -> None:
    done = run_everywhere(FAILED.format(callback=callback, also="puts [info exists other]"))
    report, *rest = done.stdout.splitlines()
    assert re.sub(r"latency \d+", "latency N", report) == REPORT
    assert (rest, done.stderr, done.status) == (["0"], "", 0)


def test_only_those_without_a_callback_count_as_lost(run_everywhere: RunTcl) -> None:
    also = "t produce 0 lost -headers {a b}; t produce 0 lost\nwhile {[p output_queue_length]} {after 10}"
    done = run_everywhere(FAILED.format(callback="", also=also))
    assert done.status == 1
    assert re.findall("(\\d+) messages of", done.stderr) == ["2"]


#: A message goes without callback, so the client need not tell of it; yet it does, of
#: the others.
UNREPORTED = (
    SETUP
    + """
m producer_creator p
p new_topic t $topic
set got {}
for {set i 0} {$i < 300} {incr i} {
    t produce 0 plain
    t produce 1 $i -callback {apply {report {lappend ::got [dict get $report payload]}}}
    t produce_messages [list [list payload a partition 2] [list payload b partition 2 headers {a b}]]
    if {$i % 50 == 0} {
        p flush
    }
}
puts [p flush]
puts [expr {[lsort -integer $got] eq [lsort -integer [lsort -unique $got]]}],[llength $got]
"""
)


def test_messages_with_and_without_a_callback_go_together(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(UNREPORTED, topic, brokers=embedded_cluster)
    assert done.stdout.splitlines() == ["0", "1,300"]
    assert embedded_cluster.messages_in(topic) == 1200


#: Each message is reported once, whatever happens to it and to its handle.
ONCE = (
    SETUP
    + """
m config linger.ms 30 queue.buffering.max.messages 100000
%callback%
proc count {tag report} {
    puts "$tag [expr {[dict exists $report code] ? [dict get $report code] : "ok"}] [dict get $report status]"
}
set number 0
foreach p {p q} {
    m producer_creator $p
    $p new_topic t$p $topic
    t$p produce 0 first
    $p flush
    for {set i 0} {$i < 400} {incr i} {
        t$p produce [expr {$i % 4}] x -callback [list count [incr number]]
        if {$i == 100} {
            update
        }
        if {$i == 200} {
            $p purge
        }
        if {$i == 300} {
            after 20
            $p poll
            $p purge -queued no
        }
    }
    set messages {}
    for {set i 0} {$i < 400} {incr i} {
        lappend messages [list payload x partition [expr {$i % 4}]]
    }
    t$p produce_messages $messages -callback {count many}
    if {$p eq "p"} {
        p delete
    }
}
q flush
after 1000 {set over 1}
vwait over
"""
)


@pytest.mark.parametrize("callback", ["", "m delivery_report callback list"])
def test_each_message_is_reported_exactly_once(
    run_everywhere: RunTcl, embedded_cluster: Cluster, callback: str
) -> None:
    script = ONCE.replace("%callback%", callback)
    done = run_everywhere(script, embedded_cluster.topic(), brokers=embedded_cluster)
    told = Counter(line.split()[0] for line in done.stdout.splitlines())
    assert told.pop("many") == 800
    assert told == {str(number): 1 for number in range(1, 801)}
    outcomes = {line.split(maxsplit=1)[1] for line in done.stdout.splitlines()}
    assert "ok persisted" in outcomes
    assert any("PURGE" in outcome for outcome in outcomes)
    assert done.stderr == ""


DELETED = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers 127.0.0.1:1
m producer_creator p
p new_topic t lost
p delete
foreach call {
    {t produce 0 x -tag y}
    {t produce 0 x -headers {a b}}
    {t tombstone 0 k}
    {t produce_messages {}}
    {t produce_messages {x}}
    {t produce_messages {{payload x}}}
    {t info partition_for k}
} {
    puts [catch $call message],[string match "*was deleted)" $message]
}
"""


def test_nothing_is_sent_by_a_handle_that_is_deleted(run_everywhere: RunTcl) -> None:
    assert run_everywhere(DELETED).stdout.splitlines() == ["1,1"] * 7


#: The interpreter goes, or the program: nobody can be told, and what fails is lost.
GONE = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers 127.0.0.1:1
m producer_creator p
p new_topic t lost
t produce 0 a -callback {puts never}
t produce 0 b
"""


@pytest.mark.parametrize("before", ["", "p delete"])
def test_the_end_of_the_program_counts_what_nobody_is_told(run_everywhere: RunTcl, before: str) -> None:
    done = run_everywhere(f"{GONE}\n{before}", env={"KAFKATCL_FLUSH_TIMEOUT_MS": "300"})
    assert (done.stdout, done.status) == ("", 1)
    assert re.findall(r"(\d+) messages of", done.stderr) == ["2"]


@pytest.mark.parametrize("before", ["", "p delete"])
def test_the_end_of_a_child_ends_the_callbacks_it_has_set(run_everywhere: RunTcl, before: str) -> None:
    script = f"""
        package require kafka
        interp create child
        child eval {{{GONE}}}
        child eval {{{before}}}
        interp delete child
        after 600 {{set over 1}}
        vwait over
        puts alive
    """
    done = run_everywhere(script, env={"KAFKATCL_FLUSH_TIMEOUT_MS": "300"})
    assert (done.stdout, done.status) == ("alive\n", 1)
    assert re.findall(r"(\d+) messages of", done.stderr) == ["2"]


PURGED = """
m delivery_report callback {{told master}}
m producer_creator p
p new_topic t $topic
{before}
t produce 0 one -callback {{told own}} -timestamp 5
t produce 0 two
puts [p flush 300]
p purge -queued no -in_flight no
p purge -{other} no
puts [p flush 50]
p purge -{kept} no
puts [p flush 5000]
"""
REPORTS_OF_PURGED = """2
2
own {{error=Local: Purged in {where}}} code=RD_KAFKA_RESP_ERR__PURGE_{name} {{message=Local: Purged in {where}}} \
payload=one partition=0 topic=slow timestamp=5 latency=N status={status}
master {{error=Local: Purged in {where}}} code=RD_KAFKA_RESP_ERR__PURGE_{name} {{message=Local: Purged in {where}}} \
payload=two partition=0 topic=slow
0
"""


def test_messages_that_were_not_sent_are_purged(run_everywhere: RunTcl) -> None:
    script = SETUP + PURGED.format(before="", kept="in_flight", other="queued")
    done = run_everywhere(script, "slow", env={"KAFKATCL_TEST_BROKERS": "127.0.0.1:1"})
    expected = REPORTS_OF_PURGED.format(where="queue", name="QUEUE", status="not")
    assert VARYING.sub(r"\1=N", done.stdout).replace("timestamp=N", "timestamp=5") == expected


def test_messages_that_were_sent_are_purged(run_everywhere: RunTcl, mock: Mock) -> None:
    mock.create_topic("slow")
    mock.delay(1000)
    script = SETUP + PURGED.format(
        before="t produce 0 first -callback list; p flush", kept="queued", other="in_flight"
    )
    done = run_everywhere(script, "slow", env={"KAFKATCL_TEST_BROKERS": " ".join(mock.bootstrap)})
    expected = REPORTS_OF_PURGED.format(where="flight", name="INFLIGHT", status="possibly")
    assert VARYING.sub(r"\1=N", done.stdout).replace("timestamp=N", "timestamp=5") == expected
