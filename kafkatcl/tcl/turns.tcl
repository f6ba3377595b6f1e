# turns.tcl --
#
#   When callbacks run.  Callbacks run in turns.  A turn is one event of the event loop
#   and schedules the next turn, so that files, timers and callbacks are served one
#   after the other, however busy one of them is.  A turn lasts for some milliseconds,
#   or until a variable is written that `vwait` or `tkwait` waits for (see waits.tcl).

namespace eval ::kafkatcl::events {
    variable rung 0         ;# whether the engine may have more events
    variable coming 0       ;# whether a further turn is under way, as an event
    # whether the session spins: a turn that ended early goes on several times from each
    # look for events, see loop::Spin
    variable spinning 0
    # how many turns have begun and not ended; all but the innermost have a callback
    # that runs the event loop
    variable depth 0
    variable maxDepth 50    ;# how many that may be
    variable held 0         ;# whether a turn has to wait until an outer one ends
    variable burst 100      ;# how many messages are made ready for their callback at once
    # ms that a turn lasts at least and at most: as long as others took since the last
    # one
    variable slice 5
    variable maxSlice 20
    # moments, in ms as of `clock milliseconds`
    variable ended 0        ;# when the last turn was over
    variable until 0        ;# when the present one is to be
    variable idled 0        ;# when idle callbacks had their chance
    variable failures {}    ;# errors of callbacks, to be reported: message, options, ...

    # The body of the loop in RunMessages: run the callback for one message, without a
    # Tcl event of its own.
    variable runOne {
        if {[incr at $width] == $end} {
            incr next
            set at 0
        }
        incr left -1
        set command $callback($callbackId)
        lappend command %pairs%
        if {[catch {uplevel #0 $command} result] == 1} {
            Failed $result
        }
        incr ran
        if {$stop || $changes != $unchanged || [::tcl::clock::milliseconds] >= $until} {
            break
        }
    }
}

# The bell has rung: the engine has events, or recalls some.  Called as an event.
proc ::kafkatcl::events::OnBell {} {
    variable rung 1
    variable coming
    if {[catch RequeueRecalled result options] == 1} {
        Recover $result $options
    }
    if {!$coming} {
        OnTurn
    }
}

# Make a turn, if there are events, and have another one made as long as there are more.
# Called as an event.
proc ::kafkatcl::events::OnTurn {} {
    variable coming 0
    variable left
    variable rung
    variable slice
    variable maxSlice
    variable ended
    variable until
    if {$left > 0 || $rung} {
        ::kafkatcl::waits::Follow
        set now [::tcl::clock::milliseconds]
        set until [expr {$now + max($slice, min($maxSlice, $now - $ended))}]
        BeginTurn
    }
}

# Go on with a turn that ended early, as a variable was written that somebody waits for;
# or stop spinning.  Called as an event.
proc ::kafkatcl::events::OnContinue {} {
    variable left
    variable until
    variable spinning
    if {$left > 0 && [::tcl::clock::milliseconds] < $until} {
        BeginTurn
    } elseif {$spinning} {
        set spinning 0
        ::kafkatcl::bridge::events_spin $::kafkatcl::session 0
    }
}

# Begin a turn, or hold it: within the callbacks of `maxDepth` others, or where the
# interpreter has no room for 50 more nested calls (its recursion limit, see
# https://www.tcl-lang.org/man/tcl8.6/TclCmd/interp.htm),
# it waits until one of these ends.
proc ::kafkatcl::events::BeginTurn {} {
    variable depth
    variable maxDepth
    variable held
    variable failures
    if {$depth > 0 && ($depth >= $maxDepth || [catch {NeedLevels 50}])} {
        set held 1
        return
    }
    incr depth
    if {[catch RunTurn result options] == 1} {
        Recover $result $options
    }
    incr depth -1
    if {$held} {
        set held 0
        ScheduleTurn
    }
    if {[llength $failures]} {
        ReportFailures
    }
}

# Script cancellation unwound the running turns before they could clean up: reset their
# state, and schedule a turn for the pending events.  Called by the shell.
proc ::kafkatcl::events::Unwound {} {
    variable depth 0
    variable held 0
    variable running {}
    variable coming 0
    variable rung 1
    ScheduleTurn
}

# Fail unless there is room for so many nested calls.
proc ::kafkatcl::events::NeedLevels {count} {
    if {$count > 0} {
        NeedLevels [expr {$count - 1}]
    }
}

# The machinery has failed, not a callback: have the error reported, and another turn
# come after 20 ms.
#   result   the message of the error
#   options  of `catch`
proc ::kafkatcl::events::Recover {result options} {
    variable coming 0
    variable failures
    lappend failures $result $options
    ScheduleTurn 20
}

# Have a turn made as an event of its own, unless one is under way.
#   ms  after so many ms
proc ::kafkatcl::events::ScheduleTurn {{ms 0}} {
    variable coming
    if {!$coming} {
        set coming 1
        ::kafkatcl::bridge::events_later $::kafkatcl::session $ms
    }
}

# Run callbacks until the turn is over; then give idle callbacks their chance.
proc ::kafkatcl::events::RunTurn {} {
    variable slice
    variable ended
    variable until
    variable idled
    variable left
    variable rung
    variable spinning
    # Where it is not known what ends a wait, each callback is an event.
    RunCallbacks [expr {{} in $::kafkatcl::waits::names ? 1 : 1000000}]
    set ended [::tcl::clock::milliseconds]
    if {($left > 0 || $rung) && $ended - $idled >= $slice} {
        # Tcl runs idle callbacks only when no event waits, and one of ours always does:
        # https://www.tcl-lang.org/man/tcl8.6/TclLib/DoWhenIdle.htm
        set idled $ended
        update idletasks
    }
    if {$left > 0 && $ended < $until && !$spinning} {
        # A script that calls `vwait` for one callback after the other would have one
        # callback from each look for events.
        set spinning 1
        ::kafkatcl::bridge::events_spin $::kafkatcl::session 1
    }
}

# Run the callbacks of pending events, in their order, until the turn is over or a
# variable was written that somebody waits for.
#   maxCount  how many callbacks may run
#   Result    how many have run
proc ::kafkatcl::events::RunCallbacks {maxCount} {
    variable callback
    variable waiting
    variable next
    variable left
    variable due
    variable changes
    variable coming
    variable until
    variable ::kafkatcl::waits::stop
    set count 0
    while {$count < $maxCount && ($left > 0 || [TakeEvents] > 0)} {
        set callbackId [lindex $waiting $next 0]
        if {![::tcl::info::exists callback($callbackId)] && ![::tcl::info::exists ::kafkatcl::background::asked($callbackId)]} {
            SkipEvent
            continue
        }
        # A callback may run the event loop: the next turn has to be under way by then.
        if {!$coming} {
            ScheduleTurn
        }
        set stop 0
        incr changes
        if {[::tcl::clock::milliseconds] > $due} {
            Acknowledge
        }
        if {[llength [lindex $waiting $next]] == 2} {
            incr count [RunNotice]
        } else {
            incr count [RunMessages [expr {$maxCount - $count}]]
        }
        if {$left == 0} {
            AdaptBatch
        }
        if {$stop || [::tcl::clock::milliseconds] >= $until} {
            break
        }
    }
    return $count
}

# Skip an event whose callback was removed.
proc ::kafkatcl::events::SkipEvent {} {
    variable waiting
    variable next
    variable at
    variable left
    variable changes
    incr left -[CountOf [lindex $waiting $next] $at]
    incr next
    incr changes
    set at 0
}

# Run the callback of a notice.
#   Result  1, the number of notices run
proc ::kafkatcl::events::RunNotice {} {
    variable callback
    variable waiting
    variable next
    variable left
    lassign [lindex $waiting $next] callbackId argument
    incr next
    incr left -1
    if {[::tcl::info::exists ::kafkatcl::background::asked($callbackId)]} {
        RunCallback $callbackId [::kafkatcl::background::Answered $callbackId $argument]
    } elseif {$callbackId eq "own"} {
        RunCallback $callbackId [list {*}[lindex $argument 0] [lindex $argument 1]]
    } else {
        RunCallback $callbackId [list {*}$callback($callbackId) $argument]
    }
    return 1
}

# Run the callback of a run of messages, until the turn is over, a variable was written
# that a command waits for, or callbacks or pending events have changed.
#   maxCount  how many messages it may run for
#   Result    the number of messages it has run for
proc ::kafkatcl::events::RunMessages {maxCount} [::tcl::string::map [list \
        %width% [::kafkatcl::layouts::Switch SetWidth] \
        %each% [::kafkatcl::layouts::Switch [list ForEach {$messages} $::kafkatcl::events::runOne]]] {
    variable callback
    variable running
    variable left
    variable changes
    variable until
    variable waiting
    variable next
    variable at
    variable burst
    variable ::kafkatcl::waits::stop
    set unchanged $changes
    lassign [lindex $waiting $next] callbackId topic partition layout fields
    %width%
    set end [::kafkatcl::native::length $fields]
    set outer $running
    lappend running $callbackId
    # To link the variables of the turn takes C as long as some callbacks.
    if {$::kafkatcl::native::loops && $end > 8 * $width} {
        set ran [::kafkatcl::native::each $callback($callbackId) $topic $partition $layout $fields $width $maxCount]
        set running $outer
        return $ran
    }
    set messages [lrange $fields $at [expr {$at + $width * min($maxCount, $burst) - 1}]]
    set ran 0
    %each%
    set running $outer
    # Where each callback ends a turn, few messages are made ready for it.
    set burst [expr {$ran < $burst ? max($ran, 4) : min(2 * $ran, 1000)}]
    return $ran
}]

# Run a callback at global level.  Its error is noted, for ReportFailures.
#   callbackId  while it runs, it is among `running`
#   command     the prefix and its argument
proc ::kafkatcl::events::RunCallback {callbackId command} {
    variable running
    set outer $running
    lappend running $callbackId
    if {[catch {uplevel #0 $command} result] == 1} {
        Failed $result
    }
    set running $outer
}

# A timer is due: call a procedure of the package, which may run code of the script, as
# a callback.
#   words  its name below ::kafkatcl, and its arguments
proc ::kafkatcl::events::RunTimed {words} {
    RunCallback {} [list ::kafkatcl::[lindex $words 0] {*}[lrange $words 1 end]]
    ReportFailures
}

# Wait for an event, and run the callbacks of all that are pending, up to 10000.
#   timeout  ms; negative to wait for ever
#   Result   the number of callbacks that have run
proc ::kafkatcl::events::Poll {timeout} {
    variable left
    variable until
    if {$left == 0} {
        ::kafkatcl::Unwrap [::kafkatcl::bridge::events_wait $::kafkatcl::session $timeout]
    }
    set count 0
    while {$count < 10000} {
        set until [expr {[::tcl::clock::milliseconds] + 1000}]
        set more [RunCallbacks [expr {10000 - $count}]]
        if {$more == 0} {
            break
        }
        incr count $more
    }
    ReportFailures
    return $count
}

# Wait until a producer has delivered all, and run the callbacks of its reports
# meanwhile, but no others: those of messages that were consumed would run within one
# that flushes.
#   id       of the handle
#   timeout  ms; negative to wait for ever
#   Result   the number of messages that are left
#   Errors   those of the bridge call handle_flush
proc ::kafkatcl::events::Flush {id timeout} {
    set deadline [expr {[::tcl::clock::milliseconds] + $timeout}]
    while 1 {
        set rest [expr {$timeout < 0 ? -1 : max(0, $deadline - [::tcl::clock::milliseconds])}]
        set count [::kafkatcl::Unwrap [::kafkatcl::bridge::handle_flush $id $rest 1]]
        if {[RunReports $id] == 0 && ($count == 0 || $rest == 0)} {
            ReportFailures
            return $count
        }
    }
}

# Run the callbacks of the delivery reports of a producer that wait.
#   id      of the handle
#   Result  how many have run
proc ::kafkatcl::events::RunReports {id} {
    variable left
    variable until
    Requeue
    ReplaceEvents [::kafkatcl::Unwrap [::kafkatcl::bridge::events_take_reports $::kafkatcl::session $id 1000]]
    set until [expr {[::tcl::clock::milliseconds] + 1000}]
    return [expr {$left ? [RunCallbacks $left] : 0}]
}

# -- errors of callbacks ---------------------------------------------------------------

# Note that a callback has failed.  Its errorInfo comes from the global variables: to
# ask its `catch` for the options would cost more than all else of a callback that has
# not failed.
#   result  the message of the error
proc ::kafkatcl::events::Failed {result} {
    variable failures
    lappend failures $result [list -code 1 -level 0 -errorcode $::errorCode -errorstack [info errorstack] \
        -errorinfo [::kafkatcl::failures::OfScript $::errorInfo "kafka callback"]]
}

# Report errors of callbacks as background errors, when the callbacks are through, so
# that nothing stops.
proc ::kafkatcl::events::ReportFailures {} {
    variable failures
    while {[llength $failures]} {
        set failures [lassign $failures result options]
        if {[catch {{*}[interp bgerror {}] $result $options} why how] == 1} {
            # What handles background errors has failed.  As the error of an event of
            # the script's interpreter, Tcl reports that:
            # https://www.tcl-lang.org/man/tcl8.6/TclCmd/bgerror.htm
            after 0 [list return -options $how $why]
        }
    }
}
