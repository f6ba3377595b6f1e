# Copy what a topic holds into another, a thousand messages at a time: with keys,
# headers, times, and what is null.
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
    set messages {}
    # Ends after 3 seconds, or earlier with 1000 messages.
    queue consume_batch 3000 1000 row {
        lappend messages [array get row]
    }
    if {[llength $messages] == 0} {
        break
    }
    # The other topic may have fewer partitions: its partitioner chooses.
    to produce_messages $messages -partition -1
    incr total [llength $messages]
}
puts "$total messages copied"
