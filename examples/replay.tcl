# Replay a topic from a time on, up to where it ended when the replay began, however
# busy it is.
#
#   kafkatclsh replay.tcl ?topic? ?brokers? ?since?
#
# `since` is a time that `clock scan` knows: "2 hours ago", "2026-11-27 14:30".

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1 {1 hour ago}} $argc end]] topicName brokers since
source [file join [file dirname [info script]] messages.tcl]
prepare $topicName

kafka::brokers $brokers
kafka::topic_consumer topic $topicName

set from @[expr {[clock scan $since] * 1000}]
set total 0
for {set partition 0} {$partition < [topic info partitions]} {incr partition} {
    # The end is looked up before the first message is read.
    topic start $partition end
    topic seek $partition end
    set end [topic position $partition]

    topic seek $partition $from
    while {[topic position $partition] < $end} {
        try {
            topic consume $partition 3000 row
        } trap {KAFKA RD_KAFKA_RESP_ERR__TIMED_OUT} {} {
            # What is left are no messages: transactions leave marks of their own.
            break
        }
        puts "partition $partition, offset $row(offset): $row(payload)"
        incr total
    }
    topic stop $partition
}
puts "$total messages since $since"
