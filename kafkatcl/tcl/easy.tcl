# easy.tcl --
#
#   KafkaTcl the easy way: one master, one producer and one consumer, made when they are
#   needed.

namespace eval ::kafka {
    variable brokers 127.0.0.1
    variable masterIsSetup 0
    variable producerIsSetup 0
    variable consumerIsSetup 0
    variable loggingEnabled 0
    namespace export kafka brokers handle_args logger setup setup_consumer setup_producer subscriber \
        topic_consumer topic_producer
}

namespace eval ::kafkatcl::easy {
    variable applied $::kafka::brokers  ;# the value of kafka::brokers that the master has, or need not have
}

# Take the options of the setup procedures: -brokers LIST.
::kafkatcl::Command ::kafka::handle_args {list} {
    for {set index 0} {$index < [llength $list]} {incr index 2} {
        set option [lindex $list $index]
        if {![string match -* $option]} {
            return -code error "argument '$option' doesn't start with a dash"
        }
        if {$option ne "-brokers"} {
            return -code error "argument '$option' unrecognized, must be one of '-brokers'"
        }
        if {$index + 1 >= [llength $list]} {
            return -code error "argument '$option' needs a value"
        }
        ::kafkatcl::easy::Name [lindex $list $index+1]
    }
    return
}

# Print a log line on stderr; the logger callback of `loggingEnabled`.  It is one line,
# whatever a broker has sent.
::kafkatcl::Command ::kafka::logger {message} {
    ::puts stderr [::kafkatcl::Unwrap [::kafkatcl::bridge::printable $message]]
}

# Name the brokers: from now on they are those of the master, whatever it had.
proc ::kafkatcl::easy::Name {list} {
    variable applied
    if {[llength [::kafkatcl::handle::Brokers $list]] == 0} {
        return -code error "Broker list must contain at least one element"
    }
    set ::kafka::brokers $list
    unset -nocomplain applied
    return
}

# Give the master the brokers that were named since this was done last, or if it has
# none the usual one.
proc ::kafkatcl::easy::Apply {} {
    variable applied
    set brokers $::kafka::brokers
    if {[info exists applied] && $applied eq $brokers && [dict exists [::kafka::master config] metadata.broker.list]} {
        return
    }
    ::kafka::master config bootstrap.servers [join [::kafkatcl::handle::Brokers $brokers] ,]
    set applied $brokers
    return
}

# Make ::kafka::producer or ::kafka::consumer, unless it is there; then the options are
# not even looked at.
proc ::kafkatcl::easy::Ensure {kind options} {
    upvar #0 ::kafka::${kind}IsSetup isSetup
    if {$isSetup && [info commands ::kafka::$kind] ne ""} {
        return
    }
    ::kafka::setup {*}$options
    ::kafkatcl::easy::Apply
    ::kafka::master ${kind}_creator ::kafka::$kind
    set isSetup 1
    return
}

::kafkatcl::Command ::kafka::setup {args} {
    variable masterIsSetup
    variable loggingEnabled
    handle_args $args
    if {!$masterIsSetup || [info commands ::kafka::master] eq ""} {
        ::kafka::kafka create ::kafka::master
        if {$loggingEnabled} {
            ::kafka::master logger callback ::kafka::logger
        }
        set masterIsSetup 1
    }
    if {![info exists ::kafkatcl::easy::applied]} {
        ::kafkatcl::easy::Apply
    }
    return
}

::kafkatcl::Command ::kafka::setup_producer {args} {
    ::kafkatcl::easy::Ensure producer $args
}

::kafkatcl::Command ::kafka::setup_consumer {args} {
    ::kafkatcl::easy::Ensure consumer $args
}

::kafkatcl::Command ::kafka::brokers {brokerList} {
    ::kafkatcl::easy::Name $brokerList
    setup
}

::kafkatcl::Command ::kafka::topic_producer {name topic} {
    setup_producer
    return [::kafka::producer new_topic $name $topic]
}

::kafkatcl::Command ::kafka::topic_consumer {name topic} {
    setup_consumer
    return [::kafka::consumer new_topic $name $topic]
}

::kafkatcl::Command ::kafka::subscriber {groupid args} {
    setup {*}$args
    ::kafkatcl::easy::Apply
    ::kafka::master config group.id $groupid
    return [::kafka::master subscriber #auto]
}
