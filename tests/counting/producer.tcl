# Produces numbered messages and writes to a file what it is going to send, and what
# each delivery report says:
#     intent PARTITION SEQUENCE
#     ack PARTITION SEQUENCE OFFSET        (-1 where Kafka does not tell it)
#     fail PARTITION SEQUENCE CODE
# Behind the topic, its arguments are: the file, the names of the run and of the
# producer, the number of partitions, how many messages to send, their size in bytes,
# how many in a second (0: as fast as it can), and properties.
set properties [lassign $argv topic path run producer partitions count size rate]
set file [open $path w]
fconfigure $file -buffering line
m config {*}$properties

set bytes ""
for {set i 0} {$i < 256} {incr i} {
    append bytes [format %c $i]
}

proc payload {partition sequence} {
    set head $::run:$::producer:$partition:$sequence
    set room [expr {max($::size - [string length $head] - 10, 0)}]
    set begin [expr {$sequence % 256}]
    set padding [string range [string repeat $::bytes [expr {$room / 256 + 2}]] $begin [expr {$begin + $room - 1}]]
    return "$head [format %08x [zlib crc32 $head$padding]] $padding"
}

proc send_next {} {
    set partition [expr {$::sent % $::partitions}]
    set sequence [expr {$::sent / $::partitions}]
    incr ::sent
    puts $::file "intent $partition $sequence"
    if {[catch {tp produce $partition [payload $partition $sequence]}]} {
        answered $partition $sequence fail [lindex $::errorCode 1]
    }
}

# What is due by now; more than a hundred at once would keep reports waiting.
proc send_due {begin} {
    set due [expr {$::rate ? ([clock milliseconds] - $begin) * $::rate / 1000 + 1 : $::count}]
    set until [expr {min($due, $::count, $::sent + 100)}]
    while {$::sent < $until} {
        send_next
    }
    if {$::sent < $::count} {
        after [expr {$::sent < $due ? 0 : 5}] [list send_due $begin]
    }
}

proc reported {report} {
    set payload [dict get $report payload]
    lassign [split [string range $payload 0 [string first " " $payload]-1] :] run producer partition sequence
    if {[dict exists $report error]} {
        answered $partition $sequence fail [dict get $report code]
    } else {
        set offset [dict get $report offset]
        answered $partition $sequence ack [expr {[string is entier -strict $offset] ? $offset : -1}]
    }
}

proc answered {partition sequence how what} {
    puts $::file "$how $partition $sequence $what"
    if {[incr ::answers] == $::count} {
        set ::all_answered 1
    }
}

set sent 0
set answers 0
m delivery_report callback reported
m producer_creator p
p new_topic tp $topic
send_due [clock milliseconds]
vwait all_answered
# A report too many would come now.
after 500 {set rest 1}
vwait rest
close $file
puts answered
flush stdout
