# Consume through a queue, by a callback.
#
#   kafkatclsh queue_callback.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {flightplans.production 127.0.0.1} $argc end]] topicName brokers
source [file join [file dirname [info script]] messages.tcl]
prepare $topicName

set master [::kafka::kafka create #auto]

set consumer [$master consumer_creator #auto]
$master add_brokers $brokers

set myQueue [$consumer create_queue #auto]

set topic [$consumer new_topic #auto $topicName]

$topic consume_start_queue 0 beginning $myQueue

proc callback {list} {
    puts $list
}

proc pass {} {
    set count [$::myQueue consume_callback 3000 callback]
    puts "$count messages in this pass"
    return $count
}

while {[pass] > 0} {}
