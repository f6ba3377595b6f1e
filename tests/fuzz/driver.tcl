# driver.tcl --
#
#   The fuzzer's end in the shell: it makes the calls that come line by line on standard
#   input, and answers each with a line of its own (see shell.py).  The brokers are the
#   list in the environment variable KAFKATCL_TEST_BROKERS, or those of the embedded
#   broker.

package require kafka

namespace eval ::fuzz {
    variable count 0        ;# counts what callbacks and codes are called for
    variable faults {}      ;# texts of background errors that tell of a fault of the package
    variable inner {}       ;# how a call within a callback ended
    variable depth 0        ;# of Vwait and Update, which would nest without end
    variable probes 0
    variable recursions 0   ;# of Recurse, in one call
    variable budget 0       ;# how often callbacks may still do what takes a while, in one call
}

set ::brokers 127.0.0.1:9092
if {[info exists ::env(KAFKATCL_TEST_BROKERS)]} {
    set ::brokers $::env(KAFKATCL_TEST_BROKERS)
}

set ::fuzz::file [file normalize [info script]]

# -- calls and answers -----------------------------------------------------------------

proc ::fuzz::Background {message options} {
    Suspect $message
    Suspect [dict get $options -errorinfo]
}
interp bgerror {} ::fuzz::Background

# Remember a text that tells of a fault of the package.
proc ::fuzz::Suspect {text} {
    variable faults
    if {[string match "*KAFKA INTERNAL*" $text] || [string match "*Traceback (most recent call last)*" $text]} {
        lappend faults [Short $text]
    }
}

# Make a call, and run what callbacks there are; what is to be answered.
proc ::fuzz::Do {call} {
    variable faults {}
    variable recursions 0
    variable budget 200
    set words {}
    set code [catch {
        set words [uplevel #0 "::list $call"]
        uplevel #0 $words
    } result options]
    set errorCode {}
    if {$code == 1} {
        set errorCode [dict get $options -errorcode]
        Suspect [dict get $options -errorinfo]
        Suspect $errorCode
    }
    Suspect $result
    update
    return [list $code $errorCode [Short $result] [join $faults \n] [Unnamed $words $code $result]]
}

# A text without its middle, if it is long.
proc ::fuzz::Short {text} {
    if {[string length $text] <= 2000} {
        return $text
    }
    return "[string range $text 0 999]...[string range $text end-999 end]"
}

# The value that an error names though the call has no such word, or nothing.
proc ::fuzz::Unnamed {words code message} {
    if {$code == 1 && ![string match fuzz::* [lindex $words 0]]
            && [regexp {^(?:expected integer but got|integer value too large to represent:) "(.*)"$} $message -> value]
            && [string first [Bare $value] [Bare $words]] < 0 && [Bare $value] ne ""} {
        return $value
    }
}

# A text without what lists put around their elements.
proc ::fuzz::Bare {text} {
    return [string map [list \\ {} \{ {} \} {} \" {}] $text]
}

proc ::fuzz::Hex {text} {
    return [binary encode hex [encoding convertto utf-8 $text]]
}

# Make the calls that come on standard input.  An answer is a line: a mark, and
# hexadecimal fields with points between.
proc ::fuzz::Serve {} {
    fconfigure stdout -translation lf
    Begin
    while {[gets stdin call] >= 0} {
        puts "\n\x01[join [lmap field [Do $call] {Hex $field}] .]"
        flush stdout
    }
    exit
}

# Make calls, and show how each ends.
proc ::fuzz::Replay {calls} {
    Begin
    foreach call [split [string trim $calls] \n] {
        lassign [Do $call] code errorCode message faults
        puts "$call\n    -> $code {$errorCode} [Short $message] $faults"
        flush stdout
    }
}
