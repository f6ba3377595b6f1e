# messages.tcl --
#
#   Messages in the variables of a script: arrays, and code that is run for each message.
#
#   The procedures here are called by subcommands, so whoever called the object command is 3 levels up.  They know
#   the array of the script as <array>, a name that no script has in its own errors.

namespace eval ::kafkatcl::messages {
    # How the array is set to a message; elements that other messages had and this one has not are unset.  The text is
    # put where it is needed: a call for each message of a batch would cost more than all of this.
    variable fill {
        set <array>(payload) $payload
        set <array>(partition) $partition
        set <array>(offset) $offset
        set <array>(timestamp) $timestamp
        set <array>(topic) $topic
        if {[llength $key]} {
            set <array>(key) [lindex $key 1]
        } elseif {[info exists <array>(key)]} {
            unset <array>(key)
        }
        if {[info exists <array>(error)]} {
            unset -nocomplain <array>(error) <array>(code) <array>(message)
        }
    }
}

# Unset what a message would set.
proc ::kafkatcl::messages::Clear {array} {
    upvar 1 $array <array>
    unset -nocomplain <array>(payload) <array>(partition) <array>(offset) <array>(timestamp) <array>(topic) <array>(key)
}

# Set the array to an error that came in the place of a message.
proc ::kafkatcl::messages::FillError {array error code message} {
    upvar 1 $array <array>
    Clear <array>
    set <array>(error) $error
    set <array>(code) $code
    set <array>(message) $message
}

# Answer to `consume`: the array filled and 1, or 0 at the end of a partition.
proc ::kafkatcl::messages::One {array answer} [string map [list %fill% $::kafkatcl::messages::fill] {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code $value
    }
    upvar 3 $array <array>
    switch -- [lindex $value 0] {
        message {
            lassign $value kind payload partition offset timestamp topic key
            if {[catch {%fill%} result options]} {
                Fail $array $result $options
            }
            return 1
        }
        end {
            Clear <array>
            return 0
        }
        error {
            Clear <array>
            lassign $value kind error name details
            return -code error -errorcode [list KAFKA $name $error $details] "kafka error: $error ($details)"
        }
    }
}]

# Answer to `consume_batch`: run the code in the caller for each message with the array set to it; the number
# of messages.  What the code does not get to, because of a break, a return or an error, is put back.
proc ::kafkatcl::messages::Each {array body answer} [string map [list %fill% $::kafkatcl::messages::fill] {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code $value
    }
    set runs [lassign $value batch count]
    upvar 3 $array <array>
    set done 0
    set planned 0
    set code [catch {
        foreach run $runs {
            if {[lindex $run 0] eq "error"} {
                incr planned
                foreach {kind error name details} $run {
                    FillError <array> $error $name $details
                    incr done
                    uplevel 3 $body
                }
            } else {
                incr planned [expr {[llength [lindex $run 1]] / 6}]
                foreach {payload partition offset timestamp topic key} [lindex $run 1] {
                    incr done
                    %fill%
                    uplevel 3 $body
                }
            }
            if {$done < $planned} {
                break
            }
        }
    } result options]
    ::kafkatcl::Value [::kafkatcl::bridge::batch_end $batch [expr {$count - $done}]]
    if {$code == 0} {
        return $done
    }
    if {$code == 1} {
        Fail $array $result $options
    }
    # A return of the code is one of the caller: from here it has three procedures more to leave.
    dict incr options -level [expr {$code == 2 ? 3 : 1}]
    return -options $options $result
}]

# Run a callback for each message of an answer, as from the event loop; their number.
proc ::kafkatcl::messages::Tell {prefix answer} {
    set runs [lassign [::kafkatcl::Value $answer] batch count]
    ::kafkatcl::Value [::kafkatcl::bridge::batch_end $batch 0]
    foreach run $runs {
        if {[lindex $run 0] eq "error"} {
            lassign $run kind error name details
            ::kafkatcl::events::Run {} [list {*}$prefix [list error $error code $name message $details]]
            continue
        }
        foreach {payload partition offset timestamp topic key} [lindex $run 1] {
            ::kafkatcl::events::Run {} [list {*}$prefix [list payload $payload partition $partition \
                offset $offset timestamp $timestamp topic $topic {*}$key]]
        }
    }
    return $count
}

# Pass on an error.  One about the array here is told about the variable that the script named.
proc ::kafkatcl::messages::Fail {array result options} {
    set renamed [list "\"<array>(" "\"${array}("]
    if {[string first [lindex $renamed 0] $result] >= 0} {
        set result [string map $renamed $result]
        dict set options -errorinfo [string map $renamed [dict get $options -errorinfo]]
        if {[lrange [dict get $options -errorcode] 0 2] eq {TCL LOOKUP VARNAME}} {
            set isElement [string match {*(*)} $array]
            dict set options -errorcode [expr {$isElement ? {TCL VALUE VARNAME} : [list TCL LOOKUP VARNAME $array]}]
        }
    }
    return -options $options $result
}
