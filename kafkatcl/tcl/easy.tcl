# easy.tcl --
#
#   KafkaTcl the easy way: one master, one producer and one consumer, ::kafka::master,
#   ::kafka::producer and ::kafka::consumer, made when they are needed.  Scripts may
#   read and write the variables of ::kafka, as they did with the original.

namespace eval ::kafka {
    variable brokers 127.0.0.1  ;# a list of brokers, host or host:port
    variable masterIsSetup 0    ;# whether ::kafka::master was made; a script may have deleted it
    variable producerIsSetup 0  ;# the same of ::kafka::producer
    variable consumerIsSetup 0  ;# the same of ::kafka::consumer
    variable loggingEnabled 0   ;# whether a master that is made prints its log lines on stderr
    namespace export kafka brokers handle_args logger setup setup_consumer setup_producer subscriber \
        topic_consumer topic_producer
}

namespace eval ::kafkatcl::easy {
    # the value of kafka::brokers that the master has been given, at first the default,
    # which it is not given before it is needed; unset when brokers were named
    variable applied $::kafka::brokers
}

# Take the options of the setup procedures.
#   list    names and values; the only name is -brokers, its value a list of brokers
#   Errors  without an errorCode: for another name, for a missing value, for no brokers
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

# Print a log line on stderr, the logger callback where `loggingEnabled` is set.  It is
# one line, whatever a broker has sent.
::kafkatcl::Command ::kafka::logger {message} {
    ::puts stderr [::kafkatcl::Unwrap [::kafkatcl::bridge::printable $message]]
}

# Name the brokers: they are to be those of the master, whatever it had.
#   list    one broker or more, host or host:port
#   Errors  if it is empty or no list
proc ::kafkatcl::easy::Name {list} {
    variable applied
    if {[llength [::kafkatcl::handle::Brokers $list]] == 0} {
        return -code error "Broker list must contain at least one element"
    }
    set ::kafka::brokers $list
    unset -nocomplain applied
    return
}

# Give the master the brokers that were named since this was done last; if it has none,
# those of `kafka::brokers`.
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
#   kind     producer or consumer
#   options  for kafka::setup
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

# Make the master, unless it is there.
#   args  -brokers and a list
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

# Make the producer, and all it needs.
::kafkatcl::Command ::kafka::setup_producer {args} {
    ::kafkatcl::easy::Ensure producer $args
}

# Make the consumer, and all it needs.
::kafkatcl::Command ::kafka::setup_consumer {args} {
    ::kafkatcl::easy::Ensure consumer $args
}

# Name the brokers, and make the master.
::kafkatcl::Command ::kafka::brokers {brokerList} {
    ::kafkatcl::easy::Name $brokerList
    setup
}

# Make a topic to produce to, and all it needs.
#   name    of the command to make, or #auto
#   Result  its full name
::kafkatcl::Command ::kafka::topic_producer {name topic} {
    setup_producer
    return [::kafka::producer new_topic $name $topic]
}

# Make a topic to consume from, and all it needs.
#   name    of the command to make, or #auto
#   Result  its full name
::kafkatcl::Command ::kafka::topic_consumer {name topic} {
    setup_consumer
    return [::kafka::consumer new_topic $name $topic]
}

# Make a subscriber of a group, and the master if need be.
#   args    -brokers and a list
#   Result  the full name of its command
::kafkatcl::Command ::kafka::subscriber {groupid args} {
    setup {*}$args
    ::kafkatcl::easy::Apply
    ::kafka::master config group.id $groupid
    return [::kafka::master subscriber #auto]
}
