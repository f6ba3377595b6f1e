# ahead.tcl --
#
#   Reading ahead.  Who calls `consume` again and again gets many messages over the
#   bridge at once; what is not used yet is kept here, and counts as not consumed.  Any
#   other command that has to do with consuming gives it back first.
#
#   What is kept is in the array ::kafkatcl::ahead::ID, ID being the identifier of the
#   object, under the words of `consume` before the name of the array, as in
#   "partition,timeout".  It is a list {at topic partition layout width fields due}:
#   `at` is where in the fields the next message begins, `width` how many each has, and
#   `due` when the other side is to be told how far the script has come.
#
#   A buffer is the partition of a topic of a handle, a queue, or a subscriber.  Only
#   one of the entries that mean the same buffer is there at a time.

namespace eval ::kafkatcl::ahead {
    variable kept           ;# {id words} -> the buffer of what is kept for them
    variable topicOf        ;# identifier of a topic object -> its handle and its name
    variable interval 10    ;# ms after which the other side is asked, and told how far the script has come
    array set kept {}
    array set topicOf {}

    # What a `consume` with a string of its words begins with: find the message that was
    # read ahead for them, if there is one, and go behind it.  This is the way of nearly
    # all messages, so its text is put where it is needed.
    variable find {
        ::upvar #0 ::kafkatcl::ahead::%id% ahead
        ::if {[::tcl::info::exists ahead($words)]} {
            ::lassign $ahead($words) at topic partition layout width fields due
            ::if {[::tcl::clock::milliseconds] <= $due} {
                ::lset ahead($words) 0 [::expr {$at + $width}]
                ::if {$at + $width == [::llength $fields]} {
                    ::kafkatcl::ahead::Tell [::list %id% $words]
                }
            } elseif {[::kafkatcl::ahead::MayBeUsed %id% $words]} {
                ::lset ahead($words) 0 [::expr {$at + $width}]
                ::kafkatcl::ahead::Tell [::list %id% $words]
            } else {
                ::unset at
            }
        }
    }
}

# Whether what is kept is still ours: of partitions that were taken away it is not.
proc ::kafkatcl::ahead::MayBeUsed {id words} {
    variable kept
    ::kafkatcl::events::GiveBackRecalled
    return [::tcl::info::exists kept([list $id $words])]
}

# Before messages are read over the bridge: give back what is kept from the same buffer
# for other words.
proc ::kafkatcl::ahead::Meet {id words} {
    variable kept
    if {[::tcl::array::size kept] == 0} {
        return
    }
    set buffer [BufferOf $id $words]
    foreach reader [::tcl::array::names kept] {
        if {$kept($reader) eq $buffer} {
            Tell $reader read_reclaim
        }
    }
}

# The buffer that is meant, by a name of our own.
proc ::kafkatcl::ahead::BufferOf {id words} {
    variable topicOf
    if {![::tcl::info::exists topicOf($id)]} {
        return $id
    }
    return [list $topicOf($id) [::kafkatcl::Value [::kafkatcl::bridge::check_integer [lindex [split $words ,] 0]]]]
}

# Keep the messages that were read over the bridge but for the first.
proc ::kafkatcl::ahead::Keep {id words topic partition layout fields} {
    variable kept
    variable interval
    variable $id
    set width [::kafkatcl::layouts::Width $layout]
    if {[llength $fields] > $width} {
        set due [expr {[::tcl::clock::milliseconds] + $interval}]
        set ${id}($words) [list $width $topic $partition $layout $width $fields $due]
        set kept([list $id $words]) [BufferOf $id $words]
    }
}

# Tell the other side how many of the messages that are kept for a reader are not used
# yet.
proc ::kafkatcl::ahead::Tell {reader {tell read_settle}} {
    variable kept
    variable interval
    lassign $reader id words
    variable $id
    lassign [set ${id}($words)] at topic partition layout width fields
    set left [expr {([llength $fields] - $at) / $width}]
    if {$left == 0 || $tell eq "read_reclaim"} {
        unset ${id}($words) kept($reader)
    } else {
        lset ${id}($words) end [expr {[::tcl::clock::milliseconds] + $interval}]
    }
    # The object may be gone, and what was read from it with it.
    ::kafkatcl::bridge::$tell $id $partition $left
}

# Tell it for all readers.
proc ::kafkatcl::ahead::Settle {} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        Tell $reader
    }
}

# Give back all that is kept.
proc ::kafkatcl::ahead::GiveBack {} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        Tell $reader read_reclaim
    }
}

# A topic object was made, from a handle and with a name.
proc ::kafkatcl::ahead::Introduce {id handle name} {
    variable topicOf
    set topicOf($id) [list $handle $name]
}

# An object is gone; what was kept for it was given back before.
proc ::kafkatcl::ahead::Forget {id} {
    variable topicOf
    unset -nocomplain topicOf($id) ::kafkatcl::ahead::$id
}

# Before something is stopped or deleted, or gets another callback: give back all that
# the script has not seen.
proc ::kafkatcl::GiveBack {} {
    events::GiveBack
    ahead::GiveBack
}

# Before the end: say how far the script has come, with callbacks and without.
proc ::kafkatcl::Settle {} {
    events::Settle
    ahead::Settle
}
