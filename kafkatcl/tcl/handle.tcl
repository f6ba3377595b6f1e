# handle.tcl --
#
#   Producer and consumer handles: what their subcommands do behind the checks of their
#   rows.

::kafkatcl::Implement handle new_topic {
    if {$cmdName eq "#auto"} {
        set cmdName [::kafkatcl::Unwrap [::kafkatcl::bridge::auto_name kafka_topic]]
    }
    set full [::kafkatcl::FullName $cmdName 3]
    lassign [::kafkatcl::Unwrap [::kafkatcl::bridge::topic_create $id $topic]] object kind
    ::kafkatcl::ahead::AddTopic $object $id $topic
    return [::kafkatcl::MakeCommand $kind $object $full]
}

::kafkatcl::Implement handle create_queue {
    return [::kafkatcl::Create queue $command kafka_queue [list ::kafkatcl::bridge::queue_create $id]]
}

::kafkatcl::Implement handle add_brokers {
    ::kafkatcl::Unwrap [::kafkatcl::bridge::handle_add_brokers $id {*}[Brokers $brokerList]]
    return
}

# Check that brokers are a list.
#   Result  the list
#   Errors  Tcl's errorCode, as the original says it; raised by the caller
proc ::kafkatcl::handle::Brokers {list} {
    if {[catch {llength $list} result options]} {
        return -level 2 -code error -errorcode [dict get $options -errorcode] \
            "$result while converting broker list"
    }
    return $list
}

::kafkatcl::Implement handle output_queue_length {
    ::kafkatcl::events::Acknowledge
    return [::kafkatcl::Unwrap [::kafkatcl::bridge::handle_queue_length $id]]
}

::kafkatcl::Implement handle meta {
    if {[lindex $words 0] eq "refresh"} {
        return [::kafkatcl::Ask $command handle_refresh $id]
    }
    set listing [::kafkatcl::Ask $command handle_listing $id]
    if {$command eq ""} {
        ::puts $listing
    }
    return
}

::kafkatcl::Implement handle poll {
    ::kafkatcl::Unwrap [::kafkatcl::bridge::handle_name $id]
    set timeout 0
    if {[llength $words]} {
        set timeout [::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $timeoutMS]]
    }
    return [::kafkatcl::events::Poll $timeout]
}

::kafkatcl::Implement handle delete {
    ::kafkatcl::DeleteCommand $id
}

# The command of a handle is gone.
proc ::kafkatcl::handle::Deleted {id} {
    ::kafkatcl::Release $id
}

# The handle of a topic, under the name `creator`: errors of its subcommands begin with
# that word.
namespace eval ::kafkatcl::creator {
    # Run a subcommand of the handle of a topic.
    #   handle  its object id
    #   words   the subcommand and its words
    #   Result  that of the subcommand
    #   Errors  TCL WRONGARGS without a subcommand; that the handle is deleted
    proc Run {handle words} {
        if {[namespace which -command ::kafkatcl::creator::creator] eq ""} {
            proc creator {handle subcommand args} [::kafkatcl::Body handle {$handle}]
        }
        if {[llength $words] == 0} {
            return -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"creator subcommand ?args?\""
        }
        ::kafkatcl::Unwrap [::kafkatcl::bridge::handle_name $handle]
        return [creator $handle {*}$words]
    }
}
