# subscriber.tcl --
#
#   Subscribers: what their subcommands do behind the checks of their rows.  Partitions
#   are given as separate words, each a list: topic ?partition? ?offset?.  Of a
#   subscription, the topic may be a pattern, which begins with ^: librdkafka subscribes
#   to all topics that match (rd_kafka_subscribe in
#   https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h).

# Partitions as the bridge calls take them.
#   elements       a list for each partition; empty ones are left out
#   mayBePatterns  1 if topics may be patterns
#   Result         three words for each: topic, partition, and offset, empty where not
#                  given
#   Errors         that of an element that is no list
proc ::kafkatcl::subscriber::Positions {elements {mayBePatterns 0}} {
    set words {}
    foreach element $elements {
        if {$mayBePatterns && [string index $element 0] eq "^"} {
            lappend words {*}[Pattern $element]
        } elseif {[llength $element] > 0} {
            lappend words [lindex $element 0] [lindex $element 1] [lindex $element 2]
        }
    }
    return $words
}

# The same three words of an element with a pattern.  As a list it would lose its
# backslashes.
proc ::kafkatcl::subscriber::Pattern {element} {
    if {[regexp {^(\S+)\s+([-+]?\d+)(?:\s+(\S+))?\s*$} $element all pattern partition offset]} {
        return [list $pattern $partition $offset]
    }
    return [list [string trimright $element] {} {}]
}

::kafkatcl::Implement subscriber subscribe {
    if {[llength $words] == 0} {
        return [::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_subscription $id]]
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_subscribe $id {*}[Positions $words 1]]
    return
}

::kafkatcl::Implement subscriber unsubscribe {
    set answer [::kafkatcl::rebalance::Wait $id [list subscriber_unsubscribe $id]]
    # The rebalance callback may have deleted the subscriber.
    if {[::tcl::info::exists ::kafkatcl::commandOf($id)]} {
        ::kafkatcl::Unwrap $answer
    }
    return
}

::kafkatcl::Implement subscriber assign {
    return [::kafkatcl::control::WithTimes $command $id [Positions $words] \
        [list ::kafkatcl::subscriber::Change subscriber_assign $id]]
}

::kafkatcl::Implement subscriber incremental_assign {
    return [::kafkatcl::control::WithTimes $command $id [Positions $words] \
        [list ::kafkatcl::subscriber::Change subscriber_incremental_assign $id]]
}

::kafkatcl::Implement subscriber incremental_unassign {
    Change subscriber_incremental_unassign $id {*}[Positions $words]
    ::kafkatcl::messages::Cut $id
    return
}

# Change which partitions are read.
#   call  the name of the bridge call
#   args  positions as Positions gives them
proc ::kafkatcl::subscriber::Change {call id args} {
    ::kafkatcl::Requeue
    ::kafkatcl::Unwrap [::kafkatcl::bridge::$call $id {*}$args]
    return
}

::kafkatcl::Implement subscriber assignment {
    return [::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_assignment $id]]
}

::kafkatcl::Implement subscriber commit {
    ::kafkatcl::Acknowledge
    return [::kafkatcl::Ask $command subscriber_commit $id [expr {!$async}] {*}[Commits $words]]
}

::kafkatcl::Implement subscriber store {
    return [::kafkatcl::Ask $command subscriber_store $id {*}[Commits $words]]
}

# Positions to commit as the bridge calls take them, as Positions; with four words for
# each: the last is metadata, empty for none.
proc ::kafkatcl::subscriber::Commits {elements} {
    set words {}
    foreach element $elements {
        if {[llength $element] > 0} {
            lappend words {*}[Positions [list $element]] [lindex $element 3]
        }
    }
    return $words
}

::kafkatcl::FastPath subscriber consume [::kafkatcl::messages::Text {
    ::if {[::llength $args] <= 1} {
        ::set words [::lindex $args 0]
        %find%
        ::if {[::tcl::info::exists at]} {
            ::return [::kafkatcl::messages::Pairs $topic $partition $layout $fields $at]
        }
    }
}]

::kafkatcl::Implement subscriber consume {
    ::kafkatcl::ahead::RequeueOthers $id $timeout
    set value [::kafkatcl::Unwrap [::kafkatcl::rebalance::Wait $id [list subscriber_consume $id {*}[Timeout $timeout]] 2]]
    switch -- [lindex $value 0] {
        messages {
            lassign [::kafkatcl::layouts::Received $value] kind topic partition layout fields
            set fields [::kafkatcl::ahead::Store $id $timeout $topic $partition $layout $fields]
            return [::kafkatcl::messages::Pairs $topic $partition $layout $fields 0]
        }
        error - end {
            return [lindex $value 1]
        }
    }
    return
}

# The words of the timeout of `consume`, in ms: without one it is 0.  An `expr` would
# make another number of one.
#   Result  a list of one
proc ::kafkatcl::subscriber::Timeout {timeout} {
    if {$timeout eq ""} {
        return 0
    }
    return [list $timeout]
}

::kafkatcl::Implement subscriber foreach {
    return [::kafkatcl::walks::ForEach $id $array $timeout $count $until $script]
}

::kafkatcl::Implement subscriber channel {
    return [::kafkatcl::channels::Reader $id {} [::kafkatcl::bridge::walk_subscriber $id $until] $until]
}

::kafkatcl::Implement subscriber callback {
    if {[llength $words] == 0} {
        return [::kafkatcl::events::GetCallback $id]
    }
    ::kafkatcl::Requeue
    if {[llength $callback] == 0 || $callback eq "#none"} {
        ::kafkatcl::events::UnsetCallback $id
        ::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_listen $id 0]
    } else {
        ::kafkatcl::events::SetCallback $id $callback
        ::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_listen $id 1]
    }
    return
}

::kafkatcl::Implement subscriber offsets {
    ::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $timeout]
    if {$committed} {
        return [::kafkatcl::Ask $command subscriber_committed $id $timeout {*}[Positions $words]]
    }
    ::kafkatcl::Acknowledge
    return [::kafkatcl::Ask $command subscriber_positions $id {*}[Positions $words]]
}

::kafkatcl::Implement subscriber watermarks {
    return [::kafkatcl::Ask $command subscriber_watermarks $id $timeout $cached $topic $partition]
}

::kafkatcl::Implement subscriber offsets_for_times {
    ::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $timeout]
    return [::kafkatcl::Ask $command subscriber_offsets_for_times $id $timeout {*}[Positions $words]]
}

::kafkatcl::Implement subscriber lag {
    ::kafkatcl::Acknowledge
    return [::kafkatcl::Ask $command subscriber_lag $id $timeout]
}

# Scripts ask whether there is such a subcommand by calling it without words, which the
# original refuses.
::kafkatcl::FastPath subscriber consume_batch [::tcl::string::map [list %next% $::kafkatcl::batches::next] {
    ::if {[::llength $args] == 0} {
        ::kafkatcl::Unknown subscriber [::info level 0] consume_batch
    } elseif {[::llength $args] == 4} {
        ::lassign $args timeout count array code
        ::set words $timeout,$count
        %next%
    }
}]

::kafkatcl::Implement subscriber consume_batch [::kafkatcl::messages::ConsumeBatch {$timeout,$count} {
    ::kafkatcl::rebalance::Wait $id [list subscriber_consume_batch $id $timeout $count 1] 2
}]

::kafkatcl::Implement subscriber delete {
    if {$id in $::kafkatcl::events::running} {
        return -code error "Can not delete Subscriber from inside subscriber callback"
    }
    ::kafkatcl::rebalance::Leave $id
    ::kafkatcl::DeleteCommand $id
}

::kafkatcl::Implement subscriber rebalance_callback {
    if {[llength $words] == 0} {
        return [::kafkatcl::rebalance::Get $id]
    }
    ::kafkatcl::rebalance::Set $id $callback
    return
}

# The command of a subscriber is gone.
proc ::kafkatcl::subscriber::Deleted {id} {
    ::kafkatcl::rebalance::Forget $id
    ::kafkatcl::events::UnsetCallback $id
    ::kafkatcl::Release $id
}
