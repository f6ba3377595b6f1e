# topic.tcl --
#
#   Topics to produce to, topics to consume from, and queues.

::kafkatcl::DefineKind producer_topic {produce produce_batch info creator delete config}
::kafkatcl::DefineKind consumer_topic {
    consume consume_batch info start start_queue stop creator delete consume_start consume_start_queue consume_stop
    consume_callback config
}
::kafkatcl::DefineKind queue {consume consume_batch consume_callback delete}

# -- what both kinds of topics can do ----------------------------------------------------------------------

namespace eval ::kafkatcl::topic {
    namespace export info creator config delete Deleted
}

proc ::kafkatcl::topic::info {id words} {
    if {[llength $words] ni {1 2}} {
        ::kafkatcl::Usage "info option"
    }
    lassign $words option key
    ::kafkatcl::RequireSuboption $option {name partitions consistent_partition output_queue_length}
    if {$option eq "consistent_partition"} {
        if {[llength $words] != 2} {
            ::kafkatcl::Usage "info consistent_partition key"
        }
        return [::kafkatcl::Value [::kafkatcl::bridge::topic_consistent_partition $id $key]]
    }
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "info $option "
    }
    switch -- $option {
        name {set answer [::kafkatcl::bridge::topic_name $id]}
        partitions {set answer [::kafkatcl::bridge::topic_partitions $id]}
        output_queue_length {
            ::kafkatcl::events::Settle
            set answer [::kafkatcl::bridge::topic_queue_length $id]
        }
    }
    return [::kafkatcl::Value $answer]
}

proc ::kafkatcl::topic::creator {id words} {
    return [::kafkatcl::creator::Run [::kafkatcl::Value [::kafkatcl::bridge::topic_handle $id]] $words]
}

proc ::kafkatcl::topic::config {id words} {
    if {[llength $words] % 2} {
        ::kafkatcl::Usage "config ?name value ...?"
    }
    return [::kafkatcl::Value [::kafkatcl::bridge::topic_config $id {*}$words]]
}

proc ::kafkatcl::topic::delete {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "delete "
    }
    ::kafkatcl::DeleteCommand $id
}

proc ::kafkatcl::topic::Deleted {id} {
    ::kafkatcl::Release $id
}

foreach subcommand {info creator config delete Deleted} {
    foreach kind {producer_topic consumer_topic} {
        namespace eval ::kafkatcl::$kind [list namespace import ::kafkatcl::topic::$subcommand]
    }
}

# -- producing ---------------------------------------------------------------------------------------------

proc ::kafkatcl::producer_topic::produce {id words} {
    if {[llength $words] != 2 && [llength $words] != 3} {
        ::kafkatcl::Usage "produce partition payload ?key?"
    }
    # Nothing to unpack from the empty answer of a message that was queued.
    set answer [::kafkatcl::bridge::produce $id {*}$words]
    if {[llength $answer]} {
        ::kafkatcl::Value $answer
    }
    return
}

proc ::kafkatcl::producer_topic::produce_batch {id words} {
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "produce_batch partition list-of-payload-key-lists"
    }
    lassign $words partition rows
    ::kafkatcl::Value [::kafkatcl::bridge::check_integer $partition]
    set messages {}
    foreach row $rows {
        if {[catch {llength $row} size options]} {
            return -code error -errorcode [dict get $options -errorcode] \
                "$size while parsing list within partition-payload-key lists"
        }
        if {$size != 1 && $size != 2} {
            return -code error " list within payload-key must contain payload and optional key"
        }
        lappend messages $size {*}$row
    }
    ::kafkatcl::Value [::kafkatcl::bridge::produce_batch $id $partition {*}$messages]
    return
}

# -- consuming ---------------------------------------------------------------------------------------------

proc ::kafkatcl::consumer_topic::start {id words} {
    if {[llength $words] ni {2 3}} {
        ::kafkatcl::UsageAsTyped "partition offset ?callback?"
    }
    lassign $words partition offset prefix
    set token [expr {[llength $prefix] ? [::kafkatcl::events::NewToken] : ""}]
    ::kafkatcl::events::Dropped [::kafkatcl::Value [::kafkatcl::bridge::start $id $partition $offset $token]]
    if {$token ne ""} {
        ::kafkatcl::events::Set $token $prefix
    }
    return
}

proc ::kafkatcl::consumer_topic::start_queue {id words} {
    if {[llength $words] != 3} {
        ::kafkatcl::UsageAsTyped "partition offset queue"
    }
    lassign $words partition offset name
    ::kafkatcl::Value [::kafkatcl::bridge::check_start $partition $offset]
    set queue [::kafkatcl::queue::Find [uplevel 2 [list namespace which -command $name]]]
    if {$queue eq ""} {
        return -code error "command name '$name' is not a kafkatcl queue object"
    }
    ::kafkatcl::events::Dropped [::kafkatcl::Value [::kafkatcl::bridge::start_queue $id $partition $offset $queue]]
    return
}

proc ::kafkatcl::consumer_topic::stop {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::UsageAsTyped "partition"
    }
    ::kafkatcl::events::Dropped [::kafkatcl::Value [::kafkatcl::bridge::stop $id {*}$words]]
    return
}

proc ::kafkatcl::consumer_topic::consume {id words} {
    if {[llength $words] != 3} {
        ::kafkatcl::Usage "consume partition timeout array"
    }
    lassign $words partition timeout array
    return [::kafkatcl::messages::One $array [::kafkatcl::bridge::consume $id $partition $timeout]]
}

proc ::kafkatcl::consumer_topic::consume_batch {id words} {
    if {[llength $words] != 5} {
        ::kafkatcl::Usage "consume_batch partition timeout count array code"
    }
    lassign $words partition timeout count array code
    return [::kafkatcl::messages::Each $array $code \
        [::kafkatcl::bridge::consume_batch $id $partition $timeout $count 1]]
}

proc ::kafkatcl::consumer_topic::consume_callback {id words} {
    if {[llength $words] != 3} {
        ::kafkatcl::Usage "consume_callback partition timeoutMS command"
    }
    lassign $words partition timeout prefix
    return [::kafkatcl::messages::Tell $prefix [::kafkatcl::bridge::consume_batch $id $partition $timeout 10000 0]]
}

# The names of the seed document; errors show the one that was typed.
namespace eval ::kafkatcl::consumer_topic {
    proc consume_start {id words} [::info body start]
    proc consume_start_queue {id words} [::info body start_queue]
    proc consume_stop {id words} [::info body stop]
}

# -- queues ------------------------------------------------------------------------------------------------

namespace eval ::kafkatcl::queue {}

proc ::kafkatcl::queue::consume {id words} {
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "consume timeout array"
    }
    lassign $words timeout array
    return [::kafkatcl::messages::One $array [::kafkatcl::bridge::queue_consume $id $timeout]]
}

proc ::kafkatcl::queue::consume_batch {id words} {
    if {[llength $words] != 4} {
        ::kafkatcl::Usage "consume_batch timeout count array code"
    }
    lassign $words timeout count array code
    return [::kafkatcl::messages::Each $array $code \
        [::kafkatcl::bridge::queue_consume_batch $id $timeout $count 1]]
}

proc ::kafkatcl::queue::consume_callback {id words} {
    switch [llength $words] {
        0 {
            return [::kafkatcl::events::Get $id]
        }
        1 {
            SetCallback $id [lindex $words 0]
        }
        2 {
            lassign $words timeout prefix
            return [::kafkatcl::messages::Tell $prefix \
                [::kafkatcl::bridge::queue_consume_batch $id $timeout 10000 0]]
        }
        default {
            ::kafkatcl::Usage "consume_callback ?timeoutMS? ?callback?"
        }
    }
}

proc ::kafkatcl::queue::SetCallback {id prefix} {
    if {[llength $prefix]} {
        ::kafkatcl::events::Set $id $prefix
        ::kafkatcl::Value [::kafkatcl::bridge::queue_listen $id 1]
    } else {
        ::kafkatcl::events::GiveBack $id
        ::kafkatcl::Value [::kafkatcl::bridge::queue_listen $id 0]
    }
    return
}

proc ::kafkatcl::queue::delete {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "delete "
    }
    ::kafkatcl::DeleteCommand $id
}

proc ::kafkatcl::queue::Deleted {id} {
    ::kafkatcl::events::Unset $id
    ::kafkatcl::Release $id
}

# The identifier of a queue by the full name of its command, empty if it is none.
proc ::kafkatcl::queue::Find {command} {
    variable ::kafkatcl::commandOf
    foreach {id name} [array get commandOf q*] {
        if {$name eq $command} {
            return $id
        }
    }
    return
}
