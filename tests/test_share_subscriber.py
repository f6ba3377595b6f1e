"""Share subscribers, as scripts see them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fix_async import live
from fix_cluster import Cluster
from fix_share import share_group, together
from fix_tcl import RunTcl, also_in_tcl9

#: ``member NAME ?property value ...?`` makes a member of the group, subscribed to the
#: topic; ``take NAME count`` consumes so many messages; ``until`` waits for a condition
#: in the event loop.
PRELUDE = """
package require kafka
lassign $argv topic group
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] group.id $group fetch.wait.max.ms 10
set errors {}
m error_callback {lappend ::errors}
proc member {name args} {
    if {[llength $args]} {m config {*}$args}
    m share_subscriber $name
    $name subscribe $::topic
}
proc take {name count} {
    set end [expr {[clock milliseconds] + 20000}]
    set taken {}
    while {[llength $taken] < $count} {
        set message [$name consume 200]
        if {[llength $message]} {lappend taken $message}
        if {[clock milliseconds] > $end} {error "only [llength $taken] messages came: $taken"}
    }
    return $taken
}
proc seen {messages} {
    lmap message $messages {list [dict get $message payload] [dict get $message delivery_count]}
}
proc place {message} {
    list [dict get $message topic] [dict get $message partition] [dict get $message offset]
}
proc until {condition} {
    set end [expr {[clock milliseconds] + 20000}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock milliseconds] > $end} {error "waited for $condition"}
        after 5 {incr ::ticks}
        vwait ::ticks
    }
}
proc numbers {count} {
    for {set n 1} {$n <= $count} {incr n} {lappend numbers $n}
    return $numbers
}
# The message of an error, and the name in its errorCode.
proc refused {script} {
    if {![catch {uplevel 1 $script} message options]} {return "no error: $message"}
    return "[lindex [dict get $options -errorcode] 1]: $message"
}
proc told {script} {puts [uplevel 1 $script]}
"""

EXPLICIT = "share.acknowledgement.mode explicit"


# -- in every shell --------------------------------------------------------------------

#: A new group of the embedded broker begins at the end, so messages are produced until
#: the first one comes.
_EVERYWHERE = """
m producer_creator p
p new_topic tp $topic
tp produce 0 first
until {[p output_queue_length] == 0}
member s
proc more {} {foreach n {1 2 3} {tp produce 0 $n key$n}}
while {[llength [set message [s consume 200]]] == 0} {tp produce 0 begins}
told {dict get $message payload}
told {dict keys $message}
s commit
while {[llength [s consume 300]]} {}
more
told {seen [take s 3]}
told {s commit}
more
set row(error) old
set count 0
while {$count < 3} {incr count [s consume_batch 1000 [expr {3 - $count}] row {
    puts "$row(payload) $row(key) $row(partition) $row(topic) $row(delivery_count) [info exists row(error)]"
}]}
set messages {}
s callback {lappend messages}
told {s callback}
more
until {[llength $messages] == 3}
told {seen $messages}
s callback {}
told {s callback}
s commit -command {lappend answers}
until {[info exists answers]}
told {set answers}
coroutine work apply {{} {
    more
    set ::awaited [seen [list [kafka::await s consume 5000]]]
    append ::awaited /[kafka::await s commit -timeout 9000]/
}}
until {[info exists awaited] && [string match */*/ $awaited]}
told {set awaited}
told {s subscription}
s unsubscribe
told {s subscription}
told {set errors}
s delete
told {info commands s}
"""


@also_in_tcl9
def test_a_share_subscriber_reads_in_every_way(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    done = run_everywhere(PRELUDE + _EVERYWHERE, topic, f"g-{topic}", brokers=embedded_cluster)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "begins",
        "payload partition offset timestamp topic delivery_count",
        "{1 1} {2 1} {3 1}",
        "",
        *(f"{n} key{n} 0 {topic} 1 0" for n in (1, 2, 3)),
        "lappend messages",
        "{1 1} {2 1} {3 1}",
        "",
        "ok {}",
        "{1 1}//",
        topic,
        "",
        "",
        "",
    ]


def test_it_may_be_deleted_and_the_program_ended_within_its_callback(
    run_everywhere: RunTcl, embedded_cluster: Cluster
) -> None:
    script = """
        m producer_creator p
        p new_topic tp $topic
        proc offer {} {tp produce 0 x; after 50 offer}
        proc last {message} {s delete; set ::gone [info commands s]}
        member s
        s callback last
        offer
        until {[info exists gone]}
        told {set gone}
        member s
        s callback {apply {message {exit 4}}}
        vwait forever
    """
    topic = embedded_cluster.topic()
    done = run_everywhere(PRELUDE + script, topic, f"g-{topic}", brokers=embedded_cluster)
    assert (done.status, done.stdout, done.stderr) == (4, "\n", "")


# -- acknowledgement -------------------------------------------------------------------


def test_released_messages_come_again_and_rejected_ones_do_not(
    run_tcl: RunTcl, kafka_cluster: Cluster
) -> None:
    script = f"""
        member s {EXPLICIT}
        foreach message [take s 5] how {{accept release reject release {{}}}} {{
            s acknowledge [place $message] {{*}}$how
        }}
        told {{seen [set again [take s 2]]}}
        foreach message $again {{s acknowledge [place $message]}}
        s commit
        told {{s consume 500}}
        told {{set errors}}
    """
    topic = kafka_cluster.topic(1)
    together(kafka_cluster, topic, ["a", "b", "c", "d", "e"])
    done = run_tcl(PRELUDE + script, topic, share_group(kafka_cluster), brokers=kafka_cluster)
    assert (done.stdout, done.stderr) == ("{b 2} {d 2}\n\n\n", "")


def test_without_being_asked_what_is_handled_is_accepted(run_tcl: RunTcl, kafka_cluster: Cluster) -> None:
    """``consume`` accepts the message before, ``consume_batch`` what its code has run
    for; what it does not get to, or fails at, comes again.
    """
    script = """
        member s
        told {seen [take s 2]}
        proc batch {code} {
            set ::seen {}
            while {[s consume_batch 500 3 row "lappend ::seen \\$row(payload)\\$row(delivery_count); $code"] == 0} {}
            return $::seen
        }
        told {batch break}
        told {refused {batch {error oops}}}
        told {set seen}
        told {list [batch {return $row(payload)}] $seen}
        told {set seen}
        foreach message [take s 4] {lappend rest [dict get $message payload]}
        told {lsort $rest}
        s commit
        told {s consume 500}
        told {set errors}
    """
    topic = kafka_cluster.topic(1)
    together(kafka_cluster, topic, list("abcdefgh"))
    done = run_tcl(PRELUDE + script, topic, share_group(kafka_cluster), brokers=kafka_cluster)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "{a 1} {b 1}",
        "c1",
        ": oops",
        "f1",
        "d d2",
        "d2",
        "e f g h",
        "",
        "",
    ]


def test_a_message_at_which_the_callback_fails_comes_again(run_tcl: RunTcl, kafka_cluster: Cluster) -> None:
    script = """
        proc bgerror {message} {lappend ::failed "$message: [lindex [split $::errorInfo \\n] end]"}
        proc handle {message} {
            lappend ::handled [dict get $message payload][dict get $message delivery_count]
            if {[lindex $::handled end] eq "b1"} {error "cannot b"}
        }
        set handled {}
        member s
        s callback handle
        until {[llength $handled] == 4}
        told {set handled}
        told {set failed}
        s commit
        told {set errors}
    """
    topic = kafka_cluster.topic(1)
    together(kafka_cluster, topic, list("abc"))
    done = run_tcl(PRELUDE + script, topic, share_group(kafka_cluster), brokers=kafka_cluster)
    assert (done.stdout, done.stderr) == ("a1 b1 c1 b2\n{cannot b:     (kafka callback)}\n\n", "")


# -- several members -------------------------------------------------------------------


def test_members_share_the_messages_of_a_partition(run_tcl: RunTcl, kafka_cluster: Cluster) -> None:
    script = """
        m producer_creator p
        p new_topic tp $topic
        array set of {s1 {} s2 {}}
        foreach name {s1 s2} {
            member $name
            $name callback [list apply {{name message} {lappend ::of($name) [dict get $message payload]}} $name]
        }
        set count 0
        until {[tp produce 0 [incr count]; expr {[llength $of(s1)] > 3 && [llength $of(s2)] > 3}]}
        until {[llength $of(s1)] + [llength $of(s2)] >= $count}
        told {expr {[lsort -integer [concat $of(s1) $of(s2)]] eq [lsort -integer [numbers $count]]}}
        told {set errors}
    """
    topic, group = kafka_cluster.topic(1), share_group(kafka_cluster)
    done = run_tcl(PRELUDE + script, topic, group, brokers=kafka_cluster)
    assert (done.stdout, done.stderr) == ("1\n\n", "")


@pytest.mark.parametrize("end", ["s1 delete", "s1 unsubscribe"])
def test_who_leaves_gives_back_what_it_has_not_handled(
    run_tcl: RunTcl, kafka_cluster: Cluster, end: str
) -> None:
    script = f"""
        member s1
        take s1 2
        s1 commit
        {"take s1 1" if "delete" in end else ""}
        member s2
        {end}
        told {{seen [take s2 2]}}
        told {{set errors}}
    """
    topic = kafka_cluster.topic(1)
    together(kafka_cluster, topic, list("abcd"))
    done = run_tcl(PRELUDE + script, topic, share_group(kafka_cluster), brokers=kafka_cluster)
    assert (done.stdout, done.stderr) == ("{c 2} {d 2}\n\n", "")


def test_the_end_of_a_program_sends_what_was_acknowledged(
    run_everywhere: RunTcl, kafka_cluster: Cluster
) -> None:
    topic, group = kafka_cluster.topic(1), share_group(kafka_cluster)
    together(kafka_cluster, topic, list("abcd"))
    first = f"member s {EXPLICIT}; foreach message [take s 3] {{s acknowledge [place $message]}}; exit 3"
    assert run_everywhere(PRELUDE + first, topic, group, brokers=kafka_cluster).status == 3
    second = "member s; told {seen [take s 1]}"
    done = run_everywhere(PRELUDE + second, topic, group, brokers=kafka_cluster)
    assert (done.stdout, done.stderr) == ("{d 2}\n", "")


def test_what_a_killed_member_had_goes_to_another(
    run_tcl: RunTcl, kafka_cluster: Cluster, tmp_path: Path
) -> None:
    topic, group = kafka_cluster.topic(1), share_group(kafka_cluster)
    together(kafka_cluster, topic, list("abcd"))
    script = (
        PRELUDE + f"member s {EXPLICIT}; told {{place [lindex [take s 3] end]}}; flush stdout; vwait forever"
    )
    with live(kafka_cluster, tmp_path, script, topic, group) as killed:
        assert killed.says() == f"{topic} 0 2"
    done = run_tcl(PRELUDE + "member s; told {seen [take s 4]}", topic, group, brokers=kafka_cluster)
    assert (done.stdout, done.stderr) == ("{a 2} {b 2} {c 2} {d 2}\n", "")


# -- what goes wrong -------------------------------------------------------------------


def test_acknowledgements_that_cannot_be(run_tcl: RunTcl, kafka_cluster: Cluster) -> None:
    script = f"""
        member s {EXPLICIT}
        lassign [take s 2] a b
        told {{refused {{s acknowledge}}}}
        told {{refused {{s acknowledge [place $a] later}}}}
        told {{refused {{s acknowledge [lrange [place $a] 0 1]}}}}
        told {{refused {{s acknowledge [list $topic x 0]}}}}
        told {{refused {{s acknowledge [list $topic 0 -1]}}}}
        told {{refused {{s acknowledge "\\{{"}}}}
        told {{refused {{s acknowledge [list $topic 0 2]}}}}
        told {{refused {{s acknowledge {{nosuch 0 0}}}}}}
        s acknowledge [place $a]
        told {{refused {{s acknowledge [place $a] release}}}}
        take s 1
        told {{refused {{s consume 5000}}}}
        told {{refused {{s consume_batch 5000 1 row {{}}}}}}
        s commit
        m config share.acknowledgement.mode implicit
        member other
        told {{refused {{other acknowledge [place $b]}}}}
        told {{set errors}}
    """
    topic = kafka_cluster.topic(1)
    together(kafka_cluster, topic, list("abc"))
    done = run_tcl(PRELUDE + script, topic, share_group(kafka_cluster), brokers=kafka_cluster)
    assert done.stderr == ""
    state = "RD_KAFKA_RESP_ERR__STATE: Local: Erroneous state"
    none = f"{state} (no message is to be acknowledged at topic '{topic}', partition 0, offset"
    unacknowledged = f"2 messages are not acknowledged yet, {{{topic} 0 1}} for one: no more come before that"
    assert done.stdout.splitlines() == [
        'WRONGARGS: wrong # args: should be "s acknowledge {topic partition offset} ?how?"',
        'LOOKUP: bad acknowledgement "later": must be accept, release, or reject',
        f'VALUE: expected {{topic partition offset}} but got "{topic} 0"',
        'VALUE: expected integer but got "x"',
        'VALUE: expected an offset of 0 or more but got "-1"',
        "VALUE: unmatched open brace in list",
        f"{none} 2)",
        f"{none.replace(topic, 'nosuch')} 0)",
        f"{none} 0)",
        f"{state} ({unacknowledged})",
        f"{state} ({unacknowledged})",
        f"{state} (messages are acknowledged as they are handled, "
        "unless share.acknowledgement.mode is explicit)",
        "",
    ]


def test_a_late_acknowledgement_is_told(run_tcl: RunTcl, kafka_cluster: Cluster) -> None:
    """Who was too late learns it by ``commit`` and by the error callback, and another
    member handles the message.
    """
    script = f"""
        member slow {EXPLICIT}
        set late [take slow 2]
        member quick
        told {{seen [take quick 2]}}
        quick commit
        foreach message $late {{slow acknowledge [place $message]}}
        told {{refused {{slow commit}}}}
        told {{refused {{slow commit}}}}
        until {{[llength $errors]}}
        told {{list [llength $errors] [dict get [lindex $errors 0] code] [dict get [lindex $errors 0] reason]}}
        told {{slow consume}}
    """
    topic = kafka_cluster.topic(1)
    together(kafka_cluster, topic, list("ab"))
    group = share_group(kafka_cluster, record_lock_duration_ms="2500")
    done = run_tcl(PRELUDE + script, topic, group, brokers=kafka_cluster)
    which = (
        f"the acknowledgement of 2 messages came to nothing (topic '{topic}', partition 0, offset 0 and more)"
    )
    refused = "RD_KAFKA_RESP_ERR_INVALID_RECORD_STATE"
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "{a 2} {b 2}",
        f"{refused}: Broker: The record state is invalid ({which})",
        "no error: ",
        f"1 {refused} {{{which}}}",
        "",
    ]


def test_words_and_settings_that_cannot_be(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    script = """
        told {refused {m share_subscriber}}
        m share_subscriber s
        told {refused {s consume}}
        told {refused {s consume_batch 100 1 row {}}}
        told {refused {s consume x}}
        told {refused {s consume_batch 0 -1 row {}}}
        told {refused {s subscribe {^t.*}}}
        told {refused {s subscribe a [string repeat x 513]}}
        told {s subscription}
        s subscribe b a b
        told {s subscribe}
        told {refused {s commit -timeout x}}
        told {refused {s nosuch}}
        s delete
        told {refused {s subscribe}}
        foreach {name value} {group.id {} share.acknowledgement.mode sometimes auto.offset.reset earliest} {
            kafka::kafka create n
            n config bootstrap.servers x group.id g $name $value
            told {refused {n share_subscriber s}}
        }
        told {info commands s}
    """
    done = run_everywhere(PRELUDE + script, "t", "g", brokers=embedded_cluster)
    assert done.stderr == ""
    state = "RD_KAFKA_RESP_ERR__STATE: Local: Erroneous state (there is no subscription)"
    invalid = "RD_KAFKA_RESP_ERR__INVALID_ARG: Local: Invalid argument or configuration"
    assert done.stdout.splitlines() == [
        'WRONGARGS: wrong # args: should be "m share_subscriber cmdName"',
        state,
        state,
        'VALUE: expected integer but got "x"',
        'VALUE: expected a count of 0 or more but got "-1"',
        f'{invalid} ("^t.*" is a pattern, which share groups do not know)',
        f"{invalid.replace('Local', 'kafka error: Local')} "
        "(the name of a topic has 512 bytes at most, no NUL, and no half of a character)",
        "",
        "a b",
        'VALUE: expected integer but got "x"',
        'LOOKUP: bad option "nosuch": must be subscribe, unsubscribe, subscription, consume, consume_batch, '
        "callback, acknowledge, commit, error, or delete",
        'LOOKUP: invalid command name "s"',
        ": a share subscriber needs a share group: set group.id on its master first",
        f"{invalid} (share.acknowledgement.mode must be implicit or explicit)",
        ": `auto.offset.reset` is not applicable for share consumer",
        "",
    ]
