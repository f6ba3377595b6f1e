# loop.tcl --
#
#   An interpreter beside that of the script, for the timers and channels of the
#   package.  The two have one event loop, but what is in the one is not in `after info`
#   and `file channels` of the other.

namespace eval ::kafkatcl::loop {
    variable interp {}      ;# its path, empty when there is none
    variable made 0         ;# counts those made
    # commands that move something to an interpreter like this, or with an empty path
    # back
    variable movers {}
    variable wakeupChannels {} ;# channels in it that can always be read
    variable spinning {}    ;# sessions that go on without an end
}

# Make it, unless it is there.
proc ::kafkatcl::loop::Make {} {
    variable interp
    variable made
    if {$interp ne ""} {
        return
    }
    set interp [interp create -safe ::kafkatcl::loop::interp[incr made]]
    foreach {name target} {
        alert ::kafkatcl::interpreters::Alert
        spun ::kafkatcl::loop::OnSpin
        background ::kafkatcl::loop::Background
        evaluate ::kafkatcl::loop::Evaluate
    } {
        interp alias $interp $name {} $target
    }
    interp expose $interp fconfigure
    interp bgerror $interp background
    # A script may delete all interpreters that it finds.
    trace add command $interp delete ::kafkatcl::loop::Gone
}

# The trace on it when it is deleted: another one takes its place.
proc ::kafkatcl::loop::Gone {args} {
    variable interp
    variable movers
    variable wakeupChannels {}
    variable spinning
    foreach mover $movers {
        {*}$mover {}
    }
    set interp {}
    Make
    foreach mover $movers {
        {*}$mover $interp
    }
    if {[llength $spinning]} {
        Spin 1
    }
    foreach session [::kafkatcl::interpreters::Sessions] {
        Later 0 $session events::OnTurn
        Later 0 $session events::OnBell
    }
}

proc ::kafkatcl::loop::After {args} {
    variable interp
    $interp eval [list after {*}$args]
}

proc ::kafkatcl::loop::FileEvent {args} {
    variable interp
    $interp eval [list fileevent {*}$args]
}

# Have a procedure of the package called in the interpreter of a session, as an event
# after some ms.
proc ::kafkatcl::loop::Later {ms session procedure} {
    After $ms [list alert $procedure $session]
}

# Have a command called as an event of its own.
proc ::kafkatcl::loop::Soon {command} {
    After 0 [list evaluate $command]
}

# Have a script evaluated when all events that are there now are through.
proc ::kafkatcl::loop::AfterEvents {script} {
    After idle [list after 0 [list evaluate $script]]
}

proc ::kafkatcl::loop::Evaluate {script} {
    namespace eval :: $script
}

# An error in an event of ours is one of the script's interpreter.
proc ::kafkatcl::loop::Background {message options} {
    {*}[interp bgerror {}] $message $options
}

# Have the turn of a session made as an event, after some ms.
proc ::kafkatcl::bridge::events_later {session ms} {
    ::kafkatcl::loop::Later $ms $session events::OnTurn
}

# -- going on --------------------------------------------------------------------------

# Have a session go on some times from each look for events, or no longer.
proc ::kafkatcl::bridge::events_spin {session wanted} {
    variable ::kafkatcl::loop::spinning
    set before [llength $spinning]
    set spinning [lsearch -all -inline -not -exact $spinning $session]
    if {$wanted} {
        lappend spinning $session
    }
    if {($before > 0) != ([llength $spinning] > 0)} {
        ::kafkatcl::loop::Spin $wanted
    }
}

# A file can always be read, so a number of channels gives as many events from one look
# at them; timers would give one.
proc ::kafkatcl::loop::Spin {wanted} {
    variable wakeupChannels
    while {$wanted && [llength $wakeupChannels] < 8 && [set channel [OpenWakeupChannel]] ne ""} {
        lappend wakeupChannels $channel
    }
    foreach channel $wakeupChannels {
        FileEvent $channel readable [expr {$wanted ? "spun" : ""}]
    }
}

# A channel that can be read; nothing where there are no descriptors below 1024, as Tcl
# waits for files with select().
proc ::kafkatcl::loop::OpenWakeupChannel {} {
    variable interp
    if {[catch {open [file join $::kafkatcl::library core.tcl]} channel]} {
        return
    }
    if {[scan $channel file%d descriptor] == 1 && $descriptor >= 1024} {
        close $channel
        return
    }
    interp transfer {} $channel $interp
    return $channel
}

proc ::kafkatcl::loop::OnSpin {} {
    variable spinning
    ::kafkatcl::interpreters::Alert events::OnContinue {*}$spinning
}
