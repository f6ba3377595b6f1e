# Consume what a partition holds, by a callback.
#
#   kafkatclsh consumer_callback.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {flightplans.production 127.0.0.1} $argc end]] topicName brokers
source [file join [file dirname [info script]] messages.tcl]
prepare $topicName

set master [::kafka::kafka create #auto]

set consumer [$master consumer_creator #auto]
$consumer add_brokers $brokers

set topic [$consumer new_topic #auto $topicName]

$topic consume_start 0 beginning

proc callback {list} {
    puts $list
}

# Each call takes the messages that are there; 0 means that none came within 3 seconds.
set rowsReceived 0
while {[set rows [$topic consume_callback 0 3000 callback]] > 0} {
    incr rowsReceived $rows
}
puts "$rowsReceived messages"
