# ahead.tcl --
#
#   Reading ahead.  A script that calls `consume` again and again gets many messages
#   over the bridge at once.  Those it has not used yet are stored here and do not count
#   as consumed.  Every other consuming command requeues them first.
#
#   What is kept is in the array ::kafkatcl::ahead::ID, ID being the object
#   id, under the words of `consume` before the name of the array, as in
#   "partition,timeout".  It is a list {at topic partition layout width fields due}:
#   `at` is where in the fields the next message begins, `width` how many each has, and
#   `due` when the other side is to be told how far the script has come.
#
#   A buffer is the partition of a topic of a handle, a queue, or a subscriber.  Only
#   one of the entries that mean the same buffer is there at a time.

namespace eval ::kafkatcl::ahead {
    variable kept           ;# {id words} -> the buffer of what is kept for them
    variable topicOf        ;# object id of a topic object -> its handle and its name
    variable interval 10    ;# ms between reports to the engine of how many messages the script has used
    array set kept {}
    array set topicOf {}

    # The beginning of every `consume`: set `at` to the stored message for these words,
    # and move on by one.  Nearly all messages take this path, so its text is copied
    # into the object command.
    variable find {
        ::upvar #0 ::kafkatcl::ahead::%id% ahead
        ::if {[::tcl::info::exists ahead($words)]} {
            ::lassign $ahead($words) at topic partition layout width fields due
            ::if {[::tcl::clock::milliseconds] <= $due} {
                ::lset ahead($words) 0 [::expr {$at + $width}]
                ::if {$at + $width == [::llength $fields]} {
                    ::kafkatcl::ahead::Report [::list %id% $words]
                }
            } elseif {[::kafkatcl::ahead::MayBeUsed %id% $words]} {
                ::lset ahead($words) 0 [::expr {$at + $width}]
                ::kafkatcl::ahead::Report [::list %id% $words]
            } else {
                ::unset at
            }
        }
    }
}

# Whether the stored messages may still be used.  Those of revoked partitions may not.
proc ::kafkatcl::ahead::MayBeUsed {id words} {
    variable kept
    ::kafkatcl::events::RequeueRecalled
    return [::tcl::info::exists kept([list $id $words])]
}

# Before messages are read over the bridge: requeue those stored under another timeout
# for this buffer.
proc ::kafkatcl::ahead::RequeueOthers {id words} {
    variable kept
    if {[::tcl::array::size kept] == 0} {
        return
    }
    set buffer [BufferOf $id $words]
    foreach reader [::tcl::array::names kept] {
        if {$kept($reader) eq $buffer} {
            Report $reader ::kafkatcl::bridge::read_requeue
        }
    }
}

# The name of the buffer that these words read.
proc ::kafkatcl::ahead::BufferOf {id words} {
    variable topicOf
    if {![::tcl::info::exists topicOf($id)]} {
        return $id
    }
    return [list $topicOf($id) [::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer [lindex [split $words ,] 0]]]]
}

# Store all but the first of the messages that were read over the bridge.
proc ::kafkatcl::ahead::Store {id words topic partition layout fields} {
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

# Report to the engine how many stored messages of a reader are not used yet.
proc ::kafkatcl::ahead::Report {reader {call ::kafkatcl::bridge::read_acknowledge}} {
    variable kept
    variable interval
    lassign $reader id words
    variable $id
    lassign [set ${id}($words)] at topic partition layout width fields
    set left [expr {([llength $fields] - $at) / $width}]
    if {$left == 0 || $call eq "::kafkatcl::bridge::read_requeue"} {
        unset ${id}($words) kept($reader)
    } else {
        lset ${id}($words) end [expr {[::tcl::clock::milliseconds] + $interval}]
    }
    # The object may be deleted, and its messages with it.
    $call $id $partition $left
}

# Acknowledge the used messages of all readers.
proc ::kafkatcl::ahead::Acknowledge {} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        Report $reader
    }
}

# Requeue all stored messages.
proc ::kafkatcl::ahead::Requeue {} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        Report $reader ::kafkatcl::bridge::read_requeue
    }
}

# A topic object was made, from a handle and with a name.
proc ::kafkatcl::ahead::AddTopic {id handle name} {
    variable topicOf
    set topicOf($id) [list $handle $name]
}

# An object is gone; what was kept for it was given back before.
proc ::kafkatcl::ahead::DropObject {id} {
    variable topicOf
    unset -nocomplain topicOf($id) ::kafkatcl::ahead::$id
}

# Before a partition is stopped, an object deleted, or a callback replaced: requeue
# every message that the script has not seen.
proc ::kafkatcl::Requeue {} {
    events::Requeue
    ahead::Requeue
}

# Before the end: acknowledge the messages that the script has used, with callbacks and
# without.
proc ::kafkatcl::Acknowledge {} {
    events::Acknowledge
    ahead::Acknowledge
}
