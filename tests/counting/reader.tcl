# Reads all partitions of a topic from the beginning, and writes to a file what its
# callback gets:
#     begin                                (once in the life of a reader)
#     got PARTITION OFFSET PAYLOAD         (in hexadecimal digits)
#     error CODE                           (in the place of a message)
# Behind the topic, its arguments are: the file, the number of partitions, and
# properties.  A line on standard input names the end offset of each partition; when all
# before these has come, it says so and ends.
set properties [lassign $argv topic path partitions]
set file [open $path a]
fconfigure $file -buffering line
puts $file begin
m config {*}$properties

proc got {message} {
    if {[dict exists $message error]} {
        puts $::file "error [dict get $message code]"
        return
    }
    set partition [dict get $message partition]
    set offset [dict get $message offset]
    puts $::file "got $partition $offset [binary encode hex [dict get $message payload]]"
    set ::next($partition) [expr {$offset + 1}]
    look
}

proc ends_told {} {
    set ::ends [gets stdin]
    fileevent stdin readable {}
    look
}

proc look {} {
    if {$::ends eq ""} {
        return
    }
    set partition 0
    foreach end $::ends {
        if {$::next($partition) < $end} {
            return
        }
        incr partition
    }
    set ::drained 1
}

set ends ""
m consumer_creator c
c new_topic tc $topic
for {set partition 0} {$partition < $partitions} {incr partition} {
    set next($partition) 0
    tc start $partition 0 got
}
fileevent stdin readable ends_told
vwait drained
# A message too many would come now.
after 500 {set rest 1}
vwait rest
close $file
puts drained
flush stdout
