# background.tcl --
#
#   Asking the cluster without waiting: what may wait takes `-command prefix`, and the
#   prefix is called from the event loop with `ok result`, or `error message errorCode`.
#   In a coroutine, kafka::await does that and gives the result.

namespace eval ::kafkatcl::background {
    variable asked          ;# callback id of a question -> the prefix that gets the answer
    variable awaiting       ;# id of an answer -> the coroutine that awaits it, while it is there
    variable answerIds 0    ;# counts the ids of both kinds
    array set asked {}
    array set awaiting {}
}

# Call the bridge, and give its value; with a prefix do not wait for it.
#   prefix  what gets the answer later, as an event at global level; empty to wait
#   call    the name of the bridge call, below ::kafkatcl::bridge
#   Result  the value of the call; empty with a prefix
#   Errors  those of the call; with a prefix only that it cannot be started
proc ::kafkatcl::Ask {prefix call args} {
    if {[llength $prefix] == 0} {
        set answer [bridge::$call {*}$args]
        rebalance::Serve [lindex $args 0]
        return [Unwrap $answer]
    }
    set answerId asked[incr background::answerIds]
    set background::asked($answerId) [list {*}$prefix]
    if {[catch {Unwrap [bridge::background $::kafkatcl::session $answerId $call {*}$args]} result options]} {
        unset background::asked($answerId)
        return -options $options $result
    }
    return
}

# Take the answer that has come for a question.
#   answerId  as in `asked`
#   Result    the command that is to be run with it: the prefix and two words, or three
proc ::kafkatcl::background::Answered {answerId answer} {
    variable asked
    set prefix $asked($answerId)
    unset asked($answerId)
    lassign $answer status value code
    if {$status eq 1} {
        return [list {*}$prefix error $value $code]
    }
    return [list {*}$prefix ok $value]
}

# In a coroutine: call a subcommand that may wait, and go on when its answer is there.
#   object  the name of an object command
#   Result  that of the subcommand
#   Errors  KAFKA COROUTINE outside of a coroutine; those of the subcommand
#   Level   1, for the name of the object
::kafkatcl::LateCommand ::kafka::await {object subcommand args} {
    set coroutine [::tcl::info::coroutine]
    if {$coroutine eq ""} {
        return -code error -errorcode {KAFKA COROUTINE} "kafka::await can only be called in a coroutine"
    }
    set reader [::kafkatcl::arrivals::Reader [uplevel 1 [list namespace which -command $object]] $subcommand]
    if {$reader ne ""} {
        lassign [::kafkatcl::arrivals::Read 2 {*}$reader $args] options result
        return -options $options $result
    }
    set answerId [::kafkatcl::background::Await $coroutine]
    if {[catch {
        uplevel 1 [list $object $subcommand -command [list ::kafkatcl::background::Resume $answerId] {*}$args]
    } result options]} {
        ::kafkatcl::background::Forget $coroutine $answerId
        return -options $options $result
    }
    lassign [::kafkatcl::background::Answer $answerId] status value code
    if {$status eq "error"} {
        return -code error -errorcode $code $value
    }
    return $value
}

# Remember a coroutine for as long as it is there, under whatever name: its command is
# deleted when it ends (https://www.tcl-lang.org/man/tcl8.6/TclCmd/coroutine.htm).
#   Result  the id of its answer
proc ::kafkatcl::background::Await {coroutine} {
    variable awaiting
    variable answerIds
    set answerId await[incr answerIds]
    set awaiting($answerId) $coroutine
    trace add command $coroutine {rename delete} [list ::kafkatcl::background::Changed $answerId]
    return $answerId
}

# The trace on the command of a coroutine that awaits an answer: its name is followed,
# and a coroutine that has ended is forgotten.
proc ::kafkatcl::background::Changed {answerId old new operation} {
    variable awaiting
    if {$operation eq "rename"} {
        set awaiting($answerId) $new
    } else {
        unset awaiting($answerId)
    }
}

# In a coroutine: wait for its answer.  Other commands may resume the coroutine
# meanwhile.
#   Result  what Resume gets behind the id
proc ::kafkatcl::background::Answer {answerId} {
    while {[lindex [set answer [yield]] 0] ne $answerId} {}
    return [lrange $answer 1 end]
}

# Forget a coroutine that no longer awaits this answer.
proc ::kafkatcl::background::Forget {coroutine answerId} {
    variable awaiting
    trace remove command $coroutine {rename delete} [list ::kafkatcl::background::Changed $answerId]
    unset awaiting($answerId)
}

# The callback of an answer: go on in the coroutine that awaits it, if that is still
# there.
proc ::kafkatcl::background::Resume {answerId args} {
    variable awaiting
    if {[::tcl::info::exists awaiting($answerId)]} {
        set coroutine $awaiting($answerId)
        Forget $coroutine $answerId
        uplevel #0 [list $coroutine [list $answerId {*}$args]]
    }
}
