# loop.tcl --
#
#   An interpreter beside that of the script, for the timers and channels of the
#   package.  The two have one event loop, but what is in the one is not in `after info`
#   and `file channels` of the other.  A script may delete it, as it may any interpreter
#   that it finds; then another one takes its place.

namespace eval ::kafkatcl::loop {
    variable interp {}      ;# its path, empty when there is none
    variable made 0         ;# counts those made
    # command prefixes, each of which moves something into the interpreter of the path
    # that it gets; with an empty path into that of the script
    variable movers {}
    variable wakeupChannels {} ;# channels in it that can always be read, see Spin
    variable spinning {}    ;# sessions that go on several times from each look for events
    # timer -> {due session procedure word ...}, see bridge::timer_start; `due` is in ms
    # as of `clock milliseconds`
    variable timers
    variable timersMade 0   ;# counts the timers
    array set timers {}
}

# Make the interpreter, unless it is there.  It has four commands that lead here:
# `alert`, `spun`, `background`, and `evaluate`.
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
    # A safe interpreter hides it: https://www.tcl-lang.org/man/tcl8.6/TclCmd/interp.htm
    interp expose $interp fconfigure
    interp bgerror $interp background
    # A script may delete all interpreters that it finds.
    trace add command $interp delete ::kafkatcl::loop::Gone
}

# The trace on the interpreter when it is deleted: another one takes its place.  The
# timers that were in it are lost, so every session has a turn and hears the bell.
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
    variable timers
    foreach {timer what} [array get timers] {
        Start $timer [expr {max(0, [lindex $what 0] - [::tcl::clock::milliseconds])}]
    }
    foreach session [::kafkatcl::interpreters::Sessions] {
        Later 0 $session events::OnTurn
        Later 0 $session events::OnBell
    }
}

# The command `after` of the interpreter.
proc ::kafkatcl::loop::After {args} {
    variable interp
    $interp eval [list after {*}$args]
}

# The command `fileevent` of the interpreter.
proc ::kafkatcl::loop::FileEvent {args} {
    variable interp
    $interp eval [list fileevent {*}$args]
}

# Have a procedure of the package called in the interpreter of a session, as an event.
#   ms         after so many ms
#   procedure  its name below ::kafkatcl
proc ::kafkatcl::loop::Later {ms session procedure} {
    After $ms [list alert $procedure $session]
}

# Have a command called as an event of its own.
#   command  a list, called at global level
proc ::kafkatcl::loop::Soon {command} {
    After 0 [list evaluate $command]
}

# Have a script evaluated as an event behind all that are there now.
#   script  evaluated at global level
proc ::kafkatcl::loop::AfterEvents {script} {
    After idle [list after 0 [list evaluate $script]]
}

# What Soon and AfterEvents call, from the interpreter.
proc ::kafkatcl::loop::Evaluate {script} {
    namespace eval :: $script
}

# The handler of background errors of the interpreter: an error in an event of ours is
# one of the script's interpreter.
# https://www.tcl-lang.org/man/tcl8.6/TclCmd/interp.htm
proc ::kafkatcl::loop::Background {message options} {
    {*}[interp bgerror {}] $message $options
}

# Have a turn of a session made as an event.  It has the form of a bridge call, as
# children reach it like one.
#   ms  after so many ms
proc ::kafkatcl::bridge::events_later {session ms} {
    ::kafkatcl::loop::Later $ms $session events::OnTurn
}

# -- timers ----------------------------------------------------------------------------

# Have a procedure of the package called in the interpreter of a session, as an event.
# It has the form of a bridge call, as children reach it like one.
#   ms    after so many ms
#   args  its name below ::kafkatcl, and its arguments
#   Result  an answer, whose value is the timer
proc ::kafkatcl::bridge::timer_start {session ms args} {
    variable ::kafkatcl::loop::timers
    set timer timer[incr ::kafkatcl::loop::timersMade]
    set timers($timer) [list [expr {[::tcl::clock::milliseconds] + $ms}] $session {*}$args]
    ::kafkatcl::loop::Start $timer $ms
    return [list 0 $timer]
}

# Stop a timer; one that was called, or an empty one, is let be.
proc ::kafkatcl::bridge::timer_stop {timer} {
    unset -nocomplain ::kafkatcl::loop::timers($timer)
}

# Have a timer called after so many ms.
proc ::kafkatcl::loop::Start {timer ms} {
    After $ms [list evaluate [list ::kafkatcl::loop::Ring $timer]]
}

# A timer is due, unless it was stopped or its interpreter is gone.
proc ::kafkatcl::loop::Ring {timer} {
    variable timers
    if {[::tcl::info::exists timers($timer)]} {
        set words [lassign $timers($timer) due session]
        unset timers($timer)
        if {[namespace which -command ::kafkatcl::sessions::$session] ne ""} {
            ::kafkatcl::sessions::$session events::RunTimed $words
        }
    }
}

# -- going on --------------------------------------------------------------------------

# Have a session go on several times from each look for events, or no longer.  It has
# the form of a bridge call, as children reach it like one.
#   wanted  1 or 0
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

# Have the wakeup channels give events, or no longer.  A file can always be read, and in
# one look at all files Tcl makes an event of each one that can be (Tcl_WaitForEvent in
# https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixNotfy.c).
# Timers would give one event from each look, whatever their number (TimerCheckProc in
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclTimer.c).
#   wanted  1 or 0
proc ::kafkatcl::loop::Spin {wanted} {
    variable wakeupChannels
    while {$wanted && [llength $wakeupChannels] < 8 && [set channel [OpenWakeupChannel]] ne ""} {
        lappend wakeupChannels $channel
    }
    foreach channel $wakeupChannels {
        FileEvent $channel readable [expr {$wanted ? "spun" : ""}]
    }
}

# Open a file that can be read, in the interpreter.
#   Result  the channel; empty where none can be opened with a descriptor below 1024, as
#           Tcl 8.6 waits for files with select()
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

# A wakeup channel can be read: the sessions that spin go on.
proc ::kafkatcl::loop::OnSpin {} {
    variable spinning
    ::kafkatcl::interpreters::Alert events::OnContinue {*}$spinning
}
