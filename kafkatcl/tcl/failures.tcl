# failures.tcl --
#
#   Errors as scripts see them.  Tcl notes in errorInfo what was under way, down to the
#   procedures of this package; scripts do not see those lines, as if the commands were
#   written in C, unless the environment variable KAFKATCL_DEBUG is set.  Without
#   `-errorinfo`, what `return` makes has only the call itself:
#   https://www.tcl-lang.org/man/tcl8.6/TclCmd/return.htm

namespace eval ::kafkatcl::failures {
    # errorInfo of the script's own code that failed within a command of ours, from
    # Passed until Told; else unset
    variable script
    # options of `catch` of the script's own code that has ended a `consume_batch` or a
    # `transaction`, see messages::RunForEach and transactions::Run
    variable passed
    # what `return -results` gets, where only some of several things have failed; until
    # Told, else unset
    variable results
}

# The body of an object command that is one call of a procedure, with errors as scripts
# see them.  The code does not ask `catch` for the options, which would cost each call a
# tenth of what an empty `consume_batch` takes.
#   call  a command, which finds the words behind the subcommand in `args`
proc ::kafkatcl::failures::Body {call} {
    return [string map [list %call% $call] {
        ::set code [::catch {%call%} result]
        ::if {$code == 0} {
            ::return $result
        }
        ::return {*}[::kafkatcl::failures::Returned $code $result]
    }]
}

# How an object command ends whose procedure did not end normally.
#   code    of `catch`: 1 for an error, else how the script's own code has ended
#   Result  the words for `return` in the object command
proc ::kafkatcl::failures::Returned {code result} {
    variable passed
    if {$code == 1} {
        return [Told $result [list -code 1 -level 0 -errorcode $::errorCode -errorinfo $::errorInfo]]
    }
    # It has the object command to leave, too.
    return [list -options [dict replace $passed -level [expr {[dict get $passed -level] + 1}]] $result]
}

# Define a command for scripts as `proc` does, with errors as scripts see them.
#   body  where its commands begin with ::, they are Tcl's own, see core::Named
proc ::kafkatcl::Command {name parameters body} {
    proc $name $parameters [core::Named [string map [list %body% $body] {
        ::if {[::catch {%body%} result options] == 1} {
            ::return {*}[::kafkatcl::failures::Told $result $options]
        }
        ::return -options $options $result
    }]]
}

# The same for a command that the original does not have.  Tcl's auto_load makes it at
# its first call (https://www.tcl-lang.org/man/tcl8.6/TclCmd/library.htm), so that the
# namespace ::kafka has only the original's commands until then.
proc ::kafkatcl::LateCommand {name parameters body} {
    set ::auto_index($name) [list ::kafkatcl::Command $name $parameters $body]
}

# How a command returns an error.
#   options  of `catch`
#   Result   the words for `return`: without our own lines in errorInfo, with the
#            script's if its own code has failed, or else with a hint
proc ::kafkatcl::failures::Told {result options} {
    variable script
    variable results
    if {[::tcl::info::exists results]} {
        dict set options -results $results
        unset results
    }
    if {[Debugging]} {
        return [list -options $options $result]
    }
    set code [dict get $options -errorcode]
    set words [list -code error -errorcode $code]
    if {[dict exists $options -results]} {
        lappend words -results [dict get $options -results]
    }
    if {[::tcl::info::exists script]} {
        lappend words -errorinfo $script
        unset script
    } elseif {[Hint $result $code] ne ""} {
        lappend words -errorinfo $result[Hint $result $code]
    }
    return [lappend words $result]
}

# What errorInfo says below an error that has a hint.  The texts of the original are
# kept, as scripts know them; where they say too little the hint stands in the context
# of the errorCode, the fourth word.
#   result  the message of the error
#   code    its errorCode
#   Result  a line break and the hint in parentheses; empty without one, or if the
#           message says it
proc ::kafkatcl::failures::Hint {result code} {
    if {[lindex $code 0] ne "KAFKA" || [lindex $code 3] eq "" || [::tcl::string::first [lindex $code 3] $result] >= 0} {
        return
    }
    return "\n    ([lindex $code 3])"
}

# The errorCode of a bad argument.
#   hint  its fourth word
proc ::kafkatcl::failures::InvalidArgument {hint} {
    return [list KAFKA RD_KAFKA_RESP_ERR__INVALID_ARG {Local: Invalid argument or configuration} $hint]
}

# Whether KAFKATCL_DEBUG asks for errors with our own lines: set, and neither empty nor
# 0.
proc ::kafkatcl::failures::Debugging {} {
    return [expr {[::tcl::info::exists ::env(KAFKATCL_DEBUG)] && $::env(KAFKATCL_DEBUG) ni {{} 0}}]
}

# The errorInfo of the script's own code that failed in an `uplevel` of ours, without
# what is ours.
#   info    errorInfo
#   frame   says what the code was for, with %line% in the place of the line
#   Result  with KAFKATCL_DEBUG, and where no `uplevel` is noted, `info` as it is
proc ::kafkatcl::failures::OfScript {info frame} {
    set mark "\n    (\"uplevel\" body line "
    set at [::tcl::string::last $mark $info]
    if {$at < 0 || [Debugging]} {
        return $info
    }
    scan [::tcl::string::range $info $at+[::tcl::string::length $mark] end] %d line
    return "[::tcl::string::range $info 0 $at-1]\n    ([::tcl::string::map [list %line% $line] $frame])"
}

# The errorInfo of the script's own code that failed in a trace on an array, which we
# have written to.
#   Result  empty for any other error
proc ::kafkatcl::failures::OfTrace {info} {
    return [::tcl::string::range $info 0 [::tcl::string::last "\n    invoked from within\n" $info]-1]
}

# Note an error that a command of ours is to pass on as one of the script's own code.
#   info    its errorInfo by OfScript or OfTrace; empty if it is no such error
#   Result  the options with this errorInfo
proc ::kafkatcl::failures::Passed {info options} {
    variable script
    if {$info ne {} && ![Debugging]} {
        set script $info
        dict set options -errorinfo $info
    }
    return $options
}
