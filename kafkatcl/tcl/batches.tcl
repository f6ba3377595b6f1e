# batches.tcl --
#
#   Small batches.  Behind the messages of a `consume_batch` for few the engine gives
#   those of further batches of that size, all of one partition.  They are stored here,
#   and the same call again runs its code for them without asking the engine.
#
#   Such a call is a reader (see ahead.tcl): {id words batches}, where `words` are those
#   of the call before the name of the array, joined by commas, as in
#   "partition,timeout,count".  Its messages are in the array ::kafkatcl::batches::ID
#   under these words, as a list {at topic partition layout width fields due count}.
#   There is a batch at least, or nothing.
#
#   While the code runs, its messages and all behind them are *lent* to its run.  They
#   stay in flight, none of them used.  When they are to be requeued, those of the run
#   become a batch of the engine, which goes on as any other.

namespace eval ::kafkatcl::batches {
    variable lent           ;# run -> {reader messages}, as they were when it began
    array set lent {}

    # A text for the fast path of `consume_batch`: if a batch is stored for `words`, run
    # the code for it and return.  An array cannot be called -command, see TakeCommand.
    variable next [::tcl::string::map [list %run% [::kafkatcl::failures::Body {
        ::kafkatcl::batches::RunStored %id% $words $array $code
    }]] {
        ::upvar #0 ::kafkatcl::batches::%id% stored
        ::if {[::tcl::info::exists stored($words)] && $array ne "-command"
                && ([::tcl::clock::milliseconds] <= [::lindex $stored($words) 6]
                || [::kafkatcl::batches::MayBeUsed %id% $words])} {
            %run%
        }
    }]
}

# A text as messages::Text makes it, with this one put in for %settle%: the end of a
# run, of which `left`, `lent` and `code` are known.
proc ::kafkatcl::batches::Text {text} {
    return [::kafkatcl::messages::Text [::tcl::string::map [list %settle% {
        set isLent [::tcl::info::exists lent($run)]
        if {$isLent} {
            lassign $lent($run) reader list
            lassign $reader id words
            lassign $list at topic partition layout width fields due count
            # Within a message that the array has refused `at` is no beginning.
            incr at [expr {($count - $left) * $width}]
            lset list 0 $at
            set ::kafkatcl::batches::${id}($words) $list
            unset lent($run)
            if {[::tcl::clock::milliseconds] > $due || $at + $count * $width > [llength $fields]} {
                Look $id $words
            }
        }
        %leave%
        if {!$isLent} {
            %end%
        }
    }] $text]]
}

# Before messages are read over the bridge: requeue those stored for readers of this
# buffer.  What was used of others counts as consumed.
proc ::kafkatcl::batches::Clear {id words} {
    if {[::tcl::array::size ::kafkatcl::ahead::kept]} {
        ::kafkatcl::ahead::RequeueOthers $id $words
        ::kafkatcl::ahead::Acknowledge
    }
}

# Store the messages of further batches.
#   answer  of the bridge call that has read: a batch
#   Result  the answer without them
proc ::kafkatcl::batches::Store {id words answer} [::kafkatcl::messages::Text {
    if {[lindex $answer 1 end 0] ne "ahead"} {
        return $answer
    }
    lassign [::kafkatcl::layouts::Received [lindex $answer 1 end]] kind topic partition layout fields
    set count [lindex $answer 1 1]
    %layout%
    set width [::kafkatcl::layouts::Width $layout]
    set size [::kafkatcl::native::length $fields]
    if {$size < $count * $width} {
        ::kafkatcl::bridge::read_requeue $id $partition [expr {$size / $width}]
    } else {
        set due [expr {[::tcl::clock::milliseconds] + $::kafkatcl::ahead::interval}]
        ::kafkatcl::ahead::Keep batches $id $words [list 0 $topic $partition $layout $width $fields $due $count]
        set ::kafkatcl::ahead::kept([list $id $words batches]) [::kafkatcl::ahead::BufferOf $id $words]
    }
    return [list 0 [lrange [lindex $answer 1] 0 end-1]]
}]

# Whether stored messages may still be used.  Those of revoked partitions may not.  Nor
# those of a subscriber with a rebalance callback: who asks the engine is told first.
# Asked every 10 ms, by the text in `next` and by Look.
proc ::kafkatcl::batches::MayBeUsed {id words} {
    ::kafkatcl::events::RequeueRecalled
    if {[::tcl::info::exists ::kafkatcl::rebalance::prefix($id)]} {
        ::kafkatcl::ahead::RequeueBuffer $id
    }
    return [::tcl::info::exists ::kafkatcl::batches::${id}($words)]
}

# Run code for each message of a batch that is stored.
#   array   its name, as the script gave it
#   body    the code
#   Result  the number of messages for which the code has run
#   Errors  as those of messages::RunForEach
#   Level   2, for the array and the code
proc ::kafkatcl::batches::RunStored {id words array body} [::kafkatcl::batches::Text {
    variable lent
    upvar #0 ::kafkatcl::batches::$id stored
    upvar 2 $array <array>
    lassign $stored($words) at topic partition layout width fields due count
    %begin%
    set lent($run) [list [list $id $words batches] $stored($words)]
    unset stored($words)
    set code [catch {
        while {$left > 0} {
            incr left -1
            %fill%
            uplevel 2 $body
        }
    } result options]
    %settle%
    if {$code == 0} {
        return [expr {$count - $rest}]
    }
    lassign [::kafkatcl::messages::Ended consume_batch $array $code $result $options 2] result options
    return -options $options $result
}]

# The end of a run that C has begun and has given back meanwhile.
#   code    of `catch`: how its code has ended
#   Result  how many messages the code has not got to
proc ::kafkatcl::batches::End {run code} [::kafkatcl::batches::Text {
    variable lent
    upvar #0 ::kafkatcl::messages::toGo($run) left
    %settle%
    return $rest
}]

# Tell the engine how many stored messages are not used yet.  They are requeued if they
# make no batch; and if the code takes its time, as it may be long until the next call.
proc ::kafkatcl::batches::Look {id words} {
    variable $id
    set reader [list $id $words batches]
    lassign [set ${id}($words)] at topic partition layout width fields due count
    set late [expr {[::tcl::clock::milliseconds] - $due}]
    if {$late > 0 && ![MayBeUsed $id $words]} {
        return
    }
    set left [expr {[llength $fields] - $at}]
    if {$left > 0 && ($left < $count * $width || $late > $::kafkatcl::ahead::interval)} {
        ::kafkatcl::ahead::Report $reader ::kafkatcl::bridge::read_requeue
    } else {
        ::kafkatcl::ahead::Report $reader
    }
}

# Whether the messages of a reader are lent to a run.
proc ::kafkatcl::batches::IsLent {reader} {
    return [expr {[LentTo $reader] ne ""}]
}

# The run that the messages of a reader are lent to; empty if they are not.
proc ::kafkatcl::batches::LentTo {reader} {
    variable lent
    foreach run [::tcl::array::names lent] {
        if {[lindex $lent($run) 0] eq $reader} {
            return $run
        }
    }
}

# Tell the engine that the messages of a reader are not used yet that are lent to a run,
# or requeue all behind those of the run; for ahead::Report, which says what the
# arguments are.
proc ::kafkatcl::batches::Report {reader call} {
    variable lent
    set run [LentTo $reader]
    lassign [lindex $lent($run) 1] at topic partition layout width fields due count
    set left [expr {([llength $fields] - $at) / $width}]
    if {$call ne "::kafkatcl::bridge::read_requeue"} {
        $call [lindex $reader 0] $partition $left
        return
    }
    unset lent($run) ::kafkatcl::ahead::kept($reader)
    unset -nocomplain ::kafkatcl::batches::[lindex $reader 0]([lindex $reader 1])
    set ::kafkatcl::messages::batchOf($run) [::kafkatcl::Unwrap \
        [::kafkatcl::bridge::read_batch [lindex $reader 0] $partition $left $count]]
}
