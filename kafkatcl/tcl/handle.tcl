# handle.tcl --
#
#   Producer and consumer handles.

::kafkatcl::DefineKind handle {
    name new_topic log_level add_brokers create_queue output_queue_length meta info config partitioner delete poll
}

namespace eval ::kafkatcl::handle {}

proc ::kafkatcl::handle::name {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "name "
    }
    return [::kafkatcl::Value [::kafkatcl::bridge::handle_name $id]]
}

proc ::kafkatcl::handle::new_topic {id words} {
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "new_topic cmdName topic"
    }
    lassign $words name topic
    if {$name eq "#auto"} {
        set name [::kafkatcl::Value [::kafkatcl::bridge::auto_name kafka_topic]]
    }
    set full [::kafkatcl::FullName $name 3]
    lassign [::kafkatcl::Value [::kafkatcl::bridge::topic_create $id $topic]] object kind
    ::kafkatcl::ahead::Introduce $object $id $topic
    return [::kafkatcl::MakeCommand $kind $object $full]
}

proc ::kafkatcl::handle::log_level {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "log_level level"
    }
    ::kafkatcl::Value [::kafkatcl::bridge::handle_log_level $id {*}$words]
    return
}

proc ::kafkatcl::handle::add_brokers {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "add_brokers brokerList"
    }
    ::kafkatcl::Value [::kafkatcl::bridge::handle_add_brokers $id {*}[Brokers [lindex $words 0]]]
    return
}

# The elements of a list of brokers.
proc ::kafkatcl::handle::Brokers {list} {
    if {[catch {llength $list} result options]} {
        return -level 2 -code error -errorcode [dict get $options -errorcode] \
            "$result while converting broker list"
    }
    return $list
}

proc ::kafkatcl::handle::create_queue {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "create_queue command"
    }
    set name [lindex $words 0]
    if {$name eq "#auto"} {
        set name [::kafkatcl::Value [::kafkatcl::bridge::auto_name kafka_queue]]
    }
    set full [::kafkatcl::FullName $name 3]
    return [::kafkatcl::MakeCommand queue [::kafkatcl::Value [::kafkatcl::bridge::queue_create $id]] $full]
}

proc ::kafkatcl::handle::output_queue_length {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "output_queue_length "
    }
    ::kafkatcl::events::Settle
    return [::kafkatcl::Value [::kafkatcl::bridge::handle_queue_length $id]]
}

proc ::kafkatcl::handle::meta {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "meta refresh|print"
    }
    ::kafkatcl::RequireSuboption [lindex $words 0] {refresh print}
    if {[lindex $words 0] eq "refresh"} {
        ::kafkatcl::Value [::kafkatcl::bridge::handle_refresh $id]
    } else {
        ::puts [::kafkatcl::Value [::kafkatcl::bridge::handle_listing $id]]
    }
    return
}

proc ::kafkatcl::handle::info {id words} {
    if {[llength $words] == 0} {
        ::kafkatcl::Usage "info ?topics?"
    }
    set what [lindex $words 0]
    ::kafkatcl::RequireSuboption $what {topics brokers partitions}
    if {$what eq "partitions"} {
        if {[llength $words] != 2} {
            ::kafkatcl::Usage "info partitions topic"
        }
    } elseif {[llength $words] != 1} {
        ::kafkatcl::Usage "info $what "
    }
    return [::kafkatcl::Value [::kafkatcl::bridge::handle_$what $id {*}[lrange $words 1 end]]]
}

proc ::kafkatcl::handle::config {id words} {
    if {[llength $words] % 2} {
        ::kafkatcl::Usage "config ?name value ...?"
    }
    return [::kafkatcl::secrets::Shown \
        [::kafkatcl::bridge::handle_config $id {*}[::kafkatcl::secrets::Given $words]]]
}

proc ::kafkatcl::handle::partitioner {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "partitioner consistent|random"
    }
    ::kafkatcl::RequireSuboption [lindex $words 0] {random consistent}
    ::kafkatcl::Value [::kafkatcl::bridge::handle_partitioner $id {*}$words]
    return
}

proc ::kafkatcl::handle::poll {id words} {
    if {[llength $words] > 1} {
        ::kafkatcl::Usage "poll ?timeoutMS?"
    }
    ::kafkatcl::Value [::kafkatcl::bridge::handle_name $id]
    set timeout 0
    if {[llength $words]} {
        set timeout [::kafkatcl::Value [::kafkatcl::bridge::check_integer [lindex $words 0]]]
    }
    return [::kafkatcl::events::Poll $timeout]
}

proc ::kafkatcl::handle::delete {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "delete "
    }
    ::kafkatcl::DeleteCommand $id
}

proc ::kafkatcl::handle::Deleted {id} {
    ::kafkatcl::Release $id
}

# The handle of a topic, under the name `creator`: errors of its subcommands begin with that word.
namespace eval ::kafkatcl::creator {
    proc creator {handle subcommand args} [::kafkatcl::Body handle {$handle}]

    proc Run {handle words} {
        if {[llength $words] == 0} {
            return -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"creator subcommand ?args?\""
        }
        ::kafkatcl::Value [::kafkatcl::bridge::handle_name $handle]
        return [creator $handle {*}$words]
    }
}
