# frames.tcl --
#
#   What passes through the pipe, made of Tcl values and turned into them (see
#   kafkatcl/sidecar/protocol.py).

namespace eval ::kafkatcl::sidecar {
    # How `encoding` is to convert strings that pass.  Halves of characters do so as
    # Tcl 8 encodes them, so that the sidecar can refuse them by name; the default of
    # Tcl 9 is an error: https://www.tcl-lang.org/man/tcl9.0/TclCmd/encoding.html
    variable utf8 [expr {[package vsatisfies [package provide Tcl] 9-] ? "-profile tcl8 utf-8" : "utf-8"}]
    # kinds of columns, as a PARTS names them -> the procedure that reads such columns,
    # and their number
    variable readers
    variable widths
}

# The body of a call.
#   words   the name of a bridge call, and its arguments
#   Result  bytes
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

# The string that a body is: of a LIST, the answer.
proc ::kafkatcl::sidecar::Text {body} {
    variable utf8
    return [::tcl::encoding::convertfrom {*}$utf8 $body]
}

# The answer that the body of a PARTS holds, with the fields of messages and the long
# values in their places.
proc ::kafkatcl::sidecar::Parts {body} {
    variable readers
    variable widths
    ::tcl::binary::scan $body i size
    set at [expr {4 + $size}]
    lassign [Text [::tcl::string::range $body 4 $at-1]] answer runs values
    foreach run $runs {
        lassign $run path count kinds
        if {![info exists readers($kinds)]} {
            proc ::kafkatcl::sidecar::columns::$kinds {body at count} [Reader [split $kinds ,]]
            set readers($kinds) ::kafkatcl::sidecar::columns::$kinds
            set widths($kinds) [llength [split $kinds ,]]
        }
        lset answer {*}$path [$readers($kinds) $body $at $count]
        incr at [expr {8 * $count * $widths($kinds)}]
    }
    foreach {path kind length} $values {
        set value [::tcl::string::range $body $at [expr {$at + $length - 1}]]
        if {$kind eq "text"} {
            set value [Text $value]
        }
        lset answer {*}$path $value
        incr at $length
    }
    return $answer
}

# Has the procedures made of Reader, by the kinds of their columns.
namespace eval ::kafkatcl::sidecar::columns {}

# The body of a procedure that gives the fields of `count` messages in a row, whose
# columns begin at `at` in `body`.
#   kinds  those of the columns, bytes, text or int (see kafkatcl/sidecar/columns.py)
proc ::kafkatcl::sidecar::Reader {kinds} {
    variable utf8
    set place 0
    foreach kind $kinds {
        incr place
        switch $kind {
            bytes - text {
                append format {i${count}i${count}}
                append lists " starts$place ends$place"
                append loop " start$place \$starts$place end$place \$ends$place"
                set value "\[::tcl::string::range \$body \$start$place \$end$place\]"
                append fields [expr {$kind eq "bytes" ? " $value" : " \[::tcl::encoding::convertfrom $utf8 $value\]"}]
            }
            int {
                append format {w${count}}
                append lists " numbers$place"
                append loop " number$place \$numbers$place"
                append fields " \$number$place"
            }
        }
    }
    return "::tcl::binary::scan \$body @\${at}$format$lists
        set fields {}
        foreach$loop {lappend fields$fields}
        return \$fields"
}
