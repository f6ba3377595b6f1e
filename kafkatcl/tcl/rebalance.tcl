# rebalance.tcl --
#
#   The rebalance callbacks of subscribers.  Such a callback runs as an event, or within
#   a call of its subscriber that waits: the engine ends the wait with an error, and it
#   is waited on behind the callback.  Until the callback has ended the group leaves the
#   partitions as they are.

namespace eval ::kafkatcl::rebalance {
    variable prefix         ;# object id of a subscriber -> the prefix of its callback
    variable telling {}     ;# the subscribers whose callback runs, innermost last
    array set prefix {}
}

# The callback of a subscriber.
#   Result  empty if there is none
proc ::kafkatcl::rebalance::Get {id} {
    variable prefix
    if {[::tcl::info::exists prefix($id)]} {return $prefix($id)}
}

# Set the callback of a subscriber, or with an empty prefix unset it.
#   Errors  that of a prefix that is no list
proc ::kafkatcl::rebalance::Set {id callback} {
    variable prefix
    if {[llength $callback] == 0} {
        ::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_rebalance_callback $id 0]
        Forget $id
        return
    }
    set command [list {*}$callback]
    ::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_rebalance_callback $id 1]
    set prefix($id) $command
    ::kafkatcl::events::SetCallback $id.rebalance [list ::kafkatcl::rebalance::Tell $id]
}

# Forget the callback of a subscriber, if it has one.
proc ::kafkatcl::rebalance::Forget {id} {
    variable prefix
    unset -nocomplain prefix($id)
    ::kafkatcl::events::UnsetCallback $id.rebalance
}

# Run the callback of a subscriber for each rebalance that it is to be told of.  What
# messages the script was given and has not got to are requeued before: those of
# partitions that go are another's.  Within the callback there is nothing further to be
# told.
#   args    what an event brings, of no account
#   Result  errors of the callback are noted, for events::ReportFailures
proc ::kafkatcl::rebalance::Tell {id args} {
    variable prefix
    variable telling
    while {$id ni $telling && [::tcl::info::exists prefix($id)]} {
        ::kafkatcl::Requeue
        ::kafkatcl::messages::Cut $id
        lassign [::kafkatcl::bridge::subscriber_rebalance $id] status told
        if {$status ne 0} {
            return
        }
        set outer $telling
        lappend telling $id
        ::kafkatcl::events::RunCallback $id.rebalance [list {*}$prefix($id) {*}$told]
        set telling $outer
        ::kafkatcl::bridge::subscriber_rebalanced $id
    }
}

# Tell what is to be told, outside of the event loop.
#   id  of any object
proc ::kafkatcl::rebalance::Serve {id} {
    variable prefix
    if {[::tcl::info::exists prefix($id)]} {
        Tell $id
        ::kafkatcl::events::ReportFailures
    }
}

# Make a bridge call that waits, and is interrupted by rebalances that are to be told:
# then wait on for the rest of the time.
#   id      of the subscriber that is waited for
#   call    the name of the bridge call, below ::kafkatcl::bridge, and its words; it has
#           no effect where it is interrupted
#   at      the place in `call` of its timeout in ms; empty if it has none
#   Result  the answer
proc ::kafkatcl::rebalance::Wait {id call {at {}}} {
    set began [::tcl::clock::milliseconds]
    set answer [::kafkatcl::bridge::[lindex $call 0] {*}[lrange $call 1 end]]
    set timeout [lindex $call $at]
    while {[lindex $answer 2] eq {KAFKA REBALANCE DUE}} {
        Serve $id
        if {$at ne "" && $timeout > 0} {
            lset call $at [expr {max(0, $timeout - ([::tcl::clock::milliseconds] - $began))}]
        }
        set answer [::kafkatcl::bridge::[lindex $call 0] {*}[lrange $call 1 end]]
    }
    return $answer
}

# Tell the callback of a subscriber, if it has one, that its partitions are revoked:
# before the subscriber is deleted, or the interpreter ends.
proc ::kafkatcl::rebalance::Leave {id} {
    variable prefix
    if {[::tcl::info::exists prefix($id)]} {
        Wait $id [list subscriber_retire $id]
    }
}

# The same of all subscribers.
proc ::kafkatcl::rebalance::LeaveAll {} {
    variable prefix
    foreach id [::tcl::array::names prefix] {
        Leave $id
    }
}

# Script cancellation has unwound the callbacks that ran: their rebalances go on.
# Called by the shell.
proc ::kafkatcl::rebalance::Unwound {} {
    variable telling
    set unwound $telling
    set telling {}
    foreach id $unwound {
        ::kafkatcl::bridge::subscriber_rebalanced $id
    }
}
