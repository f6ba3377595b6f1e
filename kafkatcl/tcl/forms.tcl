# forms.tcl --
#
#   The form in which a script has messages: which fields beside the usual ones, and its
#   payloads and keys as text in an encoding.
#
#   The engine converts, as it alone knows which messages the script has not had: what
#   cannot be converted stays with it.  Encodings that are made by a rule, such as
#   utf-8, it has itself, and some others: strict, quick, and the same with every Tcl.
#   Of the rest it is told Tcl's own table, as far as what is converted comes back as it
#   was: Tcl 8.6 converts anything to something.

namespace eval ::kafkatcl::forms {
    # How `encoding` is to convert; the default of Tcl 9 is an error where 8.6 has none:
    # https://www.tcl-lang.org/man/tcl9.0/TclCmd/encoding.html
    variable profile [expr {[package vsatisfies [package provide Tcl] 9-] ? "-profile tcl8" : ""}]
}

::kafkatcl::Implement consumer_topic fields {
    if {[llength $words] == 0} {
        return [::kafkatcl::Unwrap [::kafkatcl::bridge::message_fields $id 0]]
    }
    ::kafkatcl::Requeue
    ::kafkatcl::Unwrap [::kafkatcl::bridge::message_fields $id 1 {*}$list]
    return
}

::kafkatcl::Implement producer_topic encoding {
    if {[llength $words] == 0} {
        return [::kafkatcl::Unwrap [::kafkatcl::bridge::text_encoding $id]]
    }
    ::kafkatcl::forms::Require $encoding
    ::kafkatcl::Requeue
    ::kafkatcl::Unwrap [::kafkatcl::bridge::text_encoding $id $encoding]
    return
}

# Check that there is an encoding, and tell the engine its table.
#   name    `binary`, or an encoding of Tcl
#   Errors  TCL LOOKUP ENCODING NAME, as Tcl has it, raised by the caller
proc ::kafkatcl::forms::Require {name} {
    if {[::kafkatcl::Unwrap [::kafkatcl::bridge::encoding_is_known $name]]} {
        return
    }
    if {$name ni [::tcl::encoding::names]} {
        return -level 2 -code error -errorcode [list TCL LOOKUP ENCODING $name] "unknown encoding \"$name\""
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::encoding_table $name {*}[Table $name]]
}

# The table of an encoding of single bytes and pairs.
#   Result  the characters of the 256 bytes, with U+FFFE for what means nothing; then
#           for each byte that begins a pair its number, and the characters of the 256
#           pairs
proc ::kafkatcl::forms::Table {name} {
    set singles [Row $name {}]
    set table [list $singles]
    for {set first 0} {$first < 256} {incr first} {
        if {[::tcl::string::index $singles $first] eq "\ufffe"} {
            set row [Row $name [::tcl::binary::format c $first]]
            if {[::tcl::string::trim $row \ufffe] ne ""} {
                lappend table $first $row
            }
        }
    }
    return $table
}

# What the 256 bytes mean, each behind `begin`.  Bytes from 80 to 9F that mean the
# control character of their own number mean nothing: with those Tcl 8.6 has filled its
# tables.
#   Result  a character for each
proc ::kafkatcl::forms::Row {name begin} {
    variable profile
    set row {}
    for {set byte 0} {$byte < 256} {incr byte} {
        set bytes $begin[::tcl::binary::format c $byte]
        set character [::tcl::encoding::convertfrom {*}$profile $name $bytes]
        set isFilled [expr {0x80 <= $byte && $byte < 0xa0 && $character eq $bytes}]
        if {[::tcl::string::length $character] == 1 && !$isFilled
                && [::tcl::encoding::convertto {*}$profile $name $character] eq $bytes} {
            append row $character
        } else {
            append row \ufffe
        }
    }
    return $row
}
