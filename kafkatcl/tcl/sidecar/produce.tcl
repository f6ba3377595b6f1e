# produce.tcl --
#
#   Producing over the pipe.  A message that cannot be refused is not waited for: the sidecar grants so many messages of
#   a certain size for a producer handle, and says which partitions there are (see kafkatcl/sidecar/credit.py).  All
#   others are answered, and the answer brings a new grant.

namespace eval ::kafkatcl::sidecar {
    variable credit         ;# handle -> how many messages are granted
    variable largest        ;# handle -> the most bytes of one
    variable handleOf       ;# topic,partition that is known to exist -> its handle
    array set credit {}
    array set largest {}
    array set handleOf {}
}

# Produce without waiting for the answer; 1, or 0 if that cannot be.
proc ::kafkatcl::sidecar::produce_quick {topic partition payload args} {
    variable pipe
    variable owner
    variable credit
    variable largest
    variable handleOf
    if {![info exists handleOf($topic,$partition)]} {
        return 0
    }
    set handle $handleOf($topic,$partition)
    set keyLength -1
    if {[llength $args]} {
        set keyLength [string length [lindex $args 0]]
        append payload [lindex $args 0]
    }
    set length [string length $payload]
    if {![info exists credit($handle)] || $credit($handle) <= 0 || $length > $largest($handle) || [pid] != $owner} {
        return 0
    }
    # Characters above U+00FF are no bytes.
    set bytes [binary format a* $payload]
    if {$bytes ne $payload || [catch {
        puts -nonewline $pipe [binary format iia12iia* [expr {20 + $length}] 3 $topic $partition $keyLength $bytes]
        flush $pipe
    }]} {
        return 0
    }
    incr credit($handle) -1
    return 1
}

# Produce, and wait for the answer.
proc ::kafkatcl::sidecar::produce {topic partition payload args} {
    set keyLength -1
    set data $payload
    if {[llength $args]} {
        set keyLength [string length [lindex $args 0]]
        append data [lindex $args 0]
    }
    if {![IsPlain $partition] || [set bytes [binary format a* $data]] ne $data} {
        return [Call produce $topic $partition $payload {*}$args]
    }
    return [Granted $topic $partition [Ask 2 [binary format a12iia* $topic $partition $keyLength $bytes]]]
}

# Produce a list of lists, each a payload and perhaps a key; the answer 1, or 0 if they have to go as words.
proc ::kafkatcl::sidecar::produce_rows {topic partition rows} {
    set lengths {}
    set data {}
    if {![IsPlain $partition] || [catch {
        foreach row $rows {
            lassign $row payload key
            switch [llength $row] {
                1 {lappend lengths [string length $payload] -1}
                2 {lappend lengths [string length $payload] [string length $key]}
                default {error "no row"}
            }
            append data $payload $key
        }
    }] || [set bytes [binary format a* $data]] ne $data} {
        return {0 0}
    }
    set count [expr {[llength $lengths] / 2}]
    set body [binary format a12iii*a* $topic $partition $count $lengths $bytes]
    set answer [Granted $topic $partition [Ask 4 $body]]
    return [expr {[lindex $answer 0] eq 0 ? {0 1} : $answer}]
}

# Whether a partition is a number as the sidecar writes it.
proc ::kafkatcl::sidecar::IsPlain {partition} {
    return [regexp {^(-1|0|[1-9][0-9]{0,8})$} $partition]
}

# Take the grant that comes with an answer.
proc ::kafkatcl::sidecar::Granted {topic partition answer} {
    variable credit
    variable largest
    variable handleOf
    if {[lindex $answer 0] eq 0} {
        lassign [lindex $answer 1] handle messages size isKnown
        set credit($handle) $messages
        set largest($handle) $size
        if {$isKnown} {
            set handleOf($topic,$partition) $handle
        }
    }
    return $answer
}

# Delete an object; a handle's grant goes with it.
proc ::kafkatcl::sidecar::delete {id} {
    variable credit
    variable largest
    variable handleOf
    unset -nocomplain credit($id) largest($id)
    array unset handleOf $id,*
    return [Call delete $id]
}
