# master.tcl --
#
#   ::kafka::kafka and the master objects it makes.

::kafkatcl::DefineKind kafka {create version}
::kafkatcl::DefineKind master {
    config producer_creator consumer_creator topic_config partitioner delivery_report error_callback
    statistics_callback logger delete subscriber delivery_report_callback add_brokers
}

namespace eval ::kafkatcl::kafka {}
namespace eval ::kafkatcl::master {}

proc ::kafkatcl::kafka::create {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "create command"
    }
    set name [lindex $words 0]
    if {$name eq "#auto"} {
        set name [::kafkatcl::Value [::kafkatcl::bridge::auto_name kafka_object]]
    }
    set full [::kafkatcl::FullName $name 3]
    ::kafkatcl::MakeCommand master [::kafkatcl::Value [::kafkatcl::bridge::master_create $::kafkatcl::session]] $full
    return $name
}

proc ::kafkatcl::kafka::version {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "version "
    }
    return [::kafkatcl::Value [::kafkatcl::bridge::version]]
}

proc ::kafkatcl::master::config {id words} {
    if {[llength $words] % 2} {
        ::kafkatcl::Usage "config ?name value ...?"
    }
    return [::kafkatcl::secrets::Shown \
        [::kafkatcl::bridge::master_config $id {*}[::kafkatcl::secrets::Given $words]]]
}

proc ::kafkatcl::master::topic_config {id words} {
    if {[llength $words] % 2} {
        ::kafkatcl::Usage "topic_config ?name value ...?"
    }
    return [::kafkatcl::secrets::Shown \
        [::kafkatcl::bridge::master_topic_config $id {*}[::kafkatcl::secrets::Given $words]]]
}

proc ::kafkatcl::master::partitioner {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "partitioner consistent|random"
    }
    ::kafkatcl::RequireSuboption [lindex $words 0] {random consistent}
    ::kafkatcl::Value [::kafkatcl::bridge::master_partitioner $id {*}$words]
    return
}

proc ::kafkatcl::master::add_brokers {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "add_brokers brokerList"
    }
    ::kafkatcl::Value [::kafkatcl::bridge::master_add_brokers $id {*}[::kafkatcl::handle::Brokers [lindex $words 0]]]
    return
}

proc ::kafkatcl::master::producer_creator {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "producer_creator cmdName"
    }
    return [NewHandle $id producer [lindex $words 0]]
}

proc ::kafkatcl::master::consumer_creator {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "consumer_creator cmdName"
    }
    return [NewHandle $id consumer [lindex $words 0]]
}

proc ::kafkatcl::master::subscriber {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "subscriber cmdName"
    }
    return [NewHandle $id subscriber [lindex $words 0]]
}

proc ::kafkatcl::master::NewHandle {id kind name} {
    if {$name eq "#auto"} {
        set name [::kafkatcl::Value [::kafkatcl::bridge::auto_name kafka_handle]]
    }
    set full [::kafkatcl::FullName $name 4]
    set handle [::kafkatcl::Value [::kafkatcl::bridge::handle_create $::kafkatcl::session $id $kind]]
    return [::kafkatcl::MakeCommand [expr {$kind eq "subscriber" ? "subscriber" : "handle"}] $handle $full]
}

::kafkatcl::Takes ::kafkatcl::master::delivery_report {delivery_report every ?interval?}
proc ::kafkatcl::master::delivery_report {id words} {
    set option [lindex $words 0]
    if {[llength $words] ni {1 2}} {
        ::kafkatcl::Usage "delivery_report option ?args?"
    }
    ::kafkatcl::RequireSuboption $option {callback sample every}
    switch -- $option {
        callback {
            if {[llength $words] != 2} {
                ::kafkatcl::Usage "delivery_report callback command"
            }
            SetCallback $id delivery [lindex $words 1]
        }
        sample {
            if {[llength $words] != 1} {
                ::kafkatcl::Usage "delivery_report sample "
            }
            ::kafkatcl::Value [::kafkatcl::bridge::master_sample $id]
            return
        }
        every {
            return [::kafkatcl::Value [::kafkatcl::bridge::master_every $id {*}[lrange $words 1 end]]]
        }
    }
}

proc ::kafkatcl::master::delivery_report_callback {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "delivery_report_callback command"
    }
    SetCallback $id delivery [lindex $words 0]
}

proc ::kafkatcl::master::error_callback {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "error_callback command"
    }
    SetCallback $id error [lindex $words 0]
}

proc ::kafkatcl::master::statistics_callback {id words} {
    if {[llength $words] != 1} {
        ::kafkatcl::Usage "statistics_callback command"
    }
    SetCallback $id statistics [lindex $words 0]
}

proc ::kafkatcl::master::logger {id words} {
    set kind [lindex $words 0]
    if {[llength $words] in {1 2}} {
        ::kafkatcl::RequireSuboption $kind {syslog stderr none callback}
    }
    if {$kind eq "callback" && [llength $words] == 1} {
        ::kafkatcl::Usage "logger callback function"
    }
    if {[llength $words] != ($kind eq "callback" ? 2 : 1)} {
        ::kafkatcl::Usage "logger syslog|stderr|none|callback ?function?"
    }
    set prefix [lindex $words 1]
    SetCallback $id logger $prefix
    if {$kind eq "callback" && [llength $prefix] == 0} {
        set kind none
    }
    ::kafkatcl::Value [::kafkatcl::bridge::master_logger $id $kind]
    return
}

proc ::kafkatcl::master::delete {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "delete "
    }
    ::kafkatcl::DeleteCommand $id
}

# Set a callback, or with an empty prefix unset it.
proc ::kafkatcl::master::SetCallback {id kind prefix} {
    set wanted [expr {[llength $prefix] > 0}]
    if {!$wanted} {
        ::kafkatcl::GiveBack
        ::kafkatcl::events::Settle
    }
    set token [::kafkatcl::Value [::kafkatcl::bridge::master_callback $id $kind $wanted]]
    if {$wanted} {
        ::kafkatcl::events::Set $token $prefix
    } else {
        ::kafkatcl::events::Unset $token
    }
    return
}

proc ::kafkatcl::master::Deleted {id} {
    ::kafkatcl::Release $id
    foreach kind {delivery error statistics logger} {
        ::kafkatcl::events::Unset $id.$kind
    }
}
