# The workloads of the benchmarks, for any interpreter that has package kafka:
#
#   workloads.tcl WORKLOAD ?-option value ...?
#
# runs one of them and prints each of its figures as a line of JSON.  Only commands of
# KafkaTcl 2.4.3 are used, but where newer ones are what is measured.

package require {*}[expr {[info exists env(BENCHMARK_PACKAGE)] ? $env(BENCHMARK_PACKAGE) : "kafka"}]

array set options {
    -brokers 127.0.0.1 -topic benchmark -messages 10000 -size 100 -partitions 1 -batch 1000 -key 0
    -headers 0 -prefetched 0 -settling 1
}
set patience 60000 ;# ms to wait for a message
set unmeasured 20 ;# messages until the latency has settled

# Without -prefetched nothing is set about fetching.  With it librdkafka never has
# enough, and after the first message it gets so many ms to fetch all others: then
# nothing but the client's own work is measured.
set prefetching {
    queued.min.messages 10000000 queued.max.messages.kbytes 2000000 fetch.queue.backoff.ms 5
}
set prefetching_ms 2000

namespace eval workload {}

# -- figures ---------------------------------------------------------------------------

proc figure {name value unit} {
    puts [format {{"name": "%s", "value": %.3f, "unit": "%s"}} $name $value $unit]
}

# From the first message to the last, both in microseconds.
proc report_rate {name messages first last} {
    figure $name [expr {$messages * 1e6 / max(1, $last - $first)}] messages/s
}

# The file of a process, and the fields of it, that tell the memory it has now, the most
# it had, and that which it shares with no other process.
array set memory {resident {status VmRSS} peak {status VmHWM} private {smaps_rollup Private_\\w+}}

# Where the system tells it: one measure of the memory of processes.
proc report_memory {name measure processes} {
    if {![llength $processes] || ![file isdirectory /proc/self]} {
        return
    }
    lassign $::memory($measure) file field
    set kibibytes 0
    foreach process $processes {
        set status [open /proc/$process/$file]
        foreach {line number} [regexp -all -inline -line "^$field:\\s+(\\d+) kB" [read $status]] {
            incr kibibytes $number
        }
        close $status
    }
    figure $name [expr {$kibibytes / 1024.0}] MiB
}

# The process that does the work of this one, if there is one.
proc sidecars {} {
    return [expr {[info exists ::kafkatcl::sidecar::process] ? $::kafkatcl::sidecar::process : ""}]
}

# -- producing -------------------------------------------------------------------------

# The queue has room for all messages; the first one has the metadata fetched before the
# measuring.
proc open_producer {} {
    master config queue.buffering.max.messages 10000000 queue.buffering.max.kbytes 2000000
    master producer_creator producer
    producer new_topic out $::options(-topic)
    out produce 0 first
    await_acknowledged
}

proc await_acknowledged {} {
    while {[producer output_queue_length] > 0} {
        after 2 {set ::waited 1}
        vwait ::waited
    }
}

# Measure the command args, which produces all messages.
proc measure_producing {args} {
    open_producer
    set start [clock microseconds]
    {*}$args
    set enqueued [clock microseconds]
    await_acknowledged
    report_rate enqueued $::options(-messages) $start $enqueued
    report_rate acknowledged $::options(-messages) $start [clock microseconds]
}

proc workload::produce {} {
    set loop [expr {$::options(-headers) ? "produce_with_headers" :
        $::options(-key) ? "produce_with_key" : "produce_without_key"}]
    measure_producing $loop $::options(-messages) [string repeat x $::options(-size)]
}

# So many headers, with 10 bytes each.
proc headers {} {
    for {set number 0} {$number < $::options(-headers)} {incr number} {
        lappend headers header$number 0123456789
    }
    return $headers
}

proc produce_with_headers {messages payload} {
    set headers [headers]
    for {set i 0} {$i < $messages} {incr i} {
        out produce 0 $payload -headers $headers
    }
}

proc produce_without_key {messages payload} {
    for {set i 0} {$i < $messages} {incr i} {
        out produce 0 $payload
    }
}

proc produce_with_key {messages payload} {
    for {set i 0} {$i < $messages} {incr i} {
        out produce 0 $payload key$i
    }
}

proc workload::produce_batch {} {
    set payload [string repeat x $::options(-size)]
    for {set i 0} {$i < $::options(-batch)} {incr i} {
        lappend rows [expr {$::options(-key) ? [list $payload key$i] : [list $payload]}]
    }
    measure_producing produce_batches $::options(-messages) $rows
}

proc produce_batches {messages rows} {
    for {set left $messages} {$left > 0} {incr left -[llength $rows]} {
        out produce_batch 0 [lrange $rows 0 $left-1]
    }
}

# Transactions of -batch messages each.  The first has the topic known to all.
proc workload::produce_transactions {} {
    master config transactional.id $::options(-topic)
    master producer_creator producer
    producer new_topic out $::options(-topic)
    producer transaction {out produce 0 first}
    set rows [lrepeat $::options(-batch) [list [string repeat x $::options(-size)]]]
    set times {}
    set start [clock microseconds]
    for {set left $::options(-messages)} {$left > 0} {incr left -[llength $rows]} {
        lappend times [lindex [time {
            producer transaction {out produce_batch 0 [lrange $rows 0 $left-1]}
        }] 0]
    }
    report_rate committed $::options(-messages) $start [clock microseconds]
    set times [lsort -integer $times]
    figure transaction [expr {[lindex $times [expr {[llength $times] / 2}]] / 1000.0}] ms
}

proc workload::produce_messages {} {
    set payload [string repeat x $::options(-size)]
    for {set i 0} {$i < $::options(-batch)} {incr i} {
        lappend messages [list payload $payload {*}[expr {$::options(-headers) ? [list headers [headers]] : {}}]]
    }
    measure_producing produce_messages $::options(-messages) $messages
}

proc produce_messages {count messages} {
    for {set left $count} {$left > 0} {incr left -[llength $messages]} {
        out produce_messages [lrange $messages 0 $left-1] -partition 0
    }
}

# A line for each message, written to the topic as a channel.
proc workload::produce_channel {} {
    set payload [string repeat x $::options(-size)]
    measure_producing write_lines $::options(-messages) $payload
}

proc write_lines {messages payload} {
    set channel [out channel]
    for {set i 0} {$i < $messages} {incr i} {
        puts $channel $payload
    }
    close $channel
}

# -- consuming -------------------------------------------------------------------------

# Before the clock starts -settling messages are taken: the first one tells that
# fetching is under way, and of some more a client that reads ahead may have done half
# of the work already.

proc open_consumer {} {
    master consumer_creator consumer
    consumer new_topic in $::options(-topic)
}

proc open_queue {} {
    open_consumer
    consumer create_queue queue
    for {set partition 0} {$partition < $::options(-partitions)} {incr partition} {
        in start_queue $partition beginning queue
    }
}

# Called after the first message.
proc prefetch {} {
    if {$::options(-prefetched)} {
        after $::prefetching_ms
    }
}

proc workload::consume {} {
    open_consumer
    in start 0 beginning
    measure_consuming take_each
}

proc workload::consume_batch {} {
    open_consumer
    in start 0 beginning
    measure_consuming take_batches {in consume_batch 0}
}

proc workload::queue_batch {} {
    open_queue
    measure_consuming take_batches {queue consume_batch}
}

# Measure the command args, which takes as many messages as the number that is appended
# to it.
proc measure_consuming {args} {
    {*}$args 1
    prefetch
    {*}$args [expr {$::options(-settling) - 1}]
    set first [clock microseconds]
    {*}$args $::options(-messages)
    report_rate rate $::options(-messages) $first [clock microseconds]
}

proc take_each {messages} {
    set patience $::patience
    for {set i 0} {$i < $messages} {incr i} {
        in consume 0 $patience row
    }
}

# No more are asked for than are wanted, so no batch waits for its timeout.
proc take_batches {consume_batch messages} {
    set batch $::options(-batch)
    for {set left $messages} {$left > 0} {incr left -$count} {
        set count [{*}$consume_batch $::patience [expr {min($batch, $left)}] row {set payload $row(payload)}]
        if {$count <= 0} {
            error "consume_batch gave $count with $left messages to come"
        }
    }
}

proc workload::callback {} {
    open_consumer
    in start 0 beginning received
    await_all
}

proc workload::queue_callback {} {
    open_queue
    queue consume_callback received
    await_all
}

proc workload::subscriber_callback {} {
    master config group.id "benchmark-[pid]-[clock microseconds]" enable.auto.commit false
    master subscriber subscriber
    subscriber callback received
    subscriber subscribe $::options(-topic)
    await_all
}

# One message after the other, by `consume` and by `foreach`.
proc workload::subscriber_consume {} {
    open_subscriber
    measure_consuming take_from_subscriber
}

proc workload::subscriber_foreach {} {
    open_subscriber
    measure_consuming take_in_loop
}

proc open_subscriber {} {
    master config group.id "benchmark-[pid]-[clock microseconds]" enable.auto.commit false
    master subscriber subscriber
    subscriber assign [list $::options(-topic) 0 beginning]
}

proc take_from_subscriber {messages} {
    for {set i 0} {$i < $messages} {incr i} {
        set payload [dict get [subscriber consume $::patience] payload]
    }
}

proc take_in_loop {messages} {
    subscriber foreach row -timeout $::patience -count $messages {set payload $row(payload)}
}

# KafkaTcl 2.4.3 runs the callback of a subscriber where a vwait does not see it: it
# goes on at the next event only.
proc heartbeat {} {
    after 1000 heartbeat
}

set received 0
set milestone 1 ;# the number of the next message at which more is to be done

proc received {message} {
    global received milestone
    set payload [dict get $message payload]
    if {[incr received] == $milestone} {
        reach_milestone
    }
}

proc reach_milestone {} {
    global received milestone options first last
    if {$received == 1} {
        prefetch
        set milestone $options(-settling)
    }
    if {$received == $options(-settling)} {
        set first [clock microseconds]
        incr milestone $options(-messages)
    } elseif {$received > $options(-settling)} {
        set last [clock microseconds]
    }
}

proc await_all {} {
    heartbeat
    vwait ::last
    report_rate rate $::options(-messages) $::first $::last
}

# How long messages are on their way; each has in it the time at which another process
# sent it.
proc workload::latency {} {
    open_consumer
    in start 0 end arrived
    vwait ::all_arrived
    set sorted [lsort -integer [lrange $::latencies $::unmeasured end]]
    foreach percent {50 99} {
        set index [expr {[llength $sorted] * $percent / 100}]
        figure p$percent [expr {[lindex $sorted $index] / 1000.0}] ms
    }
}

proc arrived {message} {
    lappend ::latencies [expr {[clock microseconds] - [dict get $message payload]}]
    if {[llength $::latencies] == $::options(-messages) + $::unmeasured} {
        set ::all_arrived 1
    }
}

# -- the process itself ----------------------------------------------------------------

# Nothing but what every workload starts with: the driver measures the whole process.
proc workload::startup {} {}

# What a program takes that could do something.
proc workload::idle {} {
    master producer_creator producer
    master consumer_creator consumer
    after 1000 {set ::settled 1}
    vwait ::settled
    foreach measure {resident private} {
        report_memory "interpreter $measure" $measure [pid]
        report_memory "sidecar $measure" $measure [sidecars]
    }
}

proc workload::about {} {
    set versions [list [info patchlevel] [package provide kafka] [kafka::kafka version]]
    puts [format {{"Tcl": "%s", "package kafka": "%s", "librdkafka": "%s"}} {*}$versions]
}

set arguments [lassign $argv name]
array set options $arguments
kafka::kafka create master
master config bootstrap.servers $options(-brokers)
if {$options(-prefetched)} {
    master config {*}$prefetching
}
workload::$name
if {$name ni {startup idle about}} {
    foreach measure {resident peak} {
        report_memory $measure $measure [list [pid] {*}[sidecars]]
    }
}
