# events.tcl --
#
#   Callbacks.  The other side of the bridge collects what there is to tell and rings; here it is taken, some at a
#   time, and each callback is run as an event of its own, so that `vwait` returns right after the callback that
#   set its variable.  A callback is known by a token; when it is gone, what waits for it is not told.

namespace eval ::kafkatcl::events {
    variable callback       ;# token -> command prefix
    variable running {}     ;# tokens of the callbacks that are running, innermost last
    variable waiting {}     ;# token argument token argument ...: taken and not yet run
    variable next 0         ;# where in `waiting` the next one stands
    variable spinning 0     ;# whether further turns are under way
    variable wheels {}      ;# channels that are always readable, see Spin
    variable tokens 0       ;# counts the tokens made here
    variable batch 500      ;# how many are taken at once
    array set callback {}
}

# A token for a callback of its own.
proc ::kafkatcl::events::NewToken {} {
    variable tokens
    return "start[incr tokens]"
}

# Remember a callback, a command prefix.
proc ::kafkatcl::events::Set {token prefix} {
    variable callback
    set callback($token) [list {*}$prefix]
}

# Forget a callback, and whatever waits for it.
proc ::kafkatcl::events::Unset {token} {
    variable callback
    unset -nocomplain callback($token)
}

# The command prefix of a callback, empty when there is none.
proc ::kafkatcl::events::Get {token} {
    variable callback
    return [expr {[info exists callback($token)] ? $callback($token) : ""}]
}

# Forget a callback; the messages that wait for it go back to where they came from.
proc ::kafkatcl::events::GiveBack {token} {
    set count [Drop $token]
    Unset $token
    ::kafkatcl::Value [::kafkatcl::bridge::events_reclaim $::kafkatcl::session $token $count]
}

# Drop what waits for a callback, or with a topic and a partition what came from there; how many there were.
proc ::kafkatcl::events::Drop {token args} {
    variable waiting
    variable next
    set kept {}
    set count 0
    foreach {whose argument} [lrange $waiting $next end] {
        if {$whose eq $token && [ComesFrom $argument {*}$args]} {
            incr count
        } else {
            lappend kept $whose $argument
        }
    }
    Replace $kept
    return $count
}

# Partitions are no longer fetched (token, topic, partition of each): drop what waits of them.
proc ::kafkatcl::events::Dropped {stopped} {
    foreach {token topic partition} $stopped {
        Drop $token $topic $partition
        if {[string match start* $token]} {
            Unset $token
        }
    }
}

# Whether a message came from a partition, or from anywhere if none is given; of an error nobody knows.
proc ::kafkatcl::events::ComesFrom {message {topic {}} {partition {}}} {
    return [expr {$partition eq "" || ![dict exists $message topic] ||
        ([dict get $message topic] eq $topic && [dict get $message partition] == $partition)}]
}

proc ::kafkatcl::events::Replace {events} {
    variable waiting $events
    variable next 0
}

# Say how far the callbacks have come: what has run counts as handed over.
proc ::kafkatcl::events::Settle {} {
    variable waiting
    variable next
    set counts {}
    foreach {token argument} [lrange $waiting $next end] {
        dict incr counts $token
    }
    ::kafkatcl::Value [::kafkatcl::bridge::events_settle $::kafkatcl::session {*}$counts]
}

# Something waits on the other side: called as an event.
proc ::kafkatcl::events::Ring {} {
    variable spinning
    if {!$spinning} {
        Turn
    }
}

# Wait for something to tell, `timeout` ms at most, and run all that waits; their number.
proc ::kafkatcl::events::Poll {timeout} {
    variable waiting
    variable next
    if {$next >= [llength $waiting]} {
        ::kafkatcl::Value [::kafkatcl::bridge::events_wait $::kafkatcl::session $timeout]
    }
    for {set count 0} {$count < 10000 && [Turn]} {incr count} {}
    return $count
}

# Run the next callback, and see that others follow; whether there was one.
proc ::kafkatcl::events::Turn {} {
    variable callback
    variable spinning
    variable waiting
    variable next
    variable batch
    while 1 {
        if {$next >= [llength $waiting]} {
            Replace [::kafkatcl::Value [::kafkatcl::bridge::events_take $::kafkatcl::session $batch]]
            if {[llength $waiting] == 0} {
                return 0
            }
        }
        set token [lindex $waiting $next]
        set argument [lindex $waiting $next+1]
        incr next 2
        if {[info exists callback($token)]} {
            # Before the callback: it may run the event loop, where the others are told.
            if {!$spinning} {
                Spin
            }
            Run $token [list {*}$callback($token) $argument]
            return 1
        }
    }
}

# Run a callback at global level.  Its error is a background error, told when the callbacks are through.
proc ::kafkatcl::events::Run {token command} {
    variable running
    lappend running $token
    if {[catch {uplevel #0 $command} result options] == 1} {
        after 0 [list ::kafkatcl::events::Report $result $options]
    }
    set running [lrange $running 0 end-1]
}

proc ::kafkatcl::events::Report {result options} {
    {*}[interp bgerror {}] $result $options
}

# Have a turn made for each of a row of events.  A file is always readable, so a number of channels gives as
# many events from one look at them; timers would give one.
proc ::kafkatcl::events::Spin {} {
    variable spinning 1
    variable wheels
    variable waiting
    variable next
    set wanted [expr {[llength $waiting] - $next > 16 ? 64 : 1}]
    if {[catch {
        while {[llength $wheels] < $wanted} {
            lappend wheels [open [file join $::kafkatcl::library events.tcl]]
        }
        foreach wheel [lrange $wheels 0 $wanted-1] {
            fileevent $wheel readable ::kafkatcl::events::Spun
        }
    }]} {
        # Out of descriptors, or a platform where files give no events.
        after 0 ::kafkatcl::events::SpunByTimer
    }
}

proc ::kafkatcl::events::Spun {} {
    variable waiting
    variable next
    if {$next >= [llength $waiting]} {
        # Before more are taken, timers and idle callbacks get their chance.
        Halt
        after idle {after 0 ::kafkatcl::events::Ring}
    } else {
        Turn
    }
}

proc ::kafkatcl::events::SpunByTimer {} {
    Halt
    Ring
}

proc ::kafkatcl::events::Halt {} {
    variable spinning 0
    variable wheels
    foreach wheel $wheels {
        fileevent $wheel readable {}
    }
}
