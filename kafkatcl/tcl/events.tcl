# events.tcl --
#
#   Callbacks.  The engine collects events and rings a bell; this file takes them in
#   batches, and turns.tcl runs the callbacks.  A callback has a callback id.  When a
#   callback is removed, its pending events are skipped.  Pending events are those that
#   were taken and have not run; the engine has them in flight.

namespace eval ::kafkatcl::events {
    variable callback       ;# callback id -> command prefix
    variable running {}     ;# callback ids of the callbacks that are running, innermost last
    # the events of the last batch: a notice is {callbackId argument}, messages are
    # {callbackId topic partition layout fields}
    variable waiting {}
    variable next 0         ;# where in `waiting` the first pending one stands
    variable at 0           ;# where in its fields the next message begins
    variable left 0         ;# how many notices and messages are pending
    variable callbackIds 0  ;# counts the callback ids made here
    variable batch 500      ;# how many notices and messages are taken at once, see AdaptBatch
    variable taken 0        ;# when the last batch was, in ms as of `clock milliseconds`
    variable changes 0      ;# counts changes of callbacks and pending events
    variable interval 50    ;# ms between acknowledgements of what callbacks have run
    variable due 0          ;# when the next one is due, in ms as of `clock milliseconds`
    # Reports of messages that were sent with a command of their own tell it themselves,
    # see RunNotice.
    array set callback {own {}}
}

# A callback id for a callback of its own, which no other object has: that of a
# partition.
proc ::kafkatcl::events::NewCallbackId {} {
    variable callbackIds
    return "start[incr callbackIds]"
}

# Set a callback; another one that has this id is replaced.
#   callbackId  of NewCallbackId, or what the engine calls the callback
#   prefix      a list
proc ::kafkatcl::events::SetCallback {callbackId prefix} {
    variable callback
    variable changes
    set callback($callbackId) [list {*}$prefix]
    incr changes
}

# Forget a callback, if there is one: its pending events will be skipped.
proc ::kafkatcl::events::UnsetCallback {callbackId} {
    variable callback
    variable changes
    unset -nocomplain callback($callbackId)
    incr changes
}

# The command prefix of a callback.
#   Result  empty if there is none
proc ::kafkatcl::events::GetCallback {callbackId} {
    variable callback
    if {[::tcl::info::exists callback($callbackId)]} {return $callback($callbackId)}
}

# Forget the callbacks of partitions that are no longer fetched, if they had one for
# themselves.
#   stopped  three elements for each partition: callback id, topic, partition
proc ::kafkatcl::events::DropStopped {stopped} {
    foreach {callbackId topic partition} $stopped {
        if {[::tcl::string::match start* $callbackId]} {
            UnsetCallback $callbackId
        }
    }
}

# -- pending events --------------------------------------------------------------------

# Requeue all pending events; those that have run are acknowledged.  Done before a
# partition is stopped, an object deleted, or a callback replaced: the engine then drops
# what no callback may get any more.
proc ::kafkatcl::events::Requeue {} {
    variable left
    if {$left > 0} {
        set counts [RemainingCounts]
        ReplaceEvents {}
        ::kafkatcl::Unwrap [::kafkatcl::bridge::events_requeue $::kafkatcl::session {*}$counts]
    }
}

# Give back what the engine recalls, as its partitions were revoked: pending events of a
# callback, and messages that were read ahead.
proc ::kafkatcl::events::RequeueRecalled {} {
    foreach callbackId [::kafkatcl::Unwrap [::kafkatcl::bridge::events_recalled $::kafkatcl::session]] {
        if {$callbackId eq ""} {
            ::kafkatcl::ahead::Requeue
            continue
        }
        set counts [RemainingCounts]
        ReplaceEvents [lsearch -all -inline -not -exact -index 0 [Remaining] $callbackId]
        ::kafkatcl::Unwrap [::kafkatcl::bridge::events_answer_recall $::kafkatcl::session $callbackId \
            [expr {[dict exists $counts $callbackId] ? [dict get $counts $callbackId] : 0}]]
    }
}

# The pending events.
#   Result  a list as `waiting`, where the first event has only the messages that have
#           not run
proc ::kafkatcl::events::Remaining {} {
    variable waiting
    variable next
    variable at
    set rest [lrange $waiting $next end]
    if {$at > 0} {
        lset rest 0 4 [lrange [lindex $rest 0 4] $at end]
    }
    return $rest
}

# How many notices or messages of an event have not run.
#   at  where in its fields the next message begins
proc ::kafkatcl::events::CountOf {event {at 0}} {
    if {[llength $event] == 2} {
        return 1
    }
    return [expr {([::kafkatcl::native::length [lindex $event 4]] - $at) / [::kafkatcl::layouts::Width [lindex $event 3]]}]
}

# Have these events pending, in place of all that were.
#   events  a list as `waiting`
proc ::kafkatcl::events::ReplaceEvents {events} {
    variable changes
    variable waiting $events
    variable next 0
    variable at 0
    variable left 0
    foreach event $events {
        incr left [CountOf $event]
    }
    incr changes
}

# How many notices or messages of each callback are pending.
#   Result  a dict of callback ids and numbers, as the bridge calls take it
proc ::kafkatcl::events::RemainingCounts {} {
    variable waiting
    variable next
    variable at
    set counts {}
    set first $at
    foreach event [lrange $waiting $next end] {
        dict incr counts [lindex $event 0] [CountOf $event $first]
        set first 0
    }
    return $counts
}

# Acknowledge what callbacks have run: those messages count as consumed.
proc ::kafkatcl::events::Acknowledge {} {
    variable interval
    variable due [expr {[::tcl::clock::milliseconds] + $interval}]
    ::kafkatcl::Unwrap [::kafkatcl::bridge::events_acknowledge $::kafkatcl::session {*}[RemainingCounts]]
}

# Take the next batch of events from the engine, when the last one has run.
#   Result  the number of notices and messages; 0 if the bell will ring for the next
#           ones
proc ::kafkatcl::events::TakeEvents {} {
    variable batch
    variable left
    variable rung
    variable interval
    variable taken [::tcl::clock::milliseconds]
    variable due [expr {$taken + $interval}]
    ReplaceEvents [::kafkatcl::layouts::ReceivedAll \
        [::kafkatcl::Unwrap [::kafkatcl::bridge::events_take $::kafkatcl::session $batch]]]
    set rung [expr {$left > 0}]
    return $left
}

# After a batch has run: take twice as much at once where it took less than 5 ms, and
# half where it took more than 20, since callbacks of other objects wait for the whole
# batch.
proc ::kafkatcl::events::AdaptBatch {} {
    variable batch
    variable taken
    set ms [expr {[::tcl::clock::milliseconds] - $taken}]
    if {$ms < 5 && $batch < 2000} {
        set batch [expr {$batch * 2}]
    } elseif {$ms > 20 && $batch > 10} {
        set batch [expr {$batch / 2}]
    }
}
