# Copy what a topic holds into another, with the keys, a thousand messages at a time.
#
#   kafkatclsh batch_copy.tcl ?from? ?to? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {test copy 127.0.0.1} $argc end]] fromName toName brokers
source [file join [file dirname [info script]] messages.tcl]
prepare $fromName

kafka::brokers $brokers
kafka::topic_consumer from $fromName
kafka::topic_producer to $toName

# One queue for all partitions.
kafka::consumer create_queue queue
for {set partition 0} {$partition < [from info partitions]} {incr partition} {
    from start_queue $partition beginning queue
}

set total 0
while 1 {
    # Ends after 3 seconds, or earlier with 1000 messages.
    set count [queue consume_batch 3000 1000 row {
        if {[info exists row(key)]} {
            to produce -1 $row(payload) $row(key)
        } else {
            to produce -1 $row(payload)
        }
    }]
    if {$count == 0} {
        break
    }
    incr total $count
}
puts "$total messages copied"
