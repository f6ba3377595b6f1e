# interrupts.tcl --
#
#   What Ctrl-C takes at the prompt of kafkatclsh, beside the cancellation itself.

# Tcl looks only twice a second whether what sleeps was cancelled.
namespace eval ::kafkatcl::shell {
    variable nap 50     ;# ms
}
rename ::after ::kafkatcl::shell::after

proc ::after {args} {
    if {[llength $args] != 1 || ![string is wideinteger -strict [lindex $args 0]]} {
        tailcall ::kafkatcl::shell::after {*}$args
    }
    ::kafkatcl::shell::Sleep [lindex $args 0]
}

proc ::kafkatcl::shell::Sleep {ms} {
    variable nap
    set end [expr {[::tcl::clock::milliseconds] + $ms}]
    while {[set left [expr {$end - [::tcl::clock::milliseconds]}]] > 0} {
        after [expr {min($left, $nap)}]
    }
}

# After a cancelled command has ended.  An interpreter that was idle keeps the flag of
# the cancellation and would fail its next command; evaluating a pure list clears it.
# Commands that were unwound ran no `catch`: reset the state they left.
proc ::kafkatcl::shell::Settle {} {
    foreach path [Interpreters {}] {
        catch {interp eval $path [list list]}
        catch {interp eval $path [list list]}
        foreach part {waits messages events} {
            catch {interp eval $path ::kafkatcl::${part}::Unwound}
        }
    }
}
