# The easy way: one cluster, and no objects but topics.
#
#   kafkatclsh easy.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1} $argc end]] topic brokers

kafka::brokers $brokers
kafka::topic_producer out $topic
kafka::topic_consumer in $topic

out produce 0 "the easy way" greeting
while {[kafka::producer output_queue_length] > 0} {
    kafka::producer poll 100
}

# -1: the last message of the partition.
in consume_start 0 -1
in consume 0 10000 row
puts "$row(key): $row(payload)"
