# messages.tcl --
#
#   Messages in the variables of a script: arrays, and code that is run for each message.
#
#   The procedures here are called by subcommands, so whoever called the object command is 3 levels up.

namespace eval ::kafkatcl::messages {}

# Set the array to a message.  Elements that other messages had and this one has not are unset.
proc ::kafkatcl::messages::Fill {array payload partition offset timestamp topic key} {
    upvar 1 $array row
    set row(payload) $payload
    set row(partition) $partition
    set row(offset) $offset
    set row(timestamp) $timestamp
    set row(topic) $topic
    if {[llength $key]} {
        set row(key) [lindex $key 1]
    } elseif {[info exists row(key)]} {
        unset row(key)
    }
    if {[info exists row(error)]} {
        unset -nocomplain row(error) row(code) row(message)
    }
}

# Unset what a message would set.
proc ::kafkatcl::messages::Clear {array} {
    upvar 1 $array row
    unset -nocomplain row(payload) row(partition) row(offset) row(timestamp) row(topic) row(key)
}

# Set the array to an error that came in the place of a message.
proc ::kafkatcl::messages::FillError {array error code message} {
    upvar 1 $array row
    Clear row
    set row(error) $error
    set row(code) $code
    set row(message) $message
}

# Answer to `consume`: the array filled and 1, or 0 at the end of a partition.
proc ::kafkatcl::messages::One {array answer} {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code $value
    }
    upvar 3 $array row
    switch -- [lindex $value 0] {
        message {
            if {[catch {Fill row {*}[lrange $value 1 end]} result options]} {
                return -options [Renamed $array $options] [RenamedText $array $result]
            }
            return 1
        }
        end {
            Clear row
            return 0
        }
        error {
            Clear row
            lassign $value kind error name details
            return -code error -errorcode [list KAFKA $name $error $details] "kafka error: $error ($details)"
        }
    }
}

# Answer to `consume_batch`: run the code in the caller for each message with the array set to it; the number
# of messages.  What the code does not get to, because of a break, a return or an error, is put back.
proc ::kafkatcl::messages::Each {array body answer} {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code $value
    }
    set runs [lassign $value batch count]
    upvar 3 $array row
    set done 0
    set planned 0
    set code [catch {
        foreach run $runs {
            if {[lindex $run 0] eq "error"} {
                incr planned
                foreach {kind error name details} $run {
                    FillError row $error $name $details
                    incr done
                    uplevel 3 $body
                }
            } else {
                incr planned [expr {[llength [lindex $run 1]] / 6}]
                foreach {payload partition offset timestamp topic key} [lindex $run 1] {
                    incr done
                    # What Fill does; a call for each message would cost more than all of it.
                    set row(payload) $payload
                    set row(partition) $partition
                    set row(offset) $offset
                    set row(timestamp) $timestamp
                    set row(topic) $topic
                    if {[llength $key]} {
                        set row(key) [lindex $key 1]
                    } elseif {[info exists row(key)]} {
                        unset row(key)
                    }
                    if {[info exists row(error)]} {
                        unset -nocomplain row(error) row(code) row(message)
                    }
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
    # A return of the code is one of the caller: from here it has three procedures more to leave.
    dict incr options -level [expr {$code == 2 ? 3 : 1}]
    return -options [Renamed $array $options] [RenamedText $array $result]
}

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

# An error about the array here, told about the variable that the script named.
proc ::kafkatcl::messages::RenamedText {array text} {
    return [string map [list "\"row(" "\"${array}("] $text]
}

proc ::kafkatcl::messages::Renamed {array options} {
    if {[dict get $options -code] != 1} {
        return $options
    }
    if {[lrange [dict get $options -errorcode] 0 2] eq {TCL LOOKUP VARNAME}} {
        set isElement [string match {*(*)} $array]
        dict set options -errorcode [expr {$isElement ? {TCL VALUE VARNAME} : [list TCL LOOKUP VARNAME $array]}]
    }
    dict set options -errorinfo [RenamedText $array [dict get $options -errorinfo]]
    return $options
}
