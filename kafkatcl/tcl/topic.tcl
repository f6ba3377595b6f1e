# topic.tcl --
#
#   Topics to produce to, topics to consume from, and queues: what their subcommands do
#   behind the checks of their rows.

# -- what both kinds of topics can do --------------------------------------------------

::kafkatcl::Implement producer_topic {info output_queue_length} {
    ::kafkatcl::events::Acknowledge
    return [::kafkatcl::Unwrap [::kafkatcl::bridge::topic_queue_length $id]]
}

::kafkatcl::Implement producer_topic creator {
    return [::kafkatcl::creator::Run [::kafkatcl::Unwrap [::kafkatcl::bridge::topic_handle $id]] $words]
}

::kafkatcl::Implement producer_topic delete {
    ::kafkatcl::DeleteCommand $id
}

foreach kind {producer_topic consumer_topic} {
    # The command of a topic is gone.
    proc ::kafkatcl::${kind}::Deleted {id} {
        ::kafkatcl::Release $id
    }
}
unset kind

# -- producing -------------------------------------------------------------------------

# One message takes no more than this, also with headers and no other option; anything
# unusual goes to the procedure.  A key is in the list, as there is no word that cannot
# be one.
::kafkatcl::FastPath producer_topic produce {
    ::if {[::llength $args] == 0} {
        ::if {[::kafkatcl::bridge::try_produce %id% $partition $payload]} {
            ::return
        }
    } elseif {[::llength $args] == 1} {
        ::if {[::kafkatcl::bridge::try_produce %id% $partition $payload [::lindex $args 0]]} {
            ::return
        }
    } elseif {[::lindex $args end-1] eq "-headers"} {
        ::if {![::catch {
            ::kafkatcl::bridge::try_produce_headers %id% [::llength [::lrange $args 2 end]] $partition $payload \
                {*}[::lrange $args 0 end-2] {*}[::lindex $args end]
        } done] && $done} {
            ::return
        }
    }
} {partition payload}

::kafkatcl::Implement producer_topic produce_batch {
    Batch $id $partition [lindex $words 1]
    return
}

# Produce messages in one crossing.
#   rows    a list of lists, each a payload and perhaps a key
#   Errors  those of Words
proc ::kafkatcl::producer_topic::Batch {id partition rows} {
    if {![::kafkatcl::Unwrap [::kafkatcl::bridge::produce_rows $id $partition $rows]]} {
        ::kafkatcl::Unwrap [::kafkatcl::bridge::produce_batch $id $partition {*}[Words $rows]]
    }
}

# The messages of a batch as the bridge call produce_batch takes them.
#   rows    a list of lists, each a payload and perhaps a key
#   Result  for each message 1 and the payload, or 2, the payload and the key
#   Errors  Tcl's errorCode where something is no list; _INVALID_ARG, with a hint, for a
#           list of another length
proc ::kafkatcl::producer_topic::Words {rows} {
    RequireList $rows "list of partition-payload-key lists"
    set words {}
    set place 0
    foreach row $rows {
        RequireList $row "list within partition-payload-key lists"
        if {[llength $row] ni {1 2}} {
            return -code error -errorcode [::kafkatcl::failures::InvalidArgument [RowHint $place $row]] \
                " list within payload-key must contain payload and optional key"
        }
        lappend words [llength $row] {*}$row
        incr place
    }
    return $words
}

# Refuse what is no list, as the original does.
#   what    what is parsed, in the words of the original
#   Errors  Tcl's errorCode
proc ::kafkatcl::producer_topic::RequireList {list what} {
    if {[catch {llength $list} result options]} {
        return -code error -errorcode [dict get $options -errorcode] "$result while parsing $what"
    }
}

# What may be wrong with a list of a wrong length: mostly a payload of several words
# stands there for itself.
#   place  its place among the messages, from 0
proc ::kafkatcl::producer_topic::RowHint {place row} {
    if {[llength $row] == 0} {
        return "message $place is an empty list: an empty payload is \[list {}\]"
    }
    set shown [::kafkatcl::Unwrap [::kafkatcl::bridge::printable [::tcl::string::range $row 0 40]]]
    if {[::tcl::string::length $row] > 40} {
        append shown ...
    }
    return "message $place has [llength $row] words: if they are one payload, write \[list {$shown}\]"
}

::kafkatcl::Implement producer_topic channel {
    return [::kafkatcl::channels::Writer $id $partition $key]
}

# -- consuming -------------------------------------------------------------------------

::kafkatcl::Implement consumer_topic start {
    return [::kafkatcl::control::WithTimes $command $id [list {} $partition $offset] \
        [list ::kafkatcl::consumer_topic::Start $id $callback]]
}

# Start a partition.
#   callback  the prefix of its messages, or empty
#   topic     is not looked at
#   offset    no time, see control::WithTimes
proc ::kafkatcl::consumer_topic::Start {id callback topic partition offset} {
    ::kafkatcl::Requeue
    set callbackId [expr {[llength $callback] ? [::kafkatcl::events::NewCallbackId] : ""}]
    ::kafkatcl::events::DropStopped [::kafkatcl::Unwrap [::kafkatcl::bridge::start $id $partition $offset $callbackId]]
    if {$callbackId ne ""} {
        ::kafkatcl::events::SetCallback $callbackId $callback
    }
    return
}

::kafkatcl::Implement consumer_topic start_queue {
    set name $queue
    set queue [::kafkatcl::queue::Find [uplevel 2 [list namespace which -command $name]]]
    if {$queue eq ""} {
        # An error in the words in front of the queue is told first.
        ::kafkatcl::Unwrap [::kafkatcl::bridge::check_start $partition $offset]
        return -code error "command name '$name' is not a kafkatcl queue object"
    }
    return [::kafkatcl::control::WithTimes $command $id [list {} $partition $offset] \
        [list ::kafkatcl::consumer_topic::StartQueue $id $queue]]
}

# Start a partition that feeds a queue; the rest is as in Start.
proc ::kafkatcl::consumer_topic::StartQueue {id queue topic partition offset} {
    ::kafkatcl::Requeue
    ::kafkatcl::events::DropStopped [::kafkatcl::Unwrap [::kafkatcl::bridge::start_queue $id $partition $offset $queue]]
    return
}

::kafkatcl::Implement consumer_topic stop {
    ::kafkatcl::Requeue
    ::kafkatcl::events::DropStopped [::kafkatcl::Unwrap [::kafkatcl::bridge::stop $id {*}$words]]
    return
}

::kafkatcl::FastPath consumer_topic consume [::tcl::string::map [list %next% $::kafkatcl::messages::next] {
    ::if {[::llength $args] == 3} {
        ::lassign $args partition timeout array
        ::set words $partition,$timeout
        %next%
    }
}]

::kafkatcl::Implement consumer_topic consume {
    ::kafkatcl::messages::Require $array
    ::kafkatcl::ahead::RequeueOthers $id $partition,$timeout
    return [::kafkatcl::messages::One $id $partition,$timeout $array \
        [::kafkatcl::bridge::consume $id $partition $timeout]]
}

::kafkatcl::FastPath consumer_topic consume_batch [::tcl::string::map [list %next% $::kafkatcl::batches::next] {
    ::if {[::llength $args] == 5} {
        ::lassign $args partition timeout count array code
        ::set words $partition,$timeout,$count
        %next%
    }
}]

::kafkatcl::Implement consumer_topic consume_batch [::kafkatcl::messages::ConsumeBatch {$partition,$timeout,$count} {
    ::kafkatcl::bridge::consume_batch $id $partition $timeout $count 1
}]

::kafkatcl::Implement consumer_topic consume_callback {
    ::kafkatcl::ahead::Requeue
    return [::kafkatcl::messages::CallForEach $command \
        [::kafkatcl::bridge::consume_batch $id $partition $timeoutMS 10000 0]]
}

::kafkatcl::Implement consumer_topic channel {
    return [::kafkatcl::channels::Reader $id $partition, \
        [::kafkatcl::bridge::walk_topic $id $partition $from $until] $until]
}

# -- queues ----------------------------------------------------------------------------

::kafkatcl::FastPath queue consume [::tcl::string::map [list %next% $::kafkatcl::messages::next] {
    ::if {[::llength $args] == 2} {
        ::lassign $args timeout array
        ::set words $timeout
        %next%
    }
}]

::kafkatcl::Implement queue consume {
    ::kafkatcl::messages::Require $array
    ::kafkatcl::ahead::RequeueOthers $id $timeout
    return [::kafkatcl::messages::One $id $timeout $array [::kafkatcl::bridge::queue_consume $id $timeout]]
}

::kafkatcl::FastPath queue consume_batch [::tcl::string::map [list %next% $::kafkatcl::batches::next] {
    ::if {[::llength $args] == 4} {
        ::lassign $args timeout count array code
        ::set words $timeout,$count
        %next%
    }
}]

::kafkatcl::Implement queue consume_batch [::kafkatcl::messages::ConsumeBatch {$timeout,$count} {
    ::kafkatcl::bridge::queue_consume_batch $id $timeout $count 1
}]

::kafkatcl::Implement queue consume_callback {
    ::kafkatcl::ahead::Requeue
    switch [llength $words] {
        0 {
            return [::kafkatcl::events::GetCallback $id]
        }
        1 {
            SetCallback $id [lindex $words 0]
        }
        2 {
            lassign $words timeout prefix
            return [::kafkatcl::messages::CallForEach $prefix \
                [::kafkatcl::bridge::queue_consume_batch $id $timeout 10000 0]]
        }
    }
}

# Set the callback of a queue, or with an empty prefix unset it.
proc ::kafkatcl::queue::SetCallback {id prefix} {
    ::kafkatcl::Requeue
    if {[llength $prefix]} {
        ::kafkatcl::events::SetCallback $id $prefix
    } else {
        ::kafkatcl::events::UnsetCallback $id
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::queue_listen $id [expr {[llength $prefix] > 0}]]
    return
}

::kafkatcl::Implement queue delete {
    ::kafkatcl::DeleteCommand $id
}

# The command of a queue is gone.
proc ::kafkatcl::queue::Deleted {id} {
    ::kafkatcl::events::UnsetCallback $id
    ::kafkatcl::Release $id
}

# The object id of a queue.
#   command  the full name of its command, or empty
#   Result   empty if it is none
proc ::kafkatcl::queue::Find {command} {
    if {$command eq ""} {
        return
    }
    lassign [::kafkatcl::ObjectOf $command] kind id
    return [expr {$kind eq "queue" ? $id : ""}]
}
