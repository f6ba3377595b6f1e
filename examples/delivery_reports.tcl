# Learn what became of each message: its offset, or the reason why it could not be
# delivered.
#
#   kafkatclsh delivery_reports.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1} $argc end]] topicName brokers

::kafka::kafka create master
master add_brokers $brokers

# Before the producer is made: a handle is told then which callbacks are wanted.
master delivery_report_callback delivered

proc delivered {report} {
    if {[dict exists $report error]} {
        puts "not delivered: [dict get $report error]"
    } else {
        dict with report {
            puts "$payload is at offset $offset of partition $partition"
        }
    }
    incr ::reports
}

master producer_creator producer
producer new_topic topic $topicName

foreach payload {one two three} {
    topic produce 0 $payload
}
# The topic will turn out to have no such partition.
if {[catch {topic produce 9999 four} reason]} {
    delivered [list error $reason]
}

while {[incr reports 0] < 4} {
    vwait reports
}
