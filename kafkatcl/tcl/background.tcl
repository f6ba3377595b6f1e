# background.tcl --
#
#   Asking the cluster without waiting: what may wait takes `-command prefix`, and the
#   prefix is called from the event loop with `ok result`, or `error message errorCode`.
#   In a coroutine, kafka::await does that and gives the result.

namespace eval ::kafkatcl::background {
    variable asked          ;# token -> the prefix that gets the answer
    variable awaiting       ;# token -> the coroutine that awaits an answer, while it is there
    variable tokens 0       ;# counts the tokens made here
    array set asked {}
    array set awaiting {}
}

# Call the bridge, ::kafkatcl::bridge::CALL, and give its value; with a prefix do not
# wait: the value is for the prefix.
proc ::kafkatcl::Ask {prefix call args} {
    if {[llength $prefix] == 0} {
        return [Value [bridge::$call {*}$args]]
    }
    set token asked[incr background::tokens]
    set background::asked($token) [list {*}$prefix]
    if {[catch {Value [bridge::background $::kafkatcl::session $token $call {*}$args]} result options]} {
        unset background::asked($token)
        return -options $options $result
    }
    return
}

# The answer to what was asked has come: the command that gets it.
proc ::kafkatcl::background::Answered {token answer} {
    variable asked
    set prefix $asked($token)
    unset asked($token)
    lassign $answer status value code
    if {$status eq 1} {
        return [list {*}$prefix error $value $code]
    }
    return [list {*}$prefix ok $value]
}

# In a coroutine: call a subcommand that may wait, and go on when its answer is there.
::kafkatcl::LateCommand ::kafka::await {object subcommand args} {
    set coroutine [::tcl::info::coroutine]
    if {$coroutine eq ""} {
        return -code error -errorcode {KAFKA COROUTINE} "kafka::await can only be called in a coroutine"
    }
    set token [::kafkatcl::background::Await $coroutine]
    if {[catch {
        uplevel 1 [list $object $subcommand -command [list ::kafkatcl::background::Resume $token] {*}$args]
    } result options]} {
        ::kafkatcl::background::Forget $coroutine $token
        return -options $options $result
    }
    # Other commands may resume the coroutine meanwhile: wait on until the answer comes.
    while {[lindex [set answer [yield]] 0] ne $token} {}
    lassign $answer token status value code
    if {$status eq "error"} {
        return -code error -errorcode $code $value
    }
    return $value
}

# Remember a coroutine for as long as it is there, whatever its name; the token of its
# answer.
proc ::kafkatcl::background::Await {coroutine} {
    variable awaiting
    variable tokens
    set token await[incr tokens]
    set awaiting($token) $coroutine
    trace add command $coroutine {rename delete} [list ::kafkatcl::background::Changed $token]
    return $token
}

proc ::kafkatcl::background::Changed {token old new operation} {
    variable awaiting
    if {$operation eq "rename"} {
        set awaiting($token) $new
    } else {
        unset awaiting($token)
    }
}

proc ::kafkatcl::background::Forget {coroutine token} {
    variable awaiting
    trace remove command $coroutine {rename delete} [list ::kafkatcl::background::Changed $token]
    unset awaiting($token)
}

# Go on in the coroutine that awaits this answer, if it is still there.
proc ::kafkatcl::background::Resume {token args} {
    variable awaiting
    if {[::tcl::info::exists awaiting($token)]} {
        set coroutine $awaiting($token)
        Forget $coroutine $token
        uplevel #0 [list $coroutine [list $token {*}$args]]
    }
}
