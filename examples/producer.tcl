# Produce messages with keys.
#
#   kafkatclsh producer.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1} $argc end]] topic brokers

::kafka::kafka create kafka_master

kafka_master producer_creator kafka_producer
kafka_producer add_brokers $brokers

kafka_producer new_topic producer $topic

set partition 0
foreach {key payload} {DAL201 departed UAL17 arrived SWA3 diverted} {
    producer produce $partition $payload $key
    puts "produced $payload with key $key"
}

# produce only queues a message; the end of the script waits until all are delivered.
