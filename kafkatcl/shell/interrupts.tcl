# interrupts.tcl --
#
#   What Ctrl-C at the prompt of kafkatclsh needs in Tcl, beside the cancellation
#   itself: an `after` that notices it soon, and what is to be set right behind it.

# In `after ms` Tcl looks only twice a second whether the script was cancelled
# (TCL_TIME_MAXIMUM_SLICE in
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclTimer.c).
namespace eval ::kafkatcl::shell {
    variable nap 50     ;# ms of one step of a sleep
}
rename ::after ::kafkatcl::shell::after

# Tcl's own, but for `after ms`, which sleeps in steps of `nap` ms: between them Tcl
# looks whether the script was cancelled.
proc ::after {args} {
    if {[llength $args] != 1 || ![string is wideinteger -strict [lindex $args 0]]} {
        tailcall ::kafkatcl::shell::after {*}$args
    }
    ::kafkatcl::shell::Sleep [lindex $args 0]
}

# Sleep.
#   ms  how long; the sleep ends early by an error if the script is cancelled
proc ::kafkatcl::shell::Sleep {ms} {
    variable nap
    set end [expr {[::tcl::clock::milliseconds] + $ms}]
    while {[set left [expr {$end - [::tcl::clock::milliseconds]}]] > 0} {
        after [expr {min($left, $nap)}]
    }
}

# After a cancelled command has ended, set the books of all interpreters right.  An
# interpreter that was idle keeps the flag of the cancellation, and by it every further
# script fails.  A pure list fails, too, but clears the flag (TEOV_Exception in
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclBasic.c).
# Commands that were unwound ran no `catch`
# (https://www.tcl-lang.org/man/tcl8.6/TclCmd/interp.htm): reset the state they left.
proc ::kafkatcl::shell::Settle {} {
    foreach path [Interpreters {}] {
        catch {interp eval $path [list list]}
        catch {interp eval $path [list list]}
        foreach part {waits messages transactions events rebalance} {
            # Once more where a cancellation that came late has ended it.
            if {[catch {interp eval $path ::kafkatcl::${part}::Unwound}]} {
                catch {interp eval $path [list list]}
                catch {interp eval $path ::kafkatcl::${part}::Unwound}
            }
        }
    }
}
