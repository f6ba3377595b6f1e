# secrets.tcl --
#
#   Values that are not shown.  The bridge gives a secret as a marker with a number,
#   [redacted]#3.  What the script sees is [redacted], a Tcl value of its own for each
#   number: as long as the script hands on that very value, and not a copy of its text,
#   it is known which secret is meant.

namespace eval ::kafkatcl::secrets {
    # marker with its number -> the value that the script sees; kept, so that no other
    # value gets its place in memory
    variable valueOf
    variable numbered       ;# place of that value -> marker with its number
    array set valueOf {}
    array set numbered {}
}

# Where a Tcl value is in memory, by which it is known again.  The command that tells is
# among what Tcl does not support: Tcl_RepresentationCmd in
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclObj.c
#   Result  empty where Tcl does not tell
proc ::kafkatcl::secrets::Place {value} {
    set place {}
    catch {regexp {object pointer at (\S+),} [::tcl::unsupported::representation $value] -> place}
    return $place
}

# The result of a `config` subcommand.
#   answer  of the bridge call: names and values, secrets as markers
#   Result  names and values, [redacted] for a secret
#   Errors  that of the call
proc ::kafkatcl::secrets::Shown {answer} {
    set words {}
    foreach word [::kafkatcl::Unwrap $answer] {
        if {[string match {\[redacted\]#*} $word]} {
            set word [ValueOf $word]
        }
        lappend words $word
    }
    return $words
}

# The value that stands for a marker with its number.
proc ::kafkatcl::secrets::ValueOf {marker} {
    variable valueOf
    variable numbered
    if {![info exists valueOf($marker)]} {
        # A value that was appended to is not the one that others have.
        set value \[redacted
        append value \]
        set valueOf($marker) $value
        set numbered([Place $value]) $marker
        # Without a place it is not known again.
        unset -nocomplain numbered()
    }
    return $valueOf($marker)
}

# The words of a `config` subcommand, as the bridge call gets them.
#   Result  the words, with a marker for each value that Shown has given
proc ::kafkatcl::secrets::Given {words} {
    variable numbered
    set given {}
    foreach word $words {
        if {$word eq {[redacted]} && [info exists numbered([Place $word])]} {
            set word $numbered([Place $word])
        }
        lappend given $word
    }
    return $given
}

# How an object command returns the failure of a call whose words may be secrets.  There
# are none in errorInfo and in the error stack, where Tcl puts the words of calls.
#   words    of the call, with the name of the object
#   options  of `catch`
#   message  of the error
#   Result   the words of a command, which the object command calls
#   Level    `info frame` looks at the call of the object command
proc ::kafkatcl::secrets::Refusal {words options message} {
    switch [lindex $words 1] {
        config - topic_config {set from 2}
        creator {set from 3}
        default {set from -1}
    }
    set code NONE
    if {[dict exists $options -errorcode]} {
        set code [dict get $options -errorcode]
    }
    if {[catch {
        set shown [::kafkatcl::Unwrap [::kafkatcl::bridge::shown_call $from {*}$words]]
        set texts [::kafkatcl::Unwrap [::kafkatcl::bridge::scrub $message {*}$code]]
    }]} {
        # There is no bridge any more that knows the secrets.
        set shown [list {*}[lrange $words 0 1] ...]
        set texts [list $message {*}$code]
    }
    set code [lassign $texts message]
    set options [list -code error -errorcode $code -errorstack [list INNER $shown] -errorline 1]
    set info $message[::kafkatcl::failures::Hint $message $code]
    if {[IsQuoted $words]} {
        if {$info ne $message} {
            lappend options -errorinfo $info
        }
        return [list ::return {*}$options $message]
    }
    if {[string length $shown] > 150} {
        set shown [string range $shown 0 149]...
    }
    # `tailcall` returns it in the place of the object command
    # (https://www.tcl-lang.org/man/tcl8.6/TclCmd/tailcall.htm); else Tcl would add the
    # words of its call.
    return [list ::tailcall ::return -level 0 {*}$options -errorinfo "$info\n    while executing\n\"$shown\"" $message]
}

# Whether Tcl notes the call of the object command as it stands in the script, and not
# as the words of a list that is evaluated.
proc ::kafkatcl::secrets::IsQuoted {words} {
    if {[catch {::tcl::info::frame -3} frame]} {
        return 0
    }
    return [expr {[dict get $frame type] ne "eval" || [dict get $frame cmd] ne $words}]
}
