# arrivals.tcl --
#
#   Waiting for messages without stopping: what `-command` and kafka::await do for the
#   commands that consume.  Nothing is read in the background.  The engine tells when
#   there is enough to read, and then the command is called as always, without a wait:
#   in the frame of the coroutine, or at global level.  So no message is anywhere but in
#   its buffer or with the script, whatever is deleted meanwhile.

namespace eval ::kafkatcl::arrivals {
    variable made 0         ;# counts coroutines and callback ids
    variable entered 0      ;# when the event loop was entered last, in ms as of `clock milliseconds`
    variable slice 20       ;# ms that a coroutine may read without entering it
}

# What reads, if a subcommand waits for messages.
#   command  the full name of an object command, or empty
#   Result   object id, kind, subcommand and that name; empty for any other subcommand
proc ::kafkatcl::arrivals::Reader {command subcommand} {
    if {$command eq ""} {
        return
    }
    lassign [::kafkatcl::ObjectOf $command] kind id
    if {[::tcl::info::exists ::kafkatcl::rows($kind,$subcommand)]
            && [::kafkatcl::Field $kind $subcommand waits] eq "messages"} {
        return [list $id $kind $subcommand $command]
    }
}

# In a coroutine: call a subcommand that consumes, when there is something for it or its
# time is over.
#   level    where to call it, and find its array, as `uplevel` takes it
#   id       an object id; `kind`, `subcommand` and `command` are as of Reader
#   Result   a list of two: the options of `return` in kafka::await, and the result
proc ::kafkatcl::arrivals::Read {level id kind subcommand command words} {
    lassign [Places $kind $subcommand] partition timeout count
    set ms [expr {$timeout < [llength $words] ? [lindex $words $timeout] : 0}]
    set wanted [expr {$count < 0 ? 1 : [lindex $words $count]}]
    if {[catch {::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $ms]} ms options]} {
        return [list $options $ms]
    }
    if {$timeout < [llength $words]} {
        lset words $timeout 0
    }
    set deadline [expr {$ms < 0 ? Inf : [::tcl::clock::milliseconds] + $ms}]
    if {$count >= 0 || [::tcl::clock::milliseconds] - $::kafkatcl::arrivals::entered > $::kafkatcl::arrivals::slice} {
        set failed [catch {Wait $id [lindex $words $partition] $wanted $deadline} result options]
        if {$failed} {
            return [list $options $result]
        }
    }
    while 1 {
        set code [catch {uplevel $level [list $command $subcommand {*}$words]} result options]
        if {![IsNothing $code $result $options] || [::tcl::clock::milliseconds] >= $deadline} {
            # A result is one of kafka::await, and a return of the code one of whoever
            # has called that.
            dict incr options -level [expr {$code != 1}]
            return [list $options $result]
        }
        if {[catch {Wait $id [lindex $words $partition] $wanted $deadline} result options]} {
            return [list $options $result]
        }
    }
}

# Where among the words of a subcommand the partition, the timeout and the count are; -1
# where there is none.
proc ::kafkatcl::arrivals::Places {kind subcommand} {
    lassign [::kafkatcl::ParseUsage [::kafkatcl::UsageOf $kind $subcommand]] required optional
    return [lmap name {partition timeout count} {lsearch -exact [concat $required $optional] $name}]
}

# Whether a command that consumes has found nothing: it is out of time, has given no
# message, or run its code for none.
proc ::kafkatcl::arrivals::IsNothing {code result options} {
    if {$code == 0} {
        return [expr {$result in {{} 0}}]
    }
    return [expr {$code == 1 && [lindex [dict get $options -errorcode] 1] eq "RD_KAFKA_RESP_ERR__TIMED_OUT"}]
}

# In a coroutine: wait until there is something to read, or the time is over.
#   id        the object id of what is read
#   count     how many messages are wanted
#   deadline  in ms as of `clock milliseconds`, or Inf
#   Errors    those of the bridge call watch; that the object was deleted
proc ::kafkatcl::arrivals::Wait {id partition count deadline} {
    variable made
    variable entered
    # What is stored in Tcl is not in the buffer.
    ::kafkatcl::batches::Clear $id $partition
    set coroutine [::tcl::info::coroutine]
    set ms [expr {$deadline == Inf ? -1 : max(0, $deadline - [::tcl::clock::milliseconds])}]
    set answerId [::kafkatcl::background::Await $coroutine]
    set callbackId arrival[incr made]
    ::kafkatcl::events::SetCallback $callbackId [list ::kafkatcl::background::Resume $answerId]
    set timer {}
    try {
        ::kafkatcl::Unwrap [::kafkatcl::bridge::watch $::kafkatcl::session $callbackId $id $count $partition $ms]
        if {$ms >= 0} {
            set timer [::kafkatcl::Unwrap [::kafkatcl::bridge::timer_start $::kafkatcl::session $ms \
                background::Resume $answerId]]
        }
        ::kafkatcl::background::Answer $answerId
    } on error {result options} {
        ::kafkatcl::background::Forget $coroutine $answerId
        return -options $options $result
    } finally {
        ::kafkatcl::bridge::timer_stop $timer
        ::kafkatcl::bridge::unwatch $callbackId
        ::kafkatcl::events::UnsetCallback $callbackId
    }
    set entered [::tcl::clock::milliseconds]
    if {![::tcl::info::exists ::kafkatcl::commandOf($id)]} {
        ::kafkatcl::Unwrap [::kafkatcl::bridge::watch $::kafkatcl::session $callbackId $id $count $partition $ms]
    }
}

# Call a subcommand that consumes when there is something for it, and tell a prefix what
# comes of it: the `-command` of its row.  Its array and its code are global.
#   id  an object id
proc ::kafkatcl::arrivals::Ask {prefix id kind subcommand words} {
    variable made
    coroutine ::kafkatcl::arrivals::reader[incr made] ::kafkatcl::arrivals::Tell $prefix $id $kind $subcommand $words
    return
}

# The coroutine of Ask.
proc ::kafkatcl::arrivals::Tell {prefix id kind subcommand words} {
    set answerId [::kafkatcl::background::Await [::tcl::info::coroutine]]
    ::kafkatcl::bridge::timer_start $::kafkatcl::session 0 background::Resume $answerId
    ::kafkatcl::background::Answer $answerId
    lassign [Read #0 $id $kind $subcommand $::kafkatcl::commandOf($id) $words] options result
    if {[dict get $options -code] == 1} {
        set answer [list error $result [dict get $options -errorcode]]
    } else {
        set answer [list ok $result]
    }
    uplevel #0 [list {*}$prefix {*}$answer]
}
