# fairness.tcl --
#
#   How callbacks and the rest of the event loop share it: fairness.tcl BOOTSTRAP TOPIC COUNT KIND
#   The topic has COUNT messages in partition 0.  Printed are the callbacks of a second while the loop is busy with
#   something of this kind, and how late a timer of 10 ms was at most, in ms.

package require kafka
lassign $argv bootstrap topic count kind

namespace eval busy {
    proc nothing {} {}
    # A timer that is always due.
    proc timer {} {after 0 ::busy::timer}
    # Each 20 ms, and it takes 25 ms.
    proc overrun {} {
        after 20 ::busy::overrun
        set end [expr {[clock milliseconds] + 25}]
        while {[clock milliseconds] < $end} {}
    }
    # A channel that can always be written to, and one that can always be read.
    proc writable {} {
        set channel [open /dev/null w]
        fileevent $channel writable {incr ::turns}
    }
    proc readable {} {
        set channel [open /dev/zero r]
        fconfigure $channel -translation binary
        fileevent $channel readable [list read $channel 100]
    }
    # A socket whose peer sends all the time.
    proc socket {} {
        set server [::socket -server ::busy::accept -myaddr 127.0.0.1 0]
        set sender [::socket 127.0.0.1 [lindex [fconfigure $server -sockname] 2]]
        fconfigure $sender -blocking 0 -translation binary
        fileevent $sender writable [list puts -nonewline $sender [string repeat x 4096]]
    }
    proc accept {channel args} {
        fconfigure $channel -blocking 0 -translation binary
        fileevent $channel readable [list read $channel 4096]
    }
}

# A timer of 10 ms, and how late it was at most.
proc tick {due} {
    set ::late [expr {max($::late, [clock milliseconds] - $due)}]
    after 10 [list tick [expr {[clock milliseconds] + 10}]]
}

# The last message is followed by the first one.
proc told {message} {
    if {[incr ::told] % $::count == 0} {
        in start 0 beginning told
    }
}

kafka::kafka create master
master logger none
master config bootstrap.servers $bootstrap queued.min.messages 1000000 fetch.wait.max.ms 10
master consumer_creator consumer
consumer new_topic in $topic
set told 0
set late 0
in start 0 beginning told
vwait told
busy::$kind
tick [expr {[clock milliseconds] + 10}]
after 500 {set begun $told; set late 0; set since [clock microseconds]; set go on}
vwait go
after 2500 {set end now}
vwait end
puts [list [expr {($told - $begun) * 1e6 / ([clock microseconds] - $since)}] $late]
exit
