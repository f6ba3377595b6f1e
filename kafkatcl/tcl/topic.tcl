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

::kafkatcl::Takes ::kafkatcl::topic::creator {creator subcommand ?args?}
proc ::kafkatcl::topic::creator {id words} {
    return [::kafkatcl::creator::Run [::kafkatcl::Value [::kafkatcl::bridge::topic_handle $id]] $words]
}

proc ::kafkatcl::topic::config {id words} {
    if {[llength $words] % 2} {
        ::kafkatcl::Usage "config ?name value ...?"
    }
    return [::kafkatcl::secrets::Shown \
        [::kafkatcl::bridge::topic_config $id {*}[::kafkatcl::secrets::Given $words]]]
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

# One message takes no more than this; anything unusual goes to the procedure.
::kafkatcl::Inline producer_topic produce {
    ::if {[::llength $args] == 2 || [::llength $args] == 3} {
        ::if {[::kafkatcl::bridge::produce_quick %id% {*}$args]} {
            ::return
        }
    }
}

proc ::kafkatcl::producer_topic::produce {id words} {
    if {[llength $words] ni {2 3}} {
        ::kafkatcl::Usage "produce partition payload ?key?"
    }
    ::kafkatcl::Value [::kafkatcl::bridge::produce $id {*}$words]
    return
}

proc ::kafkatcl::producer_topic::produce_batch {id words} {
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "produce_batch partition list-of-payload-key-lists"
    }
    lassign $words partition rows
    if {![::kafkatcl::Value [::kafkatcl::bridge::produce_rows $id $partition $rows]]} {
        ::kafkatcl::Value [::kafkatcl::bridge::produce_batch $id $partition {*}[Words $rows]]
    }
    return
}

# The messages of a batch as words: the number of elements of each, and these.
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
proc ::kafkatcl::producer_topic::RequireList {list what} {
    if {[catch {llength $list} result options]} {
        return -code error -errorcode [dict get $options -errorcode] "$result while parsing $what"
    }
}

# What is wrong with the row at a place: mostly a payload of several words that stands there for itself.
proc ::kafkatcl::producer_topic::RowHint {place row} {
    if {[llength $row] == 0} {
        return "message $place is an empty list: an empty payload is \[list {}\]"
    }
    set shown [::kafkatcl::Value [::kafkatcl::bridge::printable [::tcl::string::range $row 0 40]]]
    if {[::tcl::string::length $row] > 40} {
        append shown ...
    }
    return "message $place has [llength $row] words: if they are one payload, write \[list {$shown}\]"
}

# -- consuming ---------------------------------------------------------------------------------------------

proc ::kafkatcl::consumer_topic::start {id words} {
    if {[llength $words] ni {2 3}} {
        ::kafkatcl::UsageAsTyped "partition offset ?callback?"
    }
    lassign $words partition offset prefix
    ::kafkatcl::GiveBack
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
    ::kafkatcl::GiveBack
    ::kafkatcl::events::Dropped [::kafkatcl::Value [::kafkatcl::bridge::start_queue $id $partition $offset $queue]]
    return
}

proc ::kafkatcl::consumer_topic::stop {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::UsageAsTyped "partition"
    }
    ::kafkatcl::GiveBack
    ::kafkatcl::events::Dropped [::kafkatcl::Value [::kafkatcl::bridge::stop $id {*}$words]]
    return
}

::kafkatcl::Inline consumer_topic consume [::tcl::string::map [list %next% $::kafkatcl::messages::next] {
    ::if {[::llength $args] == 3} {
        ::lassign $args partition timeout array
        ::set words $partition,$timeout
        %next%
    }
}]

proc ::kafkatcl::consumer_topic::consume {id words} {
    if {[llength $words] != 3} {
        ::kafkatcl::Usage "consume partition timeout array"
    }
    lassign $words partition timeout array
    ::kafkatcl::messages::Require $array
    ::kafkatcl::ahead::Meet $id $partition,$timeout
    return [::kafkatcl::messages::One $id $partition,$timeout $array \
        [::kafkatcl::bridge::consume $id $partition $timeout]]
}

proc ::kafkatcl::consumer_topic::consume_batch {id words} {
    if {[llength $words] != 5} {
        ::kafkatcl::Usage "consume_batch partition timeout count array code"
    }
    ::kafkatcl::ahead::GiveBack
    lassign $words partition timeout count array code
    ::kafkatcl::messages::Require $array
    return [::kafkatcl::messages::Each $array $code \
        [::kafkatcl::bridge::consume_batch $id $partition $timeout $count 1]]
}

proc ::kafkatcl::consumer_topic::consume_callback {id words} {
    if {[llength $words] != 3} {
        ::kafkatcl::Usage "consume_callback partition timeoutMS command"
    }
    ::kafkatcl::ahead::GiveBack
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

::kafkatcl::Inline queue consume [::tcl::string::map [list %next% $::kafkatcl::messages::next] {
    ::if {[::llength $args] == 2} {
        ::lassign $args timeout array
        ::set words $timeout
        %next%
    }
}]

proc ::kafkatcl::queue::consume {id words} {
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "consume timeout array"
    }
    lassign $words timeout array
    ::kafkatcl::messages::Require $array
    ::kafkatcl::ahead::Meet $id $timeout
    return [::kafkatcl::messages::One $id $timeout $array [::kafkatcl::bridge::queue_consume $id $timeout]]
}

proc ::kafkatcl::queue::consume_batch {id words} {
    if {[llength $words] != 4} {
        ::kafkatcl::Usage "consume_batch timeout count array code"
    }
    ::kafkatcl::ahead::GiveBack
    lassign $words timeout count array code
    ::kafkatcl::messages::Require $array
    return [::kafkatcl::messages::Each $array $code \
        [::kafkatcl::bridge::queue_consume_batch $id $timeout $count 1]]
}

proc ::kafkatcl::queue::consume_callback {id words} {
    ::kafkatcl::ahead::GiveBack
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
    ::kafkatcl::GiveBack
    if {[llength $prefix]} {
        ::kafkatcl::events::Set $id $prefix
    } else {
        ::kafkatcl::events::Unset $id
    }
    ::kafkatcl::Value [::kafkatcl::bridge::queue_listen $id [expr {[llength $prefix] > 0}]]
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
