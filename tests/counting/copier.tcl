# Copies a topic to another one, message by message and partition by partition, as a
# member of a group, and writes to a file what it has done:
#     copied COUNT                         (a transaction is committed)
#     failed WORD MESSAGE                  (it is not; WORD is the last one of errorCode)
# Behind the topic, its arguments are: the topic to copy to, the file, its name among
# the copiers, how it copies, how many messages in a second at most, and properties.
# A line on standard input has it end.
set properties [lassign $argv in out path name way rate]
set file [open $path a]
fconfigure $file -buffering line
m config {*}$properties

proc make_producer {} {
    if {$::way eq "transaction"} {
        m config transactional.id $::in-$::name
    }
    m producer_creator p
    m config transactional.id {}
    p new_topic tp $::out
}

# Copy what is there, up to 100 messages, and no faster than it should be: so a copier
# that is killed mostly has a transaction under way.  Their number.
proc copy {} {
    set begin [clock milliseconds]
    set count 0
    while {$count < 100 && [set message [s consume [expr {$count ? 0 : 200}]]] ne ""} {
        if {![dict exists $message error]} {
            tp produce [dict get $message partition] [dict get $message payload]
            incr count
        }
    }
    after [expr {max($begin + 1000 * $count / $::rate - [clock milliseconds], 0)}]
    return $count
}

# The ways to copy: by a transaction, or at least once, with a commit now and then.
proc transaction {} {
    p transaction -offsets s copy
}
proc commit {} {
    set count [copy]
    while {[p output_queue_length]} {
        p poll 10
    }
    if {$count && [incr ::steps] % 10 == 0} {
        s commit
    }
    return $count
}

proc step {} {
    if {[catch $::way result options]} {
        set word [lindex [dict get $options -errorcode] end]
        puts $::file "failed $word $result"
        if {$word eq "fatal"} {
            p delete
            make_producer
        }
    } else {
        puts $::file "copied $result"
    }
    after 0 step
}

make_producer
m config group.id $in enable.auto.commit false
m subscriber s
s subscribe $in
fileevent stdin readable {set done 1}
after 0 step
vwait done
s delete
close $file
puts ended
flush stdout
