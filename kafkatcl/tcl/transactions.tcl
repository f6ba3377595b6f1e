# transactions.tcl --
#
#   Transactions of producer handles: `transaction`, which runs a script and commits,
#   and the single steps.

namespace eval ::kafkatcl::transactions {
    # for each `transaction` that runs a script, the innermost last: its handle, and the
    # number of its frame, which is empty in a coroutine
    variable running {}
}

::kafkatcl::Implement handle transaction {
    set subscriber [::kafkatcl::transactions::Subscriber $offsets]
    return [::kafkatcl::transactions::Run $id $subscriber $timeout $script]
}

::kafkatcl::Implement handle send_offsets {
    set member [::kafkatcl::transactions::Subscriber [lindex $words 0]]
    ::kafkatcl::Acknowledge
    return [::kafkatcl::Ask $command transaction_send_offsets $id $member {} \
        {*}[::kafkatcl::subscriber::Positions [lrange $words 1 end]]]
}

# Run a script within a transaction.
#   subscriber  the object id of that whose positions go with it; empty for none
#   timeout     in ms, for what is done before the script, and again for what is done
#               behind it; empty for transaction.timeout.ms
#   Result      that of the script, which may end in any way
#   Errors      that of the script, with errorInfo of its own; those of the transaction
#   Level       3, for the script
proc ::kafkatcl::transactions::Run {id subscriber timeout script} {
    variable running
    set level [LevelOf 3]
    AbortUnwound $id
    ::kafkatcl::Unwrap [::kafkatcl::bridge::transaction_open $id $subscriber $timeout]
    lappend running $id [expr {[::tcl::info::coroutine] eq "" ? [info frame] : ""}]
    # Of a coroutine that is deleted meanwhile no code runs any more, but this trace.
    trace add variable script unset [list ::kafkatcl::transactions::Abandoned $id]
    set code [catch {uplevel $level $script} result options]
    trace remove variable script unset [list ::kafkatcl::transactions::Abandoned $id]
    Forget $id
    if {$code == 1} {
        Abort $id $timeout
        set info [::kafkatcl::failures::OfScript [dict get $options -errorinfo] {"transaction" body line %line%}]
        return -options [::kafkatcl::failures::Passed $info $options] $result
    }
    if {[catch {Commit $id $subscriber $timeout} message failure]} {
        Abort $id $timeout
        return -options $failure $message
    }
    if {$code == 0} {
        return $result
    }
    dict incr options -level [expr {$level - 3}]
    set ::kafkatcl::failures::passed $options
    # The object command is to see how the script has ended, two procedures from here.
    return -options [dict replace $options -level [expr {$code == 2 ? 3 : 2}]] $result
}

# How many levels up from the caller whoever called the object command is.
#   level   how many without `creator`, which adds three
#   Level   2 up from here is the subcommand, which the object command has called
proc ::kafkatcl::transactions::LevelOf {level} {
    return [expr {[lindex [info level -3] 0] eq "creator" ? $level + 3 : $level}]
}

# The object id of a subscriber.
#   name    of its command, as the script gave it; empty for none
#   Errors  KAFKA RD_KAFKA_RESP_ERR__INVALID_ARG if it is none
#   Level   3, for the name
proc ::kafkatcl::transactions::Subscriber {name} {
    if {$name eq ""} {
        return
    }
    lassign [::kafkatcl::ObjectOf [uplevel [LevelOf 3] [list namespace origin [list {*}$name]]]] kind id
    if {$kind eq "subscriber"} {
        return $id
    }
    return -code error -errorcode [::kafkatcl::failures::InvalidArgument "not a subscriber"] "\"$name\" is not a subscriber"
}

# Commit, with the positions of a subscriber: all that it has handed over.
proc ::kafkatcl::transactions::Commit {id subscriber timeout} {
    if {$subscriber ne ""} {
        ::kafkatcl::Acknowledge
        ::kafkatcl::Unwrap [::kafkatcl::bridge::transaction_send_offsets $id $subscriber $timeout]
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::transaction_commit $id $timeout]
}

# Abort, if there is anything to abort, and have the subscriber go back.  Whatever comes
# of it: if the abort does not end in time, the next transaction ends it.
proc ::kafkatcl::transactions::Abort {id timeout} {
    ::kafkatcl::Requeue
    ::kafkatcl::bridge::transaction_abort $id $timeout
}

# A transaction is no longer one that runs a script.
proc ::kafkatcl::transactions::Forget {id} {
    variable running
    set running [dict remove $running $id]
}

# The script of a transaction will not come to its end.  The trace on a variable of Run
# whose frame has gone with its coroutine.
proc ::kafkatcl::transactions::Abandoned {id args} {
    Forget $id
    Abort $id {}
}

# Script cancellation has unwound the scripts of all transactions: abort them.  Called
# by the shell.
proc ::kafkatcl::transactions::Unwound {} {
    variable running
    foreach id [dict keys $running] {
        Abandoned $id
    }
}

# Abort a transaction of a handle whose script another interpreter has unwound by
# `interp cancel -unwind`: then the frame of Run has gone, and no code has seen it go.
proc ::kafkatcl::transactions::AbortUnwound {id} {
    variable running
    if {![dict exists $running $id] || [set frame [dict get $running $id]] eq ""} {
        return
    }
    # The frame above this one is that of the present Run.
    if {$frame >= [info frame] - 1 || ![dict exists [info frame $frame] proc]
            || [dict get [info frame $frame] proc] ne "::kafkatcl::transactions::Run"} {
        Abandoned $id
    }
}
