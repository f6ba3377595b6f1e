# master.tcl --
#
#   ::kafka::kafka, and the masters it makes: what their subcommands do behind the
#   checks of their rows.

::kafkatcl::Implement kafka create {
    set full [::kafkatcl::Create master $command kafka_object [list ::kafkatcl::bridge::master_create $::kafkatcl::session]]
    return [expr {$command eq "#auto" ? [string trimleft $full :] : $command}]
}

::kafkatcl::Implement kafka version {
    return [::kafkatcl::Unwrap [::kafkatcl::bridge::version]]
}

::kafkatcl::Implement master add_brokers {
    ::kafkatcl::Unwrap [::kafkatcl::bridge::master_add_brokers $id {*}[::kafkatcl::handle::Brokers $brokerList]]
    return
}

foreach {name kind} {producer_creator producer consumer_creator consumer} {
    ::kafkatcl::Implement master $name [format {
        return [::kafkatcl::Create handle $cmdName kafka_handle [list ::kafkatcl::bridge::handle_create $::kafkatcl::session $id %s]]
    } $kind]
}
unset name kind

::kafkatcl::Implement master subscriber {
    return [::kafkatcl::Create subscriber $cmdName kafka_handle \
        [list ::kafkatcl::bridge::handle_create $::kafkatcl::session $id subscriber]]
}

::kafkatcl::Implement master share_subscriber {
    return [::kafkatcl::Create share_subscriber $cmdName kafka_handle \
        [list ::kafkatcl::bridge::handle_create $::kafkatcl::session $id share_subscriber]]
}

::kafkatcl::Implement master {delivery_report callback} {
    SetCallback $id delivery $command
}

::kafkatcl::Implement master delivery_report_callback {
    SetCallback $id delivery $command
}

::kafkatcl::Implement master error_callback {
    SetCallback $id error $command
}

::kafkatcl::Implement master statistics_callback {
    SetCallback $id statistics $command
}

::kafkatcl::Implement master logger {
    lassign $words kind prefix
    if {$kind eq "callback" && [llength $words] == 1} {
        ::kafkatcl::Usage [::kafkatcl::Field master logger also]
    }
    if {$kind ne "callback" && [llength $words] == 2} {
        ::kafkatcl::Usage [::kafkatcl::Shown master logger]
    }
    SetCallback $id logger $prefix
    if {$kind eq "callback" && [llength $prefix] == 0} {
        set kind none
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::master_logger $id $kind]
    return
}

::kafkatcl::Implement master delete {
    ::kafkatcl::DeleteCommand $id
}

# Set a callback, or with an empty prefix unset it: then events that were taken for it
# are requeued, and the engine drops them.
#   kind  delivery, error, statistics, or logger
proc ::kafkatcl::master::SetCallback {id kind prefix} {
    set wanted [expr {[llength $prefix] > 0}]
    if {!$wanted} {
        ::kafkatcl::Requeue
        ::kafkatcl::events::Acknowledge
    }
    set callbackId [::kafkatcl::Unwrap [::kafkatcl::bridge::master_callback $id $kind $wanted]]
    if {$wanted} {
        ::kafkatcl::events::SetCallback $callbackId $prefix
    } else {
        ::kafkatcl::events::UnsetCallback $callbackId
    }
    return
}

# The command of a master is gone.  Its handles remain, but have no callbacks any more.
proc ::kafkatcl::master::Deleted {id} {
    ::kafkatcl::Release $id
    foreach kind {delivery error statistics logger} {
        ::kafkatcl::events::UnsetCallback $id.$kind
    }
}
