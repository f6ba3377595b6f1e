# One worker of a group: it gathers messages, and when it has enough of a partition, or
# has to give the partition to another worker, it does them and commits.  Start it
# several times, and end one with Ctrl-C or kill: the others go on with its partitions.
#
#   kafkatclsh group_workers.tcl ?topic? ?brokers? ?group?

package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1 workers} $argc end]] topic brokers group
source [file join [file dirname [info script]] messages.tcl]
prepare $topic

kafka::setup -brokers $brokers
kafka::master config enable.auto.commit false
set worker [kafka::subscriber $group]

# Gather, and do a hundred of a partition at once.
proc arrived {message} {
    if {[dict exists $message error]} {
        puts stderr [dict get $message message]
        return
    }
    set partition [dict get $message partition]
    lappend ::gathered($partition) [dict get $message payload]
    if {[llength $::gathered($partition)] >= 100} {
        work $partition
        $::worker commit [list $::topic $partition [expr {[dict get $message offset] + 1}]]
    }
    wait 3
}

proc work {partition} {
    puts "partition $partition: $::gathered($partition)"
    unset ::gathered($partition)
}

# The group waits until this has ended, and the partitions are still ours.
proc rebalanced {kind partitions} {
    foreach position $partitions {
        lassign $position topic partition next
        puts "$kind: $topic $partition"
        if {[info exists ::gathered($partition)]} {
            if {$kind eq "revoked"} {
                work $partition
                $::worker commit $position
            } else {
                unset ::gathered($partition)  ;# lost: another worker gets them, too
            }
        }
    }
}

proc wait {seconds} {
    after cancel {set done 1}
    after [expr {$seconds * 1000}] {set done 1}
}

$worker rebalance_callback rebalanced
$worker callback arrived
$worker subscribe $topic
# Joining a group takes its time; then it ends when nothing has come for 3 seconds.
wait 20
vwait done

# Gives the partitions back, and leaves the group.
$worker delete
