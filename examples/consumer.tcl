# Consume one message into an array.
#
#   kafkatclsh consumer.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1} $argc end]] topic brokers
source [file join [file dirname [info script]] messages.tcl]
prepare $topic

::kafka::kafka create kafka_master

kafka_master consumer_creator kafka_consumer
kafka_consumer add_brokers $brokers

kafka_consumer new_topic consumer $topic

consumer consume_start 0 0

# Up to 10 seconds; no message by then is an error.
consumer consume 0 10000 foo
parray foo
