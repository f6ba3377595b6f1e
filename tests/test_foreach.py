"""`foreach` of a subscriber: a loop as Tcl's own, that counts what it is through with,
and ends where it was told to.
"""

from __future__ import annotations

import pytest
from confluent_kafka import Producer
from fix_cluster import Cluster
from fix_tcl import RunTcl, also_in_tcl9

SETUP = """
package require kafka
set topic [lindex $argv 0]
kafka::brokers $env(KAFKATCL_TEST_BROKERS)
kafka::topic_producer out $topic
proc send {partition first last} {
    for {set number $first} {$number <= $last} {incr number} {
        out produce $partition $number
    }
    while {[kafka::producer output_queue_length]} {kafka::producer poll 10}
}
set s [kafka::subscriber g.$topic]
proc at {args} {
    lmap partition $args {lindex [$::s offsets [list $::topic $partition]] 0 2}
}
proc read {args} {
    set got {}
    set count [$::s foreach row -timeout 20000 {*}$args {lappend got $row(payload)}]
    return "$count: $got"
}
"""

LIKE_TCL = (
    SETUP
    + """
send 0 1 20
$s assign [list $topic 0 0]
puts [read -count 3],[at 0]
puts [$s foreach row {
    if {$row(payload) == 5} continue
    lappend got $row(payload)
    if {$row(payload) == 7} break
}]:$got,[at 0]
proc first {} {$::s foreach row {return "got $row(payload)"}; return none}
puts [first],[at 0]
puts [catch {$s foreach row {
    error "no $row(payload)" {} {MY CODE}
}} message options]:$message,[dict get $options -errorcode],[at 0]
puts [lrange [split $errorInfo \\n] 1 3]
proc odd {} {$::s foreach row {return -code 42 odd}}
puts [catch odd],[at 0]
$s foreach row -count 2 {lappend nested $row(payload):[read -count 2]}
puts $nested,[at 0]
puts [$s foreach row -timeout 0 -count 0 {error never}]
"""
)


@also_in_tcl9
def test_it_is_a_loop_as_tcls_own(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(LIKE_TCL, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "3: 1 2 3,3",
        "4:4 6 7,7",
        "got 8,8",
        "1:no 9,MY CODE,8",
        '{    while executing} {"error "no $row(payload)" {} {MY CODE}"} {    ("foreach" body line 2)}',
        "42,9",
        "{10:2: 11 12} {13:2: 14 15},15",
        "0",
    ], done.stderr


COUNTED = (
    SETUP
    + """
send 0 1 10
$s assign [list $topic 0 0]
# What the code is at is not committed, what it is through with is.
$s foreach row -count 4 {
    if {$row(payload) == 4} {
        $s commit
        puts [lindex [$s offsets -committed [list $topic 0]] 0 2]
    }
}
$s commit
puts [lindex [$s offsets -committed [list $topic 0]] 0 2]
# Others read on behind it; after an error it comes again.
puts [catch {$s foreach row {puts $row(payload),[dict get [$s consume 10000] payload]; error x}}],[at 0]
puts [read -count 2]
# Code that deletes the subscriber ends the loop; the message is not consumed.
puts [$s foreach row {lappend seen $row(payload); if {$row(payload) == 8} {$s delete}}],$seen
set s [kafka::subscriber g.$topic]
$s assign [list $topic 0]
puts [read -count 3]
"""
)


@also_in_tcl9
def test_a_message_counts_when_the_code_is_through_with_it(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(COUNTED, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "3",
        "4",
        "5,6",
        "1,4",
        "2: 5 7",
        "1,8",
        "3: 8 9 10",
    ], done.stderr


UNTIL_END = (
    SETUP
    + """
send 0 1 1000
send 1 1 3
$s assign [list $topic 0 0] [list $topic 1 0] [list $topic 2 0]
# The topic grows faster than it is read.
puts [$s foreach row -until end {
    incr seen($row(partition))
    if {[incr number] <= 600} {
        out produce [expr {$number % 3}] later
    }
}]:$seen(0),$seen(1),[info exists seen(2)]
puts [at 0 1]
send 0 1 1
# What was left is read now, and nothing twice.
array unset seen
puts [$s foreach row -until end {incr seen($row(partition))}]:$seen(0),$seen(1),$seen(2)
puts [at 0 1 2]
puts [$s foreach row -until end {error never}]
$s commit
$s delete
set s [kafka::subscriber g.$topic]
$s assign [list $topic 0] [list $topic 1] [list $topic 2] [list $topic 3 end]
puts [$s foreach row -until end {error never}]
$s assign [list $topic 0 -5] [list $topic 1 202]
puts [$s foreach row -until end {}]
$s assign
puts [$s foreach row -until end {error never}]
"""
)


@also_in_tcl9
def test_until_end_reads_what_is_there_however_much_comes(run_everywhere: RunTcl, cluster: Cluster) -> None:
    done = run_everywhere(UNTIL_END, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == [
        "1003:1000,3,0",
        "1000 3",
        "601:201,200,200",
        "1201 203 200",
        "0",
        "0",
        "6",
        "0",
    ], done.stderr


UNTIL_TIME = (
    SETUP
    + """
send 0 1 5
after 50
set moment [clock milliseconds]
after 50
send 0 6 9
$s assign [list $topic 0 0]
puts [read -until @$moment]
puts [read -until @[expr {[clock milliseconds] - 3600000}]]
puts [read -until @[clock milliseconds]]
# A time to come is waited for.
send 0 10 12
set began [clock milliseconds]
puts [read -until @[expr {$began + 700}]]
puts [expr {[clock milliseconds] - $began >= 700}]
foreach word {nonsense @ @x @-5 beginning} {
    puts [catch {read -until $word} message]:$message
}
"""
)


def test_until_a_time_reads_what_is_older(run_everywhere: RunTcl, kafka_cluster: Cluster) -> None:
    done = run_everywhere(UNTIL_TIME, kafka_cluster.topic(), brokers=kafka_cluster)
    assert done.stdout.splitlines() == [
        "5: 1 2 3 4 5",
        "0: ",
        "4: 6 7 8 9",
        "3: 10 11 12",
        "1",
        *(
            f'1:bad -until "{word}": must be end or @MS, a time in ms since 1970'
            for word in ("nonsense", "@", "@x", "@-5", "beginning")
        ),
    ], done.stderr


SUBSCRIBED = (
    SETUP
    + """
foreach partition {0 1 2 3} {send $partition 1 10}
$s subscribe $topic
puts [$s foreach row -until end -timeout 30000 {incr seen($row(partition))}]
puts [lmap partition {0 1 2 3} {set seen($partition)}]
$s unsubscribe
puts [$s foreach row -until end {error never}]
"""
)


def test_partitions_of_a_group_get_their_ends_when_they_are_assigned(
    run_everywhere: RunTcl, cluster: Cluster
) -> None:
    done = run_everywhere(SUBSCRIBED, cluster.topic(), brokers=cluster)
    assert done.stdout.splitlines() == ["40", "10 10 10 10", "0"], done.stderr


IN_CALLBACK = (
    SETUP
    + """
send 0 1 50
$s assign [list $topic 0 0]
proc arrived {message} {
    lappend ::told [dict get $message payload]
    if {[llength $::told] == 5} {
        lappend ::told {*}[lrange [read -count 3] 1 end]
    }
}
$s callback arrived
while {[llength $told] < 50} {vwait told}
puts [expr {$told eq [lsort -integer -unique $told]}],[at 0]
"""
).replace("$s assign", "set told {}\n$s assign", 1)


def test_in_a_callback_it_goes_on_behind_the_message(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    done = run_everywhere(IN_CALLBACK, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout == "1,50\n", done.stderr


ERROR = """
package require kafka
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id g.[lindex $argv 0]
m topic_config auto.offset.reset error
m logger none
m subscriber s
s assign [list [lindex $argv 0] 0 stored]
puts [catch {s foreach row -timeout 20000 {error never}} message options]:$message
puts [lindex [dict get $options -errorcode] 1]
puts [catch {s foreach row -timeout 100 {error never}} message]:$message
"""


def test_an_error_in_the_place_of_a_message_is_one_of_the_loop(
    run_everywhere: RunTcl, cluster: Cluster
) -> None:
    first, name, second = run_everywhere(ERROR, cluster.topic(), brokers=cluster).stdout.splitlines()
    assert first.startswith("1:kafka error: Local: No offset to automatically reset to ("), first
    assert name == "RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET"
    assert second == "0:0"


@pytest.mark.parametrize("words", ["{row -timeout x}", "{row -count -1}", "{row -count 1.5}"])
def test_bad_numbers_are_refused(run_tcl: RunTcl, words: str) -> None:
    script = f"""
        package require kafka
        kafka::kafka create m
        m config group.id g
        m subscriber s
        puts [catch {{s foreach {{*}}{words} {{error never}}}} message options]:$message
        puts [lrange [dict get $options -errorcode] 0 1]
    """
    told, code = run_tcl(script).stdout.splitlines()
    assert told.startswith("1:expected ")
    assert code == "TCL VALUE"


TRANSACTIONS = """
package require kafka
lassign $argv topic isolation
kafka::kafka create m
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id g.$topic isolation.level $isolation
m subscriber s
s assign [list $topic 0 0] [list $topic 1 0]
puts [s foreach row -until end {lappend got $row(payload)}]:[lsort $got]
puts [s foreach row -until end {error never}]
"""


@pytest.mark.parametrize(
    ("isolation", "told"), [("read_committed", "1:kept"), ("read_uncommitted", "2:gone kept")]
)
def test_the_end_of_a_transaction_is_no_message_and_is_passed(
    run_tcl: RunTcl, kafka_cluster: Cluster, isolation: str, told: str
) -> None:
    topic = kafka_cluster.topic()
    producer = Producer({"bootstrap.servers": kafka_cluster.bootstrap_servers, "transactional.id": topic})
    producer.init_transactions(30)
    for payload, partition, end in (
        ("kept", 0, producer.commit_transaction),
        ("gone", 1, producer.abort_transaction),
    ):
        producer.begin_transaction()
        producer.produce(topic, payload, partition=partition)
        producer.flush(30)
        end(30)
    done = run_tcl(TRANSACTIONS, topic, isolation, brokers=kafka_cluster, timeout=30)
    assert done.stdout.splitlines() == [told, "0"], done.stderr


REVOKED = (
    SETUP
    + """
foreach partition {0 1 2 3} {send $partition 1 200}
$s subscribe $topic
proc told {message} {
    if {[dict exists $message payload]} {
        lappend ::all [dict get $message partition]-[dict get $message payload]
    }
}
set number 0
set count [$s foreach row -timeout 10000 {
    lappend all $row(partition)-$row(payload)
    if {[incr number] == 10} {
        set other [kafka::subscriber g.$topic]
        $other subscribe $topic
        $other callback told
    }
    # The other one joins meanwhile.
    if {$number >= 10 && [llength [$other assignment]] < 2} {
        after 50 {set tick 1}
        vwait tick
    }
}]
while {[llength [lsort -unique $all]] < 800} {vwait all}
# The message that the code was at when its partition went may come again.
puts [expr {[llength $all] - 800 <= 1}],[expr {$count < 790}]
"""
)


def test_what_is_revoked_during_the_loop_is_told_once(run_everywhere: RunTcl, kafka_cluster: Cluster) -> None:
    done = run_everywhere(REVOKED, kafka_cluster.topic(), brokers=kafka_cluster)
    assert done.stdout == "1,1\n", done.stderr
