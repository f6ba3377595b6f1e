# ahead.tcl --
#
#   Reading ahead.  A script that calls `consume` again and again gets many messages
#   over the bridge at once.  Those it has not used yet are stored here and do not count
#   as consumed.  Every other consuming command requeues them first.
#
#   A reader is a list of two, {id words}: an object id, and the words of `consume`
#   before the name of the array, joined by commas, as in "partition,timeout".  Its
#   messages are in the array ::kafkatcl::ahead::ID under these words, as a list {at
#   topic partition layout width fields due}: `at` is where in the fields the next
#   message begins, `width` how many fields each message has, and `due` when the engine
#   is to be told how many are used, in ms as of `clock milliseconds`.
#
#   A walk is a reader, too, whose words are its object id, see walks.tcl; and so is
#   `consume_batch` of few messages, a list of three, see batches.tcl.
#
#   A buffer is the partition of a topic of a handle, a queue, or a subscriber.  Several
#   readers may read one buffer; at most one of them has something stored.

# What C has in the place of these, where the native part is used.
namespace eval ::kafkatcl::native {
    # whether there is the command `each`, for callbacks; then fields of events and of
    # batches may be packed, and a list when somebody takes them for one
    variable loops 0
    proc keep {id words list} {return 0}
    proc recall {args} {}
    proc again {id} {return 0}
    proc length {fields} {llength $fields}
    proc first {fields} {return $fields}
}

namespace eval ::kafkatcl::ahead {
    variable kept           ;# reader that has something stored -> the buffer it reads
    variable topicOf        ;# object id of a topic object -> {handle name}
    variable interval 10    ;# ms between reports to the engine of how many messages the script has used
    array set kept {}
    array set topicOf {}

    # The beginning of every `consume`, where `words` are those of the reader: set `at`,
    # `topic`, `partition`, `layout` and `fields` for its next stored message, and move
    # on by one; without one `at` is unset.  Nearly all messages take this path, so its
    # text is copied into the object command, with the object id in place of %id%.
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

# Whether stored messages may still be used.  Those of revoked partitions may not.
# Asked by the text in `find`, when the engine is to be told.
proc ::kafkatcl::ahead::MayBeUsed {id words} {
    variable kept
    ::kafkatcl::events::RequeueRecalled
    return [::tcl::info::exists kept([list $id $words])]
}

# Before messages are read over the bridge: requeue those stored for other readers of
# this buffer, such as a `consume` with another timeout.
#   words  as of a reader, see above
proc ::kafkatcl::ahead::RequeueOthers {id words} {
    variable kept
    if {[::tcl::array::size kept]} {
        RequeueBuffer [BufferOf $id $words]
    }
}

# Requeue the stored messages of a buffer; the used ones count as consumed.
#   buffer  as of BufferOf
proc ::kafkatcl::ahead::RequeueBuffer {buffer} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        if {$kept($reader) eq $buffer} {
            Report $reader ::kafkatcl::bridge::read_requeue
        }
    }
}

# The name of the buffer that a reader reads.
#   Errors  that of an integer, if the partition is none
proc ::kafkatcl::ahead::BufferOf {id words} {
    variable topicOf
    if {![::tcl::info::exists topicOf($id)]} {
        return $id
    }
    return [list $topicOf($id) [::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer [lindex [split $words ,] 0]]]]
}

# Store all but the first of the messages that were read over the bridge.
#   words   as of a reader, see above
#   fields  the fields of all messages in a row, in the layout
#   Result  a list that begins with the fields of the first
proc ::kafkatcl::ahead::Store {id words topic partition layout fields} {
    variable kept
    variable interval
    variable $id
    set width [::kafkatcl::layouts::Width $layout]
    if {[::kafkatcl::native::length $fields] > $width} {
        set due [expr {[::tcl::clock::milliseconds] + $interval}]
        Keep ahead $id $words [list $width $topic $partition $layout $width $fields $due]
        set kept([list $id $words]) [BufferOf $id $words]
    }
    return [::kafkatcl::native::first $fields]
}

# Keep what was read ahead: in C, where that can be; it goes on with it, and gives it
# back to these variables by `recall`.
#   where  the namespace of the array, ahead or batches
#   list   what the array gets
proc ::kafkatcl::ahead::Keep {where id words list} {
    if {![::kafkatcl::native::keep $id $words $list]} {
        set ::kafkatcl::${where}::${id}($words) $list
    }
}

# Tell the engine how many messages of a reader are not used yet.  They are forgotten if
# there are none, or if they are requeued.
#   reader  a reader with something stored
#   call    the bridge call that tells: read_acknowledge, or read_requeue, by which
#           those that are not used go back to the buffer
proc ::kafkatcl::ahead::Report {reader {call ::kafkatcl::bridge::read_acknowledge}} {
    variable kept
    variable interval
    lassign $reader id words ofBatches
    if {[::tcl::info::exists ::kafkatcl::walks::rest($words)]} {
        return [::kafkatcl::walks::Report $reader $call]
    }
    ::kafkatcl::native::recall $id
    if {$ofBatches eq ""} {
        upvar #0 ::kafkatcl::ahead::$id stored
    } elseif {[::kafkatcl::batches::IsLent $reader]} {
        return [::kafkatcl::batches::Report $reader $call]
    } else {
        upvar #0 ::kafkatcl::batches::$id stored
    }
    lassign $stored($words) at topic partition layout width fields
    set left [expr {([llength $fields] - $at) / $width}]
    if {$left == 0 || $call eq "::kafkatcl::bridge::read_requeue"} {
        unset stored($words) kept($reader)
    } else {
        lset stored($words) 6 [expr {[::tcl::clock::milliseconds] + $interval}]
    }
    # Whatever the answer: the object may be deleted, and its messages with it.
    $call $id $partition $left
}

# Acknowledge the used messages of all readers: they count as consumed.
proc ::kafkatcl::ahead::Acknowledge {} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        Report $reader
    }
}

# Requeue all stored messages; the used ones count as consumed.
proc ::kafkatcl::ahead::Requeue {} {
    variable kept
    foreach reader [::tcl::array::names kept] {
        Report $reader ::kafkatcl::bridge::read_requeue
    }
}

# Note which partitions a new topic object reads.
#   handle  the object id of its handle
#   name    the name of its topic
proc ::kafkatcl::ahead::AddTopic {id handle name} {
    variable topicOf
    set topicOf($id) [list $handle $name]
}

# Forget an object that is gone.  What was stored for it was requeued before.
proc ::kafkatcl::ahead::DropObject {id} {
    variable topicOf
    unset -nocomplain topicOf($id) ::kafkatcl::ahead::$id ::kafkatcl::batches::$id
}

# Requeue every message that the script has not seen, with callbacks and without: before
# a partition is stopped, an object deleted, or a callback replaced.
proc ::kafkatcl::Requeue {} {
    events::Requeue
    ahead::Requeue
}

# Acknowledge the messages that the script has used, with callbacks and without: before
# the end, and before offsets are told or committed.
proc ::kafkatcl::Acknowledge {} {
    events::Acknowledge
    ahead::Acknowledge
}
