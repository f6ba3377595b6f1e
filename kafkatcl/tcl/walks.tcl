# walks.tcl --
#
#   Walks: the way of a `foreach` or a channel through messages, one by one.  They come
#   over the bridge in batches; nothing of a batch counts as consumed before the script
#   is through with it.  A walk is a reader (see ahead.tcl), so that every other
#   consuming command has the rest of its batch requeued first; the message that the
#   script is at stays.

namespace eval ::kafkatcl::walks {
    variable rest           ;# walk -> how many messages of its batch the script is not through with
    variable isAt           ;# walk -> 1 while the script is at the first of these, else 0
    variable readers        ;# walk -> the reader that it is, and the buffer that it reads
    variable running {}     ;# the walks of the `foreach` that are under way, innermost last
    variable most 500       ;# how many messages a batch may have
    array set rest {}
    array set isAt {}
    array set readers {}
}

# Register a walk that has begun.
#   id      the object id of what it reads, a subscriber or a topic
#   words   those of a reader of the same buffer
#   Result  the walk
proc ::kafkatcl::walks::Begin {id words walk} {
    variable rest
    variable isAt
    variable readers
    set rest($walk) 0
    set isAt($walk) 0
    set readers($walk) [list [list $id $walk] [::kafkatcl::ahead::BufferOf $id $words]]
    return $walk
}

# Take the next batch of a walk; what was taken before counts as consumed.
#   count    how many messages at most
#   timeout  ms to wait for the first
#   Result   a list of items; `end` at the end of the walk
proc ::kafkatcl::walks::Take {walk count timeout} {
    variable rest
    variable readers
    variable ::kafkatcl::ahead::kept
    lassign $readers($walk) reader buffer
    unset -nocomplain kept($reader)
    ::kafkatcl::ahead::RequeueBuffer $buffer
    set answer [::kafkatcl::rebalance::Wait [lindex $reader 0] [list walk_take $walk $count $timeout] 3]
    if {[llength $answer] == 0} {
        return end
    }
    set items [lassign [::kafkatcl::Unwrap $answer] rest($walk)]
    if {$rest($walk) > 0} {
        set kept($reader) $buffer
    }
    return [::kafkatcl::layouts::ReceivedAll $items]
}

# Tell the engine how far the script has come in the batch of a walk, or requeue the
# rest; for ahead::Report, which says what the arguments are.
proc ::kafkatcl::walks::Report {reader call} {
    variable rest
    variable isAt
    variable ::kafkatcl::ahead::kept
    set walk [lindex $reader 1]
    if {$call ne "::kafkatcl::bridge::read_requeue"} {
        ::kafkatcl::bridge::walk_acknowledge $walk $rest($walk)
        return
    }
    set left $rest($walk)
    set rest($walk) $isAt($walk)
    unset kept($reader)
    ::kafkatcl::bridge::walk_requeue $walk $left $isAt($walk)
}

# Between two messages of a batch, now and then: tell the engine how far the script has
# come.  If partitions were revoked, the rest of the batch is gone then.
proc ::kafkatcl::walks::Look {walk} {
    variable rest
    ::kafkatcl::events::RequeueRecalled
    if {$rest($walk) > 0} {
        ::kafkatcl::bridge::walk_acknowledge $walk $rest($walk)
    }
}

# End a walk: what the script is not through with goes back.
proc ::kafkatcl::walks::End {walk} {
    variable rest
    variable isAt
    variable readers
    set left $rest($walk)
    unset -nocomplain ::kafkatcl::ahead::kept([lindex $readers($walk) 0])
    unset rest($walk) isAt($walk) readers($walk)
    ::kafkatcl::Unwrap [::kafkatcl::bridge::walk_end $walk $left]
}

# The `foreach` of a subscriber: run code for each message, with the array set to it.
# A message counts as consumed when the code is through with it; after an error of the
# code it does not, and is read again.
#   array    its name, as the script gave it
#   timeout  ms to wait for each message; negative to wait for ever
#   count    how many messages at most
#   until    where to end, as the bridge call walk_subscriber takes it
#   body     the code
#   Result   the number of messages for which the code has run
#   Errors   KAFKA NAME TEXT DETAILS for an error in the place of a message; that of the
#            code, with errorInfo of the script's own; that of the array.  A return of
#            the code is one of whoever called the object command.
#   Level    3, for the array and the code
proc ::kafkatcl::walks::ForEach {id array timeout count until body} [::kafkatcl::messages::Text {
    upvar 3 $array <array>  ;# refuses an array that cannot be, before messages are read
    variable rest
    variable isAt
    variable running
    ::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $timeout]
    set count [Count $count]
    ::kafkatcl::Requeue
    set walk [Begin $id {} [::kafkatcl::Unwrap [::kafkatcl::bridge::walk_subscriber $id $until]]]
    lappend running $walk
    set done 0
    set due [Due]
    set failed {}
    set code [catch {
        for {} {$done < $count} {incr done; incr rest($walk) -1; set isAt($walk) 0} {
            if {$rest($walk) > 0 && [::tcl::clock::milliseconds] > $due} {
                Look $walk
                set due [Due]
            }
            if {$rest($walk) == 0} {
                if {![::tcl::info::exists ::kafkatcl::commandOf($id)]} {
                    break   ;# deleted by the code
                }
                if {[catch {Take $walk [expr {$count - $done}] $timeout} items options]} {
                    set failed [list -options $options $items]
                    break
                }
                if {$items eq "end" || $items eq {}} {
                    break
                }
                set next 0
                set at 0
                set fields {}
            }
            if {$at == [llength $fields]} {
                set item [lindex $items $next]
                incr next
                set at 0
                set fields {}
                if {[lindex $item 0] eq "error"} {
                    incr rest($walk) -1
                    set failed [list -code error {*}[::kafkatcl::messages::Raised [lindex $item 1]]]
                    break
                }
                lassign $item kind topic partition layout fields
                %layout%
            }
            %fill%
            set isAt($walk) 1
            uplevel 3 $body
        }
    } result options]
    # A break or a return has left the loop behind the code; an error within it.
    if {$isAt($walk) && $code != 1} {
        incr done
        incr rest($walk) -1
    }
    set running [lrange $running 0 end-1]
    End $walk
    if {$failed ne {}} {
        return {*}$failed
    }
    if {$code == 0} {
        return $done
    }
    lassign [::kafkatcl::messages::Ended foreach $array $code $result $options] result options
    return -options $options $result
}]

# A number of messages.
#   Result  an integer
#   Errors  TCL VALUE NUMBER for a negative one
proc ::kafkatcl::walks::Count {text} {
    set count [::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $text]]
    if {$count < 0} {
        return -code error -errorcode {TCL VALUE NUMBER} "expected a count of 0 or more but got \"$text\""
    }
    return $count
}

# When the engine is to be told how far the script has come, in ms as of `clock
# milliseconds`.
proc ::kafkatcl::walks::Due {} {
    return [expr {[::tcl::clock::milliseconds] + $::kafkatcl::ahead::interval}]
}

# Script cancellation has unwound the code of every `foreach`: end their walks.  Called
# by messages::Unwound.
proc ::kafkatcl::walks::Unwound {} {
    variable running
    foreach walk [lreverse $running] {
        catch {End $walk}
    }
    set running {}
}
