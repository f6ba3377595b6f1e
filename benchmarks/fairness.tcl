# fairness.tcl --
#
#   How callbacks and the rest of the event loop share it: fairness.tcl BOOTSTRAP TOPIC
#   COUNT KIND The topic has COUNT messages in partition 0.  Printed are the callbacks
#   of a second while the loop is busy with something of this kind, and how late a timer
#   of 10 ms was at most, in ms.

package require {*}[expr {[info exists env(BENCHMARK_PACKAGE)] ? $env(BENCHMARK_PACKAGE) : "kafka"}]
lassign $argv bootstrap topic count kind
source [file join [file dirname [info script]] busy.tcl]

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
