# scenes.tcl --
#
#   The objects that calls are made with, and scenes of several steps.

# -- objects ---------------------------------------------------------------------------

# Delete all objects but those of the probe, and all children.
proc ::fuzz::Clear {} {
    foreach child [interp slaves] {
        interp delete $child
    }
    foreach id [lsort -decreasing -dictionary [array names ::kafkatcl::commandOf]] {
        if {[info exists ::kafkatcl::commandOf($id)] && ![string match ::fuzz::probe::* $::kafkatcl::commandOf($id)]} {
            catch {rename $::kafkatcl::commandOf($id) {}}
        }
    }
}

# A master that knows the brokers.
proc ::fuzz::Master {name} {
    kafka::kafka create $name
    $name logger none
    $name config bootstrap.servers [join $::brokers ,] fetch.wait.max.ms 5 group.id fuzz-[pid] \
        session.timeout.ms 2000 heartbeat.interval.ms 200 queued.min.messages 1000 queued.max.messages.kbytes 2048
}

# Make the objects anew, and what values of the grammar name.
proc ::fuzz::Fresh {} {
    Clear
    proc ::victim {args} {}
    unset -nocomplain ::row ::other ::scalar ::refusing ::killing
    set ::scalar 1
    array set ::refusing {a 1}
    trace add variable ::refusing write {apply {args {error refused}}}
    trace add variable ::killing write {apply {args {fuzz::Kill tc}}}
    Master ::m
    kafka::kafka create ::mn
    ::mn logger none
    # Without a coordinator a commit waits as long as a session may last.
    ::mn config group.id nobody session.timeout.ms 200 heartbeat.interval.ms 50
    foreach n {{} n} {
        ::m$n producer_creator ::p$n
        ::m$n consumer_creator ::c$n
        ::m$n subscriber ::s$n
        ::p$n new_topic ::tp$n $::topic
        ::c$n new_topic ::tc$n $::topic
        ::c$n create_queue ::q$n
        foreach partition {0 1} {
            ::tc$n start $partition 0
        }
        ::tc$n start_queue 2 0 ::q$n
    }
    ::m subscriber ::s2
    # A producer with transactions, and a subscriber that goes with them.
    ::m config transactional.id fuzz-[pid] enable.auto.commit false
    ::m producer_creator ::pt
    ::pt new_topic ::tpt $::topic
    ::m config transactional.id {}
    ::m subscriber ::st
    ::m config enable.auto.commit true
    ::st assign [list $::topic 1 0]
    ::s assign [list $::topic 0 0]
    # Members of share groups have no session.timeout.ms.
    kafka::kafka create ::mh
    ::mh logger none
    ::mh config bootstrap.servers [join $::brokers ,] fetch.wait.max.ms 5 group.id shared-[pid]
    ::mh share_subscriber ::h
    ::mh config share.acknowledgement.mode explicit
    ::mh share_subscriber ::hx
    foreach name {::h ::hx} {
        $name subscribe $::topic
    }
    kafka::setup -brokers $::brokers
    kafka::master logger none
    return
}

# Before the first call: a topic with messages, and the objects of the probe.
proc ::fuzz::Begin {} {
    set ::topic fuzz-[pid]-[clock microseconds]
    namespace eval probe {}
    Master ::fuzz::probe::m
    ::fuzz::probe::m producer_creator ::fuzz::probe::p
    ::fuzz::probe::m consumer_creator ::fuzz::probe::c
    ::fuzz::probe::p new_topic ::fuzz::probe::tp $::topic-probe
    ::fuzz::probe::p new_topic ::fuzz::probe::full $::topic
    ::fuzz::probe::c new_topic ::fuzz::probe::tc $::topic-probe
    foreach partition {0 1 2 3} {
        ::fuzz::probe::full produce_batch $partition [lrepeat 50 {payload key}]
    }
    Wait {[::fuzz::probe::p output_queue_length] == 0}
    ::fuzz::probe::tp produce 0 first
    ::fuzz::probe::tc start 0 beginning
}

# Wait until an expression of the caller is true; an error after some seconds.
proc ::fuzz::Wait {condition} {
    set end [expr {[clock milliseconds] + 15000}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock milliseconds] > $end} {
            error "waited in vain for $condition"
        }
        after 1 {set ::fuzz::tick 1}
        vwait ::fuzz::tick
    }
}

# Whether a message still goes and comes: an error if not.
proc ::fuzz::Probe {} {
    variable probes
    set text probe[incr probes]
    ::fuzz::probe::tp produce 0 $text
    set end [expr {[clock milliseconds] + 15000}]
    while {[clock milliseconds] < $end} {
        if {![catch {::fuzz::probe::tc consume 0 500 row} result] && $result && $row(payload) eq $text} {
            return
        }
    }
    error "the message of the probe did not come back: $result"
}

# -- scenes ----------------------------------------------------------------------------

# Make a call from within an error callback; its result is ours.
proc ::fuzz::InCallback {script} {
    variable inner {}
    ::m error_callback [list ::fuzz::Inner $script]
    ::s error -185 x
    # It is not called where other objects were made under these names.
    set end [expr {[clock milliseconds] + 200}]
    while {$inner eq "" && [clock milliseconds] < $end} {
        after 1 {set ::fuzz::tick 1}
        vwait ::fuzz::tick
    }
    catch {::m error_callback {}}
    Outcome $inner
}

proc ::fuzz::Inner {script args} {
    variable inner [list [catch {uplevel #0 $script} result options] $result $options]
}

proc ::fuzz::Outcome {outcome} {
    lassign $outcome code result options
    if {$code == 1} {
        return -code error -errorcode [dict get $options -errorcode] -errorinfo [dict get $options -errorinfo] $result
    }
    return $result
}

# Make a call in a child interpreter that has the same objects.
proc ::fuzz::InKid {script} {
    if {![interp exists kid]} {
        interp create kid
        kid eval [list namespace eval ::fuzz [list variable isChild 1]]
        kid eval [list set ::topic $::topic]
        kid eval [list source -encoding utf-8 $::fuzz::file]
        kid eval ::fuzz::Fresh
    }
    Outcome [kid eval [list ::fuzz::Caught $script]]
}

proc ::fuzz::Caught {script} {
    return [list [catch {uplevel #0 $script} result options] $result $options]
}

# Have a child do something, and let it go in one of several ways.
proc ::fuzz::Child {kind script end} {
    set path [interp create {*}[expr {$kind eq "safe" ? "-safe" : ""}]]
    if {$kind eq "nested"} {
        set path [list $path [interp eval $path {interp create}]]
    }
    catch {interp eval $path {package require kafka}}
    catch {interp eval $path $script}
    switch -- $end {
        delete {interp delete $path}
        rename {interp eval [lrange $path 0 end-1] [list rename [lindex $path end] {}]}
        delete-in {
            interp alias $path die {} interp delete [lindex $path 0]
            catch {interp eval $path die}
        }
    }
    return
}

# A property of a master of its own, and what its handles make of it.
proc ::fuzz::Configured {name value} {
    Master ::fuzz::mx
    ::fuzz::mx config $name $value
    foreach kind {producer_creator consumer_creator subscriber} {
        ::fuzz::mx $kind ::fuzz::x
        if {$kind eq "producer_creator"} {
            ::fuzz::x new_topic ::fuzz::tx $::topic
            ::fuzz::tx produce 0 x
        }
        ::fuzz::x delete
    }
}

# Brokers that nobody else is to look for.
proc ::fuzz::Astray {brokers} {
    kafka::kafka create ::fuzz::mx
    ::fuzz::mx logger none
    ::fuzz::mx producer_creator ::fuzz::x
    ::fuzz::x add_brokers $brokers
    ::fuzz::mx add_brokers $brokers
    ::fuzz::x delete
}

# Wait without a limit for what is certain to come.
proc ::fuzz::Forever {what} {
    set objects {::fuzz::x ::fuzz::tx ::fuzz::qx}
    Master ::fuzz::mx
    if {$what eq "subscriber"} {
        ::fuzz::mx subscriber ::fuzz::x
        ::fuzz::x assign [list $::topic 0 0]
        ::fuzz::x consume -1
    } else {
        ::fuzz::mx consumer_creator ::fuzz::x
        ::fuzz::x new_topic ::fuzz::tx $::topic
        ::fuzz::x create_queue ::fuzz::qx
        switch $what {
            topic {::fuzz::tx start 0 0; ::fuzz::tx consume 0 -1 row}
            batch {::fuzz::tx start 0 0; ::fuzz::tx consume_batch 0 -1 10 row {}}
            queue {::fuzz::tx start_queue 0 0 ::fuzz::qx; ::fuzz::qx consume -2 row}
            poll {::fuzz::tx start 0 0 ::fuzz::Note; ::fuzz::x poll -1}
        }
    }
    foreach object $objects {
        catch {rename $object {}}
    }
}
