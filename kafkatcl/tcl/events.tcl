# events.tcl --
#
#   Callbacks.  The other side of the bridge collects what there is to tell and rings; here it is taken, some at a
#   time, and callbacks are run, so that `vwait` returns right after the one that set its variable.  A callback is
#   known by a token; when it is gone, what waits for it is not told.

namespace eval ::kafkatcl::events {
    variable callback       ;# token -> command prefix
    variable running {}     ;# tokens of the callbacks that are running, innermost last
    variable waiting {}     ;# what was taken and is not told: {token argument}, {token topic partition width fields}
    variable next 0         ;# where in `waiting` the next one stands
    variable at 0           ;# where in its fields the next message begins
    variable left 0         ;# how many notices and messages are not told
    variable spinning 0     ;# whether further turns are under way
    variable wheels {}      ;# channels that are always readable, see Spin
    variable tokens 0       ;# counts the tokens made here
    variable batch 500      ;# how many are taken at once, see Adapt
    variable taken 0        ;# when they were, in ms
    variable burst 100      ;# how many run in one event at most, where that may be
    variable slice 5        ;# ms after which no further one begins before others get their chance
    variable until 0        ;# when that is
    variable changes 0      ;# counts changes of what is to be told, or by whom
    variable stop 0         ;# whether a variable was written that someone waits for
    variable waits {}       ;# for each `vwait` that is under way, its variable, or nothing if that cannot be watched
    variable ended 0        ;# how many of the outermost ones are to end with an error
    variable end {}         ;# and that: a message and an errorCode
    variable interval 50    ;# ms after which to say how far the callbacks have come
    variable due 0          ;# when that is
    array set callback {}

    # What is done for each message where no event is needed for each.
    variable tell {
        if {[incr at $width] == $end} {
            incr next
            set at 0
        }
        incr left -1
        set command $callback($token)
        lappend command [list payload $payload partition $partition offset $offset timestamp $timestamp topic $topic %key%]
        if {[catch {uplevel #0 $command} result] == 1} {
            after 0 [list ::kafkatcl::events::Report $result [Options]]
        }
        if {$stop || $changes != $unchanged || [clock milliseconds] >= $until} {
            break
        }
    }
}

# A token for a callback of its own.
proc ::kafkatcl::events::NewToken {} {
    variable tokens
    return "start[incr tokens]"
}

# Remember a callback, a command prefix.
proc ::kafkatcl::events::Set {token prefix} {
    variable callback
    variable changes
    set callback($token) [list {*}$prefix]
    incr changes
}

# Forget a callback, and whatever waits for it.
proc ::kafkatcl::events::Unset {token} {
    variable callback
    variable changes
    unset -nocomplain callback($token)
    incr changes
}

# The command prefix of a callback, empty when there is none.
proc ::kafkatcl::events::Get {token} {
    variable callback
    if {[info exists callback($token)]} {return $callback($token)}
}

# Partitions are no longer fetched (token, topic, partition of each): forget the callbacks they had for themselves.
proc ::kafkatcl::events::Dropped {stopped} {
    foreach {token topic partition} $stopped {
        if {[string match start* $token]} {
            Unset $token
        }
    }
}

# Give back all that was taken and is not told: before something is stopped or deleted, or gets another callback, so
# that the other side can drop what must not be told any more.
proc ::kafkatcl::events::GiveBack {} {
    variable left
    if {$left > 0} {
        set counts [Counts]
        Replace {}
        ::kafkatcl::Value [::kafkatcl::bridge::events_reclaim $::kafkatcl::session {*}$counts]
    }
}

# What was taken and is not told.
proc ::kafkatcl::events::Rest {} {
    variable waiting
    variable next
    variable at
    set rest [lrange $waiting $next end]
    if {$at > 0} {
        lset rest 0 4 [lrange [lindex $rest 0 4] $at end]
    }
    return $rest
}

# How many notices or messages an event is.
proc ::kafkatcl::events::Size {event} {
    return [expr {[llength $event] == 2 ? 1 : [llength [lindex $event 4]] / [lindex $event 3]}]
}

proc ::kafkatcl::events::Replace {events} {
    variable changes
    variable waiting $events
    variable next 0
    variable at 0
    variable left 0
    foreach event $events {
        incr left [Size $event]
    }
    incr changes
}

# How many notices or messages of each token are not told: token count token count ...
proc ::kafkatcl::events::Counts {} {
    set counts {}
    foreach event [Rest] {
        dict incr counts [lindex $event 0] [Size $event]
    }
    return $counts
}

# Say how far the callbacks have come: what has run counts as handed over.
proc ::kafkatcl::events::Settle {} {
    variable interval
    variable due [expr {[clock milliseconds] + $interval}]
    ::kafkatcl::Value [::kafkatcl::bridge::events_settle $::kafkatcl::session {*}[Counts]]
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
    variable left
    if {$left == 0} {
        ::kafkatcl::Value [::kafkatcl::bridge::events_wait $::kafkatcl::session $timeout]
    }
    for {set count 0} {$count < 10000 && [Turn]} {incr count} {}
    return $count
}

# Run the next callback, and see that others follow; whether there was one.
proc ::kafkatcl::events::Turn {} {
    variable callback
    variable waiting
    variable next
    variable at
    variable left
    while {$left > 0 || [Take] > 0} {
        lassign [lindex $waiting $next] token argument partition width fields
        if {$width ne ""} {
            set argument [::kafkatcl::messages::Pairs $argument $partition $width $fields $at]
            incr at $width
        }
        if {$at == [llength $fields]} {
            incr next
            set at 0
        }
        incr left -1
        if {[info exists callback($token)]} {
            Begin
            Run $token [list {*}$callback($token) $argument]
            return 1
        }
    }
    return 0
}

# Before a callback: it may run the event loop, where the others are told.
proc ::kafkatcl::events::Begin {} {
    variable spinning
    variable due
    variable changes
    variable stop 0
    incr changes
    if {!$spinning} {
        Spin
    }
    if {[clock milliseconds] > $due} {
        Settle
    }
}

# Run a callback for the messages that are being told, one after the other: not more than `burst`, until time is up, a
# variable was written that someone waits for, or the callback has changed what is to be told, or by whom.
proc ::kafkatcl::events::Burst {} [string map [list %plain% [string map {%key% {}} $::kafkatcl::events::tell] \
        %keyed% [string map {%key% {key $key}} $::kafkatcl::events::tell]] {
    variable callback
    variable running
    variable left
    variable stop
    variable until
    variable changes
    variable waiting
    variable next
    variable at
    variable burst
    Begin
    set unchanged $changes
    lassign [lindex $waiting $next] token topic partition width fields
    set end [llength $fields]
    set outer $running
    lappend running $token
    set messages [lrange $fields $at [expr {$at + $width * $burst - 1}]]
    if {$width == 3} {
        foreach {payload offset timestamp} $messages {%plain%}
    } else {
        foreach {payload offset timestamp key} $messages {%keyed%}
    }
    set running $outer
}]

# Take what waits on the other side, when all that was taken before is told; how many notices and messages.
proc ::kafkatcl::events::Take {} {
    variable batch
    variable left
    variable interval
    variable taken [clock milliseconds]
    variable due [expr {$taken + $interval}]
    Replace [::kafkatcl::Value [::kafkatcl::bridge::events_take $::kafkatcl::session $batch]]
    return $left
}

# All that was taken is told: take more at once where callbacks are quick, and less where they are slow, as those of
# other objects have to wait for all of it.
proc ::kafkatcl::events::Adapt {} {
    variable batch
    variable taken
    set ms [expr {[clock milliseconds] - $taken}]
    if {$ms < 5 && $batch < 2000} {
        set batch [expr {$batch * 2}]
    } elseif {$ms > 20 && $batch > 10} {
        set batch [expr {$batch / 2}]
    }
}

# Run a callback at global level.  An error is a background error, told when the callbacks are through.
proc ::kafkatcl::events::Run {token command} {
    variable running
    set outer $running
    lappend running $token
    if {[catch {uplevel #0 $command} result] == 1} {
        after 0 [list ::kafkatcl::events::Report $result [Options]]
    }
    set running $outer
}

# The return options of the error that was just caught.  To ask `catch` for them costs more than all else of a
# callback that has no error.
proc ::kafkatcl::events::Options {} {
    return [list -code 1 -level 0 -errorcode $::errorCode -errorinfo $::errorInfo -errorstack [info errorstack]]
}

proc ::kafkatcl::events::Report {result options} {
    {*}[interp bgerror {}] $result $options
}

# Who waits for a variable must go on right after the callback that sets it, so callbacks are events of their own.
# But inside of `vwait` we know the variable, and may run one callback after the other until it is written.

# The trace on `vwait` before it begins, and when it is through.
proc ::kafkatcl::events::Wait {command args} {
    variable waits
    set name [lindex $command 1]
    lappend waits [expr {[llength $command] == 2 && ![catch {Watch add $name}] ? $name : ""}]
}

proc ::kafkatcl::events::Waited {command args} {
    variable waits
    variable ended
    variable end
    if {[lindex $waits end] ne ""} {
        catch {Watch remove [lindex $command 1]}
    }
    set waits [lrange $waits 0 end-1]
    if {[llength $waits] < $ended} {
        set ended [llength $waits]
        return -code error -errorcode [lindex $end 1] [lindex $end 0]
    }
}

# There will be no callbacks any more: end each `vwait` that is under way with an error.
proc ::kafkatcl::events::EndWaits {message code} {
    variable waits
    variable end [list $message $code]
    variable ended [llength $waits]
    foreach name $waits {
        # What ends it is that its variable is written.
        catch {Touch $name}
    }
}

proc ::kafkatcl::events::Touch {name} {
    upvar #0 $name variable
    if {[info exists variable]} {
        set variable $variable
    } else {
        set variable {}
        unset variable
    }
}

proc ::kafkatcl::events::Watch {change name} {
    uplevel #0 [list trace $change variable $name {write unset} ::kafkatcl::events::Written]
}

proc ::kafkatcl::events::Written {args} {
    variable stop 1
}

if {[info commands ::vwait] ne ""} {
    trace add execution ::vwait enter ::kafkatcl::events::Wait
    trace add execution ::vwait leave ::kafkatcl::events::Waited
}

# Have a turn made for each of a row of events.  A file is always readable, so a number of channels gives as
# many events from one look at them; timers would give one.
proc ::kafkatcl::events::Spin {} {
    variable spinning 1
    variable wheels
    variable left
    variable until [expr {[clock milliseconds] + $::kafkatcl::events::slice}]
    set wanted [expr {$left > 8 ? 64 : 1}]
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
    variable left
    variable until
    if {$left == 0 || [clock milliseconds] >= $until} {
        # Timers and idle callbacks get their chance.
        if {$left == 0} {
            Adapt
        }
        Halt
        after idle {after 0 ::kafkatcl::events::Ring}
    } elseif {[InRow]} {
        Burst
    } else {
        Turn
    }
}

# Whether the next are messages with a callback, and who waits for variables waits for those we watch.
proc ::kafkatcl::events::InRow {} {
    variable waits
    variable callback
    variable waiting
    variable next
    set event [lindex $waiting $next]
    return [expr {[llength $waits] && {} ni $waits && [llength $event] > 2 && [info exists callback([lindex $event 0])]}]
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
