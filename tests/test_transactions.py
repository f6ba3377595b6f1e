"""Transactions: what is committed together, what comes again, and what is an error."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

SETUP = """
package require kafka
lassign $argv in out
kafka::kafka create m
m logger none
if {[info exists env(KAFKATCL_TEST_BROKERS)]} {
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
}
m config fetch.wait.max.ms 20 linger.ms 0
proc producer {name {id t}} {
    m config transactional.id $id$::in
    m producer_creator $name
    m config transactional.id {}
}
proc member {name group} {
    m config group.id $group$::in enable.auto.commit false
    m subscriber $name
    m config group.id {} enable.auto.commit {}
}
proc fill {count} {
    m producer_creator filler
    filler new_topic filled $::in
    for {set i 0} {$i < $count} {incr i} {
        filled produce 0 $i
    }
}
proc told {script} {
    set code [catch {uplevel 1 $script} result options]
    puts "$code $result"
    return $options
}
proc payloads {s count} {
    set payloads {}
    while {$count > 0} {
        set message [$s consume 20000]
        if {$message eq ""} {error "no message in 20 s"}
        lappend payloads [dict get $message payload]
        incr count -1
    }
    return $payloads
}
"""


def read_committed(cluster: Cluster, topic: str) -> list[str]:
    """The payloads that a reader of committed messages finds, by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap_servers,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[tuple[int, str]] = []
        ends = 0
        while ends < len(partitions):
            message = consumer.poll(20)
            assert message is not None
            ends += message.error() is not None
            if message.error() is None:
                found.append((message.partition() or 0, (message.value() or b"").decode()))
        return [payload for _, payload in sorted(found, key=lambda each: each[0])]
    finally:
        consumer.close()


# -- how a script ends -----------------------------------------------------------------

ENDS = (
    SETUP
    + """
producer p
p new_topic tp $in
proc here {} {p transaction {set ::level [info level]; return 17}; return no}
puts "[here] $level"
proc by_creator {} {tp creator transaction {set ::level [info level]; return 18}; return no}
puts "[by_creator] $level"
foreach command {p {tp creator}} {
    foreach i {1 2 3} {
        {*}$command transaction {
            tp produce 0 $i
            if {$i == 1} continue
            if {$i == 2} break
        }
        puts "not here"
    }
    puts $i
}
puts [p transaction {set local 5}]$local
puts [catch {p transaction {return -code 7 seven}} result]$result
proc seven {} {p transaction {return -code 7 seven}}
puts [catch seven result]$result
set options [told {p transaction {
    tp produce 0 aborted
    error bad "" {MY CODE}
}}]
puts [dict get $options -errorcode]
puts [lindex [split [dict get $options -errorinfo] \\n] end]
puts [lsearch -inline [split $errorInfo \\n] *line*]
coroutine work apply {{} {
    puts [p transaction {tp produce 0 [yield]; expr {6 * 7}}]
}}
told {p transaction {}}
work yielded
coroutine gone apply {{} {p transaction {tp produce 0 [yield]}}}
rename gone {}
told {p transaction {set next 1}}
"""
)


@also_in_tcl9
def test_a_transaction_ends_as_its_script_does(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(ENDS, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "17 1",
        "18 1",
        *["2", "2"],
        "55",
        "2seven",
        "7seven",
        "1 bad",
        "MY CODE",
        '"uplevel 1 $script"',
        '    ("transaction" body line 3)',
        "1 kafka error: Local: Erroneous state (a transaction is under way already: they cannot be nested)",
        "42",
        "0 1",
    ]


# -- what is an error ------------------------------------------------------------------

ERRORS = (
    SETUP
    + """
producer p
p new_topic tp $in
member s g
m config group.id by.itself.$in
m subscriber own
m config group.id {}
m consumer_creator c
m producer_creator plain
proc code {script} {
    puts [catch {uplevel 1 $script} result][lindex $::errorCode 1]:$result
    set ::errorCode NONE
}
code {tp produce 0 outside}
code {p begin_transaction}
code {p commit_transaction}
code {plain transaction {}}
code {plain begin_transaction}
code {c transaction {}}
code {c init_transactions}
code {p transaction -offsets c {}}
code {p transaction -offsets own {}}
code {p transaction -offsets gone {}}
code {p transaction -timeout soon {}}
code {p init_transactions later}
code {p transaction}
code {p transaction {p begin_transaction}}
code {p transaction {p transaction {}}}
p begin_transaction
code {p send_offsets own}
code {p send_offsets s [list $in 0 -1]}
code {p send_offsets s [list $in 0 1]}
code {p commit_transaction 20000}
code {p abort_transaction}
code {tp produce 0 outside}
code {tp produce_batch 0 {outside too}}
code {p transaction {p delete}}
code {p transaction {}}
"""
)
STATE = "RD_KAFKA_RESP_ERR__STATE:kafka error: Local: Erroneous state"
INVALID = "RD_KAFKA_RESP_ERR__INVALID_ARG"
REFUSED = "1" + INVALID + ":kafka error: Local: Invalid argument or configuration"
OUTSIDE = f"1{STATE} (%sa transactional producer produces within transactions only: begin one before)"
UNCONFIGURED = (
    "1RD_KAFKA_RESP_ERR__NOT_CONFIGURED:kafka error: Local: Functionality not configured"
    " (transactions need transactional.id: set it on the master before the producer is made)"
)
DELETED = (
    "1RD_KAFKA_RESP_ERR__DESTROY:kafka error: Local: Broker handle destroyed for termination"
    " (the object was deleted)"
)
NESTED = f"1{STATE} (a transaction is under way already: they cannot be nested)"
SELFISH = f"{REFUSED} (the subscriber commits by itself: set enable.auto.commit to false before it is made)"


@also_in_tcl9
def test_what_is_wrong_is_an_error_that_says_what_to_do(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    done = run_everywhere(ERRORS, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        OUTSIDE % "",
        f"1{STATE} (the producer has no transactions yet: call init_transactions before)",
        f"1{STATE} (the producer has no transactions yet: call init_transactions before)",
        UNCONFIGURED,
        UNCONFIGURED,
        *[f"{REFUSED} (transactions are of producers, and this handle is a consumer)"] * 2,
        f'1{INVALID}:"c" is not a subscriber',
        SELFISH,
        '1LOOKUP:invalid command name "gone"',
        '1VALUE:expected integer but got "soon"',
        '1VALUE:expected integer but got "later"',
        '1WRONGARGS:wrong # args: should be "p transaction ?-timeout ms? ?-offsets subscriber? script"',
        NESTED,
        NESTED,
        SELFISH,
        '1VALUE:expected an offset of 0 or more but got "-1"',
        "0:",
        "0:",
        f"1{STATE} (no transaction is under way: call begin_transaction before)",
        OUTSIDE % "",
        OUTSIDE % "2 of 2 messages were not queued; ",
        DELETED,
        '1LOOKUP:invalid command name "p"',
    ]


# -- what comes again ------------------------------------------------------------------

BACK = (
    SETUP
    + """
fill 8
producer p
p new_topic tp $out
member s g
s subscribe $in
puts [p transaction -offsets s {tp produce 0 [set got [payloads s 3]]; set got}]
puts [catch {p transaction -offsets s {tp produce 0 [set got [payloads s 3]]; error $got}} got]$got
puts [p transaction -offsets s {tp produce 0 [set got [payloads s 1]]; set got}]
# A message that was handed over before the transaction comes again with it.
set message [dict get [s consume 1000] payload]
puts [catch {p transaction -offsets s {error $message}} got]$got
puts [payloads s 1]
p transaction -offsets s {}
# By single steps.
p begin_transaction
set got [payloads s 1]
p send_offsets s
p abort_transaction
puts $got-[payloads s 1]
p begin_transaction
p send_offsets s
p commit_transaction
puts [s offsets [list $in 0]]
# By a callback: what it has in hand, and what was taken for it already, comes again.
set got {}
s callback {apply {{message} {
    set payload [dict get $message payload]
    lappend ::got $payload
    if {[llength $::got] == 1} {
        catch {p transaction -offsets s {tp produce 0 aborted; error no}}
    } else {
        p transaction -offsets s {tp produce 0 $payload}
    }
}}}
while {[llength $got] < 3} {vwait got}
puts $got
s callback {}
puts [p transaction -offsets s {s offsets [list $in 0]}]
puts [s offsets -committed [list $in 0]]
"""
)


def test_what_an_aborted_transaction_has_consumed_comes_again(
    run_everywhere: RunTcl, cluster: Cluster
) -> None:
    topics = cluster.topic(), cluster.topic()
    done = run_everywhere(BACK, *topics, brokers=cluster)
    lines = done.stdout.replace(topics[0], "IN").splitlines()
    assert lines[:9] == ["0 1 2", "13 4 5", "3", "14", "4", "5-5", "{IN 0 6}", "6 6 7", "{IN 0 8}"], (
        done.stderr
    )
    if cluster.kind == "kafka":  # the mock forgets the offsets of transactions
        assert lines[9:] == ["{IN 0 8}"]
        assert read_committed(cluster, topics[1]) == ["0 1 2", "3", "6", "7"]


# -- what does not come to its end -----------------------------------------------------

ENDED = (
    SETUP
    + """
fill 6
member s g
s assign [list $in 0 0]
producer p
p new_topic tp $out
# The partitions are taken away.
told {p transaction -offsets s {set got [payloads s 2]; tp produce 0 $got; s assign {}; set got}}
puts [lindex $errorCode end]
s assign [list $in 0 0]
told {p transaction -offsets s {set got [payloads s 2]; tp produce 0 $got; set got}}
# The producer is deleted, and another one takes its place.
told {p transaction -offsets s {payloads s 2; p delete}}
producer p
p new_topic tp $out
told {p transaction -offsets s {error "not run"}}
puts [lindex $errorCode end]
told {p transaction -offsets s {set got [payloads s [expr {6 - [committed]}]]; tp produce 0 $got; set got}}
# The subscriber is deleted.
told {p transaction -offsets s {s delete}}
told {p transaction {set next 1}}
# The script is cancelled by another interpreter.
interp create child
child eval [list set argv $argv]
child eval [list set ::auto_path $::auto_path]
child eval {
    package require kafka
    kafka::kafka create m
    m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] transactional.id child-[lindex $argv 0]
    m producer_creator p
    p new_topic tp [lindex $argv 1]
    p init_transactions
}
foreach how {{} -unwind} {
    after 50 [list interp cancel {*}$how child]
    puts [catch {child eval {p transaction {tp produce 0 cancelled; vwait forever}}} message]$message
    puts [child eval {p transaction {set next 1}}]
}
"""
).replace("[committed]", "[lindex [s offsets -committed [list $in 0]] 0 2]")


def test_a_script_that_does_not_come_to_its_end_is_aborted(
    run_everywhere: RunTcl, kafka_cluster: Cluster
) -> None:
    topics = kafka_cluster.topic(partitions=1), kafka_cluster.topic(partitions=1)
    done = run_everywhere(ENDED, *topics, brokers=kafka_cluster)
    assert done.stdout.replace(topics[0], "IN").splitlines() == [
        "1 kafka error: Local: Group partition assignment lost"
        " (taken away before the commit: partition 0 of topic 'IN')",
        "abortable",
        "0 0 1",
        DELETED.replace("RD_KAFKA_RESP_ERR__DESTROY:", " "),
        "1 kafka error: Local: Erroneous state"
        " (how an earlier transaction ended was not known: back to what the group has committed)",
        "abortable",
        "0 2 3 4 5",
        DELETED.replace("RD_KAFKA_RESP_ERR__DESTROY:", " "),
        "0 1",
        "1eval canceled",
        "1",
        "1eval unwound",
        "1",
    ], done.stderr
    assert read_committed(kafka_cluster, topics[1]) == ["0 1", "2 3 4 5"]


# -- what others see -------------------------------------------------------------------

SEEN = (
    SETUP
    + """
m delivery_report callback reported
m delivery_report every -1
proc reported {report} {lappend ::reports [dict get $report payload]}
producer p
p new_topic tp $out
p transaction {tp produce 0 one; tp produce 1 two}
catch {p transaction {tp produce 0 aborted; error no}}
p begin_transaction
tp produce_batch 0 {three four}
p abort_transaction
# In a coroutine, and while the event loop runs.
coroutine work apply {{} {
    kafka::await p begin_transaction
    tp produce 0 five
    kafka::await p commit_transaction
    kafka::await p begin_transaction
    tp produce 0 aborted
    kafka::await p abort_transaction
    puts [catch {kafka::await p commit_transaction 1000} message]$message
    set ::done 1
}}
vwait done
while {[llength $reports] < 7} {vwait reports}
puts $reports
# Another producer of the same id: this one can do nothing more.
producer other
other init_transactions
told {p transaction {tp produce 0 fenced}}
puts [lindex $errorCode end]
told {p transaction {tp produce 0 fenced}}
told {tp produce 0 fenced}
p delete
puts [other transaction {puts six; expr 7}]
other new_topic to $out
other transaction {
    to produce 0 leaving
    exit
}
"""
)


def test_others_see_what_is_committed_and_nothing_else(
    run_everywhere: RunTcl, kafka_cluster: Cluster
) -> None:
    topic = kafka_cluster.topic(partitions=2)
    done = run_everywhere(SEEN, topic, topic, brokers=kafka_cluster)
    assert done.status == 0, done
    nothing, reports, *lines = done.stdout.splitlines()
    assert nothing.endswith("(no transaction is under way: call begin_transaction before)")
    assert sorted(reports.split()) == sorted(["one", "two", "aborted", "three", "four", "five", "aborted"])
    assert "delete it and make a new one" in lines[0]
    assert lines[1] == "fatal"
    assert "delete it and make a new one" in lines[2]
    assert lines[3].startswith("1 kafka error: Local: ")
    assert lines[4:] == ["six", "7"]
    assert read_committed(kafka_cluster, topic) == ["one", "five", "two"]


# -- in a coroutine of a callback ------------------------------------------------------

IN_CALLBACK = (
    SETUP
    + """
fill 3
member s workers
s assign [list $in 0 0]
producer p
p new_topic tp $out
m consumer_creator c
c new_topic source $in
m producer_creator filling
filling new_topic second $in
second produce_batch 1 {x y z}
source start 1 0
# Each message has its callback start a coroutine.  The next message comes at a wait of
# the one before, and its coroutine waits for its turn.
proc arrived {message} {
    lappend ::turns [coroutine work[dict get $message offset] work [dict get $message payload]]
    if {[llength $::turns] == 1} [lindex $::turns 0]
}
proc work {payload} {
    yield [info coroutine]
    if {$payload eq "0"} {puts init,[kafka::await p init_transactions 20000]}
    puts begin,[kafka::await p begin_transaction]
    puts consume,[kafka::await source consume 1 20000 row],$row(payload)
    tp produce 1 $payload$row(payload)
    puts flush,[kafka::await p flush 20000]
    set message [kafka::await s consume 20000]
    set offset [dict get $message offset]
    puts commit,[kafka::await s commit [list $::in 0 $offset]]
    puts send,[kafka::await p send_offsets s [list $::in 0 [expr {$offset + 1}]]]
    if {$payload eq "1"} {
        puts abort,[kafka::await p abort_transaction 20000]
    } else {
        puts commit,[kafka::await p commit_transaction 20000]
    }
    set ::turns [lrange $::turns 1 end]
    after 0 [lindex $::turns 0]
}
source start 0 0 arrived
vwait turns
while {[llength $turns]} {vwait turns}
puts [lindex [s offsets -committed [list $in 0]] 0 2]
"""
)


def test_a_coroutine_of_a_message_callback_awaits_each_step(run_everywhere: RunTcl, cluster: Cluster) -> None:
    source, target = cluster.topic(partitions=4), cluster.topic(partitions=4)
    done = run_everywhere(IN_CALLBACK, source, target, brokers=cluster)
    first, second, third = ("0x", "commit"), ("1y", "abort"), ("2z", "commit")
    lines = ["init,"]
    for payloads, end in (first, second, third):
        lines += ["begin,", f"consume,1,{payloads[1]}", "flush,0", "commit,", "send,", f"{end},"]
    # What is read behind the abort is what came before it, number 1.  The embedded
    # broker takes the offsets of a transaction and keeps none.
    lines.append("2" if cluster.kind == "kafka" else "1")
    assert done.stdout.splitlines() == lines, done.stderr
    if cluster.kind == "kafka":
        assert read_committed(cluster, target) == [first[0], third[0]]
