# Subscribe to a topic as a member of a consumer group, and go on where the group
# stopped the last time.
#
#   kafkatclsh subscriber.tcl ?topic? ?brokers? ?group?

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1 readers} $argc end]] topic brokers group
source [file join [file dirname [info script]] messages.tcl]
prepare $topic

set subscriber [kafka::subscriber $group -brokers $brokers]

# Called from the event loop; it ends the script when nothing has come for 3 seconds.
proc arrived {message} {
    if {[dict exists $message error]} {
        puts stderr [dict get $message message]
        return
    }
    dict with message {
        puts "partition $partition, offset $offset: $payload"
    }
    wait 3
}

proc wait {seconds} {
    after cancel {set done 1}
    after [expr {$seconds * 1000}] {set done 1}
}

$subscriber callback arrived
$subscriber subscribe $topic
# Joining a group takes its time.
wait 20
vwait done

# Commits what was read, and leaves the group.
$subscriber delete
