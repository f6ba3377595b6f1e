# waits.tcl --
#
#   Commands that wait in the event loop.  `vwait x` returns right after the event that
#   writes `x` (https://www.tcl-lang.org/man/tcl8.6/TclCmd/vwait.htm).  Scripts count on
#   it that this is one callback, while a turn is one event and many callbacks.  So
#   traces on `vwait` and `tkwait` find the variable, and callbacks run one after the
#   other until one writes it.  Where the end of a wait cannot be known, as of `tkwait
#   window`, each callback is an event of its own.

namespace eval ::kafkatcl::waits {
    variable stop 0         ;# whether a variable was written that someone waits for
    # for each wait that is under way, the outermost first: its variable, or an empty
    # string if that cannot be watched
    variable names {}
    variable ended 0        ;# how many of the outermost waits are to end with an error
    variable end {}         ;# the message and the errorCode of that error
    variable traced {}      ;# the commands that have traces
}

# Watch the commands that wait, as far as they are there: Tk may be loaded later than
# this.
proc ::kafkatcl::waits::Follow {} {
    variable traced
    if {[llength $traced] == 2} {
        return
    }
    foreach command {::vwait ::tkwait} {
        if {$command ni $traced && [namespace which -command $command] ne ""} {
            lappend traced $command
            trace add execution $command enter ::kafkatcl::waits::Begin
            trace add execution $command leave ::kafkatcl::waits::End
        }
    }
}

# The trace on a command before it waits.
#   command  its words
proc ::kafkatcl::waits::Begin {command args} {
    variable names
    set name [Variable $command]
    lappend names [expr {$name ne "" && ![catch {Watch add $name}] ? $name : ""}]
}

# The variable that a command waits for.  `tkwait variable` may be abbreviated:
# https://www.tcl-lang.org/man/tcl8.6/TkCmd/tkwait.htm
#   command  its words
#   Result   empty if it waits for something else
proc ::kafkatcl::waits::Variable {command} {
    lassign $command name first second
    if {[llength $command] == 2} {
        return $first
    }
    return [expr {[llength $command] == 3 && [string match va* $first] && $second ne "" && [string match *tkwait $name]
        ? $second : ""}]
}

# The trace on a command that has waited.
#   Errors  that of EndAll, where the wait was under way then: an error of the trace is
#           one of the command (https://www.tcl-lang.org/man/tcl8.6/TclCmd/trace.htm)
proc ::kafkatcl::waits::End {command args} {
    variable names
    variable ended
    variable end
    set name [lindex $names end]
    set names [lrange $names 0 end-1]
    if {$name ne ""} {
        catch {Watch remove $name}
    }
    if {[llength $names] < $ended} {
        set ended [llength $names]
        return -code error -errorcode [lindex $end 1] [lindex $end 0]
    }
}

# Script cancellation (`interp cancel -unwind`) has unwound all waits without running
# their leave traces.  Called by the shell.
proc ::kafkatcl::waits::Unwound {} {
    variable ended 0
    variable names
    foreach name $names {
        catch {Watch remove $name}
    }
    set names {}
}

# End each wait that is under way with an error, as there will be no callbacks any more.
#   message  of the error
#   code     its errorCode
proc ::kafkatcl::waits::EndAll {message code} {
    variable names
    variable end [list $message $code]
    variable ended [llength $names]
    foreach name $names {
        # A wait ends when its variable is written.
        catch {Touch $name}
    }
}

# Write a variable without changing it: what ends a wait for it.
proc ::kafkatcl::waits::Touch {name} {
    upvar #0 $name variable
    if {[info exists variable]} {
        set variable $variable
    } else {
        set variable {}
        unset variable
    }
}

# Add or remove the trace on a variable that somebody waits for.
#   change  add, or remove
#   name    of the variable, at global level
proc ::kafkatcl::waits::Watch {change name} {
    uplevel #0 [list ::kafkatcl::core::trace $change variable $name {write unset} ::kafkatcl::waits::Written]
}

# The trace on such a variable: the turn that is under way ends behind this callback.
proc ::kafkatcl::waits::Written {args} {
    variable stop 1
}

::kafkatcl::waits::Follow
