# Copy what comes to a topic into another, each message once and in order, whatever
# happens: start it several times, with a name each, and kill it whenever you like.
#
#   kafkatclsh exactly_once.tcl ?name? ?from? ?to? ?brokers? ?until?
#
# It ends after so many messages, or never.

package require kafka

lassign [list {*}$argv {*}[lrange {copier-1 test copy 127.0.0.1 -1} $argc end]] name fromName toName brokers until
source [file join [file dirname [info script]] messages.tcl]
prepare $fromName

kafka::kafka create master
master config bootstrap.servers $brokers group.id exactly-once enable.auto.commit false
master config session.timeout.ms 10000
master config transactional.id $name
master subscriber from
from subscribe $fromName

proc make_producer {} {
    master producer_creator producer
    producer new_topic to $::toName
}

# Copy what is there: up to 1000 messages, which wait for half a second for the first.
proc copy {} {
    set count 0
    while {$count < 1000 && [set message [from consume [expr {$count ? 0 : 500}]]] ne ""} {
        if {[dict exists $message error]} {
            puts stderr [dict get $message error]
            continue
        }
        set key [expr {[dict exists $message key] ? [list [dict get $message key]] : {}}]
        to produce [dict get $message partition] [dict get $message payload] {*}$key
        incr count
    }
    return $count
}

make_producer
set total 0
while {$until < 0 || $total < $until} {
    try {
        incr total [producer transaction -offsets from copy]
    } trap KAFKA {message options} {
        # Nothing was copied, and what was consumed comes again.
        puts stderr $message
        if {[lindex [dict get $options -errorcode] end] eq "fatal"} {
            producer delete
            make_producer
        }
    }
}
puts "$total messages copied"
