# waits.tcl --
#
#   Commands that wait in the event loop.  `vwait x` must return right after the
#   callback that writes `x`.  Traces on `vwait` and `tkwait` find the variable, so
#   callbacks run one after the other until one writes it.  Where the end of a wait
#   cannot be known, each callback is an event of its own.

namespace eval ::kafkatcl::waits {
    variable stop 0         ;# whether a variable was written that someone waits for
    # for each wait that is under way, its variable, or nothing if that cannot be
    # watched
    variable names {}
    variable ended 0        ;# how many of the outermost waits are to end with an error
    variable end {}         ;# the message and the errorCode of that error
    variable traced {}      ;# the commands that wait
}

# Follow the commands that wait; Tk may be loaded later than this.
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
proc ::kafkatcl::waits::Begin {command args} {
    variable names
    set name [Variable $command]
    lappend names [expr {$name ne "" && ![catch {Watch add $name}] ? $name : ""}]
}

# The variable that a command waits for, empty if it waits for something else.
proc ::kafkatcl::waits::Variable {command} {
    lassign $command name first second
    if {[llength $command] == 2} {
        return $first
    }
    return [expr {[llength $command] == 3 && [string match va* $first] && $second ne "" && [string match *tkwait $name]
        ? $second : ""}]
}

# The trace on it when it is through.
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

# Script cancellation unwound all waits without firing their traces.
proc ::kafkatcl::waits::Unwound {} {
    variable ended 0
    variable names
    foreach name $names {
        catch {Watch remove $name}
    }
    set names {}
}

# There will be no callbacks any more: end each wait that is under way with an error.
proc ::kafkatcl::waits::EndAll {message code} {
    variable names
    variable end [list $message $code]
    variable ended [llength $names]
    foreach name $names {
        # What ends it is that its variable is written.
        catch {Touch $name}
    }
}

proc ::kafkatcl::waits::Touch {name} {
    upvar #0 $name variable
    if {[info exists variable]} {
        set variable $variable
    } else {
        set variable {}
        unset variable
    }
}

proc ::kafkatcl::waits::Watch {change name} {
    uplevel #0 [list ::kafkatcl::core::trace $change variable $name {write unset} ::kafkatcl::waits::Written]
}

proc ::kafkatcl::waits::Written {args} {
    variable stop 1
}

::kafkatcl::waits::Follow
