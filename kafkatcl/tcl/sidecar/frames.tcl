# frames.tcl --
#
#   What passes between us and the sidecar, and Tcl values (see kafkatcl/sidecar/protocol.py).

namespace eval ::kafkatcl::sidecar {
    # Halves of characters pass as Tcl 8 encodes them, so that the other side can refuse them by name.
    variable utf8 [expr {[package vsatisfies [package provide Tcl] 9-] ? "-profile tcl8 utf-8" : "utf-8"}]
}

# The body of a call: a primitive and its arguments.
proc ::kafkatcl::sidecar::Words {words} {
    variable utf8
    set lengths {}
    set data {}
    foreach word $words {
        set bytes [::tcl::encoding::convertto {*}$utf8 $word]
        lappend lengths [::tcl::string::length $bytes]
        append data $bytes
    }
    return [::tcl::binary::format ii*a* [llength $words] $lengths $data]
}

# The list that is the answer.
proc ::kafkatcl::sidecar::Text {body} {
    variable utf8
    return [::tcl::encoding::convertfrom {*}$utf8 $body]
}

# An answer with messages: their fields are put in their places.
proc ::kafkatcl::sidecar::Runs {body} {
    ::tcl::binary::scan $body i size
    set at [expr {4 + $size}]
    lassign [Text [::tcl::string::range $body 4 $at-1]] answer runs
    foreach run $runs {
        lassign $run path count width
        set fields {}
        if {$width == 3} {
            ::tcl::binary::scan $body @${at}i${count}i${count}w${count}w$count starts ends offsets times
            foreach start $starts end $ends offset $offsets time $times {
                lappend fields [::tcl::string::range $body $start $end] $offset $time
            }
            incr at [expr {24 * $count}]
        } else {
            ::tcl::binary::scan $body @${at}i${count}i${count}i${count}i${count}w${count}w$count \
                starts ends keyStarts keyEnds offsets times
            foreach start $starts end $ends keyStart $keyStarts keyEnd $keyEnds offset $offsets time $times {
                lappend fields [::tcl::string::range $body $start $end] $offset $time [::tcl::string::range $body $keyStart $keyEnd]
            }
            incr at [expr {32 * $count}]
        }
        lset answer {*}$path $fields
    }
    return $answer
}
