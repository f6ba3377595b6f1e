# control.tcl --
#
#   Steering what is read: pause, resume and seek, of topics and of subscribers, and
#   times in the place of offsets.  A reader is a topic to consume from or a subscriber,
#   by its object id; of a topic, the topics of positions are empty words.

namespace eval ::kafkatcl::control {
    variable timeout 5000   ;# ms to ask the cluster which offset is meant by a time
}

# Do something with positions, once it is known which offsets are meant by their times.
#   prefix  gets the result later, as of Ask; empty to wait
#   words   of positions, three for each
#   then    a command prefix that gets these words with numbers in the place of times
#   Result  that of `then`; empty with a prefix
#   Errors  those of `then`
proc ::kafkatcl::control::WithTimes {prefix reader words then} {
    variable timeout
    if {[llength $prefix] == 0 && [lsearch -glob $words @*] < 0} {
        return [{*}$then {*}$words]
    }
    return [Resolve $prefix $reader $timeout 0 $words $then]
}

# The same, whatever the words are.
#   timeout  in ms, as the script gave it
#   toSeek   1 to have numbers in the place of beginning, end, stored and -N, too
proc ::kafkatcl::control::Resolve {prefix reader timeout toSeek words then} {
    set call [list reader_resolve $reader $timeout $toSeek {*}$words]
    if {[llength $prefix] == 0} {
        return [{*}$then {*}[::kafkatcl::Ask {} {*}$call]]
    }
    return [::kafkatcl::Ask [list ::kafkatcl::control::Resolved $prefix $then] {*}$call]
}

# The callback of an answer to Resolve: do what was to be done, in the thread of the
# interpreter, and tell the prefix.
#   status  ok or error
#   value   the words, or the message; `args` is then the errorCode
proc ::kafkatcl::control::Resolved {prefix then status value args} {
    if {$status eq "ok" && [catch {{*}$then {*}$value} value options]} {
        set status error
        set args [list [dict get $options -errorcode]]
    }
    uplevel #0 [list {*}$prefix $status $value {*}$args]
}

# Tell the engine to pause, or where to go on.  What was taken of the reader's messages
# and has not run goes back first; the code of a `consume_batch` is run no more.
#   call  the name of the bridge call
#   args  its words behind the reader
proc ::kafkatcl::control::Steer {call reader args} {
    ::kafkatcl::Requeue
    ::kafkatcl::Unwrap [::kafkatcl::bridge::$call $reader {*}$args]
    ::kafkatcl::messages::Cut $reader
    return
}

# Partitions of a topic as positions.
proc ::kafkatcl::control::Partitions {partitions} {
    return [concat {*}[lmap partition $partitions {list {} $partition {}}]]
}

::kafkatcl::Implement consumer_topic pause {
    ::kafkatcl::control::Steer reader_pause $id {*}[::kafkatcl::control::Partitions $words]
}

::kafkatcl::Implement consumer_topic resume {
    ::kafkatcl::Unwrap [::kafkatcl::bridge::reader_resume $id {*}[::kafkatcl::control::Partitions $words]]
    return
}

::kafkatcl::Implement consumer_topic seek {
    return [::kafkatcl::control::Resolve $command $id $timeout 1 [list {} $partition $offset] \
        [list ::kafkatcl::control::Steer reader_seek $id]]
}

::kafkatcl::Implement subscriber pause {
    if {[llength $words] == 0} {
        return [::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_paused $id]]
    }
    ::kafkatcl::control::Steer reader_pause $id {*}[Positions $words]
}

::kafkatcl::Implement subscriber resume {
    if {[llength $words] == 0} {
        set words [::kafkatcl::Unwrap [::kafkatcl::bridge::subscriber_paused $id]]
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::reader_resume $id {*}[Positions $words]]
    return
}

::kafkatcl::Implement subscriber seek {
    return [::kafkatcl::control::Resolve $command $id $timeout 1 [list $topic $partition $offset] \
        [list ::kafkatcl::control::Steer reader_seek $id]]
}
