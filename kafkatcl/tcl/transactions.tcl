# transactions.tcl --
#
#   Transactions of producer handles: `transaction`, which runs a script and commits,
#   and the single steps.

namespace eval ::kafkatcl::transactions {
    variable running {}     ;# the handles whose `transaction` runs a script, innermost last
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
    ::kafkatcl::Unwrap [::kafkatcl::bridge::transaction_open $id $subscriber $timeout]
    lappend running $id
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
    variable ::kafkatcl::commandOf
    if {$name eq ""} {
        return
    }
    set command [uplevel [LevelOf 3] [list namespace origin [list {*}$name]]]
    foreach {id known} [array get commandOf h*] {
        if {$known eq $command && [::kafkatcl::KindOf $command] eq "subscriber"} {
            return $id
        }
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
    set at [lsearch -exact $running $id]
    set running [lreplace $running $at $at]
}

# The trace on a variable of Run whose frame has gone: its coroutine was deleted.
proc ::kafkatcl::transactions::Abandoned {id args} {
    Forget $id
    Abort $id {}
}

# Script cancellation has unwound the scripts of all transactions: abort them.  Called
# by the shell.
proc ::kafkatcl::transactions::Unwound {} {
    variable running
    foreach id $running {
        Forget $id
        Abort $id {}
    }
}
