# Work off the jobs of a topic as a member of a share group: start as many of these as
# you like.  A job that fails is tried again, by whoever is free, and given up after
# three times.
#
#   kafkatclsh share_worker.tcl ?topic? ?brokers? ?group?

package require kafka

lassign [list {*}$argv {*}[lrange {jobs 127.0.0.1 workers} $argc end]] topic brokers group

source [file join [file dirname [info script]] messages.tcl]
kafka::setup -brokers $brokers
prepare $topic
kafka::topic_producer jobs $topic
kafka::master config group.id $group share.acknowledgement.mode explicit
kafka::master share_subscriber worker

# Called from the event loop; it ends the script when nothing has come for 2 seconds.
proc arrived {message} {
    if {[dict exists $message error]} {
        puts stderr [dict get $message message]
        return
    }
    dict with message {
        if {![catch {work $payload} result]} {
            set how accept
        } elseif {$delivery_count < 3} {
            set how release
        } else {
            set how reject
        }
        puts "$payload, delivery $delivery_count: $result, $how"
        worker acknowledge [list $topic $partition $offset] $how
    }
    if {![info exists ::joined]} {
        set ::joined 1
        jobs produce_batch 0 {{{3 * 4}} nonsense}
    }
    wait 2
}

# Have something to do.  A new group begins at the end of the topic, so the first job is
# offered until the worker has joined.
proc offer {} {
    if {![info exists ::joined]} {
        jobs produce 0 {1 + 2}
        after 500 offer
    }
}

# The work: a sum, which may be none.
proc work {job} {
    if {![regexp {^[\d\s+*]+$} $job]} {
        error "no sum"
    }
    return [expr $job]
}

proc wait {seconds} {
    after cancel {set done 1}
    after [expr {$seconds * 1000}] {set done 1}
}

worker callback arrived
worker subscribe $topic
offer
wait 20
vwait done

# Sends the last acknowledgements, and leaves the group.
worker delete
