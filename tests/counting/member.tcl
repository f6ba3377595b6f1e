# A member of a group, which writes to a file what it is told and does, each line behind
# a moment in microseconds:
#     assigned|revoked|lost PARTITION ...  (its rebalance callback begins)
#     handled                              (it has ended)
#     got PARTITION OFFSET PAYLOAD
#     error CODE                           (in the place of a message)
#     committed                            (all that it got)
#     failed MESSAGE                       (a commit, while partitions were revoked)
#     left                                 (it was deleted)
# Behind the topic, its arguments are: the file, how it reads (`callback` or `consume`),
# and properties.  It commits when partitions are revoked, and now and then.  A line on
# standard input tells it to leave.
set properties [lassign $argv topic path reading]
set file [open $path w]
fconfigure $file -buffering line
m config group.id group-$topic auto.offset.reset earliest enable.auto.commit false {*}$properties

proc note {args} {
    puts $::file "[clock microseconds] $args"
}

proc commit_all {whereFailed} {
    if {![catch {s commit} message options]} {
        note committed
    } elseif {[lindex [dict get $options -errorcode] 1] ne "RD_KAFKA_RESP_ERR__NO_OFFSET"} {
        {*}$whereFailed $message
    }
}

proc rebalanced {kind partitions} {
    note $kind {*}[lmap partition $partitions {lindex $partition 1}]
    if {$kind eq "revoked"} {
        commit_all {note failed}
    }
    note handled
}

proc got {message} {
    if {[dict exists $message error]} {
        note error [dict get $message code]
        return
    }
    note got [dict get $message partition] [dict get $message offset] [dict get $message payload]
    if {[incr ::count] % 300 == 0} {
        # While others join or leave, the group may refuse it.
        commit_all list
    }
}

set leaving 0
set count 0
m subscriber s
s rebalance_callback rebalanced
fileevent stdin readable {fileevent stdin readable {}; set leaving 1}
if {$reading eq "callback"} {
    s callback got
}
s subscribe $topic
puts ready
flush stdout
while {!$leaving} {
    if {$reading eq "callback"} {
        vwait leaving
    } elseif {[set message [s consume 50]] ne ""} {
        got $message
    } else {
        update
    }
}
s delete
note left
exit
