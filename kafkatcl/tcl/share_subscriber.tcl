# share_subscriber.tcl --
#
#   Share subscribers: what their subcommands do behind the checks of their rows.

::kafkatcl::Implement share_subscriber subscribe {
    if {[llength $words] == 0} {
        return [::kafkatcl::Unwrap [::kafkatcl::bridge::share_subscription $id]]
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::share_subscribe $id {*}$words]
    return
}

::kafkatcl::Implement share_subscriber unsubscribe {
    ::kafkatcl::Requeue
    ::kafkatcl::Unwrap [::kafkatcl::bridge::share_unsubscribe $id]
    return
}

::kafkatcl::Implement share_subscriber consume {
    return [::kafkatcl::Ask $command share_consume $id {*}[::kafkatcl::subscriber::Timeout $timeout]]
}

::kafkatcl::Implement share_subscriber consume_batch {
    upvar 2 $array <array>  ;# refuses an array that cannot be, before messages are read
    return [::kafkatcl::messages::RunForEach $array $code \
        [::kafkatcl::bridge::share_consume_batch $id $timeout $count]]
}

::kafkatcl::Implement share_subscriber callback {
    if {[llength $words] == 0} {
        return [lindex [::kafkatcl::events::GetCallback $id] 2]
    }
    ::kafkatcl::Requeue
    if {[llength $callback] == 0} {
        ::kafkatcl::events::UnsetCallback $id
    } else {
        ::kafkatcl::events::SetCallback $id [list ::kafkatcl::share_subscriber::Run $id [list {*}$callback]]
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::share_listen $id [expr {[llength $callback] > 0}]]
    return
}

# The callback of a share subscriber: run that of the script.  A message at which it
# fails is released.
proc ::kafkatcl::share_subscriber::Run {id prefix message} {
    if {[catch {uplevel #0 [list {*}$prefix $message]} result] == 1} {
        ::kafkatcl::events::Failed $result
        if {[dict exists $message offset]} {
            ::kafkatcl::bridge::share_failed $id [dict get $message topic] [dict get $message partition] \
                [dict get $message offset]
        }
    }
}

::kafkatcl::Implement share_subscriber acknowledge {
    if {[llength $position] != 3} {
        return -code error -errorcode {TCL VALUE LIST} "expected {topic partition offset} but got \"$position\""
    }
    ::kafkatcl::events::Acknowledge
    ::kafkatcl::Unwrap [::kafkatcl::bridge::share_acknowledge $id {*}$position \
        [expr {[llength $words] == 1 ? "accept" : $how}]]
    return
}

::kafkatcl::Implement share_subscriber commit {
    ::kafkatcl::events::Acknowledge
    return [::kafkatcl::Ask $command share_commit $id [expr {!$async}] $timeout]
}

::kafkatcl::Implement share_subscriber delete {
    ::kafkatcl::DeleteCommand $id
}

# The command of a share subscriber is gone.
proc ::kafkatcl::share_subscriber::Deleted {id} {
    ::kafkatcl::events::UnsetCallback $id
    ::kafkatcl::Release $id
}
